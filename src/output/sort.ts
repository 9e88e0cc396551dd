/** Order of rows by any column that has a value. */
import type { RowContext } from '../frame/columns.ts';
import { type AnyColumn, type AnyPane, type AnyRow, exportColumns } from './any-pane.ts';

export interface SortOrder {
  readonly column: AnyColumn;
  readonly descending: boolean;
}

/** A column as a user names it: its id or its heading, in any case. */
export function findColumn(pane: AnyPane, name: string): AnyColumn | undefined {
  // Also those that only Frames of several nodes have: nobody knows yet what is sorted.
  const columns = [...exportColumns(pane), ...pane.columns.filter((column) => column.cluster)];
  const wanted = name.toLowerCase();
  return columns.find((column) => column.id === name)
    ?? columns.find((column) => column.id.toLowerCase() === wanted)
    ?? columns.find((column) => column.title.toLowerCase() === wanted);
}

/**
 * "p99Us", "comm:desc" as an order. Without a direction numbers and times come largest first, text from A.
 * @returns undefined when the pane has no such column @throws RangeError for an unknown direction
 */
export function parseSort(pane: AnyPane, text: string): SortOrder | undefined {
  const [name = '', direction, ...rest] = text.split(':');
  if ((direction !== undefined && direction !== 'asc' && direction !== 'desc') || rest.length > 0) {
    throw new RangeError(`"${text}" is not COLUMN, COLUMN:asc or COLUMN:desc`);
  }
  const column = findColumn(pane, name);
  if (!column) return undefined;
  return { column, descending: direction === undefined ? column.align === 'right' || column.unit === 'time' : direction === 'desc' };
}

export function defaultSort(pane: AnyPane): SortOrder {
  const column = findColumn(pane, pane.defaultSort.column);
  if (!column) throw new Error(`pane ${pane.id} sorts by a column that it does not have`);
  return { column, descending: pane.defaultSort.descending };
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  // Numbers before texts, so that mixed columns (a descriptor or an error) stay in two blocks.
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A sorted copy. Unknown values stand last in either direction; equal rows keep their order. */
export function sortRows(rows: readonly AnyRow[], order: SortOrder, context: RowContext): AnyRow[] {
  const keyed = rows.map((row) => ({ row, value: order.column.value(row, context) }));
  const sign = order.descending ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.value === null || b.value === null) return Number(a.value === null) - Number(b.value === null);
    return sign * compare(a.value, b.value);
  });
  return keyed.map(({ row }) => row);
}
