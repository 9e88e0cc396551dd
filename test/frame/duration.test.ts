import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/frame/duration.ts';

const WIDE = { min: 0, max: Infinity };

describe('parseDuration', () => {
  it.each([['500ms', 500], ['5s', 5000], ['1m', 60_000], ['1.5s', 1500], ['.5s', 500], ['1m30s', 90_000], ['2h', 7_200_000], ['1h1m1s1ms', 3_661_001], [' 5s ', 5000], ['0s', 0]])('%s', (text, ms) => {
    expect(parseDuration(text, WIDE)).toBe(ms);
  });

  it.each(['', ' ', 's', '5x', '5 s', '-5s', '+5s', '5s-', '1e3s', 'Infinity', 'NaNs', '5sec', '1.s', '5s5', '٥s'])('%j is not one', (text) => {
    expect(() => parseDuration(text, WIDE)).toThrow(/is not a duration such as|lacks a unit/);
  });

  it('asks for the unit of a bare number', () => {
    expect(() => parseDuration('5', WIDE)).toThrow('"5" lacks a unit: 5s or 5ms?');
  });

  it('names the limit that was passed', () => {
    const limits = { min: 100, max: 3_600_000 };
    expect(() => parseDuration('99ms', limits)).toThrow('"99ms" is too short: 100ms at least');
    expect(() => parseDuration('61m', limits)).toThrow('"61m" is too long: 1h at most');
    expect(() => parseDuration('9'.repeat(400) + 's', limits)).toThrow('too long');
    expect(parseDuration('100ms', limits)).toBe(100);
    expect(parseDuration('1h', limits)).toBe(3_600_000);
  });
});

describe('formatDuration', () => {
  it('is read back as it was', () => {
    fc.assert(fc.property(fc.nat(100_000_000), (ms) => {
      expect(parseDuration(formatDuration(ms), WIDE)).toBeCloseTo(ms, 3);
    }));
  });
});
