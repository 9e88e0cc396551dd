/** What was added up since the start or the last reset: rows, which `t` shows instead of one interval, and losses. */
import type { Frame, PaneId, RunqueueRow, SyscallRow } from '../../frame/frame.ts';
import { freshRows, intervalsOf } from '../../frame/node-key.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { runqueue } from '../../frame/panes/runqueue.ts';
import { syscalls } from '../../frame/panes/syscalls.ts';
import { LatencySum } from './latency-sum.ts';

/** Rows kept per pane. */
const LIMIT = 20_000;

interface Sum<Row> {
  row: Row;
  /** Rows in it. */
  added: number;
  /** Tick of the last sign of life. */
  tick: number;
  count: number;
  injected: number;
  /** By errno name; rows that told of errors, were there any or not. */
  readonly errors: Map<string, number>;
  errorsTold: number;
  throttledMs: number;
  throttledTold: number;
  readonly preemptedBy: Map<string, number>;
  latency: LatencySum | null;
}

type Countable = SyscallRow | RunqueueRow;

function count(counts: Map<string, number>, key: string, by: number): void {
  const sum = (counts.get(key) ?? 0) + by;
  if (sum > 0) counts.set(key, sum);
  else counts.delete(key);
}

class TotalRows<Row extends Countable> {
  readonly #key: (row: Row) => string;
  readonly #sums = new Map<string, Sum<Row>>();

  constructor(key: (row: Row) => string) {
    this.#key = key;
  }

  add(rows: readonly Row[], intervalMs: (container: string) => number, tick: number): void {
    for (const row of rows) {
      const key = this.#key(row);
      let sum = this.#sums.get(key);
      if (sum === undefined) {
        sum = { row, added: 0, tick, count: 0, injected: 0, errors: new Map(), errorsTold: 0, throttledMs: 0, throttledTold: 0, preemptedBy: new Map(), latency: null };
        this.#sums.set(key, sum);
      }
      sum.row = row;
      sum.tick = tick;
      this.#count(sum, row, intervalMs, 1);
      if (row.latency !== null) (sum.latency ??= new LatencySum()).add(row.latency, tick);
    }
    if (this.#sums.size > LIMIT) this.#forget();
  }

  /** Take back what was added last, at this tick. */
  back(rows: readonly Row[], intervalMs: (container: string) => number, tick: number): void {
    for (const row of rows) {
      const key = this.#key(row);
      const sum = this.#sums.get(key);
      if (sum === undefined) continue;
      this.#count(sum, row, intervalMs, -1);
      if (row.latency !== null) sum.latency?.back(row.latency, tick);
      if (sum.added <= 0) this.#sums.delete(key);
    }
  }

  #count(sum: Sum<Row>, row: Row, intervalMs: (container: string) => number, sign: 1 | -1): void {
    sum.added += sign;
    sum.count += sign * row.count;
    if ('errors' in row) {
      sum.injected += sign * row.injected;
      if (row.errors === null) return;
      sum.errorsTold += sign;
      for (const errno in row.errors) count(sum.errors, errno, sign * (row.errors[errno] ?? 0));
    } else {
      if (row.throttledPct !== null) {
        sum.throttledTold += sign;
        sum.throttledMs += sign * (row.throttledPct / 100) * intervalMs(row.container);
      }
      for (const by of row.preemptedBy) count(sum.preemptedBy, by.container, sign * by.count);
    }
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
      if ('errors' in sum.row) return Object.assign({}, sum.row, counted, { errors: sum.errorsTold === 0 ? null : Object.fromEntries(sum.errors), injected: sum.injected });
      return Object.assign({}, sum.row, counted, {
        throttledPct: sum.throttledTold === 0 ? null : (100 * Math.max(0, sum.throttledMs)) / Math.max(elapsedMs, 1),
        preemptedBy: Array.from(sum.preemptedBy, ([container, n]) => ({ container, count: n })).sort((a, b) => b.count - a.count).slice(0, 16),
      });
    });
  }

  clear(): void {
    this.#sums.clear();
  }

  clone(): TotalRows<Row> {
    const copy = new TotalRows(this.#key);
    for (const [key, sum] of this.#sums) copy.#sums.set(key, { ...sum, errors: new Map(sum.errors), preemptedBy: new Map(sum.preemptedBy), latency: sum.latency?.clone() ?? null });
    return copy;
  }
}

/** Rows added up, and how long that took. */
export interface Summed {
  readonly syscalls: readonly SyscallRow[];
  readonly runqueue: readonly RunqueueRow[];
  readonly elapsedMs: number;
}

/** Since the start or the last reset. */
export class Totals {
  #syscalls = new TotalRows<SyscallRow>((row) => syscalls.rowKey(row));
  #runqueue = new TotalRows<RunqueueRow>((row) => runqueue.rowKey(row));
  #lost = new Map<PaneId, number>();
  #elapsedMs = 0;
  /** Worked out since the last change; several parts of the screen ask for it. */
  #summed: Summed | null = null;

  add(frame: Frame, tick: number): void {
    this.#count(frame, 1);
    const intervalMs = intervalsOf(frame);
    this.#syscalls.add(freshRows(frame, frame.panes.syscalls.rows), intervalMs, tick);
    this.#runqueue.add(freshRows(frame, frame.panes.runqueue.rows), intervalMs, tick);
  }

  /** Take back the Frame that was added last, at this tick. */
  back(frame: Frame, tick: number): void {
    this.#count(frame, -1);
    const intervalMs = intervalsOf(frame);
    this.#syscalls.back(freshRows(frame, frame.panes.syscalls.rows), intervalMs, tick);
    this.#runqueue.back(freshRows(frame, frame.panes.runqueue.rows), intervalMs, tick);
  }

  #count(frame: Frame, sign: 1 | -1): void {
    this.#summed = null;
    this.#elapsedMs += sign * frame.intervalMs;
    for (const id of PANE_IDS) {
      const { lostRing, lostMap } = frame.panes[id].loss;
      if (lostRing + lostMap > 0) this.#lost.set(id, (this.#lost.get(id) ?? 0) + sign * (lostRing + lostMap));
    }
  }

  summed(): Summed {
    return (this.#summed ??= { syscalls: this.#syscalls.rows(this.#elapsedMs), runqueue: this.#runqueue.rows(this.#elapsedMs), elapsedMs: this.#elapsedMs });
  }

  lost(pane?: PaneId): number {
    if (pane !== undefined) return this.#lost.get(pane) ?? 0;
    return [...this.#lost.values()].reduce((a, b) => a + b, 0);
  }

  clear(): void {
    this.#syscalls.clear();
    this.#runqueue.clear();
    this.#lost.clear();
    this.#elapsedMs = 0;
    this.#summed = null;
  }

  /** A copy that stays as it is while this one goes on. */
  clone(): Totals {
    const copy = new Totals();
    copy.#syscalls = this.#syscalls.clone();
    copy.#runqueue = this.#runqueue.clone();
    copy.#lost = new Map(this.#lost);
    copy.#elapsedMs = this.#elapsedMs;
    return copy;
  }
}
