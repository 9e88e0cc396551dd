/**
 * The filter language of `/`. Terms stand apart by spaces and all must hold:
 *
 *   web            some text cell holds "web", in any case; a|b either
 *   !web           none does
 *   rate>100       a column, by name or heading, compared: > >= < <= = !=; units: 5ms 200us 3s 100k 2M 10%
 *   comm=nginx     text is equal; comm!=nginx it is not; ns=shop, status=Running, owner=deploy/web, age>1d
 *   "a b"          a text with spaces
 */
import type { RowContext } from '../frame/columns.ts';
import type { Unit } from '../frame/units.ts';
import type { AnyColumn, AnyRow } from './rows.ts';

export interface Filter {
  /** As it was typed. */
  readonly text: string;
  matches(row: AnyRow, context: RowContext): boolean;
}

/** The filter, or why the text is none: one short line. */
export type ParsedFilter = { readonly filter: Filter | null; readonly error: null } | { readonly filter: null; readonly error: string };

type Test = (row: AnyRow, context: RowContext) => boolean;
type Operator = '>' | '>=' | '<' | '<=' | '=' | '!=';

class FilterError extends Error {}

const TERM = /!?"[^"]*"?|[^\s"]+(?:"[^"]*"?)?/g;
const COMPARISON = /^([A-Za-z][\w/%.]*)(>=|<=|!=|>|<|=)(.*)$/;
const NUMBER = /^(-?\d+(?:\.\d+)?)([A-Za-zµ%]*)$/;

const TIME_US: Readonly<Record<string, number>> = { ns: 0.001, us: 1, 'µs': 1, ms: 1e3, s: 1e6 };
const DECIMAL: Readonly<Record<string, number>> = { k: 1e3, K: 1e3, M: 1e6, G: 1e9 };
const AGE_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, y: 31_536_000 };
const BINARY: Readonly<Record<string, number>> = { B: 1, k: 2 ** 10, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

const isText = (unit: Unit): boolean => unit === 'text' || unit === 'list' || unit === 'time';

/** A name as people type it: letters and digits only. */
const plain = (name: string): string => name.toLowerCase().replace(/\/s$/, '').replace(/[^a-z0-9]/g, '');

function findColumn(columns: readonly AnyColumn[], name: string): AnyColumn {
  const usable = columns.filter((column) => column.trendOf === undefined);
  const wanted = plain(name);
  const exact = usable.find((column) => column.id === name) ?? usable.find((column) => plain(column.title) === wanted) ?? usable.find((column) => plain(column.id) === wanted || column.aliases?.includes(wanted));
  if (exact !== undefined) return exact;
  const starting = usable.filter((column) => plain(column.title).startsWith(wanted) || plain(column.id).startsWith(wanted));
  if (starting.length === 1 && starting[0] !== undefined) return starting[0];
  if (starting.length > 1) throw new FilterError(`${name} may be ${starting.map((column) => column.title).join(' or ')}`);
  throw new FilterError(`no column ${name}; there are ${usable.map((column) => column.title).join(' ')}`);
}

function unitsOf(unit: Unit): Readonly<Record<string, number>> {
  if (unit === 'us') return TIME_US;
  if (unit === 'bytes') return BINARY;
  if (unit === 'age') return AGE_S;
  return unit === 'pct' ? { '%': 1 } : DECIMAL;
}

function numberOf(column: AnyColumn, text: string): number {
  if (text === '') throw new FilterError(`${column.title}: compared with what?`);
  const match = NUMBER.exec(text);
  if (match === null) throw new FilterError(`${column.title}: ${text} is no number`);
  const unit = match[2] ?? '';
  const units = unitsOf(column.unit);
  const factor = unit === '' ? 1 : units[unit];
  if (factor === undefined) throw new FilterError(`${column.title}: unknown unit ${unit}; one of ${Object.keys(units).join(' ')}`);
  return Number(match[1]) * factor;
}

const COMPARE: Readonly<Record<Operator, (a: number, b: number) => boolean>> = {
  '>': (a, b) => a > b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '<=': (a, b) => a <= b, '=': (a, b) => a === b, '!=': (a, b) => a !== b,
};

function comparison(column: AnyColumn, operator: Operator, operand: string): Test {
  if (isText(column.unit)) {
    if (operator !== '=' && operator !== '!=') throw new FilterError(`${column.title} is text: use = or !=`);
    const wanted = operand.replace(/^"(.*?)"?$/, '$1').toLowerCase();
    return (row, context) => {
      const is = textsOf(column, row, context).some((text) => text === wanted);
      return operator === '=' ? is : !is;
    };
  }
  const wanted = numberOf(column, operand);
  const compare = COMPARE[operator];
  return (row, context) => {
    const value = column.value(row, context);
    // Unknown fails every comparison; a text among numbers (an error in place of a result) only differs.
    return typeof value === 'number' ? compare(value, wanted) : value !== null && operator === '!=';
  };
}

function textsOf(column: AnyColumn, row: AnyRow, context: RowContext): string[] {
  const value = column.value(row, context);
  const texts = typeof value === 'string' || (value !== null && column.unit === 'id') ? [String(value).toLowerCase()] : [];
  const shown = column.text?.(row, context).toLowerCase();
  return shown === undefined || texts.includes(shown) ? texts : [...texts, shown];
}

/** Columns whose text a plain word is looked for in. */
const searched = (columns: readonly AnyColumn[]): readonly AnyColumn[] =>
  columns.filter((column) => column.trendOf === undefined && column.unit !== 'time' && (isText(column.unit) || column.unit === 'id'));

function word(columns: readonly AnyColumn[], text: string): Test {
  const alternatives = text.toLowerCase().split('|').filter((part) => part !== '');
  const among = searched(columns);
  return (row, context) => among.some((column) => textsOf(column, row, context).some((cell) => alternatives.some((part) => cell.includes(part))));
}

function term(columns: readonly AnyColumn[], text: string): Test | null {
  const comparing = COMPARISON.exec(text);
  if (comparing !== null) {
    const [, name = '', operator = '=', operand = ''] = comparing;
    return comparison(findColumn(columns, name), operator as Operator, operand);
  }
  const not = text.startsWith('!');
  const bare = (not ? text.slice(1) : text).replace(/^"([^"]*)"?$/, '$1');
  if (bare.replaceAll('|', '') === '') {
    if (not) throw new FilterError('! what?');
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
    if (error instanceof FilterError) return { filter: null, error: error.message };
    throw error;
  }
}
