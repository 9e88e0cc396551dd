import { describe, expect, it } from 'vitest';
import { formatAge } from '../../src/frame/age.ts';

const S = 1_000;
const M = 60 * S;
const H = 60 * M;
const D = 24 * H;
const Y = 365 * D;

describe('ages', () => {
  it.each([
    [-3 * S, '<invalid>'], [-2 * S, '<invalid>'], [-2 * S + 1, '0s'], [-1, '0s'], [0, '0s'], [999, '0s'], [S, '1s'], [2 * M - 1, '119s'],
    [2 * M, '2m'], [2 * M + S, '2m1s'], [5 * M + 3 * S, '5m3s'], [10 * M - 1, '9m59s'],
    [10 * M, '10m'], [10 * M + 59 * S, '10m'], [3 * H - 1, '179m'],
    [3 * H, '3h'], [3 * H + 59 * S, '3h'], [7 * H + 5 * M, '7h5m'], [8 * H - 1, '7h59m'],
    [8 * H, '8h'], [8 * H + 59 * M, '8h'], [48 * H - 1, '47h'],
    [48 * H, '2d'], [2 * D + 59 * M, '2d'], [3 * D + 4 * H, '3d4h'], [8 * D - 1, '7d23h'],
    [8 * D, '8d'], [8 * D + 23 * H, '8d'], [400 * D, '400d'], [2 * Y - 1, '729d'],
    [2 * Y, '2y'], [2 * Y + 35 * D, '2y35d'], [8 * Y - 1, '7y364d'],
    [8 * Y, '8y'], [9 * Y + 364 * D, '9y'], [Number.NaN, '<invalid>'],
  ])('%d ms is %s', (ms, want) => expect(formatAge(ms)).toBe(want));
});
