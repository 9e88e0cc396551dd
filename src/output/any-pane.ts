/** The panes' definitions without their row types, for what writes any of them. */
import { type Column, type PaneDef, presentIn } from '../frame/columns.ts';
import type { Frame, PaneId, PaneRows } from '../frame/frame.ts';
import { PANES } from '../frame/panes/index.ts';

export type AnyRow = PaneRows[PaneId];
export type AnyColumn = Column<AnyRow>;
export type AnyPane = PaneDef<PaneId, AnyRow>;

export const paneDef = (id: PaneId): AnyPane => PANES[id];

export const rowsOf = (frame: Frame, id: PaneId): readonly AnyRow[] => frame.panes[id].rows;

/** Columns that hold a value: all but the drawn ones. @param frame without one, those that every Frame has */
export const tableColumns = (pane: AnyPane, frame: Frame | null = null): readonly AnyColumn[] => presentIn(pane.columns, frame).filter((column) => column.trendOf === undefined);

/** What CSV writes and --sort-by takes. */
export const exportColumns = (pane: AnyPane): readonly AnyColumn[] => [...tableColumns(pane), ...(pane.exports ?? [])];
