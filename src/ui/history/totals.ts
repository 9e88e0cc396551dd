/** Rows added up since the start or the last reset: what `t` shows instead of one interval. */
import type { Latency, RunqueueRow, SyscallRow } from '../../frame/frame.ts';
import { HIST_BUCKETS, bucketOf, latencyOf } from '../../frame/histogram.ts';
import { runqueue } from '../../frame/panes/runqueue.ts';
import { syscalls } from '../../frame/panes/syscalls.ts';

/** Rows kept per pane; the oldest silent ones go first. */
const LIMIT = 20_000;

/** A Latency that grows in place. */
class LatencySum {
  readonly #counts = new Float64Array(HIST_BUCKETS);
  #sumUs = 0;
  #maxUs: number | null = null;
  #sampled = 1;

  add(latency: Latency | null): void {
    if (latency === null) return;
    for (const [lower, n] of latency.buckets) {
      const i = bucketOf(lower);
      this.#counts[i] = (this.#counts[i] ?? 0) + n;
    }
    this.#sumUs += latency.sumUs;
    if (latency.maxUs !== null) this.#maxUs = Math.max(this.#maxUs ?? 0, latency.maxUs);
    this.#sampled = Math.max(this.#sampled, latency.sampled);
  }

  get(): Latency {
    return latencyOf(this.#counts, this.#sumUs * 1000, this.#maxUs === null ? null : this.#maxUs * 1000, this.#sampled);
  }
}

interface Sum<Row> {
  row: Row;
  count: number;
  injected: number;
  errors: Record<string, number> | null;
  throttledMs: number | null;
  preemptedBy: Map<string, number>;
  latency: LatencySum | null;
}

type Countable = SyscallRow | RunqueueRow;

class TotalRows<Row extends Countable> {
  readonly #key: (row: Row) => string;
  readonly #sums = new Map<string, Sum<Row>>();

  constructor(key: (row: Row) => string) {
    this.#key = key;
  }

  add(rows: readonly Row[], intervalMs: number): void {
    for (const row of rows) {
      const key = this.#key(row);
      let sum = this.#sums.get(key);
      // Set anew, so that the map's order is that of the last sign of life.
      if (sum !== undefined) this.#sums.delete(key);
      else sum = { row, count: 0, injected: 0, errors: null, throttledMs: null, preemptedBy: new Map(), latency: null };
      this.#sums.set(key, sum);
      sum.row = row;
      sum.count += row.count;
      if (row.latency !== null) (sum.latency ??= new LatencySum()).add(row.latency);
      if ('errors' in row) {
        sum.injected += row.injected;
        for (const [errno, n] of Object.entries(row.errors ?? {})) (sum.errors ??= {})[errno] = (sum.errors[errno] ?? 0) + n;
        if (row.errors !== null) sum.errors ??= {};
      } else {
        if (row.throttledPct !== null) sum.throttledMs = (sum.throttledMs ?? 0) + (row.throttledPct / 100) * intervalMs;
        for (const by of row.preemptedBy) sum.preemptedBy.set(by.container, (sum.preemptedBy.get(by.container) ?? 0) + by.count);
      }
    }
    for (const key of this.#sums.keys()) {
      if (this.#sums.size <= LIMIT) break;
      this.#sums.delete(key);
    }
  }

  rows(elapsedMs: number): Row[] {
    const seconds = Math.max(elapsedMs, 1) / 1000;
    return [...this.#sums.values()].map((sum) => {
      const counted = { count: sum.count, ratePerSec: sum.count / seconds, latency: sum.latency?.get() ?? null };
      if ('errors' in sum.row) return Object.assign({}, sum.row, counted, { errors: sum.errors, injected: sum.injected });
      return Object.assign({}, sum.row, counted, {
        throttledPct: sum.throttledMs === null ? null : (100 * sum.throttledMs) / Math.max(elapsedMs, 1),
        preemptedBy: Array.from(sum.preemptedBy, ([container, count]) => ({ container, count })).sort((a, b) => b.count - a.count).slice(0, 16),
      });
    });
  }

  clear(): void {
    this.#sums.clear();
  }
}

/** Since the start or the last reset. */
export class Totals {
  readonly #syscalls = new TotalRows<SyscallRow>((row) => syscalls.rowKey(row));
  readonly #runqueue = new TotalRows<RunqueueRow>((row) => runqueue.rowKey(row));
  #elapsedMs = 0;

  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  add(syscallRows: readonly SyscallRow[], runqueueRows: readonly RunqueueRow[], intervalMs: number): void {
    this.#elapsedMs += intervalMs;
    this.#syscalls.add(syscallRows, intervalMs);
    this.#runqueue.add(runqueueRows, intervalMs);
  }

  syscalls(): SyscallRow[] {
    return this.#syscalls.rows(this.#elapsedMs);
  }

  runqueue(): RunqueueRow[] {
    return this.#runqueue.rows(this.#elapsedMs);
  }

  clear(): void {
    this.#syscalls.clear();
    this.#runqueue.clear();
    this.#elapsedMs = 0;
  }
}
