import { describe, expect, it } from 'vitest';
import { localTime, parseAt } from '../../src/cli/at.ts';
import { formatSize, sizeOption } from '../../src/cli/size.ts';
import { MemoryTimeline } from '../../src/session/recording/memory.ts';
import { FRAME } from '../output/frames.ts';

/** A Frame a minute, as clocks here show it. */
function timeline(begin: Date, minutes: number): MemoryTimeline {
  const all = new MemoryTimeline({ maxAgeMs: Number.MAX_VALUE });
  for (let i = 1; i <= minutes; i++) all.push({ ...FRAME, intervalMs: 60_000, time: new Date(begin.getTime() + i * 60_000).toISOString() });
  return all;
}

describe('parseAt', () => {
  const begin = new Date(2026, 10, 21, 23, 50, 0), past = timeline(begin, 30);
  const at = (text: string): string => localTime(parseAt(text, past));

  it.each([
    ['23:55:30', '2026-11-21 23:55:30'], ['00:10', '2026-11-22 00:10:00'], ['0:10:05', '2026-11-22 00:10:05'], ['23:50', '2026-11-21 23:50:00'],
    ['2026-11-21T23:55:30', '2026-11-21 23:55:30'], ['2026-11-22 00:05', '2026-11-22 00:05:00'], [new Date(2026, 10, 22, 0, 7).toISOString(), '2026-11-22 00:07:00'],
    ['+0', '2026-11-21 23:51:00'], ['+90s', '2026-11-21 23:52:30'], ['-1m', '2026-11-22 00:19:00'], ['-0', '2026-11-22 00:20:00'], ['-1m30s', '2026-11-22 00:18:30'],
  ])('understands %s', (text, expected) => expect(at(text)).toBe(expected));

  it.each(['12:00', '2026-11-21T23:49:59', '2027-01-01', '+1h', '-2h'])('refuses %s, which is not in it, and says where it goes', (text) => {
    expect(() => at(text)).toThrow(`"${text}" is not in the recording, which goes from 2026-11-21 23:50:00 to 2026-11-22 00:20:00`);
  });

  it.each(['', 'noon', '25', '12:99:99999', '+5', '-x', '2026-13-45'])('refuses %j, which is no time', (text) => {
    expect(() => at(text)).toThrow(RangeError);
  });
});

describe('sizes', () => {
  const parse = sizeOption('--max-size', { min: 2 ** 20, max: 2 ** 40 });

  it.each([['1M', 2 ** 20], ['100m', 100 * 2 ** 20], ['1.5G', 1.5 * 2 ** 30], ['2048K', 2 ** 21], ['1MiB', 2 ** 20], ['5MB', 5 * 2 ** 20]])('%s', (text, bytes) => expect(parse(text)).toBe(bytes));
  it.each(['', '100', '10X', '-1M', '1M2', '1K', '99T'])('refuses %j', (text) => expect(() => parse(text)).toThrow(/^--max-size "/));
  it('are shown in whole units', () => expect([formatSize(512), formatSize(70_000), formatSize(20 * 2 ** 20)]).toEqual(['512 bytes', '68 KiB', '20.0 MiB']));
});
