/** The run queue's chart: histogram and heat map, beside or below each other where both find room. */
import type { Pen } from '../draw/pen.ts';
import { CHART_TICKS } from '../history/history.ts';
import type { State } from '../model.ts';
import { scopeOf } from '../view.ts';
import { BESIDE } from './area.ts';
import { runqueueLatency } from './facts.ts';
import { heatMap, histogram, usualRange } from './waits.ts';

/** Lines from which histogram and heat map stand below each other. */
const STACKED = 12;

function rule(pen: Pen, left: string, right: string, width: number): string {
  const middle = width - left.length - right.length - 2;
  return pen.paint('dim', middle < 1 ? pen.fit(left, width) : `${left} ${pen.symbols.box.horizontal.repeat(middle)} ${right}`);
}

/** Exactly `height` lines of `width` cells. */
export function drawRunqueue(state: State, pen: Pen, width: number, height: number): string[] {
  const { shown } = state;
  const blank = ' '.repeat(width);
  const fill = (lines: readonly string[], to: number): string[] => [...lines, ...Array.from({ length: Math.max(0, to - lines.length) }, () => blank)].slice(0, to);
  if (shown === null || width < 1) return fill([], height);
  const octaves = shown.history.heat(shown.history.keysOf(scopeOf(state)), Math.min(width, CHART_TICKS));
  const range = usualRange(shown);
  const latency = runqueueLatency(state, shown);
  const bars = (w: number, h: number): string[] => histogram(pen, latency, range, w, h);
  const map = (w: number, h: number): string[] => heatMap(pen, octaves, range, w, h);

  if (width >= BESIDE && height >= 4) {
    const half = Math.floor((width - 3) / 2), rest = width - 3 - half;
    const left = [rule(pen, 'waits for a CPU', state.totals ? 'total' : 'this interval', half), ...bars(half, height - 1)];
    const right = [rule(pen, 'over time', 'now', rest), ...map(rest, height - 1)];
    return fill(Array.from({ length: Math.max(left.length, right.length) }, (_, i) => `${left[i] ?? ' '.repeat(half)}   ${right[i] ?? ' '.repeat(rest)}`), height);
  }
  if (height >= STACKED && !state.zoomed) {
    const top = Math.ceil((height - 1) / 2);
    return [...fill(bars(width, top), top), ...fill([rule(pen, 'over time', 'now', width), ...map(width, height - top - 1)], height - top)];
  }
  return fill(state.heatMap ? map(width, height) : bars(width, height), height);
}
