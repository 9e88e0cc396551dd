/** What of the time that is shown others may follow: by the Frame's time, since each screen counts its Frames by itself. */
import type { Effect } from '../effects.ts';
import type { State } from '../model.ts';

/** Plain JSON. */
export interface TravelView {
  /** End of the Frame that is shown, milliseconds since the epoch; null: whatever is newest. */
  readonly time: number | null;
  /** It stands still there; it is played otherwise. */
  readonly paused: boolean;
}

export const travelView = ({ travel }: State): TravelView => (travel === null ? { time: null, paused: false } : { time: travel.time, paused: !travel.playing });

/** Latest time that a Date can hold, milliseconds. */
const MAX_TIME = 8.64e15;

/** Undefined: it is none. @param raw from outside: every field is checked */
export function parseTravel(raw: unknown): TravelView | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { time, paused } = raw as Readonly<Record<string, unknown>>;
  if (time === null) return { time, paused: false };
  if (typeof time !== 'number' || !Number.isFinite(time) || Math.abs(time) > MAX_TIME || typeof paused !== 'boolean') return undefined;
  return { time, paused };
}

/**
 * Show what another screen shows. It plays as fast as it follows that one: a Frame at a time, as they are told.
 * @param view from outside: what is none changes nothing
 */
export function applyTravel(state: State, view: unknown): { readonly state: State; readonly effects: readonly Effect[] } {
  const wanted = parseTravel(view);
  if (wanted === undefined) return { state, effects: [] };
  const { time } = wanted;
  if (time === null) return { state, effects: state.travel === null || state.reach === 'recording' ? [] : [{ kind: 'travel', go: { kind: 'live' } }] };
  return { state, effects: state.travel?.time === time && !state.travel.playing ? [] : [{ kind: 'travel', go: { kind: 'time', ms: time } }] };
}
