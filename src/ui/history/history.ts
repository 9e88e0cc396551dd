/** What the screen remembers of the Frames that went by, bounded in every direction. */
import type { ContainerInfo, Frame, Latency, PaneId } from '../../frame/frame.ts';
import { HIST_MIN_SHIFT, HIST_OCTAVES, HIST_SUB_SHIFT, bucketOf } from '../../frame/histogram.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import type { RowContext } from '../../frame/columns.ts';
import { ALL_CONTAINERS, contextOf } from '../../frame/names.ts';
import { intervalsOf } from '../../frame/node-key.ts';
import type { AnyPane, AnyRow, ViewRow } from '../rows.ts';
import { paneOf } from '../rows.ts';
import type { Scope } from '../scope.ts';
import { SeriesMap } from './series.ts';
import { PaneStream } from './pane-stream.ts';
import type { Summed } from './totals.ts';
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

/** Ticks are numbered from here, so that there is room before the first. */
const ORIGIN = 2 ** 29;

/** A Frame's name in keys of rows: the same in every history and on every screen. */
const idOf = (frame: Frame): string => `${frame.time.slice(0, 32)} ${frame.seq}`;

export class History {
  /** Ticks that were taken in and can still be looked at; empty while last < first. */
  #first = ORIGIN + 1;
  #last = ORIGIN;
  /** The tick that is looked at. */
  #at = ORIGIN;
  readonly #slack: number;
  /** `pane column` → row key → values. */
  #trends = new Map<string, SeriesMap>();
  /** Pane → container (ALL_CONTAINERS is their sum) → events per second. */
  #rates: Map<PaneId, SeriesMap>;
  /** Container (or ALL_CONTAINERS) → run-queue waits per octave. */
  #heat: SeriesMap;
  #streams = new Map<PaneId, PaneStream>();
  #containers = new Map<string, { info: ContainerInfo; tick: number }>();
  #totals = new Totals();
  /** The first tick that is added up. */
  #counted = ORIGIN + 1;

  /** @param slack ticks that can be looked back without losing what is older still */
  constructor(slack = 0) {
    this.#slack = slack;
    this.#rates = new Map(RATED.map((pane) => [pane, new SeriesMap(CHART_TICKS, 1, slack)]));
    this.#heat = new SeriesMap(CHART_TICKS, OCTAVES, slack);
    for (const id of PANE_IDS) {
      const pane = paneOf(id);
      if (pane.kind === 'stream') this.#streams.set(id, new PaneStream(pane));
      for (const column of trendColumns(pane)) this.#trends.set(`${id} ${column}`, new SeriesMap(TREND_TICKS, 1, slack + CHART_TICKS - TREND_TICKS));
    }
  }

  /** The tick of the Frame that is looked at: the newest, unless `seek` has said another. */
  get tick(): number {
    return this.#at;
  }

  /** Oldest and newest tick that can be looked at. */
  get window(): { readonly first: number; readonly last: number } {
    return { first: this.#first, last: this.#last };
  }

  /** The first tick since the start or the last reset. */
  get counted(): number {
    return this.#counted;
  }

  /** What is added up; kept by `push`, or by whoever looks at other ticks. */
  get sums(): Totals {
    return this.#totals;
  }

  /** Add up elsewhere from now on. */
  set sums(totals: Totals) {
    this.#totals = totals;
  }

  /** Take in the next Frame, look at it, and add it up. */
  push(frame: Frame): void {
    this.append(frame);
    this.#totals.add(frame, this.#last);
  }

  /** Take in the Frame after the newest one, and look at it. */
  append(frame: Frame): void {
    const tick = ++this.#last;
    this.#first = Math.max(this.#first, tick - CHART_TICKS - this.#slack + 1);
    this.#at = tick;
    for (const [key, info] of Object.entries(frame.containers)) this.#containers.set(key, { info, tick });
    for (const [key, info] of Object.entries(frame.learned)) {
      const known = this.#containers.get(key);
      if (known !== undefined) known.info = info;
    }
    this.#take(frame, tick, (stream, rows) => stream.push(tick, idOf(frame), rows));
    if (tick % 60 === 0) this.#forget(tick);
  }

  /** Take in the Frame before the oldest one. What is newest goes when there is no more room, but not what is looked at. */
  prepend(frame: Frame): void {
    const tick = --this.#first;
    const last = Math.min(this.#last, tick + CHART_TICKS + this.#slack - 1);
    if (last < this.#last) for (const stream of this.#streams.values()) stream.cut(last);
    this.#last = last;
    // Who they are has been told better since.
    for (const [key, info] of Object.entries({ ...frame.containers, ...frame.learned })) if (!this.#containers.has(key)) this.#containers.set(key, { info, tick });
    this.#take(frame, tick, (stream, rows) => stream.prepend(tick, idOf(frame), rows, this.#at));
    if (tick % 60 === 0) this.#forget(this.#first);
  }

  /** Look at another tick of the window. */
  seek(tick: number): void {
    if (tick < this.#first || tick > this.#last) throw new RangeError(`tick ${tick} is not among ${this.#first} to ${this.#last}`);
    this.#at = tick;
  }

  #take(frame: Frame, tick: number, stream: (stream: PaneStream, rows: readonly AnyRow[]) => void): void {
    for (const series of this.#series()) series.open(tick);
    const context = contextOf(frame);
    for (const id of PANE_IDS) {
      const pane = paneOf(id);
      const { rows, state } = frame.panes[id];
      if (state.status !== 'ok') continue;
      const own = this.#streams.get(id);
      if (own !== undefined) stream(own, rows);
      this.#pushTrends(pane, rows, context, tick);
    }
    this.#pushRates(frame, tick);
    for (const row of frame.panes.runqueue.rows) this.#pushHeat(row.container, row.latency, tick);
  }

  #series(): SeriesMap[] {
    return [...this.#trends.values(), ...this.#rates.values(), this.#heat];
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
    for (const series of this.#series()) series.forget(tick);
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
    return this.#trends.get(`${pane} ${column}`)?.sum(rowKeys, this.#at, Math.min(samples, TREND_TICKS)) ?? new Float64Array(0);
  }

  /** Mean of a column over the last few ticks: what tells rows apart whose values are alike. Null without history. */
  smooth(pane: PaneId, column: string, rowKeys: Iterable<string>): number | null {
    return this.#trends.get(`${pane} ${column}`)?.mean(rowKeys, this.#at, 3) ?? null;
  }

  /** Events per second of these containers in a pane, oldest first. */
  rates(pane: PaneId, containers: readonly string[], samples: number): Float64Array {
    return this.#rates.get(pane)?.sum(containers, this.#at, Math.min(samples, CHART_TICKS)) ?? new Float64Array(0);
  }

  /** Run-queue waits of these containers by octave (see octaveUs), each over the last ticks, oldest first. */
  heat(containers: readonly string[], samples: number): Float64Array[] {
    return Array.from({ length: OCTAVES }, (_, octave) => this.#heat.sum(containers, this.#at, Math.min(samples, CHART_TICKS), octave));
  }

  /** Rows of a streaming pane, newest first. */
  stream(pane: PaneId): ViewRow[] {
    return this.#streams.get(pane)?.rows(this.#at) ?? [];
  }

  /** Rows since the start or the last reset. */
  totals(): Summed {
    return this.#totals.summed();
  }

  /** Events lost since the start or the last reset. */
  lost(pane?: PaneId): number {
    return this.#totals.lost(pane);
  }

  /** Forget everything but who the containers are. */
  reset(): void {
    this.#first = this.#counted = this.#last + 1;
    for (const series of this.#series()) series.clear();
    for (const stream of this.#streams.values()) stream.clear();
    this.#totals.clear();
  }

  /** One without ticks, whose next one is `tick`; it knows who the containers are, and goes on adding up with this one's sums. */
  fresh(tick: number): History {
    const other = new History(this.#slack);
    other.#first = tick;
    other.#last = other.#at = tick - 1;
    other.#containers = this.#containers;
    other.#totals = this.#totals;
    other.#counted = this.#counted;
    return other;
  }

  /** A copy that stays as it is while this one goes on. @param slack of the copy */
  fork(slack = 0): History {
    const copy = new History(slack);
    copy.#first = Math.max(this.#first, this.#last - CHART_TICKS - slack + 1);
    copy.#last = this.#last;
    copy.#at = this.#at;
    copy.#trends = new Map([...this.#trends].map(([key, series]) => [key, series.clone(slack + CHART_TICKS - TREND_TICKS)]));
    copy.#rates = new Map([...this.#rates].map(([key, series]) => [key, series.clone(slack)]));
    copy.#heat = this.#heat.clone(slack);
    copy.#streams = new Map([...this.#streams].map(([key, stream]) => [key, stream.clone()]));
    copy.#containers = new Map([...this.#containers].map(([key, known]) => [key, { ...known }]));
    copy.#totals = this.#totals.clone();
    copy.#counted = this.#counted;
    return copy;
  }
}
