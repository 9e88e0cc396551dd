import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMoment, resolveMoment, spanText } from '../../../src/ui/travel/moment.ts';

const S = 1000, M = 60 * S, H = 60 * M;

describe('a moment', () => {
  it.each([
    ['-5m', { kind: 'relative', ms: -5 * M }], ['+30s', { kind: 'relative', ms: 30 * S }], [' +1m30s ', { kind: 'relative', ms: 90 * S }], ['-2h', { kind: 'relative', ms: -2 * H }],
    ['02:00:05', { kind: 'clock', hour: 2, minute: 0, second: 5 }], ['2:00', { kind: 'clock', hour: 2, minute: 0, second: 0 }],
    // All of the second: its Frame ends within.
    ['2026-11-21T02:00:05Z', { kind: 'absolute', ms: Date.UTC(2026, 10, 21, 2, 0, 5, 999) }], ['2026-11-21T02:00:05.250Z', { kind: 'absolute', ms: Date.UTC(2026, 10, 21, 2, 0, 5, 250) }],
    ['2026-11-21 02:00:05+01:00', { kind: 'absolute', ms: Date.UTC(2026, 10, 21, 1, 0, 5, 999) }],
  ])('is what %s says', (text, moment) => {
    expect(parseMoment(text)).toEqual(moment);
  });

  it('takes a date and a time without a zone for local', () => {
    expect(parseMoment('2026-11-21 02:00:05.000')).toEqual({ kind: 'absolute', ms: new Date(2026, 10, 21, 2, 0, 5).getTime() });
    expect(parseMoment('2026-11-21')).toEqual({ kind: 'absolute', ms: new Date(2026, 10, 21, 0, 0, 0, 999).getTime() });
  });

  it.each(['', 'now', '24:00', '12:60', '12:00:60', '5m', '-5', '+', '--5m', '2026-13-01T00:00:00Z', '1e9', '2026', '12', '-9999h'])('is not what %j says', (text) => {
    expect(() => parseMoment(text)).toThrow(RangeError);
  });

  it('never throws anything else', () => {
    fc.assert(fc.property(fc.string(), (text) => {
      try {
        parseMoment(text);
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }));
  });

  it('is relative to where somebody stands', () => {
    expect(resolveMoment({ kind: 'relative', ms: -5 * M }, { from: 10 * M, first: 0, last: H })).toBe(5 * M);
    expect(resolveMoment({ kind: 'absolute', ms: 7 }, { from: 10 * M, first: 0, last: H })).toBe(7);
  });

  const local = (day: number, hour: number, minute = 0): number => new Date(2026, 10, day, hour, minute).getTime();
  const clock = (hour: number, minute = 0) => ({ kind: 'clock', hour, minute, second: 0 }) as const;

  it('of a day is of the day that was recorded, across midnight, too', () => {
    const range = { first: local(21, 23), last: local(22, 2), from: local(21, 23, 30) };
    expect(resolveMoment(clock(23, 50), range)).toBe(local(21, 23, 50) + 999);
    expect(resolveMoment(clock(1), range)).toBe(local(22, 1) + 999);
    expect(resolveMoment(clock(23, 10), { ...range, from: local(22, 1, 59) })).toBe(local(21, 23, 10) + 999);
    // Nothing was recorded at noon: the nearest one, and whoever moves there says so.
    expect([local(21, 12), local(22, 12)]).toContain(resolveMoment(clock(12), range) - 999);
  });

  it('is within the second in which the first Frame ended', () => {
    const first = local(21, 2) + 300;
    expect(resolveMoment(clock(2), { first, last: first + 5000, from: first })).toBeGreaterThanOrEqual(first);
  });
});

describe('a span', () => {
  it.each([[250, '250ms'], [5000, '5s'], [59_600, '1m00s'], [185_000, '3m05s'], [3_720_000, '1h02m'], [26 * H, '1d02h'], [0, '0ms']])('of %i ms reads %s', (ms, text) => {
    expect(spanText(ms)).toBe(text);
  });
});
