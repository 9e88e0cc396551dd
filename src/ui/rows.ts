/** Rows and columns of any pane, for code that works from the definitions alone. */
import type { Column, Grouping, PaneDef, RowContext } from '../frame/columns.ts';
import type { PaneId, PaneRows } from '../frame/frame.ts';
import { PANES } from '../frame/panes/index.ts';
import { formatValue } from '../frame/units.ts';

export type AnyRow = PaneRows[PaneId];
export type AnyColumn = Column<AnyRow>;
export type AnyPane = PaneDef<PaneId, AnyRow>;
export type AnyGrouping = Grouping<AnyRow>;

/** The definition of a pane. Its functions take this pane's rows only, as the Frame gives them. */
export const paneOf = (id: PaneId): AnyPane => PANES[id] as unknown as AnyPane;

/** A row as a pane shows it. */
export interface ViewRow {
  /** Stays the same from tick to tick. */
  readonly key: string;
  readonly row: AnyRow;
  /** Row keys of the Frame's rows in it: one, or several where containers are put together. */
  readonly members: readonly string[];
  /** Key of a container in it, where the row's own is that of a group. */
  readonly of?: string;
}

/** Raw text of a cell, not escaped. */
export function cellText(column: AnyColumn, row: AnyRow, context: RowContext, ascii: boolean): string {
  return column.text?.(row, context) ?? formatValue(column.value(row, context), column.unit, ascii);
}

export const columnById = (pane: AnyPane, id: string): AnyColumn | undefined => pane.columns.find((column) => column.id === id);
