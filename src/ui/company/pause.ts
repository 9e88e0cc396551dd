/** Where in time the driver's screen stands: shared, and done here as well. */
import { formatTime } from '../../frame/units.ts';
import type { Effect } from '../effects.ts';
import type { State } from '../model.ts';
import { applyTravel, type TravelView } from '../travel/shared.ts';

/** What makes this screen show the driver's moment; one that has seen no Frame yet waits for it. @param time unchecked */
export function timeEffects(state: State, time: TravelView | undefined): readonly Effect[] {
  return time === undefined || state.shown === null ? [] : applyTravel(state, time).effects;
}

/** What differs: a screen may not hold the Frame that the driver's shows. */
export function timeNote({ travel, shown }: State, time: TravelView | undefined, driver: string): string | null {
  const own = shown?.frame.time;
  if (time?.time == null || travel === null || own === undefined || Date.parse(own) === time.time) return null;
  return `${driver} stands at ${formatTime(new Date(time.time).toISOString())}, this screen at ${formatTime(own)}`;
}
