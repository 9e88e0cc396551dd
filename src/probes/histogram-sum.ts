/** Adds up differences of `struct hist` (bpf/hist.h) from several map entries over one interval. */
import type { Latency } from '../frame/frame.ts';
import { HIST_BUCKETS, HIST_WORDS, latencyOf, maxOfEpoch } from '../frame/histogram.ts';

const FIRST_BUCKET = HIST_WORDS - HIST_BUCKETS;

export class HistogramSum {
  #buckets: Float64Array | null = null;
  #sumNs = 0;
  #maxNs: number | null = null;
  #count = 0;

  clear(): void {
    if (this.#count === 0) return;
    this.#buckets?.fill(0);
    this.#count = this.#sumNs = 0;
    this.#maxNs = null;
  }

  /** @param delta words of a histogram, as difference @param now as they stand, for the maximum of `epoch` */
  add(delta: Float64Array, now: Float64Array, epoch: number): void {
    this.#buckets ??= new Float64Array(HIST_BUCKETS);
    this.#sumNs += delta[0] ?? 0;
    for (let i = 0; i < HIST_BUCKETS; i++) {
      const n = delta[FIRST_BUCKET + i] ?? 0;
      this.#buckets[i] = (this.#buckets[i] ?? 0) + n;
      this.#count += n;
    }
    const max = maxOfEpoch(now[1] ?? 0, now[2] ?? 0, epoch);
    if (max !== null && max > (this.#maxNs ?? 0)) this.#maxNs = max;
  }

  /** Samples added since clear(). */
  get count(): number {
    return this.#count;
  }

  /** Null without samples. @param sampled one in this many was timed */
  latency(sampled: number): Latency | null {
    return this.#count > 0 && this.#buckets ? latencyOf(this.#buckets, this.#sumNs, this.#maxNs, sampled) : null;
  }
}
