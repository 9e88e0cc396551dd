/**
 * A column, stated once: the screen, the help, sorting, filtering, tables, CSV and OpenMetrics all read it here.
 */
import type { ContainerInfo, Frame, PaneId, PaneRows } from './frame.ts';
import type { Unit } from './units.ts';

export type Severity = 'ok' | 'warn' | 'bad';

/** What a column may look at besides its row. */
export interface RowContext {
  readonly frame: Frame;
  /** Identity of a key; an `unknown` stand-in when the frame does not hold it. */
  container(key: string): ContainerInfo;
}

export interface Column<Row> {
  /** Stable name: --sort-by, CSV header, config. The JSON field's name where there is one. */
  readonly id: string;
  /** Heading on screen, without the unit's scale (values carry it). */
  readonly title: string;
  readonly unit: Unit;
  /** One sentence for the help overlay, CSV docs and OpenMetrics HELP. */
  readonly help: string;
  readonly align: 'left' | 'right';
  /** Cells. `grow` is a share of what is left over; 0 never grows. */
  readonly width: { readonly min: number; readonly max: number; readonly grow: number };
  /** Lower survives longer when the pane is narrow; 0 never leaves. */
  readonly rank: number;
  /** Raw value, for sorting and exports; null is unknown. */
  value(row: Row, context: RowContext): string | number | null;
  /** Text for the screen where the unit's own format is not right (already in words, not yet escaped). */
  text?(row: Row, context: RowContext): string;
  /** Threshold colour. */
  severity?(row: Row, context: RowContext): Severity;
  /** How it is exported as a metric; absent: not at all. */
  readonly metric?: { readonly name: string; readonly type: 'counter' | 'gauge' };
  /** Screen only: draw the history of this other column's value as a sparkline. */
  readonly trendOf?: string;
}

/** A pane, stated once. `Row` rows are those of the Frame. */
export interface PaneDef<P extends PaneId = PaneId, Row = PaneRows[P]> {
  readonly id: P;
  /** Key on the keyboard and place on the screen, from 1. */
  readonly number: number;
  readonly title: string;
  readonly help: string;
  readonly columns: readonly Column<Row>[];
  readonly defaultSort: { readonly column: string; readonly descending: boolean };
  /** Identity of a row from tick to tick: selection and trends follow it. */
  rowKey(row: Row): string;
  /** A row is one thing that goes on ('table') or one event ('stream': new rows are added to those shown). */
  readonly kind: 'table' | 'stream';
  /** Rows of several containers as one, for the view over all containers; absent: rows stay as they are. */
  merge?(rows: readonly Row[]): Row;
  /** Key under which rows are merged. */
  mergeKey?(row: Row): string;
}
