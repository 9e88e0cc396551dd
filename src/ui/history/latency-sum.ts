/** A Latency that grows in place, and shrinks again when what was added is taken back. */
import type { Latency } from '../../frame/frame.ts';
import { HIST_BUCKETS, bucketOf, latencyOf } from '../../frame/histogram.ts';
import { Highest } from './highest.ts';

export class LatencySum {
  #counts = new Float64Array(HIST_BUCKETS);
  #sumUs = 0;
  #max = new Highest();
  #sampled = new Highest();
  /** Latencies in it. */
  #added = 0;

  add(latency: Latency, tick: number): void {
    this.#count(latency, 1);
    if (latency.maxUs !== null) this.#max.add(tick, latency.maxUs);
    this.#sampled.add(tick, latency.sampled);
  }

  /** Take back what was added last, at this tick. */
  back(latency: Latency, tick: number): void {
    this.#count(latency, -1);
    this.#max.back(tick);
    this.#sampled.back(tick);
  }

  #count({ buckets, sumUs }: Latency, sign: 1 | -1): void {
    for (let at = 0; at < buckets.length; at++) {
      const bucket = buckets[at] as (typeof buckets)[number];
      const i = bucketOf(bucket[0]);
      this.#counts[i] = (this.#counts[i] ?? 0) + sign * bucket[1];
    }
    this.#sumUs += sign * sumUs;
    this.#added += sign;
  }

  /** Null when nothing is in it. */
  get(): Latency | null {
    if (this.#added === 0) return null;
    const max = this.#max.value;
    return latencyOf(this.#counts, Math.max(0, this.#sumUs) * 1000, max === null ? null : max * 1000, this.#sampled.value ?? 1);
  }

  clone(): LatencySum {
    const copy = new LatencySum();
    copy.#counts = this.#counts.slice();
    copy.#sumUs = this.#sumUs;
    copy.#max = this.#max.clone();
    copy.#sampled = this.#sampled.clone();
    copy.#added = this.#added;
    return copy;
  }
}
