/** The zoomed line chart with its axis: asciichart, kept away from what it cannot draw. */
import asciichart from 'asciichart';
import type { Pen } from './pen.ts';
import { lastValues } from './spark.ts';

/** What is less is drawn as zero. */
const SMALLEST = 1e-9;

/**
 * A line chart with labelled axis from zero in exactly `height` lines of `width` cells; not painted. Empty, infinite,
 * missing or minute values would make asciichart throw: it is given shares of the largest. Missing values and those
 * below zero count as zero; before the first known one nothing is drawn.
 * @param format label of a value on the axis, at most `labelWidth` cells
 */
export function lineChart(pen: Pen, values: ArrayLike<number>, width: number, height: number, format: (value: number) => string, labelWidth = 8): string[] {
  const blank = Array.from({ length: Math.max(0, height) }, () => ' '.repeat(Math.max(0, width)));
  // asciichart writes label, axis, then one cell per value.
  const room = width - labelWidth - 1;
  if (height < 2 || room < 2) return blank;
  const last = [...lastValues(values, room)];
  const first = last.findIndex((value) => Number.isFinite(value));
  if (first === -1) return blank;
  const known = last.slice(first).map((value) => (Number.isFinite(value) && value > SMALLEST ? value : 0));
  const max = Math.max(...known) || 1;
  const series = known.map((value) => value / max);
  const plot = asciichart.plot(series, {
    height: height - 1, min: 0, max: 1,
    // A label is one entry of its first column; the axis is the second.
    offset: 2,
    format: (share) => pen.fit(format(share * max), labelWidth, 'right'),
    symbols: [...pen.symbols.chart],
  });
  // It rounds its own height; the newest value belongs at the right edge.
  const lines = plot.split('\n').slice(0, height).map((line) => {
    const axis = line.slice(0, labelWidth + 1), curve = line.slice(labelWidth + 1);
    return pen.fit(axis + ' '.repeat(Math.max(0, room - series.length)) + curve, width);
  });
  return [...blank.slice(lines.length), ...lines];
}
