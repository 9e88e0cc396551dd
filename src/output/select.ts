/** A Frame with what was asked for: some panes, some containers, sorted, so many rows. All formats write its result. */
import { type ContainerInfo, type Frame, NO_LOSS, type PaneId, type Panes, type StreamTotal } from '../frame/frame.ts';
import { containerName, contextOf, fullName } from '../frame/names.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
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

/** Shortest start of a container id or pod uid that is taken for one. */
const SHORT_ID = 6;

/** Whether a cgroup path is this one or below it. */
const isBelow = (path: string, above: string): boolean => path === above || path.startsWith(above.endsWith('/') ? above : `${above}/`);

/**
 * Does `wanted` name this container: its name, "namespace/pod/container", the start of its id, its cgroup's id, its
 * cgroup path or a path above it.
 */
export function isContainer(wanted: string, key: string, info: ContainerInfo): boolean {
  if (wanted === containerName(info) || wanted === info.container || wanted === fullName(info)) return true;
  if (wanted === key || wanted === info.cgroupId) return true;
  if (wanted.length >= SHORT_ID && info.containerId?.startsWith(wanted)) return true;
  return wanted.startsWith('/') && info.cgroup !== null && isBelow(info.cgroup, wanted);
}

/** Does `wanted` name the pod: its name, "namespace/pod", or the start of its uid. */
export function isPod(wanted: string, info: ContainerInfo): boolean {
  if (info.pod !== null && (wanted === info.pod || wanted === `${info.namespace ?? ''}/${info.pod}`)) return true;
  return wanted.length >= SHORT_ID && info.podUid !== null && info.podUid.startsWith(wanted);
}

/** Containers of any of these names in any of these pods; null when nothing was asked for. */
export function containerFilter(containers: readonly string[], pods: readonly string[]): ContainerFilter | null {
  if (containers.length === 0 && pods.length === 0) return null;
  return (key, info) =>
    (containers.length === 0 || containers.some((wanted) => isContainer(wanted, key, info)))
    && (pods.length === 0 || pods.some((wanted) => isPod(wanted, info)));
}

function* referred(panes: Panes): Generator<string> {
  for (const id of PANE_IDS) for (const row of panes[id].rows) yield row.container;
  for (const row of panes.runqueue.rows) for (const by of row.preemptedBy) yield by.container;
  for (const total of [...panes.opens.totals, ...panes.tcp.totals]) yield total.container;
}

const perSecond = (totals: readonly StreamTotal[], frame: Frame): number =>
  totals.reduce((sum, total) => sum + total.count, 0) / (frame.intervalMs / 1000);

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
  for (const key of new Set([...referred(panes), ...targets])) {
    const info = frame.containers[key];
    if (info) containers[key] = info;
  }
  return { ...frame, containers, panes };
}

/** Is there any row or total left in the panes. */
export function isEmpty(frame: Frame): boolean {
  return PANE_IDS.every((id) => frame.panes[id].rows.length === 0) && frame.panes.opens.totals.length === 0 && frame.panes.tcp.totals.length === 0;
}
