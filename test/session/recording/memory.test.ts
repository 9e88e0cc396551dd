import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BLOCK_FRAMES } from '../../../src/session/recording/block.ts';
import { RecordingFile } from '../../../src/session/recording/file.ts';
import { MemoryTimeline } from '../../../src/session/recording/memory.ts';
import { recordingName, saveTimeline } from '../../../src/session/recording/save.ts';
import { FRAME, frameOf } from '../../output/frames.ts';
import { frames } from './frames.ts';

const ALL = frames(200, 4);

function filled(options = {}): MemoryTimeline {
  const timeline = new MemoryTimeline(options);
  for (const frame of ALL) timeline.push(frame);
  return timeline;
}

describe('MemoryTimeline', () => {
  it('gives back what was pushed', () => {
    const timeline = new MemoryTimeline();
    expect([timeline.first, timeline.end, timeline.indexAt(0)]).toEqual([0, 0, 0]);
    for (const [i, frame] of ALL.entries()) {
      timeline.push(frame);
      expect(timeline.frame(i)).toBe(frame);
      if (i % 20 === 0) expect(timeline.frame(i >> 1)).toStrictEqual(ALL[i >> 1]);
    }
    for (let i = ALL.length - 1; i >= 0; i--) expect(timeline.frame(i)).toStrictEqual(ALL[i]);
    timeline.rest();
    expect(timeline.frame(90)).toStrictEqual(ALL[90]);
    expect(timeline.indexAt(Date.parse(ALL[90]!.time) + 1)).toBe(90);
  });

  it('lets the oldest go by age, and never gives an index anew', () => {
    const timeline = filled({ maxAgeMs: 70_000 });
    expect(timeline.end).toBe(200);
    // Whole blocks go, as soon as their last Frame is too old.
    const { first } = timeline;
    expect(first % BLOCK_FRAMES).toBe(0);
    expect(first).toBeGreaterThan(200 - 72 - BLOCK_FRAMES);
    expect(first).toBeLessThanOrEqual(200 - 70);
    expect(timeline.frame(first)).toStrictEqual(ALL[first]);
    expect(() => timeline.frame(first - 1)).toThrow(RangeError);
    expect(() => timeline.time(200)).toThrow(RangeError);
    expect(timeline.indexAt(0)).toBe(first);
  });

  it('stays within its bytes', () => {
    const all = filled();
    const timeline = filled({ maxBytes: Math.floor(all.bytes / 2) });
    expect(timeline.bytes).toBeLessThanOrEqual(all.bytes / 2);
    expect(timeline.end - timeline.first).toBeGreaterThan(50);
    // Even where less than a block fits.
    const small = filled({ maxBytes: 20_000 });
    expect(small.bytes).toBeLessThanOrEqual(30_000);
    expect(small.frame(small.first)).toStrictEqual(ALL[small.first]);
  });

  it('counts what it cannot keep, and goes on', () => {
    const timeline = new MemoryTimeline();
    timeline.push(ALL[0]!);
    timeline.push({ ...FRAME, seq: 1n as unknown as number });
    timeline.push({ ...FRAME, time: 'never' });
    timeline.push(ALL[1]!);
    expect([timeline.lost, timeline.end]).toEqual([2, 2]);
    expect(timeline.frame(0)).toStrictEqual(ALL[0]);
  });
});

describe('saveTimeline', () => {
  let directory = '';
  beforeAll(() => { directory = mkdtempSync(join(tmpdir(), 'kbtop-save-')); });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const read = (path: string): unknown[] => {
    const recording = RecordingFile.open(path);
    const all = Array.from({ length: recording.end }, (_, i) => recording.frame(i));
    expect(recording.warnings).toEqual([]);
    recording.close();
    return all;
  };

  it.each([[0, 200], [70, 200], [60, 120], [BLOCK_FRAMES, 2 * BLOCK_FRAMES], [5, 6], [130, 131], [BLOCK_FRAMES - 1, BLOCK_FRAMES + 1]])('writes Frames %i to %i as a recording', async (from, to) => {
    const path = join(directory, `${from}-${to}.kbtop`);
    const { frames: count, bytes } = await saveTimeline(filled(), path, from, to, { env: {} });
    expect([count, bytes]).toEqual([to - from, statSync(path).size]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(read(path)).toStrictEqual(ALL.slice(from, to));
  });

  it('writes any Timeline', async () => {
    const path = join(directory, 'first.kbtop'), again = join(directory, 'again.kbtop');
    await saveTimeline(filled(), path, undefined, undefined, { env: {} });
    const recording = RecordingFile.open(path);
    await saveTimeline(recording, again, 10, 100, { version: '1.2.3' });
    recording.close();
    expect(read(again)).toStrictEqual(ALL.slice(10, 100));
  });

  it('never overwrites, and leaves nothing behind when it fails', async () => {
    const path = join(directory, 'there.kbtop');
    writeFileSync(path, 'precious');
    await expect(saveTimeline(filled(), path, undefined, undefined, { env: {} })).rejects.toMatchObject({ code: 'EEXIST' });
    const before = readdirSync(directory);
    await expect(saveTimeline(new MemoryTimeline(), join(directory, 'none', 'x.kbtop'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(saveTimeline({ first: 0, end: 1, time: () => 0, indexAt: () => 0, frame: () => { throw new Error('gone'); } }, join(directory, 'failed.kbtop'))).rejects.toThrow('gone');
    expect(readdirSync(directory)).toEqual(before);
  });

  it.skipIf(process.getuid?.() !== 0)('gives the file to whoever called sudo', async () => {
    const path = join(directory, 'theirs.kbtop');
    await saveTimeline(filled(), path, 0, 1, { env: { SUDO_UID: '1234', SUDO_GID: '4321' } });
    expect([statSync(path).uid, statSync(path).gid]).toEqual([1234, 4321]);
  });

  it('names files safely', () => {
    expect(recordingName(FRAME)).toBe('kbtop-worker-1-20261121T020005Z.kbtop');
    expect(recordingName(frameOf({}, { node: { ...FRAME.node, name: '../;rm -rf' } }))).toBe('kbtop-__rm_-rf-20261121T020005Z.kbtop');
  });
});
