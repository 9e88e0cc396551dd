/** One row per (cgroup, call), put together from slots, counters, errors and histograms. */
import { errnoName } from '../frame/errno.ts';
import type { SyscallRow } from '../frame/frame.ts';
import { HIST_BUCKETS, HIST_WORDS, latencyOf, maxOfEpoch } from '../frame/histogram.ts';
import type { CgroupKey } from './probe.ts';
import { callOf } from './syscall-names/index.ts';
import type { Call } from './syscall-names/index.ts';
import type { SlotOwner } from './syscall-slots.ts';

const FIRST_BUCKET = HIST_WORDS - HIST_BUCKETS;

/** What one interval adds up to for one (cgroup, call); lives as long as its entries in the maps. */
export class SyscallSum implements SlotOwner {
  readonly cgroup: CgroupKey;
  readonly call: number;
  readonly #what: Call;
  slot: number | null = null;
  /** Calls that went through the hash map this interval. */
  unslotted = 0;
  #seq = 0;
  #count = 0;
  #errors = new Map<number, number>();
  #buckets: Float64Array | null = null;
  #timed = 0;
  #sumNs = 0;
  #maxNs: number | null = null;

  constructor(cgroup: CgroupKey, call: number) {
    this.cgroup = cgroup;
    this.call = call;
    this.#what = callOf(call);
  }

  /** Make ready for interval `seq`. @returns true when this is the interval's first call */
  begin(seq: number): boolean {
    if (this.#seq === seq) return false;
    this.#seq = seq;
    this.#count = this.unslotted = this.#timed = this.#sumNs = 0;
    this.#errors.clear();
    this.#buckets?.fill(0);
    this.#maxNs = null;
    return true;
  }

  addCount(count: number): void {
    this.#count += count;
  }

  addError(errno: number, count: number): void {
    this.#errors.set(errno, (this.#errors.get(errno) ?? 0) + count);
  }

  /** @param delta words of a `struct hist`, as difference @param now the same as it stands, for the maximum of `epoch` */
  addLatency(delta: Float64Array, now: Float64Array, epoch: number): void {
    this.#buckets ??= new Float64Array(HIST_BUCKETS);
    this.#sumNs += delta[0] ?? 0;
    for (let i = 0; i < HIST_BUCKETS; i++) {
      const n = delta[FIRST_BUCKET + i] ?? 0;
      this.#buckets[i] = (this.#buckets[i] ?? 0) + n;
      this.#timed += n;
      this.#count += n;
    }
    const max = maxOfEpoch(now[1] ?? 0, now[2] ?? 0, epoch);
    if (max !== null && max > (this.#maxNs ?? 0)) this.#maxNs = max;
  }

  get count(): number {
    return this.#count;
  }

  /** Number of the last interval with a call. */
  get seq(): number {
    return this.#seq;
  }

  /** @param sampled one in this many was timed; 0: none */
  row(intervalMs: number, sampled: number): SyscallRow {
    const errors: Record<string, number> = {};
    for (const [errno, count] of this.#errors) errors[errnoName(errno)] = count;
    return {
      container: this.cgroup, abi: this.#what.abi, nr: this.#what.nr, syscall: this.#what.name,
      count: this.#count, ratePerSec: (this.#count * 1000) / intervalMs, errors, injected: 0,
      latency: this.#timed > 0 && this.#buckets ? latencyOf(this.#buckets, this.#sumNs, this.#maxNs, Math.max(1, sampled)) : null,
    };
  }
}
