/** A moment as people write it: 02:00:05, 2026-11-21T02:00:05Z, -5m, +30s. Pure. */
import { formatDuration, parseDuration } from '../../frame/duration.ts';

export type Moment =
  /** Milliseconds since the epoch. */
  | { readonly kind: 'absolute'; readonly ms: number }
  /** Local time of a day that is not said. */
  | { readonly kind: 'clock'; readonly hour: number; readonly minute: number; readonly second: number }
  /** From where somebody stands; milliseconds, negative before it. */
  | { readonly kind: 'relative'; readonly ms: number };

const LIMITS = { min: 0, max: 366 * 86_400_000 };
const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?$/;
const DATE = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/i;
/** A second that is said means all of it: its Frame ends within. */
const WHOLE_SECOND_MS = 999;
const EXAMPLES = '02:00:05, 2026-11-21T02:00:05Z, -5m or +30s';

/** @throws RangeError whose message says what is wrong with the text */
export function parseMoment(text: string): Moment {
  const trimmed = text.trim();
  const sign = trimmed[0];
  if (sign === '-' || sign === '+') {
    const ms = parseDuration(trimmed.slice(1), LIMITS);
    return { kind: 'relative', ms: sign === '-' ? -ms : ms };
  }
  const clock = CLOCK.exec(trimmed);
  if (clock !== null) {
    const [hour, minute, second] = [Number(clock[1]), Number(clock[2]), Number(clock[3] ?? '0')];
    if (hour > 23 || minute > 59 || second > 59) throw new RangeError(`"${trimmed}" is no time of day`);
    return { kind: 'clock', hour, minute, second };
  }
  // A date alone would be taken for UTC, while the screen tells local time.
  const ms = DATE.test(trimmed) ? Date.parse(trimmed.includes(':') ? trimmed.replace(' ', 'T') : `${trimmed}T00:00:00`) : Number.NaN;
  if (Number.isNaN(ms)) throw new RangeError(`"${trimmed}" is no time such as ${EXAMPLES}`);
  return { kind: 'absolute', ms: trimmed.includes('.') ? ms : ms + WHOLE_SECOND_MS };
}

/**
 * Milliseconds since the epoch. A time of day is that of the day on which it was recorded: the one nearest to `from` of
 * those between `first` and `last`, or the nearest at all.
 * @param from where relative moments start
 */
export function resolveMoment(moment: Moment, { from, first, last }: { readonly from: number; readonly first: number; readonly last: number }): number {
  if (moment.kind === 'absolute') return moment.ms;
  if (moment.kind === 'relative') return from + moment.ms;
  const day = (base: number, by: number): number => {
    const date = new Date(base);
    return new Date(date.getFullYear(), date.getMonth(), date.getDate() + by, moment.hour, moment.minute, moment.second, WHOLE_SECOND_MS).getTime();
  };
  const near = (a: number, b: number): number => Math.abs(a - from) - Math.abs(b - from);
  const all = [first, from, last].flatMap((base) => [-1, 0, 1].map((by) => day(base, by))).toSorted(near);
  return all.find((ms) => ms >= first && ms - WHOLE_SECOND_MS <= last) ?? (all[0] as number);
}

/** "3m05s", "1h02m", "250ms": how far something is, at a glance. */
export function spanText(ms: number): string {
  if (ms < 1000) return formatDuration(Math.round(ms));
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const two = (n: number): string => String(n).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${two(seconds % 60)}s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 1440 ? `${Math.floor(minutes / 60)}h${two(minutes % 60)}m` : `${Math.floor(minutes / 1440)}d${two(Math.floor(minutes / 60) % 24)}h`;
}
