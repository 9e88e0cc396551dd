import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bucketOf, HIST_BOUNDS_NS, HIST_BUCKETS, latencyOf, maxOfEpoch, mergeLatencies, percentileNs } from '../../src/frame/histogram.ts';

/** bpf/hist.h's hist_index, written again from its comment. */
function indexOf(ns: number): number {
  if (ns < 256) return 0;
  const octave = Math.floor(Math.log2(ns));
  return Math.min(HIST_BUCKETS - 1, 1 + (octave - 8) * 4 + Math.floor((ns / 2 ** octave - 1) * 4));
}

function countsOf(samples: readonly number[]): Float64Array {
  const counts = new Float64Array(HIST_BUCKETS);
  for (const ns of samples) counts[indexOf(ns)]!++;
  return counts;
}

describe('histogram', () => {
  it('bounds rise and no bucket is wider than a quarter of its lower bound', () => {
    for (let i = 1; i < HIST_BUCKETS; i++) {
      const low = HIST_BOUNDS_NS[i]!, high = HIST_BOUNDS_NS[i + 1]!;
      expect(high).toBeGreaterThan(low);
      expect(high - low).toBeLessThanOrEqual(low / 4);
      expect(indexOf(low)).toBe(i);
      expect(indexOf(high - 1)).toBe(i);
    }
  });

  it('percentiles lie within a bucket of the true ones', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 256, max: 60_000_000_000 }), { minLength: 1, maxLength: 300 }), fc.constantFrom(0.5, 0.95, 0.99), (samples, share) => {
      const sorted = [...samples].sort((a, b) => a - b);
      const truth = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
      const got = percentileNs(countsOf(samples), samples.length, share, sorted.at(-1)!)!;
      expect(got).toBeGreaterThanOrEqual(truth / 1.26);
      expect(got).toBeLessThanOrEqual(truth * 1.26);
    }));
  });

  it('is null without samples, never zero', () => {
    expect(latencyOf(new Float64Array(HIST_BUCKETS), 0, null, 1)).toEqual({ count: 0, sumUs: 0, p50Us: null, p95Us: null, p99Us: null, maxUs: null, buckets: [], sampled: 1 });
    expect(mergeLatencies([null, null])).toBeNull();
  });

  it('merging equals measuring together', () => {
    fc.assert(fc.property(fc.array(fc.array(fc.integer({ min: 0, max: 1e9 }), { minLength: 1, maxLength: 50 }), { minLength: 1, maxLength: 5 }), (groups) => {
      const one = (samples: readonly number[]) => latencyOf(countsOf(samples), samples.reduce((a, b) => a + b, 0), Math.max(...samples), 1);
      const merged = mergeLatencies(groups.map(one))!;
      const together = one(groups.flat());
      expect(merged.buckets).toEqual(together.buckets);
      expect(merged.count).toBe(together.count);
      expect(merged.maxUs).toBe(together.maxUs);
      expect(merged.sumUs).toBeCloseTo(together.sumUs, 3);
      expect(merged.p99Us).toBeCloseTo(together.p99Us!, 3);
    }));
  });

  it('finds the bucket of every bound', () => {
    for (let i = 0; i < HIST_BUCKETS; i++) expect(bucketOf((HIST_BOUNDS_NS[i] ?? 0) / 1000)).toBe(i);
  });

  it('a maximum counts only in its own epoch', () => {
    const slot = (epoch: number, ns: number) => epoch * 2 ** 40 + ns;
    expect(maxOfEpoch(slot(4, 700), slot(5, 900), 4)).toBe(700);
    expect(maxOfEpoch(slot(4, 700), slot(5, 900), 5)).toBe(900);
    expect(maxOfEpoch(slot(4, 700), slot(3, 900), 5)).toBeNull();
    expect(maxOfEpoch(0, 0, 2)).toBeNull();
  });
});
