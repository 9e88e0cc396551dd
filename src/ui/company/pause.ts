/** Where in time the driver's screen stands: shared, and done here as well. */
import { formatTime } from '../../frame/units.ts';
import type { Effect } from '../effects.ts';
import type { State } from '../model.ts';

/** It stands still. */
export interface PausedView {
  /** End of the Frame that it stands on, ISO 8601; null: on none. */
  readonly time: string | null;
}

const TIME_LENGTH = 32;

/** Null: it goes on. */
export const pausedOf = ({ paused, shown }: State): PausedView | null => (paused ? { time: shown?.frame.time ?? null } : null);

/** Undefined: it is none. */
export function parsePaused(raw: unknown): PausedView | null | undefined {
  if (raw === null) return null;
  if (typeof raw !== 'object') return undefined;
  const { time } = raw as { readonly time?: unknown };
  return { time: typeof time === 'string' && time.length <= TIME_LENGTH && !Number.isNaN(Date.parse(time)) ? time : null };
}

/** What makes this screen stand still or go on as the driver's does; one that has seen no Frame yet waits for it. */
export function pauseEffects(state: State, paused: PausedView | null | undefined): readonly Effect[] {
  if (paused === undefined || (paused !== null) === state.paused || (paused !== null && state.shown === null)) return [];
  return [{ kind: paused === null ? 'resume' : 'pause' }];
}

/** What differs: two screens that stand still do so on the Frames that they had. */
export function pauseNote(state: State, paused: PausedView | null | undefined, driver: string): string | null {
  const time = state.shown?.frame.time;
  if (paused == null || paused.time === null || !state.paused || time === undefined || time === paused.time) return null;
  return `${driver} stands at ${formatTime(paused.time)}, this screen at ${formatTime(time)}`;
}
