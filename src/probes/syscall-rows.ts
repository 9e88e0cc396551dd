/** One row per (cgroup, call), put together from slots, counters, errors and histograms. */
import { errnoName } from '../frame/errno.ts';
import type { SyscallRow } from '../frame/frame.ts';
import { HistogramSum } from './histogram-sum.ts';
import type { CgroupKey } from './probe.ts';
import { callOf } from '../frame/syscall-names/index.ts';
import type { Call } from '../frame/syscall-names/index.ts';
import { ERROR_SHIFT } from './syscall-slots.ts';
import type { SlotOwner } from './syscall-slots.ts';

/** What can be counted: in a slot, or the slow way. */
export interface Counted extends SlotOwner {
  /** The row that it belongs to. */
  readonly sum: SyscallSum;
  add(count: number): void;
}

/** One error of a call. */
export class ErrorSum implements Counted {
  readonly cgroup: CgroupKey;
  readonly what: number;
  readonly sum: SyscallSum;
  readonly #errno: number;
  slot: number | null = null;
  slow = 0;

  constructor(sum: SyscallSum, errno: number) {
    this.cgroup = sum.cgroup;
    this.what = sum.what | (errno << ERROR_SHIFT);
    this.sum = sum;
    this.#errno = errno;
  }

  add(count: number): void {
    this.sum.addError(this.#errno, count);
  }
}

/** What one interval adds up to for one (cgroup, call); lives as long as its entries in the maps. */
export class SyscallSum implements Counted {
  readonly cgroup: CgroupKey;
  readonly what: number;
  readonly sum = this;
  readonly #call: Call;
  slot: number | null = null;
  slow = 0;
  #seq = 0;
  #count = 0;
  #errors = new Map<number, number>();
  #timed = new HistogramSum();

  constructor(cgroup: CgroupKey, call: number) {
    this.cgroup = cgroup;
    this.what = call;
    this.#call = callOf(call);
  }

  /** Make ready for interval `seq`. @returns true when this is the interval's first call */
  begin(seq: number): boolean {
    if (this.#seq === seq) return false;
    this.#seq = seq;
    this.#count = 0;
    this.#errors.clear();
    this.#timed.clear();
    return true;
  }

  add(count: number): void {
    this.#count += count;
  }

  addError(errno: number, count: number): void {
    this.#errors.set(errno, (this.#errors.get(errno) ?? 0) + count);
  }

  /** Calls that were timed are counted here only. Arguments as HistogramSum.add(). */
  addLatency(word: number, delta: number, value: number, epoch: number): void {
    this.#count += this.#timed.add(word, delta, value, epoch);
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
      container: this.cgroup, abi: this.#call.abi, nr: this.#call.nr, syscall: this.#call.name,
      count: this.#count, ratePerSec: (this.#count * 1000) / intervalMs, errors, injected: 0,
      latency: this.#timed.latency(Math.max(1, sampled)),
    };
  }
}
