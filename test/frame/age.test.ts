import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { humanDuration } from '../../src/frame/age.ts';

const S = 1000, M = 60 * S, H = 60 * M, D = 24 * H, Y = 365 * D;

describe('humanDuration', () => {
  it.each([
    [0, '0s'], [999, '0s'], [119 * S, '119s'], [2 * M - 1, '119s'], [2 * M, '2m'], [5 * M + 3 * S, '5m3s'], [10 * M - 1, '9m59s'], [10 * M, '10m'], [179 * M, '179m'],
    [3 * H, '3h'], [7 * H + 5 * M, '7h5m'], [8 * H - 1, '7h59m'], [8 * H, '8h'], [47 * H + 59 * M, '47h'], [48 * H, '2d'], [3 * D + 4 * H, '3d4h'], [8 * D - 1, '7d23h'], [8 * D, '8d'],
    [400 * D, '400d'], [2 * Y - 1, '729d'], [2 * Y, '2y'], [2 * Y + 35 * D, '2y35d'], [8 * Y - 1, '7y364d'], [8 * Y, '8y'], [9 * Y + 300 * D, '9y'],
  ])('writes %i ms as %s', (ms, text) => {
    expect(humanDuration(ms)).toBe(text);
  });

  it('takes clocks that differ a little for now, and more for wrong', () => {
    expect([-1, -1999].map(humanDuration)).toEqual(['0s', '0s']);
    expect([-2001, -D, Number.NaN].map(humanDuration)).toEqual(['<invalid>', '<invalid>', '<invalid>']);
  });

  it('never takes more than six cells below a thousand years', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1000 * Y - 1 }), (ms) => { expect(humanDuration(ms)).toMatch(/^\d+[smhdy](\d+[smhd])?$/); expect(humanDuration(ms).length).toBeLessThanOrEqual(6); }));
  });
});
