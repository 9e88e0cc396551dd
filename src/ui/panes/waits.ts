/** The run queue's latencies as bars and as a map over time. */
import type { Latency } from '../../frame/frame.ts';
import { LIMITS } from '../../frame/panes/runqueue.ts';
import { formatCount } from '../../frame/units.ts';
import { bar } from '../draw/bar.ts';
import { heatLine } from '../draw/heat.ts';
import type { Pen } from '../draw/pen.ts';
import { lastValues } from '../draw/spark.ts';
import { CHART_TICKS, OCTAVES, octaveOf, octaveUs } from '../history/history.ts';
import type { Shown } from '../model.ts';
import type { Role } from '../theme.ts';

/** Octaves that are always on the scale, so that it does not jump about: 1 µs to 16 ms. */
const USUAL = { first: 3, end: 17 };

/** A range of octaves, `end` not included. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

const ranges = new WeakMap<Shown, Range>();

/**
 * The usual scale, widened to hold the longest wait of any container that is remembered, so that scopes can be
 * compared; what is faster than the scale is in its first row.
 */
export function usualRange(shown: Shown): Range {
  let range = ranges.get(shown);
  if (range === undefined) {
    const longest = shown.history.heat(shown.history.keysOf(null), CHART_TICKS).findLastIndex((values) => values.some((value) => value > 0));
    range = { first: USUAL.first, end: Math.max(USUAL.end, longest + 1) };
    ranges.set(shown, range);
  }
  return range;
}

/** The scale that just holds all that was seen. */
export const exactRange = (seen: readonly number[]): Range => (seen.length === 0 ? { first: 0, end: 1 } : { first: Math.min(...seen), end: Math.max(...seen) + 1 });

/** Cut a range into at most `rows` parts of equal size on the logarithmic scale; the first takes all below, the last all above. */
export function split(range: Range, rows: number): Range[] {
  const step = Math.max(1, Math.ceil((range.end - range.first) / Math.max(1, rows)));
  const parts: Range[] = [];
  for (let at = range.first; at < range.end; at += step) parts.push({ first: at, end: Math.min(OCTAVES, at + step) });
  const first = parts[0], last = parts.at(-1);
  if (first) parts[0] = { ...first, first: 0 };
  if (last) parts[parts.length - 1] = { first: parts.length === 1 ? 0 : last.first, end: OCTAVES };
  return parts;
}

/** Powers of two in round numbers, as runqlat and its kin write them: 262.144 µs is "256µs". */
export function octaveLabel(octave: number, micro: string): string {
  const ns = 2 ** (octave + 7);
  for (const [unit, shift] of [['s', 30], ['ms', 20], [`${micro}s`, 10]] as const) if (ns >= 2 ** shift) return `${ns / 2 ** shift}${unit}`;
  return `${ns}ns`;
}

/** "16-64µs", "<4µs", ">16ms". */
export function rangeLabel(range: Range, micro: string): string {
  if (range.first === 0) return range.end >= OCTAVES ? 'all' : `<${octaveLabel(range.end, micro)}`;
  if (range.end >= OCTAVES) return `>${octaveLabel(range.first, micro)}`;
  const low = octaveLabel(range.first, micro), high = octaveLabel(range.end, micro);
  const unit = (text: string): string => text.replace(/^[\d.]+/, '');
  return unit(low) === unit(high) ? `${low.slice(0, -unit(low).length)}-${high}` : `${low}-${high}`;
}

/** Colour of a wait that is at least so long. */
function roleOf(range: Range, usual: Role): Role {
  const us = range.first === 0 ? 0 : octaveUs(range.first);
  return us >= LIMITS.bad ? 'bad' : us >= LIMITS.warn * 0.8 ? 'warn' : usual;
}

/** Counts per part. */
export function countsOf(latency: Latency | null, parts: readonly Range[]): number[] {
  const counts = parts.map(() => 0);
  for (const [lower, n] of latency?.buckets ?? []) {
    const octave = octaveOf(lower);
    const at = parts.findIndex((part) => octave >= part.first && octave < part.end);
    if (at >= 0) counts[at] = (counts[at] ?? 0) + n;
  }
  return counts;
}

/** A histogram: label, count, bar; at most `height` lines of exactly `width` cells. */
export function histogram(pen: Pen, latency: Latency | null, range: Range, width: number, height: number): string[] {
  const parts = split(range, height);
  const counts = countsOf(latency, parts);
  const labels = parts.map((part) => rangeLabel(part, pen.symbols.micro));
  const labelWidth = Math.max(7, ...labels.map((label) => label.length));
  const top = Math.max(...counts, 1);
  return parts.map((part, i) => {
    const n = counts[i] ?? 0;
    const role = n > 0 ? roleOf(part, 'bar') : 'dim';
    const head = `${pen.fit(labels[i] ?? '', labelWidth, 'right')} ${pen.fit(n > 0 ? formatCount(n) : '-', 5, 'right')} `;
    const room = width - labelWidth - 7;
    if (room < 4) return pen.fit(head, width);
    return pen.paint('dim', pen.fit(labels[i] ?? '', labelWidth, 'right')) + ' ' + pen.paint(role === 'bar' ? 'text' : role, pen.fit(n > 0 ? formatCount(n) : '-', 5, 'right')) + ' ' + pen.paint(role, bar(pen, n / top, room));
  });
}

/** A heat map, slow on top, newest on the right: exactly `height` lines of `width` cells. @param octaves as History.heat gives them */
export function heatMap(pen: Pen, octaves: readonly ArrayLike<number>[], range: Range, width: number, height: number): string[] {
  const parts = split(range, height).reverse();
  const labelWidth = Math.max(6, ...parts.map((part) => rangeLabel(part, pen.symbols.micro).length));
  const room = Math.max(0, width - labelWidth - 1);
  const rows = parts.map((part) => {
    const values = new Float64Array(room);
    for (let octave = part.first; octave < part.end; octave++) lastValues(octaves[octave] ?? [], room).forEach((value, i) => { if (value > 0) values[i] = (values[i] ?? 0) + value; });
    return values;
  });
  const top = Math.max(1, ...rows.map((row) => Math.max(0, ...row)));
  const lines = parts.map((part, i) => {
    const role = roleOf(part, 'dim');
    return pen.paint(role, pen.fit(rangeLabel(part, pen.symbols.micro), labelWidth, 'right')) + ' ' + heatLine(pen, rows[i] ?? [], top);
  });
  return room < 4 ? lines.map(() => ' '.repeat(width)) : lines;
}
