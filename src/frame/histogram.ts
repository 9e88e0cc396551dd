/**
 * The log-linear histogram of bpf/hist.h, read in user space: bounds, percentiles, and a Latency from the
 * difference of two readings. Constants are those of the header; test/bpf/histogram.test.ts compares them.
 */
import type { Latency } from './frame.ts';

export const HIST_MIN_SHIFT = 8;
export const HIST_SUB_SHIFT = 2;
export const HIST_OCTAVES = 28;
export const HIST_BUCKETS = 1 + HIST_OCTAVES * (1 << HIST_SUB_SHIFT);
/** Words of `struct hist`: sum, two maxima, buckets. */
export const HIST_WORDS = 3 + HIST_BUCKETS;
const MAX_SCALE = 2 ** 40;

/** Lower bounds of the buckets, nanoseconds, and one past the last (an open bucket is drawn as wide as its neighbours). */
export const HIST_BOUNDS_NS: Float64Array = (() => {
  const bounds = new Float64Array(HIST_BUCKETS + 1);
  const sub = 1 << HIST_SUB_SHIFT;
  for (let i = 1; i <= HIST_BUCKETS; i++) {
    const octave = HIST_MIN_SHIFT + Math.floor((i - 1) / sub);
    bounds[i] = 2 ** octave * (1 + ((i - 1) % sub) / sub);
  }
  return bounds;
})();

/** The finished epoch's maximum from the word pair of `struct hist`, nanoseconds; null when that epoch saw none. */
export function maxOfEpoch(slot0: number, slot1: number, epoch: number): number | null {
  const slot = epoch % 2 === 0 ? slot0 : slot1;
  return Math.floor(slot / MAX_SCALE) === epoch ? slot % MAX_SCALE : null;
}

/**
 * Value below which a share of the samples lies, interpolated inside its bucket.
 * @param counts one count per bucket @param share 0..1 @param first no bucket below it has samples
 * @returns nanoseconds, null without samples
 */
export function percentileNs(counts: ArrayLike<number>, total: number, share: number, maxNs: number | null, first = 0): number | null {
  if (total <= 0) return null;
  const rank = share * total;
  let below = 0;
  for (let i = first; i < HIST_BUCKETS; i++) {
    const n = counts[i] ?? 0;
    if (n > 0 && below + n >= rank) {
      const low = HIST_BOUNDS_NS[i] ?? 0;
      const high = HIST_BOUNDS_NS[i + 1] ?? low;
      const value = low + (high - low) * Math.max(0, Math.min(1, (rank - below) / n));
      return maxNs === null ? value : Math.min(value, maxNs);
    }
    below += n;
  }
  return maxNs;
}

/** A Latency from one interval's bucket counts. @param sampled 1 for every event timed, N for one in N */
export function latencyOf(counts: ArrayLike<number>, sumNs: number, maxNs: number | null, sampled: number): Latency {
  let total = 0, first = 0;
  const buckets: [number, number][] = [];
  for (let i = 0; i < HIST_BUCKETS; i++) {
    const n = counts[i] ?? 0;
    if (n <= 0) continue;
    if (total === 0) first = i;
    total += n;
    buckets.push([(HIST_BOUNDS_NS[i] ?? 0) / 1000, n]);
  }
  const us = (share: number): number | null => {
    const ns = percentileNs(counts, total, share, maxNs, first);
    return ns === null ? null : ns / 1000;
  };
  return {
    count: total, sumUs: sumNs / 1000, p50Us: us(0.5), p95Us: us(0.95), p99Us: us(0.99),
    maxUs: maxNs === null ? null : maxNs / 1000, buckets, sampled,
  };
}

/** Index of the bucket with this lower bound, microseconds as in Latency.buckets. Arithmetic: this runs for every bucket of every row. */
export function bucketOf(lowerUs: number): number {
  const ns = Math.round(lowerUs * 1000);
  if (ns < 2 ** HIST_MIN_SHIFT) return 0;
  // clz32 sees 32 bits; the longest waits have more.
  const high = ns >= 2 ** 32 ? Math.floor(ns / 2 ** 16) : ns;
  const exponent = 31 - Math.clz32(high) + (high === ns ? 0 : 16);
  const sub = Math.floor((ns / 2 ** exponent - 1) * (1 << HIST_SUB_SHIFT));
  return Math.min(HIST_BUCKETS - 1, 1 + (exponent - HIST_MIN_SHIFT) * (1 << HIST_SUB_SHIFT) + sub);
}

/** Several Latencies as one, e.g. a container's or a syscall's total. Null when none has samples. */
export function mergeLatencies(all: Iterable<Latency | null>): Latency | null {
  const counts = new Float64Array(HIST_BUCKETS);
  let sumUs = 0, maxUs: number | null = null, sampled = 1, any = false;
  for (const one of all) {
    if (!one || one.count === 0) continue;
    any = true;
    for (const [lower, n] of one.buckets) {
      const i = bucketOf(lower);
      counts[i] = (counts[i] ?? 0) + n;
    }
    sumUs += one.sumUs;
    if (one.maxUs !== null) maxUs = Math.max(maxUs ?? 0, one.maxUs);
    sampled = Math.max(sampled, one.sampled);
  }
  return any ? latencyOf(counts, sumUs * 1000, maxUs === null ? null : maxUs * 1000, sampled) : null;
}
