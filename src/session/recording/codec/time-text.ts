/** Times in ISO 8601 UTC, to the second, millisecond or microsecond, as whole numbers and back. */
import { MAX_INTEGER } from './numbers.ts';

const DIGITS = [0, 3, 6] as const;
/** Lengths of the texts, by digits. */
const LENGTHS = [20, 24, 27] as const;
/** Seconds that a text with a year of four digits can tell. */
const MIN_SECOND = -62_167_219_200, MAX_SECOND = 253_402_300_799;

export interface TimeNumber {
  /** 0: seconds; 1: milliseconds; 2: microseconds. */
  readonly kind: number;
  /** Since the epoch. */
  readonly value: number;
}

/** Most times of a Frame lie within two seconds. */
const memory = { prefix: '', second: Number.NaN };

function secondOf(prefix: string): number | null {
  if (prefix === memory.prefix) return memory.second;
  const ms = Date.parse(`${prefix}Z`);
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 19) !== prefix) return null;
  memory.prefix = prefix;
  return memory.second = ms / 1000;
}

function prefixOf(second: number): string {
  if (second === memory.second) return memory.prefix;
  memory.prefix = new Date(second * 1000).toISOString().slice(0, 19);
  memory.second = second;
  return memory.prefix;
}

/** Null for any text that timeText() would not give back exactly. */
export function timeNumber(text: string): TimeNumber | null {
  const kind = LENGTHS.indexOf(text.length as 20);
  if (kind < 0 || text.charCodeAt(10) !== 84 || text.charCodeAt(text.length - 1) !== 90) return null;
  const digits = DIGITS[kind] as number;
  if (digits > 0 && text.charCodeAt(19) !== 46) return null;
  let fraction = 0;
  for (let i = 20; i < 20 + digits; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return null;
    fraction = fraction * 10 + digit;
  }
  const second = secondOf(text.slice(0, 19));
  if (second === null) return null;
  const value = second * 10 ** digits + fraction;
  // Microseconds of far centuries are no exact numbers.
  return Math.abs(value) < MAX_INTEGER ? { kind, value } : null;
}

/** Null when there is no such time. */
export function timeText(kind: number, value: number): string | null {
  const digits = DIGITS[kind] ?? 0, scale = 10 ** digits;
  const second = Math.floor(value / scale);
  if (!(second >= MIN_SECOND && second <= MAX_SECOND)) return null;
  const fraction = value - second * scale;
  return `${prefixOf(second)}${digits === 0 ? '' : `.${String(fraction).padStart(digits, '0')}`}Z`;
}
