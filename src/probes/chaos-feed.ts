/** What a Frame tells of faults: which are armed, and which failed calls were failed on purpose. */
import type { ChaosStatus, SyscallRow } from '../frame/frame.ts';
import type { ProbeTick } from './probe.ts';

/** What the Manager needs of the door of chaos (src/chaos/door.ts). */
export interface ChaosFeed {
  /** Faults that are armed now. */
  statuses(): readonly ChaosStatus[];
  /** [cgroup key, ABI, number, calls failed so far]; only grows. */
  readonly injected: readonly (readonly [cgroup: string, abi: string, nr: number, count: number])[];
}

const keyOf = (container: string, abi: string, nr: number): string => `${container} ${abi} ${nr}`;

export class InjectedCounter {
  readonly #feed: ChaosFeed;
  #last = new Map<string, number>();

  constructor(feed: ChaosFeed) {
    this.#feed = feed;
  }

  /** The syscalls pane's numbers with what was injected since the last call. A hit that ends after its Frame counts in the next. */
  mark(tick: ProbeTick<'syscalls'>): ProbeTick<'syscalls'> {
    const { injected } = this.#feed;
    if (injected.length === 0) return tick;
    const fresh = new Map<string, number>();
    const now = new Map<string, number>();
    for (const [cgroup, abi, nr, count] of injected) {
      const key = keyOf(cgroup, abi, nr);
      now.set(key, count);
      const more = count - (this.#last.get(key) ?? 0);
      if (more > 0) fresh.set(key, more);
    }
    if (fresh.size === 0) {
      this.#last = now;
      return tick;
    }
    const rows = tick.rows.map((row): SyscallRow => {
      const key = keyOf(row.container, row.abi, row.nr);
      const more = fresh.get(key) ?? 0;
      if (more === 0) return row;
      // The two are counted moments apart: no more can be injected than were made.
      const taken = Math.min(more, row.count);
      now.set(key, (now.get(key) ?? 0) - (more - taken));
      fresh.delete(key);
      return { ...row, injected: taken };
    });
    // Calls that this Frame has no row of wait for the next.
    for (const [key, more] of fresh) now.set(key, (now.get(key) ?? 0) - more);
    this.#last = now;
    return { ...tick, rows };
  }
}
