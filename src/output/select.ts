/** A Frame with what was asked for: some panes, some containers, sorted, so many rows. All formats write its result. */
import { type ContainerInfo, type Frame, NO_LOSS, type PaneId, type Panes, type StreamTotal } from '../frame/frame.ts';
import { contextOf } from '../frame/names.ts';
import { intervalsOf } from '../frame/node-key.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
import { keysOf } from '../frame/references.ts';
import { type AnyRow, paneDef, rowsOf } from './any-pane.ts';
import { type SortOrder, defaultSort, sortRows } from './sort.ts';

export type ContainerFilter = (key: string, info: ContainerInfo) => boolean;

export interface Selection {
  readonly panes: readonly PaneId[];
  /** Per pane; absent: the pane's own order. */
  readonly sort?: Partial<Readonly<Record<PaneId, SortOrder>>>;
  /** Rows per pane. */
  readonly limit?: number | null;
  readonly filter?: ContainerFilter | null;
}

function perSecond(totals: readonly StreamTotal[], frame: Frame): number {
  const intervalMs = intervalsOf(frame);
  const counts = new Map<number, number>();
  for (const { container, count } of totals) counts.set(intervalMs(container), (counts.get(intervalMs(container)) ?? 0) + count);
  return [...counts].reduce((sum, [ms, count]) => sum + count / (ms / 1000), 0);
}

/** The Frame as asked for. Loss stays that of the whole pane: it cannot be told by container. */
export function select(frame: Frame, selection: Selection): Frame {
  const context = contextOf(frame);
  const { filter = null, limit = null } = selection;
  const keep = new Map<string, boolean>();
  const passes = (key: string): boolean => {
    let known = keep.get(key);
    if (known === undefined) keep.set(key, known = filter === null || filter(key, context.container(key)));
    return known;
  };
  const pane = (id: PaneId): object => {
    const whole = frame.panes[id];
    if (!selection.panes.includes(id)) {
      const state = whole.state.status === 'ok' ? { status: 'off', reason: 'not asked for', level: null } : whole.state;
      return { ...whole, ...('totals' in whole && { ratePerSec: 0, totals: [] }), state, loss: NO_LOSS, rows: [] };
    }
    const order = selection.sort?.[id] ?? defaultSort(paneDef(id));
    let rows: readonly AnyRow[] = rowsOf(frame, id).filter((row) => passes(row.container));
    rows = sortRows(rows, order, context);
    if (limit !== null) rows = rows.slice(0, limit);
    if (!('totals' in whole) || filter === null) return { ...whole, rows };
    const totals = whole.totals.filter((total) => passes(total.container));
    return { ...whole, rows, totals, ratePerSec: perSecond(totals, frame) };
  };
  const panes = Object.fromEntries(PANE_IDS.map((id) => [id, pane(id)])) as unknown as Panes;
  const containers: Record<string, ContainerInfo> = {};
  const targets = frame.chaos.map((rule) => rule.target);
  for (const key of new Set([...keysOf(panes), ...targets])) {
    const info = frame.containers[key];
    if (info) containers[key] = info;
  }
  return { ...frame, containers, panes };
}

/** Is there any row or total left in the panes. */
export function isEmpty(frame: Frame): boolean {
  return PANE_IDS.every((id) => frame.panes[id].rows.length === 0) && frame.panes.opens.totals.length === 0 && frame.panes.tcp.totals.length === 0;
}
