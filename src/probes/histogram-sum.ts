/** Adds up differences of `struct hist` (bpf/hist.h) from several map entries over one interval. */
import type { Latency } from '../frame/frame.ts';
import { HIST_BUCKETS, HIST_WORDS, latencyOf, maxOfEpoch } from '../frame/histogram.ts';

const FIRST_BUCKET = HIST_WORDS - HIST_BUCKETS;
/** Where the buckets of one sum are laid out when it is asked for: few of them are filled, so sums keep pairs only. */
const scratch = new Float64Array(HIST_BUCKETS);

export class HistogramSum {
  /** Bucket, count, bucket, count, ...; a bucket may come more than once. */
  #pairs: number[] = [];
  #sumNs = 0;
  #maxNs: number | null = null;
  #count = 0;

  clear(): void {
    this.#pairs.length = 0;
    this.#count = this.#sumNs = 0;
    this.#maxNs = null;
  }

  /** Take one word of a histogram. @param value as it stands, for the maximum of `epoch` @returns samples added */
  add(word: number, delta: number, value: number, epoch: number): number {
    if (word >= FIRST_BUCKET) {
      this.#pairs.push(word - FIRST_BUCKET, delta);
      this.#count += delta;
      return delta;
    }
    if (word === 0) this.#sumNs += delta;
    else {
      const max = maxOfEpoch(value, value, epoch);
      if (max !== null && max > (this.#maxNs ?? 0)) this.#maxNs = max;
    }
    return 0;
  }

  /** Samples added since clear(). */
  get count(): number {
    return this.#count;
  }

  /** Null without samples. @param sampled one in this many was timed */
  latency(sampled: number): Latency | null {
    if (this.#count === 0) return null;
    scratch.fill(0);
    for (let i = 0; i < this.#pairs.length; i += 2) {
      const bucket = this.#pairs[i] ?? 0;
      scratch[bucket] = (scratch[bucket] ?? 0) + (this.#pairs[i + 1] ?? 0);
    }
    return latencyOf(scratch, this.#sumNs, this.#maxNs, sampled);
  }
}
