import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_HISTORY_MS, keepHistory, parseHistory } from '../../src/cli/history.ts';
import { parseSpeed } from '../../src/cli/replay.ts';
import { FakeNode, fakeSource } from '../ui/fixtures.ts';

describe('--speed', () => {
  it('is one of those that the keys go through', () => {
    expect(parseSpeed('2')).toBe(2);
    expect(parseSpeed('0.25x')).toBe(0.25);
    for (const text of ['0', '3', '-1', 'x', '64', '']) expect(() => parseSpeed(text)).toThrow(/^--speed/);
  });
});

describe('--history', () => {
  it('is a duration, or none at all', () => {
    expect(parseHistory('15m')).toBe(DEFAULT_HISTORY_MS);
    expect(parseHistory('0')).toBe(0);
    expect(parseHistory('0s')).toBe(0);
    for (const text of ['5', '1s', '48h', 'x']) expect(() => parseHistory(text)).toThrow(/^--history/);
  });

  it('keeps each Frame before the screen is given it, and saves what it holds', async () => {
    const node = new FakeNode(), source = fakeSource(node), directory = mkdtempSync(join(tmpdir(), 'kbtop-history-'));
    const { timeline, saveTimeline } = await keepHistory(source, DEFAULT_HISTORY_MS, directory);
    const ends: number[] = [];
    source.subscribe(() => ends.push(timeline?.end ?? -1));
    source.emit();
    source.emit();
    expect(ends).toEqual([1, 2]);
    const names = [await saveTimeline!(timeline!), await saveTimeline!(timeline!)];
    expect(names[0]).toMatch(/^kbtop-worker-1-20261121T020002Z\.kbtop$/);
    expect(names[1]).toMatch(/^kbtop-worker-1-20261121T020002Z-2\.kbtop$/);
    const { openRecording } = await import('../../src/session/recording/open.ts');
    const recording = await openRecording(join(directory, names[0] as string));
    expect([recording.first, recording.end, recording.frame(1).seq]).toEqual([0, 2, timeline!.frame(1).seq]);
    recording.close();
  });

  it('keeps none when told', async () => {
    expect(await keepHistory(fakeSource(), 0, '/nowhere')).toEqual({});
  });
});
