/**
 * The filter language of `/`. Terms stand apart by spaces and all must hold:
 *
 *   web            some text cell holds "web", in any case; a|b either
 *   !web           none does
 *   rate>100       a column, by name or heading, compared: > >= < <= = !=; units: 5ms 200us 3s 100k 2M 10%
 *   comm=nginx     text is equal; comm!=nginx it is not; comm~ngi holds that; ns=shop, owner=deploy/web, age>1d
 *   "a b"          a text with spaces
 */
import type { RowContext } from '../frame/columns.ts';
import { ComparisonError, type Operator, type RowTest as Test, cellTexts, comparison, isText, namedColumn } from '../frame/comparison.ts';
import type { AnyColumn, AnyRow } from './rows.ts';

export interface Filter {
  /** As it was typed. */
  readonly text: string;
  matches(row: AnyRow, context: RowContext): boolean;
}

/** The filter, or why the text is none: one short line. */
export type ParsedFilter = { readonly filter: Filter | null; readonly error: null } | { readonly filter: null; readonly error: string };

const TERM = /!?"[^"]*"?|[^\s"]+(?:"[^"]*"?)?/g;
const COMPARISON = /^([A-Za-z][\w/%.]*)(>=|<=|!=|>|<|=|~)(.*)$/;

/** Columns whose text a plain word is looked for in. */
const searched = (columns: readonly AnyColumn[]): readonly AnyColumn[] =>
  columns.filter((column) => column.trendOf === undefined && column.unit !== 'time' && (isText(column.unit) || column.unit === 'id'));

function word(columns: readonly AnyColumn[], text: string): Test {
  const alternatives = text.toLowerCase().split('|').filter((part) => part !== '');
  const among = searched(columns);
  return (row, context) => among.some((column) => cellTexts(column, row, context).some((cell) => alternatives.some((part) => cell.includes(part))));
}

function term(columns: readonly AnyColumn[], text: string): Test | null {
  const comparing = COMPARISON.exec(text);
  if (comparing !== null) {
    const [, name = '', operator = '=', operand = ''] = comparing;
    return comparison(namedColumn(columns, name), operator as Operator, operand);
  }
  const not = text.startsWith('!');
  const bare = (not ? text.slice(1) : text).replace(/^"([^"]*)"?$/, '$1');
  if (bare.replaceAll('|', '') === '') {
    if (not) throw new ComparisonError('! what?');
    return null;
  }
  const test = word(columns, bare);
  return not ? (row, context) => !test(row, context) : test;
}

/** Read a filter for a pane with these columns. Blank text is no filter. */
export function parseFilter(text: string, columns: readonly AnyColumn[]): ParsedFilter {
  try {
    const tests = (text.match(TERM) ?? []).map((part) => term(columns, part)).filter((test) => test !== null);
    if (tests.length === 0) return { filter: null, error: null };
    return { filter: { text: text.trim(), matches: (row, context) => tests.every((test) => test(row, context)) }, error: null };
  } catch (error) {
    if (error instanceof ComparisonError) return { filter: null, error: error.message };
    throw error;
  }
}
