/** Finding: scope, breakdown, filters, sorting, and the way back. */
import type { PaneId } from '../../frame/frame.ts';
import { fullName } from '../../frame/names.ts';
import type { SyscallRow } from '../../frame/frame.ts';
import { parseFilter } from '../filter.ts';
import type { Prompt, State } from '../model.ts';
import { withPane } from '../model.ts';
import { areaOf } from '../panes/area.ts';
import type { AnyColumn, AnyPane, ViewRow } from '../rows.ts';
import { columnById, paneOf } from '../rows.ts';
import { containerScope, namespaceScope } from '../scope.ts';
import { contextFor, isMerged, scopeOf, selectedRow } from '../view.ts';
import { followTop } from './move.ts';
import { tell } from './tell.ts';

/** The row that a command is about; in a stream only one that was chosen, since the first one changes under the hand. */
function chosenRow(state: State): ViewRow | null {
  if (paneOf(state.focus).kind === 'stream' && state.panes[state.focus].selected === null) return null;
  return selectedRow(state, state.focus);
}

const NO_ROW = 'no row is chosen: move to one with the arrow keys first';

/** Enter: all panes on the row's container; a merged call is first broken down by container. */
export function enter(state: State, now: number): State {
  const id = state.focus;
  const { shown } = state;
  if (shown === null) return state;
  if (areaOf(state, id)?.table === 0) return { ...state, zoomed: true };
  const row = chosenRow(state);
  if (row === null) return tell(state, NO_ROW, 'warn', now);
  const pane = paneOf(id);
  if (isMerged(state, pane)) {
    const call = row.row as SyscallRow;
    return followTop({ ...state, breakdown: { key: pane.mergeKey?.(call) ?? row.key, label: call.syscall } }, id);
  }
  const key = row.row.container;
  if (scopeOf(state)?.only === key) return tell(state, 'all panes already show this container only; Esc goes back', 'dim', now);
  return { ...state, scope: containerScope(key, fullName(contextFor(shown).container(key))), breakdown: null };
}

export function openDetails(state: State, now: number): State {
  if (areaOf(state, state.focus)?.table === 0) return { ...state, zoomed: true };
  const row = chosenRow(state);
  if (row === null) return tell(state, NO_ROW, 'warn', now);
  return { ...state, overlay: { kind: 'details', pane: state.focus, key: row.key, row: row.row, scroll: 0 } };
}

/** Esc: the innermost thing that stands open goes; never the program. */
export function back(state: State, now: number): State {
  const { focus } = state;
  if (state.menu !== null) return { ...state, menu: null };
  if (state.overlay !== null) return { ...state, overlay: null };
  if (state.panes[focus].filter !== null) return withPane(state, focus, { filter: null });
  if (state.panes[focus].errorsOnly) return withPane(state, focus, { errorsOnly: false });
  if (state.breakdown !== null && focus === 'syscalls') return followTop({ ...state, breakdown: null }, 'syscalls');
  if (state.scope !== null) return { ...state, scope: null };
  if (state.breakdown !== null) return followTop({ ...state, breakdown: null }, 'syscalls');
  if (state.zoomed) return { ...state, zoomed: false };
  return tell(state, 'nothing to step back from; q quits', 'dim', now);
}

export const toggleErrorsOnly = (state: State): State => withPane(state, state.focus, { errorsOnly: !state.panes[state.focus].errorsOnly });

export const sortable = (pane: AnyPane): readonly AnyColumn[] => pane.columns.filter((column) => column.trendOf === undefined);

/** Sort by a column: numbers and times start with the largest, names with the first letter. */
export function sortBy(state: State, id: PaneId, column: string): State {
  const unit = columnById(paneOf(id), column)?.unit;
  return withPane(state, id, { sort: { column, descending: !(unit === 'text' || unit === 'list' || unit === 'id') } });
}

/** Sort the focused pane by the next column, or the one before. */
export function sortStep(state: State, by: number): State {
  const columns = sortable(paneOf(state.focus));
  const at = columns.findIndex((column) => column.id === state.panes[state.focus].sort.column);
  const next = columns[(at + by + columns.length) % columns.length];
  return next === undefined ? state : sortBy(state, state.focus, next.id);
}

export function reverse(state: State): State {
  const { sort } = state.panes[state.focus];
  return withPane(state, state.focus, { sort: { ...sort, descending: !sort.descending } });
}

export function openSortMenu(state: State): State {
  const index = sortable(paneOf(state.focus)).findIndex((column) => column.id === state.panes[state.focus].sort.column);
  return { ...state, menu: { kind: 'sort', pane: state.focus, index: Math.max(0, index) } };
}

/** Kubernetes namespaces that the Frame knows, sorted. */
export function namespaces(state: State): readonly string[] {
  const all = new Set<string>();
  for (const info of Object.values(state.shown?.frame.containers ?? {})) if (info.namespace !== null) all.add(info.namespace);
  return [...all].sort();
}

export function openNamespaceMenu(state: State, now: number): State {
  if (namespaces(state).length === 0) return tell(state, 'no Kubernetes namespaces are known on this node', 'warn', now);
  return { ...state, menu: { kind: 'namespace', index: 0 } };
}

/** Entries of the open menu. */
export function menuItems(state: State): readonly string[] {
  if (state.menu === null) return [];
  return state.menu.kind === 'sort' ? sortable(paneOf(state.menu.pane)).map((column) => column.title) : ['all namespaces', ...namespaces(state)];
}

export function acceptMenu(state: State): State {
  const { menu } = state;
  if (menu === null) return state;
  const closed = { ...state, menu: null };
  if (menu.kind === 'sort') {
    const column = sortable(paneOf(menu.pane))[menu.index];
    return column === undefined || column.id === state.panes[menu.pane].sort.column ? closed : sortBy(closed, menu.pane, column.id);
  }
  const namespace = namespaces(state)[menu.index - 1];
  return { ...closed, scope: namespace === undefined ? null : namespaceScope(namespace) };
}

export function openPrompt(state: State): State {
  const { filter } = state.panes[state.focus];
  const text = filter?.text ?? '';
  return { ...state, prompt: { pane: state.focus, text, cursor: text.length, before: filter, error: null } };
}

/** Put another text into the prompt; what is right takes effect at once. */
export function typed(state: State, prompt: Prompt, text: string, cursor: number): State {
  const { filter, error } = parseFilter(text, paneOf(prompt.pane).columns);
  const next = { ...state, prompt: { ...prompt, text, cursor, error } };
  return error === null ? withPane(next, prompt.pane, { filter }) : next;
}
