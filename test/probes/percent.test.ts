import { describe, expect, it } from 'vitest';
import { percent } from '../../src/probes/percent.ts';

describe('percent', () => {
  it.each([[0, 1e9, 0], [1e9, 1e9, 100], [2e9, 1e9, 200], [123_456_789, 1e9, 12.346], [4_999, 1e9, 0], [5_000, 1e9, 0.001], [1, 3, 33.333]])('of %i ns in %i ns is %d', (used, elapsed, expected) => {
    expect(percent(used, elapsed)).toBe(expected);
  });
});
