/**
 * A column, stated once: the screen, the help, sorting, filtering, tables, CSV and OpenMetrics all read it here.
 */
import type { ContainerInfo, Frame, Latency, PaneId, PaneRows, StreamTotal } from './frame.ts';
import type { GroupBy } from './grouping.ts';
import type { Unit } from './units.ts';

export type Severity = 'ok' | 'warn' | 'bad';

/** What a column may look at besides its row. */
export interface RowContext {
  readonly frame: Frame;
  /** Identity of a key; an `unknown` stand-in when the frame does not hold it. */
  container(key: string): ContainerInfo;
}

export interface ColumnWidth {
  readonly min: number;
  readonly max: number;
  readonly grow: number;
  /** What it should have before columns of rank EXTRA and above come in; absent: `min`. */
  readonly ideal?: number;
}

/** From this rank on, a column is shown only where those before it have their ideal widths. */
export const EXTRA = 5;

export interface Column<Row> {
  /** Stable name: --sort-by, CSV header, config. The JSON field's name where there is one. */
  readonly id: string;
  /** Heading on screen, without the unit's scale (values carry it). */
  readonly title: string;
  /** Other names that a filter takes for it, in lower case. */
  readonly aliases?: readonly string[];
  readonly unit: Unit;
  /** One sentence for the help overlay, CSV docs and OpenMetrics HELP. */
  readonly help: string;
  readonly align: 'left' | 'right';
  /** Cells. `grow` is a share of what is left over; 0 never grows. */
  readonly width: ColumnWidth;
  /** Lower survives longer when the pane is narrow; 0 never leaves. */
  readonly rank: number;
  /** Screen only: takes no room while no row knows it. */
  readonly optional?: boolean;
  /** There only in Frames of several nodes. */
  readonly cluster?: true;
  /** Raw value, for sorting and exports; null is unknown. */
  value(row: Row, context: RowContext): string | number | null;
  /** Text for the screen where the unit's own format is not right (already in words, not yet escaped). */
  text?(row: Row, context: RowContext): string;
  /** Threshold colour. */
  severity?(row: Row, context: RowContext): Severity;
  /** How it is exported as a metric; absent: not at all. */
  readonly metric?: MetricName;
  /** Screen only: draw the history of this other column's value as a sparkline. */
  readonly trendOf?: string;
  /** Screen only: where a text that is too long loses its characters; absent: at its end. */
  readonly cut?: 'start' | 'middle' | 'end';
}

/**
 * A number over one interval, so a gauge in every snapshot: what starts anew must not be called a counter, or rate()
 * over scrapes gives nonsense. What has a `total` is added up by `serve --metrics`, and is a counter there.
 */
export interface MetricName {
  /** Whole name, ending in its base unit; a counter adds _total. */
  readonly name: string;
  /** Default: the column's, which speaks of the column's unit. */
  readonly help?: string;
  /** What it counts, of all time; absent: it is no count. */
  readonly total?: string;
  /** How many of the column's unit make one of the metric's, e.g. 100 from percent to a ratio. Default 1. */
  readonly divisor?: number;
  /** What becomes of rows whose labels are equal, such as a container that restarted. Default 'sum'. */
  readonly combine?: 'sum' | 'max';
}

/** A count that is more than one number per row. Null: unknown, no sample. */
export type RowMetric<Row> = { readonly name: string; readonly help: string; /** As of a MetricName. */ readonly total: string } & (
  | { readonly kind: 'value'; value(row: Row): number | null }
  /** One sample per name, told apart by `label`. `labels` follow from the name. */
  | { readonly kind: 'byName'; readonly label: string; labels?(name: string): Readonly<Record<string, string>>; values(row: Row): Readonly<Record<string, number>> | null }
  | { readonly kind: 'latency'; latency(row: Row): Latency | null }
);

/** One way of putting the rows of several containers together. */
export interface Grouping<Row> {
  /** Stable name. */
  readonly id: string;
  /** As titles and messages say it: "by pod". */
  readonly label: string;
  /** There only in Frames of several nodes. */
  readonly cluster?: true;
  /** Whose rows become one (see grouping.ts); null: everybody's. */
  readonly by: GroupBy | null;
  /** What keeps rows of the same group apart; absent: nothing does. */
  part?(row: Row): string;
  /** Two rows or more as one. @param container stands for the group in place of a container's key */
  merge(rows: readonly Row[], container: string): Row;
}

/** A pane, stated once. `Row` rows are those of the Frame. */
export interface PaneDef<P extends PaneId = PaneId, Row = PaneRows[P]> {
  readonly id: P;
  /** Key on the keyboard and place on the screen, from 1. */
  readonly number: number;
  readonly title: string;
  readonly help: string;
  readonly columns: readonly Column<Row>[];
  /** Columns that --sort-by and CSV have besides, and screens and tables do not. */
  readonly exports?: readonly Column<Row>[];
  /** Labels of a row's metrics besides its container's. */
  labels?(row: Row): Readonly<Record<string, string>>;
  readonly metrics?: readonly RowMetric<Row>[];
  /** Metrics of a stream's exact totals; its rows are events and never metrics. */
  readonly totalMetrics?: readonly RowMetric<StreamTotal>[];
  readonly defaultSort: { readonly column: string; readonly descending: boolean };
  /** Identity of a row from tick to tick: selection and trends follow it. */
  rowKey(row: Row): string;
  /** A row is one thing that goes on ('table') or one event ('stream': new rows are added to those shown). */
  readonly kind: 'table' | 'stream';
  /** Ways to put rows together, that to begin with first; absent: rows stay as they are. */
  readonly groupings?: readonly Grouping<Row>[];
  /** The row with the keys of all containers that it refers to besides its own replaced; absent: it refers to none. */
  withKeys?(row: Row, replace: (key: string) => string): Row;
  /** Something is wrong with this row: what "errors only" keeps. */
  isTrouble(row: Row, context: RowContext): boolean;
  /** Streams whose rows may be unfinished: the key that an unfinished row shares with the row that ends it. */
  pendingKey?(row: Row): string;
  /** This row is unfinished: a later row with the same pendingKey takes its place. */
  isPending?(row: Row): boolean;
}

/** Those of a pane's columns or groupings that a Frame has. */
export function presentIn<One extends { readonly cluster?: true }>(all: readonly One[], frame: Frame | null | undefined): readonly One[] {
  return frame?.nodes === undefined ? all.filter((one) => one.cluster === undefined) : all;
}
