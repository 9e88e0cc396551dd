/** The table of a pane as drawing wants it, and what its columns do in the room there is. */
import type { PaneId } from '../../frame/frame.ts';
import type { Table } from '../draw/table.ts';
import { tableColumns } from '../draw/table.ts';
import type { State } from '../model.ts';
import type { PaneView } from '../view.ts';
import { paneView, windowOffset } from '../view.ts';
import { areaOf } from './area.ts';

/** The table of a view, scrolled so that `page` rows show the selected one. */
export function tableOf(state: State, view: PaneView, page: number): Table {
  const id = view.pane.id;
  const setting = state.panes[id];
  const history = state.shown?.history;
  const marked = state.focus === id && view.rows.length > 0 && (setting.selected !== null || view.pane.kind === 'table');
  return {
    columns: view.columns, rows: view.rows, context: view.context, needs: view.needs, sort: setting.sort,
    offset: windowOffset(view, setting, page), selected: marked ? view.selected : null, columnOffset: setting.columnOffset,
    trend: (row, column, samples) => history?.trend(id, column, row.members, samples) ?? [],
  };
}

/** How far the columns of a pane scroll. */
export function hiddenColumns(state: State, id: PaneId): { readonly last: number } {
  const view = paneView(state, id);
  const area = areaOf(state, id);
  if (view === null || area === null || area.table === 0) return { last: 0 };
  return { last: tableColumns(tableOf(state, view, area.table), area.width).lastOffset };
}
