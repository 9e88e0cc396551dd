/** The rows that a condition holds on, as a table for people: what is compared is always among the columns. */
import type { Frame } from '../frame/frame.ts';
import { paneDef } from './any-pane.ts';
import { paneLines } from './frame-table.ts';
import type { TableOptions } from './text-table.ts';
import type { Judgement } from './threshold.ts';

/** @param most rows to draw; the others are counted @returns lines without their ends */
export function offenderLines(frame: Frame, { threshold, rows }: Judgement, most: number, options: TableOptions): string[] {
  const { pane: id, columns: compared } = threshold;
  const pane = paneDef(id);
  const columns = [...pane.columns, ...compared.filter((column) => !pane.columns.includes(column))]
    .map((column) => (compared.includes(column) ? { ...column, rank: 0 } : column));
  const panes = { ...frame.panes, [id]: { ...frame.panes[id], rows: rows.slice(0, most) } };
  const lines = most > 0 ? paneLines({ ...frame, panes }, { ...pane, columns }, options) : [];
  return rows.length > most ? [...lines, most > 0 ? `and ${rows.length - most} more` : `${rows.length} more`] : lines;
}
