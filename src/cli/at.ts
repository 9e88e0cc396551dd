/** A moment of a recording, as users write it. */
import type { Timeline } from '../frame/timeline.ts';
import { parseDuration } from '../frame/duration.ts';

const CLOCK = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?$/;
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;
const OFFSET_LIMITS = { min: 0, max: 366 * 86_400_000 };

const pad = (n: number): string => String(n).padStart(2, '0');

/** "2026-11-21 02:00:05", local. */
export function localTime(ms: number): string {
  const date = new Date(ms);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** When a clock showed this within the recording, the first time; null when it did not. */
function clockTime([, hours, minutes, seconds = '0', fraction = '0']: RegExpExecArray, begin: number, end: number): number | null {
  const day = new Date(begin);
  const ms = Number(fraction.padEnd(3, '0'));
  for (let after = 0; ; after++) {
    // Days by the calendar, not by 24 hours: clocks may be put forward and back.
    const time = new Date(day.getFullYear(), day.getMonth(), day.getDate() + after, Number(hours), Number(minutes), Number(seconds), ms).getTime();
    if (time > end) return null;
    if (time >= begin) return time;
  }
}

/** "+30s" after the first Frame, "-1m" before the last; null for another way of writing. @throws RangeError */
function offsetTime(text: string, first: number, last: number): number | null {
  const sign = text[0];
  if (sign !== '+' && sign !== '-') return null;
  const ms = /^[+-]0$/.test(text) ? 0 : parseDuration(text.slice(1), OFFSET_LIMITS);
  return sign === '+' ? first + ms : last - ms;
}

/**
 * @param text ISO 8601, HH:MM[:SS] as clocks here showed it, +DURATION from the first Frame, -DURATION from the last
 * @returns milliseconds since the epoch, within the recording
 * @throws RangeError whose message says what is wrong, without naming the option
 */
export function parseAt(text: string, timeline: Timeline): number {
  const first = timeline.time(timeline.first), last = timeline.time(timeline.end - 1);
  // A Frame is about the time before its end.
  const begin = first - timeline.frame(timeline.first).intervalMs;
  const clock = CLOCK.exec(text.trim());
  const time = offsetTime(text.trim(), first, last) ?? (clock ? clockTime(clock, begin, last + 1000) : ISO.test(text.trim()) ? Date.parse(text.trim()) : Number.NaN);
  if (Number.isNaN(time)) throw new RangeError(`"${text}" is no time: give 14:03:05, 2026-11-21T14:03:05Z, +90s from the start or -1m from the end`);
  // A second after its end is still the one that the last Frame ended in.
  if (time === null || time < begin || time > last + 1000) throw new RangeError(`"${text}" is not in the recording, which goes from ${localTime(begin)} to ${localTime(last)}`);
  return time;
}
