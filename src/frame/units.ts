/** How values look on a screen. Exports use raw values; only screens and tables come here. */
import { formatAge } from './age.ts';

/** `age` is in seconds. */
export type Unit = 'text' | 'count' | 'perSec' | 'us' | 'bytes' | 'pct' | 'time' | 'age' | 'id' | 'list';

/** What stands where a value is unknown. */
export const UNKNOWN = '-';

function scaled(value: number, base: number, suffixes: readonly string[], digits: (v: number) => number): string {
  let v = value, i = 0;
  while (i < suffixes.length - 1 && Math.abs(Number(v.toFixed(digits(v)))) >= base) {
    v /= base;
    i++;
  }
  return v.toFixed(i === 0 && Number.isInteger(value) ? 0 : digits(v)) + (suffixes[i] ?? '');
}

const threeDigits = (v: number): number => (Math.abs(v) < 9.95 ? 1 : 0);

/** 1234 → "1.2k", 999 → "999". */
export const formatCount = (n: number): string => scaled(n, 1000, ['', 'k', 'M', 'G', 'T'], threeDigits);

/** Per second: 0.25 → "0.3", 21034 → "21k". */
export const formatRate = (n: number): string => {
  if (n === 0) return '0';
  return n < 0.05 ? '<0.1' : scaled(n, 1000, ['', 'k', 'M', 'G'], (v) => (Math.abs(v) < 99.95 ? 1 : 0));
};

/** Microseconds: 0.8 → "0.8µs", 2100 → "2.1ms", 3.2e6 → "3.2s". `ascii` writes us. */
export function formatUs(us: number, ascii = false): string {
  if (us === 0) return '0';
  if (us < 0.95) return `${Math.round(us * 1000)}ns`;
  return scaled(us, 1000, [ascii ? 'us' : 'µs', 'ms', 's', 'ks'], threeDigits);
}

/** Bytes in powers of 1024: 57671680 → "55M". */
export const formatBytes = (n: number): string => scaled(n, 1024, ['B', 'K', 'M', 'G', 'T', 'P'], threeDigits);

export const formatPct = (n: number): string => (n === 0 ? '0' : n < 0.05 ? '<0.1' : n.toFixed(n < 99.95 ? 1 : 0));

/** Local wall time of an ISO time, "12:34:56". */
export function formatTime(iso: string): string {
  const d = new Date(iso);
  if (Number.isNaN(d.getTime())) return UNKNOWN;
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
}

/** Any column value in its unit. */
export function formatValue(value: string | number | null, unit: Unit, ascii = false): string {
  if (value === null) return UNKNOWN;
  if (typeof value === 'string') return unit === 'time' ? formatTime(value) : value;
  switch (unit) {
    case 'count': return formatCount(value);
    case 'perSec': return formatRate(value);
    case 'us': return formatUs(value, ascii);
    case 'bytes': return formatBytes(value);
    case 'pct': return formatPct(value);
    case 'age': return formatAge(value * 1000);
    default: return String(value);
  }
}
