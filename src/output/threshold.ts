/**
 * Conditions of `--fail-if`, judged on Frames: 'runqueue.p99Us>10ms', 'syscalls.syscall=openat,errors>10'. The first
 * part names the pane; parts with commas between them must hold on the same row. Columns are those of CSV and of
 * --sort-by; values and units as in the screen's filter.
 */
import type { RowContext } from '../frame/columns.ts';
import { ComparisonError, OPERATORS, type Operator, type RowTest, UnknownColumn, comparison, isText, namedColumn } from '../frame/comparison.ts';
import type { Frame, PaneId } from '../frame/frame.ts';
import { contextOf } from '../frame/names.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
import { oneOf } from '../frame/suggest.ts';
import { type AnyColumn, type AnyRow, exportColumns, paneDef, rowsOf } from './any-pane.ts';

interface Part {
  readonly column: AnyColumn;
  readonly matches: RowTest;
}

export interface Threshold {
  /** As it was typed. */
  readonly text: string;
  readonly pane: PaneId;
  /** What it compares. */
  readonly columns: readonly AnyColumn[];
  readonly parts: readonly Part[];
}

/** A condition that cannot be; the message is one line and begins with the condition. */
export class ThresholdError extends Error {
  override readonly name = 'ThresholdError';
}

/** What became of one condition on one Frame. */
export interface Judgement {
  readonly threshold: Threshold;
  /** Rows that it holds on, in the Frame's order. */
  readonly rows: readonly AnyRow[];
  /** Why nobody can tell whether it holds; null when it could be judged. */
  readonly unjudged: string | null;
  /** Events of a stream that have no row in this Frame, so that no row of theirs was judged. */
  readonly missing: number;
}

/** Commas outside quotes. */
const PART = /(?:"[^"]*"?|[^,"])+/g;
const COMPARISON = new RegExp(`^\\s*(?:([A-Za-z]+)\\s*\\.\\s*)?([A-Za-z][\\w/%. ]*?)\\s*(${OPERATORS.join('|')})\\s*(.*?)\\s*$`, 's');

const paneNamed = (name: string): PaneId | undefined => PANE_IDS.find((id) => id === name.toLowerCase());

function lacksPane(text: string, column: string): ThresholdError {
  const having = PANE_IDS.filter((id) => exportColumns(paneDef(id)).some(({ id: own }) => own.toLowerCase() === column.toLowerCase()));
  const example = having.length > 0 ? having.map((id) => `${id}.${column}`).join(' or ') : 'runqueue.p99Us';
  return new ThresholdError(`"${text}" does not say of which pane: write PANE.COLUMN, such as ${example}`);
}

function columnOf(text: string, pane: PaneId, name: string): AnyColumn {
  const columns = exportColumns(paneDef(pane));
  try {
    return namedColumn(columns, name);
  } catch (error) {
    if (error instanceof UnknownColumn) throw new ThresholdError(`"${text}": ${pane} has no column "${name}"${oneOf(name, columns.map(({ id }) => id), 'columns')}`);
    throw error;
  }
}

/** @throws ThresholdError */
export function parseThreshold(text: string): Threshold {
  let pane: PaneId | null = null;
  const parts: Part[] = [];
  for (const part of text.match(PART) ?? []) {
    const [, prefix, name = '', operator, operand = ''] = COMPARISON.exec(part) ?? [];
    if (operator === undefined) throw new ThresholdError(`"${text}": "${part.trim()}" is no comparison; write PANE.COLUMN, one of ${OPERATORS.join(' ')}, and a value`);
    if (prefix !== undefined) {
      const named = paneNamed(prefix);
      if (named === undefined) throw new ThresholdError(`"${text}": unknown pane "${prefix}"${oneOf(prefix, PANE_IDS, 'panes')}`);
      if (pane !== null && named !== pane) throw new ThresholdError(`"${text}" compares ${pane} and ${named}, but all of it must hold on one row: give --fail-if twice`);
      pane = named;
    }
    if (pane === null) throw lacksPane(text, name);
    try {
      const column = columnOf(text, pane, name);
      parts.push({ column, matches: comparison(column, operator as Operator, operand) });
    } catch (error) {
      throw error instanceof ComparisonError ? new ThresholdError(`"${text}": ${error.message}`) : error;
    }
  }
  if (pane === null) throw new ThresholdError(`"${text}" is no condition; write one such as runqueue.p99Us>10ms`);
  return { text, pane, parts, columns: [...new Set(parts.map(({ column }) => column))] };
}

/**
 * A level that measures less leaves cells unknown, and what is unknown fails every comparison: a number that nobody has
 * measured must not pass for one that is small enough.
 */
function unmeasured(frame: Frame, { pane, parts }: Threshold, rows: readonly AnyRow[], context: RowContext): string | null {
  const { level, reason } = frame.panes[pane].state;
  if (level !== 'count') return null;
  for (const { column } of parts) {
    if (isText(column.unit)) continue;
    const others = parts.filter((part) => part.column !== column);
    const candidates = rows.filter((row) => others.every(({ matches }) => matches(row, context)));
    if (candidates.length > 0 && candidates.every((row) => column.value(row, context) === null)) {
      return `${pane}.${column.id} is not measured at level count${reason === null ? '' : ` (${reason})`}`;
    }
  }
  return null;
}

function judgeOne(frame: Frame, threshold: Threshold, context: RowContext): Judgement {
  const { state, loss } = frame.panes[threshold.pane];
  if (state.status !== 'ok') return { threshold, rows: [], unjudged: `${threshold.pane} could not be measured: ${state.reason ?? `it is ${state.status}`}`, missing: 0 };
  const all = rowsOf(frame, threshold.pane);
  const rows = all.filter((row) => threshold.parts.every(({ matches }) => matches(row, context)));
  const missing = paneDef(threshold.pane).kind === 'stream' ? loss.lostRing + loss.lostMap + loss.overBudget : 0;
  return { threshold, rows, unjudged: rows.length > 0 ? null : unmeasured(frame, threshold, all, context), missing };
}

/** Judge every condition on all rows of a Frame. */
export function judge(frame: Frame, thresholds: readonly Threshold[]): readonly Judgement[] {
  const context = contextOf(frame);
  return thresholds.map((threshold) => judgeOne(frame, threshold, context));
}
