/** A windowed table: only the rows on screen are formatted. Columns come from their definitions. */
import type { RowContext, Severity } from '../../frame/columns.ts';
import type { AnyColumn, AnyRow, ViewRow } from '../rows.ts';
import { cellText } from '../rows.ts';
import type { Role } from '../theme.ts';
import { SEVERITY_ROLE } from '../theme.ts';
import type { Body } from './box.ts';
import type { ColumnFit } from './columns.ts';
import { fitColumns } from './columns.ts';
import type { Pen } from './pen.ts';
import { sparkline } from './spark.ts';

export interface Table {
  readonly columns: readonly AnyColumn[];
  readonly rows: readonly ViewRow[];
  readonly context: RowContext;
  /** Cells that each column needs for what it holds; same order as `columns`. */
  readonly needs: readonly number[];
  readonly sort: { readonly column: string; readonly descending: boolean };
  /** First row on screen. */
  readonly offset: number;
  /** Index of the selected row; null draws no selection. */
  readonly selected: number | null;
  readonly columnOffset: number;
  /** History of a column's value for a row, oldest first. */
  trend(row: ViewRow, column: string, samples: number): ArrayLike<number>;
}

/** Cells between columns: a wide table can afford air. */
const gapOf = (width: number): number => (width >= 100 ? 2 : 1);

/** Least cells of a column: half an id says nothing, and names that are short leave their room to others. */
function leastOf({ unit, width, trendOf }: AnyColumn, need: number): number {
  if (unit === 'id') return Math.max(width.min, Math.min(width.max, need));
  return unit === 'text' && trendOf === undefined ? Math.min(width.min, need) : width.min;
}

/** How the columns of a table share `width` cells. */
export function tableColumns(table: Table, width: number): ColumnFit {
  return fitColumns(table.columns.map((column, i) => {
    // The sort mark stands behind the title.
    const title = column.title.length + (column.id === table.sort.column ? 1 : 0);
    const need = column.trendOf === undefined ? Math.max(title, table.needs[i] ?? 0) : column.width.max;
    const min = Math.max(title, leastOf(column, need));
    return { width: { ...column.width, min, max: Math.max(min, column.width.max) }, rank: column.rank, need, elastic: column.trendOf !== undefined };
  }), width, gapOf(width), table.columnOffset);
}

interface Cell { readonly text: string; readonly role: Role; readonly mark: string }

function severityMark(pen: Pen, severity: Severity): string {
  if (severity === 'bad') return '!';
  return severity === 'warn' && pen.theme.depth === 0 ? '*' : ' ';
}

function cellOf(pen: Pen, table: Table, column: AnyColumn, row: ViewRow, width: number): Cell {
  if (column.trendOf !== undefined) return { text: sparkline(pen, table.trend(row, column.trendOf, width), width), role: 'spark', mark: ' ' };
  const severity = column.severity?.(row.row as AnyRow, table.context) ?? 'ok';
  const text = pen.fit(cellText(column, row.row, table.context, pen.ascii), width, column.align, column.cut);
  const mark = severityMark(pen, severity);
  // Inside the cell where it leaves room, else in the gap behind it.
  if (mark !== ' ' && column.align === 'right' && text.startsWith(' ')) {
    const value = text.trimStart();
    return { text: ' '.repeat(text.length - value.length - 1) + mark + value, role: SEVERITY_ROLE[severity], mark: ' ' };
  }
  if (mark !== ' ' && column.align === 'left' && text.endsWith(' ')) {
    const value = text.trimEnd();
    return { text: value + mark + ' '.repeat(text.length - value.length - 1), role: SEVERITY_ROLE[severity], mark: ' ' };
  }
  return { text, role: SEVERITY_ROLE[severity], mark };
}

/** Join cells with gaps; the first cell of a gap holds the mark of the cell before it. */
function join(pen: Pen, cells: readonly Cell[], width: number, selected: boolean): string {
  const paint = (role: Role, text: string): string => (selected ? text : pen.paint(role, text));
  const gap = gapOf(width);
  let line = '', used = 0;
  cells.forEach((cell, i) => {
    line += paint(cell.role, cell.text);
    used += pen.width(cell.text);
    const room = i < cells.length - 1 ? gap : Math.max(0, width - used);
    if (room > 0) line += (cell.mark === ' ' ? ' ' : paint(cell.role, cell.mark)) + ' '.repeat(room - 1);
    used += room;
  });
  if (cells.length === 0) line = ' '.repeat(width);
  return selected ? pen.paint('selected', line) : line;
}

function heading(pen: Pen, table: Table, fitted: ColumnFit, width: number): string {
  const cells = fitted.columns.map(({ index, width: cells }) => {
    const column = table.columns[index] as AnyColumn;
    const sorted = column.id === table.sort.column;
    const mark = sorted ? (table.sort.descending ? pen.symbols.descending : pen.symbols.ascending) : '';
    return { text: pen.fit(column.title + mark, cells, column.align), role: (sorted ? 'sorted' : 'heading') as Role, mark: ' ' };
  });
  return join(pen, cells, width, false);
}

/** The table in at most `height` lines of exactly `width` cells, heading included. */
export function drawTable(pen: Pen, table: Table, width: number, height: number): Body & { readonly fitted: ColumnFit } {
  const fitted = tableColumns(table, width);
  const lines: string[] = [];
  const head = height >= 2 ? 1 : 0;
  if (head === 1) lines.push(heading(pen, table, fitted, width));
  const shown = table.rows.slice(table.offset, table.offset + Math.max(0, height - head));
  shown.forEach((row, i) => {
    const cells = fitted.columns.map(({ index, width: cells }) => cellOf(pen, table, table.columns[index] as AnyColumn, row, cells));
    lines.push(join(pen, cells, width, table.offset + i === table.selected));
  });
  const at = table.selected === null ? -1 : table.selected - table.offset;
  return {
    lines, fitted,
    selected: at >= 0 && at < shown.length ? head + at : null,
    scroll: { offset: table.offset, shown: Math.max(0, height - head), total: table.rows.length, firstLine: head },
  };
}
