/** Finding: details, filters and sorting. */
import { presentIn } from '../../frame/columns.ts';
import type { PaneId } from '../../frame/frame.ts';
import { parseFilter } from '../filter.ts';
import type { Menu, Prompt, State } from '../model.ts';
import { withPane } from '../model.ts';
import { areaOf } from '../panes/area.ts';
import type { AnyColumn, AnyPane } from '../rows.ts';
import { columnById, paneOf } from '../rows.ts';
import { paneView } from '../view.ts';
import { NO_ROW, chosenRow } from './drill.ts';
import { tell } from './tell.ts';

export function openDetails(state: State, now: number): State {
  if (areaOf(state, state.focus)?.table === 0) return { ...state, zoomed: true };
  const row = chosenRow(state);
  const context = paneView(state, state.focus)?.context;
  if (row === null || context === undefined) return tell(state, NO_ROW, 'warn', now);
  return { ...state, overlay: { kind: 'details', pane: state.focus, key: row.key, row: row.row, info: context.container(row.row.container), scroll: 0 } };
}

export const toggleErrorsOnly = (state: State): State => withPane(state, state.focus, { errorsOnly: !state.panes[state.focus].errorsOnly });

export const sortable = (pane: AnyPane): readonly AnyColumn[] => pane.columns.filter((column) => column.trendOf === undefined);

/** Those that the Frame on screen has. */
const sortableNow = (state: State, id: PaneId): readonly AnyColumn[] => presentIn(sortable(paneOf(id)), state.shown?.frame);

/** Sort by a column: numbers and times start with the largest, names with the first letter. */
export function sortBy(state: State, id: PaneId, column: string): State {
  const unit = columnById(paneOf(id), column)?.unit;
  return withPane(state, id, { sort: { column, descending: !(unit === 'text' || unit === 'list' || unit === 'id') } });
}

/** Sort the focused pane by the next column, or the one before. */
export function sortStep(state: State, by: number): State {
  const columns = sortableNow(state, state.focus);
  const at = columns.findIndex((column) => column.id === state.panes[state.focus].sort.column);
  const next = columns[(at + by + columns.length) % columns.length];
  return next === undefined ? state : sortBy(state, state.focus, next.id);
}

export function reverse(state: State): State {
  const { sort } = state.panes[state.focus];
  return withPane(state, state.focus, { sort: { ...sort, descending: !sort.descending } });
}

export function openSortMenu(state: State): State {
  const index = sortableNow(state, state.focus).findIndex((column) => column.id === state.panes[state.focus].sort.column);
  return { ...state, menu: { kind: 'sort', pane: state.focus, index: Math.max(0, index) } };
}

/** Entries of the open list of columns. */
export const sortItems = (state: State, menu: Extract<Menu, { kind: 'sort' }>): readonly string[] => sortableNow(state, menu.pane).map((column) => column.title);

export function acceptSort(state: State, menu: Extract<Menu, { kind: 'sort' }>): State {
  const closed = { ...state, menu: null };
  const column = sortableNow(state, menu.pane)[menu.index];
  return column === undefined || column.id === state.panes[menu.pane].sort.column ? closed : sortBy(closed, menu.pane, column.id);
}

export function openPrompt(state: State): State {
  const { filter } = state.panes[state.focus];
  const text = filter?.text ?? '';
  return { ...state, prompt: { pane: state.focus, text, cursor: text.length, before: filter, error: null } };
}

/** Put another text into the prompt; what is right takes effect at once. */
export function typed(state: State, prompt: Prompt, text: string, cursor: number): State {
  const { filter, error } = parseFilter(text, presentIn(paneOf(prompt.pane).columns, state.shown?.frame));
  const next = { ...state, prompt: { ...prompt, text, cursor, error } };
  return error === null ? withPane(next, prompt.pane, { filter }) : next;
}
