/** What differs from the screen that is followed. */
import type { State } from '../model.ts';
import { driverOf, isFollowing, shortName } from './model.ts';
import { timeNote } from './pause.ts';

/** What is not as on the driver's screen, and why: one line each. Raw. */
export function notesOf(state: State): readonly string[] {
  const { company } = state;
  if (company === null) return [];
  const driver = driverOf(state);
  const time = driver !== null && isFollowing(state) ? timeNote(state, company.view?.time, shortName(driver)) : null;
  return time === null ? company.notes : [...company.notes, time];
}
