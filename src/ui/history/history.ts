/** What the screen remembers of the Frames that went by, bounded in every direction. */
import type { ContainerInfo, Frame, Latency, PaneId, RunqueueRow, SyscallRow } from '../../frame/frame.ts';
import { HIST_MIN_SHIFT, HIST_OCTAVES, HIST_SUB_SHIFT, bucketOf } from '../../frame/histogram.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import type { RowContext } from '../../frame/columns.ts';
import { ALL_CONTAINERS, contextOf } from '../../frame/names.ts';
import { freshRows, intervalsOf } from '../../frame/node-key.ts';
import type { AnyPane, AnyRow, ViewRow } from '../rows.ts';
import { paneOf } from '../rows.ts';
import type { Scope } from '../scope.ts';
import { SeriesMap } from './series.ts';
import { Stream } from './stream.ts';
import { Totals } from './totals.ts';

/** Ticks that sparklines and line charts can look back. */
export const TREND_TICKS = 120;
/** Ticks that charts over containers and the heat map can look back. */
export const CHART_TICKS = 240;
/** Octaves of latency in the heat map: the first is below 256 ns, then one per doubling. */
export const OCTAVES = HIST_OCTAVES + 1;
/** Ticks after which a container that no Frame names any more is forgotten. */
const FORGET_CONTAINER_AFTER = 3600;

/** Octave of a latency bucket by its lower bound. */
export function octaveOf(lowerUs: number): number {
  return Math.ceil(bucketOf(lowerUs) / (1 << HIST_SUB_SHIFT));
}

/** Lower bound of an octave, microseconds. */
export const octaveUs = (octave: number): number => (octave <= 0 ? 0 : 2 ** (HIST_MIN_SHIFT + octave - 1) / 1000);

const trendColumns = (pane: AnyPane): readonly string[] => pane.columns.flatMap((column) => (column.trendOf === undefined ? [] : [column.trendOf]));

/** Rate of a pane that charts show: per second, by container. */
const RATED: readonly PaneId[] = ['syscalls', 'runqueue', 'opens', 'tcp'];

interface FrozenTotals {
  readonly syscalls: readonly SyscallRow[];
  readonly runqueue: readonly RunqueueRow[];
  readonly elapsedMs: number;
}

export class History {
  #tick = 0;
  /** `pane column` → row key → values. */
  #trends = new Map<string, SeriesMap>();
  /** Pane → container (ALL_CONTAINERS is their sum) → events per second. */
  #rates = new Map<PaneId, SeriesMap>(RATED.map((pane) => [pane, new SeriesMap(CHART_TICKS)]));
  /** Container (or ALL_CONTAINERS) → run-queue waits per octave. */
  #heat = new SeriesMap(CHART_TICKS, OCTAVES);
  #streams = new Map<PaneId, Stream>();
  #containers = new Map<string, { info: ContainerInfo; tick: number }>();
  #lost = new Map<PaneId, number>();
  #totals = new Totals();
  #frozenTotals: FrozenTotals | null = null;

  constructor() {
    for (const id of PANE_IDS) {
      const pane = paneOf(id);
      if (pane.kind === 'stream') this.#streams.set(id, new Stream(pane));
      for (const column of trendColumns(pane)) this.#trends.set(`${id} ${column}`, new SeriesMap(TREND_TICKS));
    }
  }

  /** Number of Frames taken in. */
  get tick(): number {
    return this.#tick;
  }

  /** Take in the next Frame. */
  push(frame: Frame): void {
    const tick = ++this.#tick;
    for (const [key, info] of Object.entries(frame.containers)) this.#containers.set(key, { info, tick });
    for (const [key, info] of Object.entries(frame.learned)) {
      const known = this.#containers.get(key);
      if (known !== undefined) known.info = info;
    }
    const context = contextOf(frame);
    for (const id of PANE_IDS) {
      const pane = paneOf(id);
      const { rows, loss, state } = frame.panes[id];
      this.#lost.set(id, (this.#lost.get(id) ?? 0) + loss.lostRing + loss.lostMap);
      if (state.status !== 'ok') continue;
      this.#streams.get(id)?.push(rows);
      this.#pushTrends(pane, rows, context, tick);
    }
    this.#pushRates(frame, tick);
    for (const row of frame.panes.runqueue.rows) this.#pushHeat(row.container, row.latency, tick);
    this.#pushTotals(frame);
    if (tick % 60 === 0) this.#forget(tick);
  }

  /** Rows of nodes that told nothing new have been counted already. */
  #pushTotals(frame: Frame): void {
    const { syscalls, runqueue } = frame.panes;
    this.#totals.add(freshRows(frame, syscalls.rows), freshRows(frame, runqueue.rows), frame.intervalMs, intervalsOf(frame));
  }

  #pushTrends(pane: AnyPane, rows: readonly AnyRow[], context: RowContext, tick: number): void {
    for (const id of trendColumns(pane)) {
      const series = this.#trends.get(`${pane.id} ${id}`);
      const column = pane.columns.find((one) => one.id === id);
      if (series === undefined || column === undefined) continue;
      for (const row of rows) {
        const value = column.value(row, context);
        if (typeof value === 'number') series.at(pane.rowKey(row), tick)[0] = value;
      }
    }
  }

  #pushRates(frame: Frame, tick: number): void {
    const add = (pane: PaneId, container: string, rate: number): void => {
      const series = this.#rates.get(pane);
      for (const key of [container, ALL_CONTAINERS]) {
        const slot = series?.at(key, tick);
        if (slot) slot[0] = (slot[0] as number) + rate;
      }
    };
    for (const pane of RATED) if (frame.panes[pane].state.status === 'ok') add(pane, ALL_CONTAINERS, 0);
    for (const row of frame.panes.syscalls.rows) add('syscalls', row.container, row.ratePerSec);
    for (const row of frame.panes.runqueue.rows) add('runqueue', row.container, row.ratePerSec);
    const intervalMs = intervalsOf(frame);
    for (const pane of ['opens', 'tcp'] as const) for (const total of frame.panes[pane].totals) add(pane, total.container, total.count / (Math.max(intervalMs(total.container), 1) / 1000));
  }

  #pushHeat(container: string, latency: Latency | null, tick: number): void {
    const own = this.#heat.at(container, tick), all = this.#heat.at(ALL_CONTAINERS, tick);
    for (const [lower, n] of latency?.buckets ?? []) {
      const octave = octaveOf(lower);
      own[octave] = (own[octave] as number) + n;
      all[octave] = (all[octave] as number) + n;
    }
  }

  #forget(tick: number): void {
    for (const series of [...this.#trends.values(), ...this.#rates.values(), this.#heat]) series.forget(tick);
    for (const [key, known] of this.#containers) if (tick - known.tick > FORGET_CONTAINER_AFTER) this.#containers.delete(key);
  }

  /** Identity of a container that a row on screen refers to, even if the current Frame does not name it any more. */
  container(key: string): ContainerInfo | undefined {
    return this.#containers.get(key)?.info;
  }

  /** All containers that are remembered, with their keys: also those that are idle, or ended within the last while. */
  containers(): Iterable<readonly [key: string, info: ContainerInfo]> {
    return Array.from(this.#containers, ([key, { info }]) => [key, info] as const);
  }

  /** Keys for `rates` and `heat` of the containers in a scope. */
  keysOf(scope: Scope | null): readonly string[] {
    if (scope === null) return [ALL_CONTAINERS];
    if (scope.only !== null) return [scope.only];
    return [...this.#containers].flatMap(([key, { info }]) => (scope.matches(key, info) ? [key] : []));
  }

  /** A column's values for a row over the last ticks, oldest first; several row keys are added up. */
  trend(pane: PaneId, column: string, rowKeys: Iterable<string>, samples: number): Float64Array {
    return this.#trends.get(`${pane} ${column}`)?.sum(rowKeys, this.#tick, Math.min(samples, TREND_TICKS)) ?? new Float64Array(0);
  }

  /** Mean of a column over the last few ticks: what tells rows apart whose values are alike. Null without history. */
  smooth(pane: PaneId, column: string, rowKeys: Iterable<string>): number | null {
    return this.#trends.get(`${pane} ${column}`)?.mean(rowKeys, this.#tick, 3) ?? null;
  }

  /** Events per second of these containers in a pane, oldest first. */
  rates(pane: PaneId, containers: readonly string[], samples: number): Float64Array {
    return this.#rates.get(pane)?.sum(containers, this.#tick, Math.min(samples, CHART_TICKS)) ?? new Float64Array(0);
  }

  /** Run-queue waits of these containers by octave (see octaveUs), each over the last ticks, oldest first. */
  heat(containers: readonly string[], samples: number): Float64Array[] {
    return Array.from({ length: OCTAVES }, (_, octave) => this.#heat.sum(containers, this.#tick, Math.min(samples, CHART_TICKS), octave));
  }

  /** Rows of a streaming pane, newest first. */
  stream(pane: PaneId): ViewRow[] {
    return this.#streams.get(pane)?.rows() ?? [];
  }

  /** Rows since the start or the last reset. */
  totals(): FrozenTotals {
    return this.#frozenTotals ?? { syscalls: this.#totals.syscalls(), runqueue: this.#totals.runqueue(), elapsedMs: this.#totals.elapsedMs };
  }

  /** Events lost since the start or the last reset. */
  lost(pane?: PaneId): number {
    if (pane !== undefined) return this.#lost.get(pane) ?? 0;
    return [...this.#lost.values()].reduce((a, b) => a + b, 0);
  }

  /** Forget everything but who the containers are. */
  reset(): void {
    this.#tick = 0;
    for (const series of [...this.#trends.values(), ...this.#rates.values(), this.#heat]) series.clear();
    for (const stream of this.#streams.values()) stream.clear();
    for (const known of this.#containers.values()) known.tick = 0;
    this.#lost.clear();
    this.#totals.clear();
  }

  /** A copy that stays as it is while this one goes on. */
  freeze(): History {
    const copy = new History();
    copy.#tick = this.#tick;
    copy.#trends = new Map([...this.#trends].map(([key, series]) => [key, series.clone()]));
    copy.#rates = new Map([...this.#rates].map(([key, series]) => [key, series.clone()]));
    copy.#heat = this.#heat.clone();
    copy.#streams = new Map([...this.#streams].map(([key, stream]) => [key, stream.clone()]));
    copy.#containers = new Map(this.#containers);
    copy.#lost = new Map(this.#lost);
    copy.#frozenTotals = this.totals();
    return copy;
  }
}
