/** A Frame as the state wants to see it: scoped, merged, filtered and sorted rows of each pane. */
import type { RowContext } from '../frame/columns.ts';
import type { ContainerInfo, PaneId } from '../frame/frame.ts';
import { contextOf } from '../frame/names.ts';
import type { PaneSetting, Shown, State } from './model.ts';
import type { AnyColumn, AnyPane, AnyRow, ViewRow } from './rows.ts';
import { cellText, columnById, paneOf } from './rows.ts';
import type { Scope } from './scope.ts';
import { bothScopes } from './scope.ts';

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

/** Syscalls of several containers are one row. */
export const isMerged = (state: State, pane: AnyPane): boolean =>
  pane.id === 'syscalls' && pane.merge !== undefined && state.grouped && state.breakdown === null && scopeOf(state)?.only == null;

/** Rows refer to containers that the Frame names, or that an earlier one did. */
export function contextFor(shown: Shown): RowContext {
  const context = contextOf(shown.frame);
  return { frame: shown.frame, container: (key): ContainerInfo => shown.frame.containers[key] ?? shown.history.container(key) ?? context.container(key) };
}

function rawRows(state: State, shown: Shown, pane: AnyPane): ViewRow[] {
  if (pane.kind === 'stream') return shown.history.stream(pane.id);
  const totals = state.totals && (pane.id === 'syscalls' || pane.id === 'runqueue') ? shown.history.totals()[pane.id] : null;
  const rows: readonly AnyRow[] = totals ?? shown.frame.panes[pane.id].rows;
  return rows.map((row) => {
    const key = pane.rowKey(row);
    return { key, row, members: [key] };
  });
}

function merged(pane: AnyPane, rows: readonly ViewRow[]): ViewRow[] {
  const groups = new Map<string, ViewRow[]>();
  for (const row of rows) {
    const key = pane.mergeKey?.(row.row) ?? row.key;
    const group = groups.get(key);
    if (group) group.push(row);
    else groups.set(key, [row]);
  }
  return [...groups].map(([key, group]) => ({
    key, row: pane.merge?.(group.map((one) => one.row)) ?? (group[0] as ViewRow).row, members: group.flatMap((one) => one.members),
  }));
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

/** Columns worth showing: one that says the same in every row is not, one that tells rows apart must not leave. */
function columnsOf(state: State, pane: AnyPane, rows: readonly ViewRow[]): readonly AnyColumn[] {
  if (pane.id === 'containers') return pane.columns;
  const chaos = (state.shown?.frame.chaos.length ?? 0) > 0 || rows.some(({ row }) => 'injected' in row && row.injected > 0);
  const columns = chaos ? pane.columns : pane.columns.filter((column) => column.id !== 'injected');
  if (scopeOf(state)?.only != null || isMerged(state, pane)) return columns.filter((column) => column.id !== 'container');
  const container = columnById(pane, 'container');
  if (pane.id !== 'syscalls' || container === undefined) return columns;
  const [first, ...rest] = columns.filter((column) => column !== container);
  const leading = { ...container, rank: 0 };
  // Broken down, every row is the same call.
  return state.breakdown === null ? [first as AnyColumn, leading, ...rest] : [leading, ...rest];
}

/** Rows looked at for column widths. */
const SAMPLE = 100;

/** Cells that names need, in steps of four so that widths stay calm; numbers have fixed widths. */
function neededWidths(columns: readonly AnyColumn[], rows: readonly ViewRow[], context: RowContext): number[] {
  return columns.map((column) => {
    const { width, unit } = column;
    if (column.trendOf !== undefined || width.min >= width.max || !(unit === 'text' || unit === 'list' || unit === 'id')) return width.min;
    let longest = 0;
    for (const row of rows.slice(0, SAMPLE)) {
      longest = Math.max(longest, cellText(column, row.row, context, false).length);
      if (longest >= width.max) break;
    }
    const step = unit === 'id' ? 1 : 4;
    return Math.min(width.max, Math.ceil(longest / step) * step);
  });
}

type Rows = Omit<PaneView, 'selected'>;

const memo = new Map<PaneId, { readonly deps: readonly unknown[]; readonly rows: Rows }>();

/** The rows of one pane as the state wants them; null before the first Frame. */
export function paneView(state: State, id: PaneId): PaneView | null {
  const { shown } = state;
  if (shown === null) return null;
  const { sort, filter, errorsOnly, selected: key, index } = state.panes[id];
  const deps = [shown, state.totals, state.grouped, state.breakdown, state.scope, state.baseScope, sort, filter, errorsOnly];
  let last = memo.get(id);
  if (last === undefined || deps.some((dep, i) => dep !== last?.deps[i])) {
    last = { deps, rows: viewRows(state, shown, id) };
    memo.set(id, last);
  }
  const { rows } = last.rows;
  const found = key === null ? 0 : rows.findIndex((row) => row.key === key);
  return { ...last.rows, selected: found >= 0 ? found : Math.max(0, Math.min(index, rows.length - 1)) };
}

function viewRows(state: State, shown: Shown, id: PaneId): Rows {
  const pane = paneOf(id);
  const setting = state.panes[id];
  const context = contextFor(shown);
  const scope = scopeOf(state);
  let rows = rawRows(state, shown, pane);
  if (scope !== null) rows = rows.filter(({ row }) => scope.matches(row.container, context.container(row.container)));
  if (id === 'syscalls' && state.breakdown !== null) rows = rows.filter(({ row }) => pane.mergeKey?.(row) === state.breakdown?.key);
  if (isMerged(state, pane)) rows = merged(pane, rows);
  const total = rows.length;
  const { filter, errorsOnly } = setting;
  if (errorsOnly) rows = rows.filter(({ row }) => pane.isTrouble(row));
  if (filter !== null) rows = rows.filter(({ row }) => filter.matches(row, context));
  rows = sorted(pane, rows, setting, shown, context, state.totals);
  const columns = columnsOf(state, pane, rows);
  return { pane, columns, rows, total, context, needs: neededWidths(columns, rows, context) };
}

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
