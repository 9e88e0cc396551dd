/** What a screen knows of the others on its session, and what it does among them. Part of the State; the session itself is not. */
import type { Viewer } from '../../frame/company.ts';
import type { State } from '../model.ts';
import type { View } from './view.ts';

export interface CompanyState {
  /** Which of the viewers this screen is; null: the session has not told, or is out of reach. */
  readonly self: number | null;
  readonly viewers: readonly Viewer[];
  /** This screen shows what the driver's does whenever there is one. Its own steps end that. */
  readonly wish: boolean;
  /** What the driver shared last; null: nothing, or nobody drives. */
  readonly view: View | null;
  /** What of it is not as on the driver's screen, and why: one line each. Raw. */
  readonly notes: readonly string[];
  /** The open overlay was opened here and is nobody else's business. */
  readonly own: boolean;
  /** It drove when the session went out of reach. */
  readonly drove: boolean;
}

export const initialCompany: CompanyState = { self: null, viewers: [], wish: true, view: null, notes: [], own: false, drove: false };

/** This screen among the viewers; null while it is not. */
export const selfOf = ({ company }: State): Viewer | null => company?.viewers.find(({ id }) => id === company.self) ?? null;

/** Who drives; null when nobody does. */
export const driverOf = ({ company }: State): Viewer | null => company?.viewers.find((viewer) => viewer.drives) ?? null;

export const isDriving = (state: State): boolean => selfOf(state)?.drives === true;

/** The screen shows what another's does. */
export const isFollowing = (state: State): boolean => state.company?.wish === true && selfOf(state) !== null && driverOf(state) !== null && !isDriving(state);

/** Characters of a name in a message. */
const NAME_LENGTH = 32;

/** What messages call a viewer. Raw. */
export function shortName({ name }: Viewer): string {
  const characters = Array.from(name);
  return characters.length <= NAME_LENGTH ? name : `${characters.slice(0, NAME_LENGTH - 3).join('')}...`;
}
