/** Series of numbers as one or more lines of cells. NaN is "not known" and stays empty. */
import type { Pen } from './pen.ts';

/**
 * Upper end of a chart's scale: what 95 % of the values stay below, so that one outlier does not flatten the rest.
 * 0 without values.
 */
export function scaleTop(values: ArrayLike<number>): number {
  const known: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (Number.isFinite(value)) known.push(value);
  }
  if (known.length === 0) return 0;
  known.sort((a, b) => a - b);
  const top = known[Math.min(known.length - 1, Math.ceil(known.length * 0.95) - 1)] ?? 0;
  return top > 0 ? top : (known.at(-1) ?? 0);
}

/** The last `width` values, or fewer, right-aligned in an array of `width` with NaN before them. */
export function lastValues(values: ArrayLike<number>, width: number): Float64Array {
  const out = new Float64Array(width).fill(Number.NaN);
  const n = Math.min(width, values.length);
  for (let i = 0; i < n; i++) out[width - n + i] = values[values.length - n + i] as number;
  return out;
}

/** One line of exactly `width` cells, newest value on the right, zero at the bottom. */
export function sparkline(pen: Pen, values: ArrayLike<number>, width: number): string {
  const steps = pen.symbols.spark;
  const shown = lastValues(values, width);
  const top = scaleTop(shown);
  let line = '';
  for (const value of shown) {
    if (!Number.isFinite(value)) line += ' ';
    else line += steps[top <= 0 ? 0 : Math.max(0, Math.min(steps.length - 1, Math.ceil((value / top) * (steps.length - 1))))] ?? ' ';
  }
  return line;
}

// Braille dots of a cell, left and right column, from the bottom.
const DOTS = [[0x40, 0x04, 0x02, 0x01], [0x80, 0x20, 0x10, 0x08]] as const;

function brailleCell(left: number, right: number): string {
  let code = 0x2800;
  for (let i = 0; i < left; i++) code |= DOTS[0][i] ?? 0;
  for (let i = 0; i < right; i++) code |= DOTS[1][i] ?? 0;
  return code === 0x2800 ? ' ' : String.fromCharCode(code);
}

/** Values that a chart of `width` cells shows: braille puts two into a cell. */
export const areaSamples = (pen: Pen, width: number): number => (pen.symbols.set === 'braille' ? width * 2 : width);

/** A filled area chart: `height` lines of `width` cells, newest value on the right. Lines are not painted. */
export function areaChart(pen: Pen, values: ArrayLike<number>, width: number, height: number): string[] {
  const shown = lastValues(values, areaSamples(pen, width));
  const top = scaleTop(shown);
  const perCell = pen.symbols.set === 'braille' ? 4 : pen.symbols.spark.length + (pen.symbols.set === 'block' ? 1 : 0);
  // A value above zero leaves at least one step.
  const level = (i: number): number => {
    const value = shown[i] ?? Number.NaN;
    if (!Number.isFinite(value) || value <= 0 || top <= 0) return 0;
    return Math.max(1, Math.min(height * perCell, Math.round((value / top) * height * perCell)));
  };
  const lines: string[] = [];
  for (let y = height - 1; y >= 0; y--) {
    const part = (i: number): number => Math.max(0, Math.min(perCell, level(i) - y * perCell));
    let line = '';
    for (let x = 0; x < width; x++) {
      if (pen.symbols.set === 'braille') line += brailleCell(part(2 * x), part(2 * x + 1));
      else {
        const n = part(x);
        line += n === 0 ? ' ' : n > pen.symbols.spark.length ? '█' : (pen.symbols.spark[n - 1] ?? ' ');
      }
    }
    lines.push(line);
  }
  return lines;
}
