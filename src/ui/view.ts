/** A Frame as the state wants to see it: scoped, merged, filtered and sorted rows of each pane. */
import type { RowContext } from '../frame/columns.ts';
import { presentIn } from '../frame/columns.ts';
import type { ContainerInfo, PaneId, SyscallRow } from '../frame/frame.ts';
import type { GroupBy } from '../frame/grouping.ts';
import { groupInfo, groupKey } from '../frame/grouping.ts';
import { ALL_CONTAINERS, contextOf } from '../frame/names.ts';
import { callKey } from '../frame/panes/syscalls.ts';
import { injects } from './chaos/armed.ts';
import type { PaneSetting, Shown, State } from './model.ts';
import type { AnyColumn, AnyGrouping, AnyPane, AnyRow, ViewRow } from './rows.ts';
import { cellText, columnById, paneOf } from './rows.ts';
import type { Scope } from './scope.ts';
import { bothScopes, isOneContainer } from './scope.ts';

export interface PaneView {
  readonly pane: AnyPane;
  readonly columns: readonly AnyColumn[];
  readonly rows: readonly ViewRow[];
  /** Rows in scope, before filters. */
  readonly total: number;
  readonly context: RowContext;
  /** Index of the selected row in `rows`; 0 when nothing is selected. */
  readonly selected: number;
  /** Cells that each column needs; see neededWidths. */
  readonly needs: readonly number[];
}

/** The scope in force: the command line's and the one chosen on screen. */
export const scopeOf = (state: State): Scope | null => bothScopes(state.baseScope, state.scope);

/** How the rows of a pane are put together now; null: not at all. */
export function groupingOf(state: State, pane: AnyPane): AnyGrouping | null {
  if (pane.groupings === undefined) return null;
  const groupings = presentIn(pane.groupings, state.shown?.frame);
  // One call is being told by container, or there is only one container to tell of.
  const apart = (pane.id === 'syscalls' && state.breakdown !== null) || isOneContainer(scopeOf(state));
  const chosen = groupings.find((one) => one.id === state.panes[pane.id].grouping) ?? groupings[0] ?? null;
  return chosen?.by === null && apart ? groupings.find((one) => one.by === 'container') ?? null : chosen;
}

/** Rows of all containers are one. */
export const isMerged = (state: State, pane: AnyPane): boolean => groupingOf(state, pane)?.by === null;

/** Rows refer to containers that the Frame names, or that an earlier one did. */
export function contextFor(shown: Shown): RowContext {
  const context = contextOf(shown.frame);
  return { frame: shown.frame, container: (key): ContainerInfo => shown.frame.containers[key] ?? shown.history.container(key) ?? context.container(key) };
}

/** Rows since the start in place of the last interval's. */
export const showsTotals = (state: State, id: PaneId): id is 'syscalls' | 'runqueue' => state.totals && (id === 'syscalls' || id === 'runqueue');

function rawRows(state: State, shown: Shown, pane: AnyPane): ViewRow[] {
  if (pane.kind === 'stream') return shown.history.stream(pane.id);
  const totals = showsTotals(state, pane.id) ? shown.history.totals()[pane.id] : null;
  const rows: readonly AnyRow[] = totals ?? shown.frame.panes[pane.id].rows;
  return rows.map((row) => {
    const key = pane.rowKey(row);
    return { key, row, members: [key] };
  });
}

/** The context of groups: who they are is worked out for those that somebody looks at. */
function groupContext(context: RowContext, by: GroupBy | null, members: ReadonlyMap<string, ReadonlySet<string>>): RowContext {
  const known = new Map<string, ContainerInfo>();
  return {
    frame: context.frame,
    container: (key) => {
      const keys = by === null ? undefined : members.get(key);
      if (keys === undefined || by === null) return context.container(key);
      let info = known.get(key);
      if (info === undefined) known.set(key, info = groupInfo(by, Array.from(keys, (one) => context.container(one))));
      return info;
    },
  };
}

interface Group {
  /** In place of a container's key. */
  readonly id: string;
  readonly rows: ViewRow[];
}

/** The group of each container that has rows, and the containers of each group. */
function groupsOf(by: GroupBy | null, rows: readonly ViewRow[], context: RowContext): { readonly ids: ReadonlyMap<string, string>; readonly members: ReadonlyMap<string, Set<string>> } {
  const ids = new Map<string, string>();
  const members = new Map<string, Set<string>>();
  if (by === null) return { ids, members };
  for (const { row: { container } } of rows) {
    if (ids.has(container)) continue;
    const id = groupKey(by, container, context.container(container));
    ids.set(container, id);
    const keys = members.get(id);
    if (keys) keys.add(container);
    else members.set(id, new Set([container]));
  }
  return { ids, members };
}

/** Rows put together, and a context that knows the groups. A row that is alone stays as it is, under its group's key. */
function grouped(grouping: AnyGrouping, rows: readonly ViewRow[], context: RowContext): { readonly rows: ViewRow[]; readonly context: RowContext } {
  const { by } = grouping;
  const { ids, members } = groupsOf(by, rows, context);
  const out: ViewRow[] = [];
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const id = ids.get(row.row.container) ?? ALL_CONTAINERS;
    const part = grouping.part?.(row.row);
    const key = part === undefined ? id : by === null ? part : `${id} ${part}`;
    // Most containers have one cgroup: nothing to put together.
    if (by === 'container' && members.get(id)?.size === 1) {
      out.push({ key, row: row.row, members: row.members });
      continue;
    }
    const group = groups.get(key);
    if (group) group.rows.push(row);
    else groups.set(key, { id, rows: [row] });
  }
  for (const [key, { id, rows: own }] of groups) {
    const first = own[0] as ViewRow;
    // Only a group says that its namespace is none, or not known, and how many containers a node has.
    out.push(own.length === 1 && by !== 'namespace' && by !== 'node' ? { key, row: first.row, members: first.members }
      : { key, row: grouping.merge(own.map((one) => one.row), id), members: own.flatMap((one) => one.members), of: first.row.container });
  }
  return { rows: out, context: groupContext(context, by, members) };
}

type SortValue = string | number | null;

/** Values that differ by less than this factor count as equal: their means decide, and rows do not swap places every tick. */
const ALIKE = 1.1;

const magnitude = (value: SortValue): SortValue => (typeof value !== 'number' ? value : value <= 0 ? -Infinity : Math.round(Math.log(value) / Math.log(ALIKE)));

function compare(a: SortValue, b: SortValue, descending: boolean): number {
  if (a === b) return 0;
  // Unknown stays at the end in either direction.
  if (a === null || b === null) return a === null ? 1 : -1;
  const order = typeof a === 'number' && typeof b === 'number' ? a - b : typeof a === typeof b ? (String(a) < String(b) ? -1 : 1) : typeof a === 'number' ? -1 : 1;
  return descending ? -order : order;
}

interface Sorted {
  readonly row: ViewRow;
  readonly i: number;
  readonly value: SortValue;
  /** Worked out for rows whose values are alike only. */
  mean: SortValue | undefined;
}

function sorted(pane: AnyPane, rows: ViewRow[], setting: PaneSetting, shown: Shown, context: RowContext, totals: boolean): ViewRow[] {
  const { sort } = setting;
  const column = columnById(pane, sort.column);
  if (column === undefined) return rows;
  const stream = pane.kind === 'stream';
  // A stream comes newest first.
  if (stream && sort.column === pane.defaultSort.column) return sort.descending ? rows : rows.reverse();
  const steady = !totals && pane.columns.some((one) => one.trendOf === column.id);
  const keyed = rows.map((row, i): Sorted => {
    const value = column.value(row.row, context);
    return { row, i, value: steady ? magnitude(value) : value, mean: undefined };
  });
  const meanOf = (entry: Sorted): SortValue => (entry.mean ??= shown.history.smooth(pane.id, column.id, entry.row.members));
  keyed.sort((a, b) => compare(a.value, b.value, sort.descending) || (steady ? compare(meanOf(a), meanOf(b), sort.descending) : 0) || (stream ? a.i - b.i : a.row.key < b.row.key ? -1 : 1));
  return keyed.map((entry) => entry.row);
}

/** Columns that say the same in every row of a scope. */
function toldByScope(scope: Scope | null, id: PaneId): readonly string[] {
  if (scope === null) return [];
  const container = id === 'containers' ? [] : ['container'], node = scope.node === undefined ? [] : ['node'];
  if (scope.process !== undefined && id !== 'processes') return [...container, 'pid', 'nsPid', 'node', 'namespace', 'pod', 'owner'];
  if (isOneContainer(scope)) return [...container, 'node', 'namespace', 'pod', 'owner'];
  switch (scope.level) {
    case 'pod': return ['node', 'namespace', 'pod', 'owner'];
    case 'workload': return [...node, 'namespace', 'owner'];
    case 'namespace': return [...node, 'namespace'];
    default: return node;
  }
}

/** @param ranks by column @param mins least widths by column */
const reranked = (columns: readonly AnyColumn[], ranks: Readonly<Record<string, number>>, mins: Readonly<Record<string, number>> = {}): readonly AnyColumn[] =>
  columns.map((column) => {
    const { id, width } = column;
    return id in ranks || id in mins ? { ...column, rank: ranks[id] ?? column.rank, width: { ...width, min: mins[id] ?? width.min } } : column;
  });

/** "12 containers", "(no namespace)": whole. */
const GROUP_MINS = { namespace: 14, container: 13 };

/** The column that tells rows apart as they are put together now comes before the others and does not leave. */
function leading(state: State, pane: AnyPane, columns: readonly AnyColumn[]): readonly AnyColumn[] {
  const by = groupingOf(state, pane)?.by ?? null;
  if (pane.id === 'containers') {
    if (by === 'pod') return reranked(columns, { pod: 0 });
    if (by === 'namespace') return reranked(columns, { namespace: 0 }, GROUP_MINS);
    if (by === 'node') return reranked(columns, { node: 0, pod: 1, container: 1 }, { node: 24, container: GROUP_MINS.container });
    if (by !== 'workload') return columns;
    const at = columns.findIndex((column) => column.id === 'pod' || column.id === 'container');
    const owner = columns.filter((column) => column.id === 'owner');
    return reranked([...columns.slice(0, at), ...owner, ...columns.slice(at).filter((column) => column.id !== 'owner')], { owner: 0 }, { container: GROUP_MINS.container });
  }
  if (isOneContainer(scopeOf(state))) return reranked(columns, { nsPid: 2, pid: 3 });
  const container = columns.find((column) => column.id === 'container');
  if (pane.id !== 'syscalls' || container === undefined) return columns;
  const [first, ...rest] = columns.filter((column) => column !== container);
  const lead = { ...container, rank: 0 };
  // Broken down, every row is the same call.
  return state.breakdown === null ? [first as AnyColumn, lead, ...rest] : [lead, ...rest];
}

/** Columns worth showing: one that says the same in every row is not, one that tells rows apart must not leave. */
function columnsOf(state: State, pane: AnyPane, rows: readonly ViewRow[], context: RowContext): readonly AnyColumn[] {
  const armed = injects(state);
  const chaos = armed || rows.some(({ row }) => 'injected' in row && row.injected > 0);
  const left = new Set(toldByScope(scopeOf(state), pane.id));
  if (!chaos) left.add('injected');
  if (isMerged(state, pane)) left.add('container').add('node');
  const sortedBy = state.panes[pane.id].sort.column;
  const known = (column: AnyColumn): boolean => column.optional !== true || column.id === sortedBy || rows.some(({ row }) => column.value(row, context) !== null);
  const columns = presentIn(pane.columns, context.frame).filter((column) => !left.has(column.id) && known(column));
  // While something is armed, what it does comes before latencies.
  return leading(state, pane, armed ? reranked(columns, { injected: 1 }) : columns);
}

/** Rows looked at for column widths. */
const SAMPLE = 100;

/** Cells that names need, in steps of four so that widths stay calm; numbers have fixed widths. */
function neededWidths(pane: AnyPane, columns: readonly AnyColumn[], rows: readonly ViewRow[], context: RowContext): number[] {
  // Events come and go: their columns do not shrink to those of the moment.
  const least = pane.kind === 'stream' || rows.length === 0;
  return columns.map((column) => {
    const { width, unit } = column;
    if (column.trendOf !== undefined || width.min >= width.max || !(unit === 'text' || unit === 'list' || unit === 'id')) return width.min;
    let longest = 0;
    for (const row of rows.slice(0, SAMPLE)) {
      longest = Math.max(longest, cellText(column, row.row, context, false).length);
      if (longest >= width.max) break;
    }
    const step = unit === 'id' ? 1 : 4;
    return Math.min(width.max, Math.max(least ? width.min : 0, Math.ceil(longest / step) * step));
  });
}

type Rows = Omit<PaneView, 'selected'>;

const memo = new Map<PaneId, { readonly deps: readonly unknown[]; readonly rows: Rows }>();

/** The rows of one pane as the state wants them; null before the first Frame. */
export function paneView(state: State, id: PaneId): PaneView | null {
  const { shown } = state;
  if (shown === null) return null;
  const { sort, filter, errorsOnly, grouping, selected: key, index } = state.panes[id];
  const deps = [shown, state.totals, grouping, state.breakdown, state.scope, state.baseScope, sort, filter, errorsOnly, injects(state)];
  let last = memo.get(id);
  if (last === undefined || deps.some((dep, i) => dep !== last?.deps[i])) {
    last = { deps, rows: viewRows(state, shown, id) };
    memo.set(id, last);
  }
  const { rows } = last.rows;
  const found = key === null ? 0 : rows.findIndex((row) => row.key === key);
  return { ...last.rows, selected: found >= 0 ? found : Math.max(0, Math.min(index, rows.length - 1)) };
}

/** Rows of a scope. A container is asked about once, however many rows it has. */
function scoped(rows: readonly ViewRow[], scope: Scope, context: RowContext): ViewRow[] {
  const asked = new Map<string, boolean>();
  const pid = scope.process?.pid;
  return rows.filter(({ row }) => {
    let inside = asked.get(row.container);
    if (inside === undefined) asked.set(row.container, inside = scope.matches(row.container, context.container(row.container)));
    return inside && (pid === undefined || !('pid' in row) || row.pid === pid);
  });
}

function viewRows(state: State, shown: Shown, id: PaneId): Rows {
  const pane = paneOf(id);
  const setting = state.panes[id];
  const scope = scopeOf(state);
  const { breakdown } = state;
  let context = contextFor(shown);
  let rows = rawRows(state, shown, pane);
  if (scope !== null) rows = scoped(rows, scope, context);
  if (id === 'syscalls' && breakdown !== null) rows = rows.filter(({ row }) => callKey(row as SyscallRow) === breakdown.key);
  const grouping = groupingOf(state, pane);
  if (grouping !== null) ({ rows, context } = grouped(grouping, rows, context));
  const total = rows.length;
  const columns = columnsOf(state, pane, rows, context);
  const { filter, errorsOnly } = setting;
  if (errorsOnly) rows = rows.filter(({ row }) => pane.isTrouble(row, context));
  if (filter !== null) rows = rows.filter(({ row }) => filter.matches(row, context));
  rows = sorted(pane, rows, setting, shown, context, showsTotals(state, id));
  return { pane, columns, rows, total, context, needs: neededWidths(pane, columns, rows, context) };
}

/** Key of a container that a row is about: its own, or that of one in its group. */
export const containerOf = ({ row, of }: ViewRow): string => of ?? row.container;

/** The row that Enter and `d` are about; null when there is none. */
export function selectedRow(state: State, id: PaneId): ViewRow | null {
  const view = paneView(state, id);
  return view?.rows[view.selected] ?? null;
}

/** First row on screen when `height` rows fit: the selected one is always among them. */
export function windowOffset(view: PaneView, setting: PaneSetting, height: number): number {
  if (setting.selected === null) return 0;
  const last = Math.max(0, view.rows.length - height);
  // New rows of a stream push the others down: the selected one keeps its line instead.
  let offset = view.pane.kind === 'stream' ? view.selected - setting.line : setting.offset;
  if (view.selected < offset) offset = view.selected;
  if (view.selected >= offset + height) offset = view.selected - height + 1;
  return Math.max(0, Math.min(offset, last));
}
