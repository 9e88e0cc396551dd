/** Moving: the selection, the columns, the focus. */
import type { PaneId } from '../../frame/frame.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { LAYOUTS } from '../layout.ts';
import type { State } from '../model.ts';
import { withPane } from '../model.ts';
import { pageOf } from '../panes/area.ts';
import { hiddenColumns } from '../panes/fit.ts';
import { paneOf } from '../rows.ts';
import { paneView, windowOffset } from '../view.ts';

export type Move = 'up' | 'down' | 'pageUp' | 'pageDown' | 'halfUp' | 'halfDown' | 'first' | 'last';

/** How far a move goes, in rows; ends are infinite. */
export function distance(move: Move, page: number): number {
  const half = Math.max(1, Math.floor(page / 2));
  switch (move) {
    case 'up': return -1;
    case 'down': return 1;
    case 'pageUp': return -Math.max(1, page);
    case 'pageDown': return Math.max(1, page);
    case 'halfUp': return -half;
    case 'halfDown': return half;
    case 'first': return -Infinity;
    case 'last': return Infinity;
  }
}

/** The first row again, whichever row that will be. */
export const followTop = (state: State, id: PaneId): State => withPane(state, id, { selected: null, index: 0, offset: 0, line: 0 });

/** Move the selection of the focused pane. */
export function moveSelection(state: State, move: Move): State {
  const id = state.focus;
  const view = paneView(state, id);
  const page = pageOf(state, id);
  if (view === null || page === 0 || view.rows.length === 0) return state;
  if (move === 'first') return followTop(state, id);
  const setting = state.panes[id];
  // In a stream nothing is marked until the first move: it marks the first row.
  const from = setting.selected === null && paneOf(id).kind === 'stream' ? -1 : view.selected;
  const to = Math.max(0, Math.min(view.rows.length - 1, from + distance(move, page)));
  return selectRow(state, id, to);
}

/** Mark a row of a pane; one that is not on screen is scrolled to. */
export function selectRow(state: State, id: PaneId, to: number): State {
  const view = paneView(state, id);
  const row = view?.rows[to];
  if (view === null || row === undefined) return state;
  const setting = state.panes[id];
  const page = Math.max(1, pageOf(state, id));
  const chosen = { ...setting, selected: row.key, index: to };
  const offset = windowOffset({ ...view, selected: to }, { ...chosen, line: setting.selected === null ? 0 : setting.line + to - view.selected }, page);
  return withPane(state, id, { selected: row.key, index: to, offset, line: to - offset });
}

/** Scroll the columns of the focused pane. */
export function moveColumns(state: State, by: number): State {
  const { last } = hiddenColumns(state, state.focus);
  const offset = Math.min(state.panes[state.focus].columnOffset, last);
  return withPane(state, state.focus, { columnOffset: Math.max(0, Math.min(last, offset + by)) });
}

/** Focus a pane; it comes to the front of those that share its place. */
export const focusOn = (state: State, id: PaneId): State =>
  (id === state.focus ? state : { ...state, focus: id, fronts: [id, state.focus, ...state.fronts].filter((one, i, all) => all.indexOf(one) === i) });

/** Focus the next pane, or the one before. */
export function focusBy(state: State, by: number): State {
  const at = PANE_IDS.indexOf(state.focus);
  return focusOn(state, PANE_IDS[(at + by + PANE_IDS.length) % PANE_IDS.length] as PaneId);
}

/** Focus the pane with this number. */
export function focusNumber(state: State, number: number): State {
  const id = PANE_IDS.find((one) => paneOf(one).number === number);
  return id === undefined ? state : focusOn(state, id);
}

export const toggleZoom = (state: State): State => ({ ...state, zoomed: !state.zoomed });

export const nextLayout = (state: State): State => ({ ...state, layout: (state.layout + 1) % LAYOUTS.length, zoomed: false });
