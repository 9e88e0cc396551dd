/**
 * "p99>5ms", "comm=nginx": one column of a row compared with a value. What the screen's filter and the thresholds of
 * scripts have in common.
 */
import type { Column, RowContext } from './columns.ts';
import type { PaneId, PaneRows } from './frame.ts';
import type { Unit } from './units.ts';

type AnyRow = PaneRows[PaneId];
type AnyColumn = Column<AnyRow>;

export const OPERATORS = ['>=', '<=', '!=', '>', '<', '=', '~'] as const;
export type Operator = (typeof OPERATORS)[number];

export type RowTest = (row: AnyRow, context: RowContext) => boolean;

/** A comparison that cannot be; the message is one short line. */
export class ComparisonError extends Error {
  override readonly name = 'ComparisonError';
}

/** No column is called so. */
export class UnknownColumn extends ComparisonError {}

const NUMBER = /^(-?\d+(?:\.\d+)?)([A-Za-zµ%]*)$/;

const TIME_US: Readonly<Record<string, number>> = { ns: 0.001, us: 1, 'µs': 1, ms: 1e3, s: 1e6 };
const DECIMAL: Readonly<Record<string, number>> = { k: 1e3, K: 1e3, M: 1e6, G: 1e9 };
const AGE_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, y: 31_536_000 };
/** The screen writes 55M and means powers of 1024, so all of these are. */
const BINARY: Readonly<Record<string, number>> = {
  B: 1, k: 2 ** 10, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40,
};

/** Whether a column is compared as text. */
export const isText = (unit: Unit): boolean => unit === 'text' || unit === 'list' || unit === 'time';

/** A name as people type it: letters and digits only. */
const plain = (name: string): string => name.toLowerCase().replace(/\/s$/, '').replace(/[^a-z0-9]/g, '');

/** The column that a name means: its id, its heading, another name of it, or how only one of them begins. @throws ComparisonError */
export function namedColumn(columns: readonly AnyColumn[], name: string): AnyColumn {
  const usable = columns.filter((column) => column.trendOf === undefined);
  const wanted = plain(name), lower = name.toLowerCase();
  const exact = usable.find((column) => column.id === name) ?? usable.find((column) => column.id.toLowerCase() === lower)
    ?? usable.find((column) => plain(column.title) === wanted) ?? usable.find((column) => plain(column.id) === wanted || column.aliases?.includes(wanted));
  if (exact !== undefined) return exact;
  const starting = usable.filter((column) => plain(column.title).startsWith(wanted) || plain(column.id).startsWith(wanted));
  if (starting.length === 1 && starting[0] !== undefined) return starting[0];
  if (starting.length > 1) throw new ComparisonError(`${name} may be ${starting.map((column) => column.title).join(' or ')}`);
  throw new UnknownColumn(`no column ${name}; there are ${usable.map((column) => column.title).join(' ')}`);
}

function unitsOf(unit: Unit): Readonly<Record<string, number>> {
  if (unit === 'us') return TIME_US;
  if (unit === 'bytes') return BINARY;
  if (unit === 'age') return AGE_S;
  return unit === 'pct' ? { '%': 1 } : DECIMAL;
}

/** A number in the column's unit. */
function numberOf(column: AnyColumn, text: string): number {
  if (text === '') throw new ComparisonError(`${column.title}: compared with what?`);
  const match = NUMBER.exec(text);
  if (match === null) throw new ComparisonError(`${column.title}: ${text} is no number`);
  const unit = match[2] ?? '';
  const units = unitsOf(column.unit);
  const factor = unit === '' ? 1 : units[unit];
  if (factor === undefined) throw new ComparisonError(`${column.title}: unknown unit ${unit}; one of ${Object.keys(units).join(' ')}`);
  return Number(match[1]) * factor;
}

const COMPARE: Readonly<Record<Exclude<Operator, '~'>, (a: number, b: number) => boolean>> = {
  '>': (a, b) => a > b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '<=': (a, b) => a <= b, '=': (a, b) => a === b, '!=': (a, b) => a !== b,
};

/** What a cell says, in lower case: its value, and what a screen shows for it. */
export function cellTexts(column: AnyColumn, row: AnyRow, context: RowContext): string[] {
  const value = column.value(row, context);
  // A number among texts is text: a descriptor where the others have an error.
  const texts = typeof value === 'string' || (value !== null && (column.unit === 'id' || isText(column.unit))) ? [String(value).toLowerCase()] : [];
  const shown = column.text?.(row, context).toLowerCase();
  return shown === undefined || texts.includes(shown) ? texts : [...texts, shown];
}

/** @param operand as typed; quotes around a text are taken off @throws ComparisonError */
export function comparison(column: AnyColumn, operator: Operator, operand: string): RowTest {
  if (isText(column.unit)) {
    if (operator !== '=' && operator !== '!=' && operator !== '~') throw new ComparisonError(`${column.title} is text: use = != or ~`);
    const wanted = operand.replace(/^"(.*?)"?$/, '$1').toLowerCase();
    if (operator === '~') {
      if (wanted === '') throw new ComparisonError(`${column.title}: ~ what?`);
      return (row, context) => cellTexts(column, row, context).some((text) => text.includes(wanted));
    }
    return (row, context) => {
      const is = cellTexts(column, row, context).some((text) => text === wanted);
      return operator === '=' ? is : !is;
    };
  }
  if (operator === '~') throw new ComparisonError(`${column.title} is a number: use > >= < <= = or !=`);
  const wanted = numberOf(column, operand);
  const compare = COMPARE[operator];
  return (row, context) => {
    const value = column.value(row, context);
    // Unknown fails every comparison; a text among numbers (an error in place of a result) only differs.
    return typeof value === 'number' ? compare(value, wanted) : value !== null && operator === '!=';
  };
}
