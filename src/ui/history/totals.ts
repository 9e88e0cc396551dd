/** Rows added up since the start or the last reset: what `t` shows instead of one interval. */
import type { Latency, RunqueueRow, SyscallRow } from '../../frame/frame.ts';
import { HIST_BUCKETS, bucketOf, latencyOf } from '../../frame/histogram.ts';
import { runqueue } from '../../frame/panes/runqueue.ts';
import { syscalls } from '../../frame/panes/syscalls.ts';

/** Rows kept per pane. */
const LIMIT = 20_000;

/** A Latency that grows in place. */
class LatencySum {
  readonly #counts = new Float64Array(HIST_BUCKETS);
  #sumUs = 0;
  #maxUs: number | null = null;
  #sampled = 1;

  add(latency: Latency): void {
    const { buckets } = latency;
    for (let at = 0; at < buckets.length; at++) {
      const bucket = buckets[at] as (typeof buckets)[number];
      const i = bucketOf(bucket[0]);
      this.#counts[i] = (this.#counts[i] ?? 0) + bucket[1];
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
  /** Tick of the last sign of life. */
  tick: number;
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
  #tick = 0;

  constructor(key: (row: Row) => string) {
    this.#key = key;
  }

  add(rows: readonly Row[], intervalMs: (container: string) => number): void {
    this.#tick += 1;
    for (const row of rows) {
      const key = this.#key(row);
      let sum = this.#sums.get(key);
      if (sum === undefined) {
        sum = { row, tick: 0, count: 0, injected: 0, errors: null, throttledMs: null, preemptedBy: new Map(), latency: null };
        this.#sums.set(key, sum);
      }
      sum.row = row;
      sum.tick = this.#tick;
      sum.count += row.count;
      if (row.latency !== null) (sum.latency ??= new LatencySum()).add(row.latency);
      if ('errors' in row) {
        sum.injected += row.injected;
        if (row.errors !== null) {
          sum.errors ??= {};
          for (const errno in row.errors) sum.errors[errno] = (sum.errors[errno] ?? 0) + (row.errors[errno] ?? 0);
        }
      } else {
        if (row.throttledPct !== null) sum.throttledMs = (sum.throttledMs ?? 0) + (row.throttledPct / 100) * intervalMs(row.container);
        for (const by of row.preemptedBy) sum.preemptedBy.set(by.container, (sum.preemptedBy.get(by.container) ?? 0) + by.count);
      }
    }
    if (this.#sums.size > LIMIT) this.#forget();
  }

  /** Drop the tenth that has been silent longest. */
  #forget(): void {
    const ticks = Array.from(this.#sums.values(), (sum) => sum.tick).sort((a, b) => a - b);
    const oldest = ticks[Math.ceil(ticks.length / 10)] ?? 0;
    for (const [key, sum] of this.#sums) if (sum.tick < oldest || this.#sums.size > LIMIT) this.#sums.delete(key);
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

  /** @param elapsedMs since the rows before @param intervalMs what a container's rows are over, where that differs */
  add(syscallRows: readonly SyscallRow[], runqueueRows: readonly RunqueueRow[], elapsedMs: number, intervalMs: (container: string) => number = () => elapsedMs): void {
    this.#elapsedMs += elapsedMs;
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
