import { describe, expect, it } from 'vitest';
import { kernelAtLeast, shardsFor } from '../../src/probes/kernel-limits.ts';

describe('kernel limits', () => {
  it.each([
    ['6.1.0-56-cloud-amd64', 6, 1, true], ['6.18.44', 6, 1, true], ['5.15.0', 6, 1, false], ['6.0.12', 6, 1, false], ['7.0.0-rc1', 6, 18, true], ['nonsense', 5, 0, false],
  ])('%s is at least %i.%i: %s', (running, major, minor, expected) => {
    expect(kernelAtLeast(major, minor, running)).toBe(expected);
  });

  it('gives every CPU a copy up to eight, and always a power of two', () => {
    expect([0, 1, 2, 3, 4, 6, 8, 9, 64, 1000].map(shardsFor)).toEqual([1, 1, 2, 4, 4, 8, 8, 8, 8, 8]);
  });
});
