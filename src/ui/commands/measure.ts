/** Measuring: the interval and the levels. */
import type { Level } from '../../frame/frame.ts';
import type { Effect } from '../effects.ts';
import type { State } from '../model.ts';
import { paneOf } from '../rows.ts';
import { tell } from './tell.ts';

/** Tick lengths that + and - go through, milliseconds. */
export const INTERVALS = [250, 500, 1000, 2000, 5000, 10_000] as const;

/** "0.25 s", "10 s". */
export const intervalText = (ms: number): string => `${ms / 1000}`;

export function changeInterval(state: State, by: 1 | -1): { readonly state: State; readonly effects: readonly Effect[] } {
  const next = by === 1 ? INTERVALS.find((ms) => ms > state.intervalMs) : INTERVALS.findLast((ms) => ms < state.intervalMs);
  if (next === undefined) return { state, effects: [] };
  return { state: { ...state, intervalMs: next }, effects: [{ kind: 'interval', ms: next }] };
}

const NEXT: Readonly<Record<Level | 'off', Level | 'off'>> = { count: 'latency', latency: 'sampled', sampled: 'off', off: 'count' };
const SAID: Readonly<Record<Level | 'off', string>> = {
  count: 'counts only, the cheapest', latency: 'counts and every latency', sampled: 'counts, and one latency in many', off: 'off',
};

/** The next level of the focused pane. */
export function cycleLevel(state: State, now: number): { readonly state: State; readonly effects: readonly Effect[] } {
  const id = state.focus;
  const pane = state.shown?.frame.panes[id].state;
  const current = state.asked?.pane === id ? state.asked.level : pane?.status === 'off' ? 'off' : pane?.level;
  if (current === undefined || current === null) return { state: tell(state, `${paneOf(id).title} has only one level`, 'warn', now), effects: [] };
  const level = NEXT[current];
  return { state: tell({ ...state, asked: { pane: id, level } }, `${paneOf(id).title}: ${SAID[level]}`, 'accent', now), effects: [{ kind: 'level', pane: id, level }] };
}
