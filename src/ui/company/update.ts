/** What the session tells, into the state; and what own keys do to following. Pure. */
import type { Viewer } from '../../frame/company.ts';
import { tell } from '../commands/tell.ts';
import type { Effect } from '../effects.ts';
import { type Command, bindingFor } from '../keymap.ts';
import type { InputEvent } from '../keys.ts';
import type { State } from '../model.ts';
import { applyView } from './apply.ts';
import type { CompanyState } from './model.ts';
import { driverOf, isDriving, isFollowing, selfOf, shortName } from './model.ts';
import { parseView } from './parse.ts';
import { timeEffects } from './pause.ts';

export type CompanyAction =
  | { readonly type: 'company'; readonly self: number | null; readonly viewers: readonly Viewer[]; readonly now: number }
  /** As it came: nobody has checked it. */
  | { readonly type: 'companyView'; readonly view: unknown };

export type CompanyCommand = 'drive' | 'follow' | 'viewers';
export type CompanyEffect = { readonly kind: 'companyDrive'; readonly on: boolean };

interface Changed {
  readonly state: State;
  readonly effects: readonly Effect[];
}

const only = (state: State): Changed => ({ state, effects: [] });

const withCompany = (state: State, change: Partial<CompanyState>): State => (state.company === null ? state : { ...state, company: { ...state.company, ...change } });

/** The driver's view on this screen, if it follows. After each Frame, too: what was not known may be now. */
export function mirrored(state: State): Changed {
  return { state: mirroredHere(state), effects: isFollowing(state) ? timeEffects(state, state.company?.view?.time) : [] };
}

/** The same, at whatever moment this screen has come to. */
export function mirroredHere(state: State): State {
  const view = state.company?.view ?? null;
  return view === null || !isFollowing(state) ? state : applyView(state, view);
}

/** What there is to say about who drives now, and who did; null: nothing that concerns this screen. */
function newsOf(before: State, after: State): string | null {
  const was = driverOf(before), is = driverOf(after);
  const self = selfOf(after);
  if (self === null) return null;
  if (before.company?.drove === true && is === null) return 'the wheel was lost with the connection: D takes it again';
  if (is?.id === self.id) return was?.id === self.id ? null : 'you drive: those who follow see what you see; D lets go';
  if (isDriving(before)) {
    if (is === null) return 'you have let go of the wheel';
    return `${shortName(is)} has taken the wheel from you: F follows`;
  }
  if (is !== null && is.id !== was?.id) return isFollowing(after) ? `${shortName(is)} drives, this screen follows; any step of your own ends that` : `${shortName(is)} has taken the wheel: F follows`;
  if (is !== null || was === null) return null;
  const gone = after.company?.viewers.some(({ id }) => id === was.id) !== true;
  const what = `${shortName(was)} has ${gone ? 'left' : 'let go of the wheel'}`;
  return isFollowing(before) ? `${what}: the screen stays as it is; D takes the wheel` : what;
}

function companyTold(state: State, { self, viewers, now }: Extract<CompanyAction, { type: 'company' }>): Changed {
  if (state.company === null) return only(state);
  let next = withCompany(state, { self, viewers });
  next = withCompany(next, { drove: selfOf(next) === null && (isDriving(state) || state.company.drove) });
  // Who drives looks at what it likes: another who takes the wheel does not move this screen.
  if (isDriving(next)) next = withCompany(next, { wish: false });
  if (driverOf(next) === null) next = withCompany(next, { view: null });
  if (!isFollowing(next)) next = withCompany(next, { notes: [] });
  const news = newsOf(state, next);
  if (news !== null) next = tell(next, news, 'accent', now);
  return isFollowing(state) ? only(next) : mirrored(next);
}

export function companyUpdate(state: State, action: CompanyAction): Changed {
  if (action.type === 'company') return companyTold(state, action);
  return mirrored(withCompany(state, { view: parseView(action.view) }));
}

export function companyCommand(state: State, name: CompanyCommand, now: number): Changed {
  const { company } = state;
  if (company === null) return only(state);
  switch (name) {
    case 'viewers': return only({ ...state, overlay: { kind: 'viewers', scroll: 0 } });
    case 'drive': {
      if (selfOf(state) === null) return only(tell(state, 'the session is out of reach', 'warn', now));
      return { state, effects: [{ kind: 'companyDrive', on: !isDriving(state) }] };
    }
    case 'follow': {
      if (isDriving(state)) return only(tell(state, 'you drive, there is nobody to follow; D lets go of the wheel', 'warn', now));
      const driver = driverOf(state);
      if (driver === null) return only(tell(withCompany(state, { wish: true }), 'nobody drives yet; this screen will follow whoever does', 'accent', now));
      if (company.wish) return only(tell(withCompany(state, { wish: false, notes: [] }), `you look around alone; F follows ${shortName(driver)} again`, 'accent', now));
      return mirrored(tell(withCompany(state, { wish: true }), `this screen follows ${shortName(driver)}`, 'accent', now));
    }
  }
}

/** Keys that concern this terminal, or the session as a whole, but not what is looked at. */
const LOCAL: ReadonlySet<Command> = new Set<Command>([
  'suspend', 'redraw', 'help', 'viewers', 'nodes', 'drive', 'follow', 'quit', 'interrupt', 'save', 'saveTimeline', 'reset', 'slower', 'faster', 'level', 'stopAll', 'columnsLeft', 'columnsRight',
]);
const SCROLLING: ReadonlySet<Command> = new Set<Command>(['up', 'down', 'pageUp', 'pageDown', 'halfUp', 'halfDown', 'first', 'last']);
const CLOSING: ReadonlySet<Command> = new Set<Command>(['close', 'back']);

function isLocal(state: State, command: Command): boolean {
  if (LOCAL.has(command)) return true;
  if (state.overlay === null) return false;
  return SCROLLING.has(command) || (CLOSING.has(command) && state.company?.own === true);
}

/** What a key of one's own does to following, once it has done what it does anyway. */
export function afterKey(before: State, event: InputEvent, { state, effects }: Changed, now: number): Changed {
  if (before.company === null) return { state, effects };
  const command = event.kind === 'key' ? bindingFor(before, event.key.name)?.command ?? null : null;
  let next = state;
  if (command === 'help' || command === 'viewers' || command === 'nodes') next = withCompany(next, { own: true });
  if (next.overlay === null && next.company?.own === true) {
    const again = mirrored(withCompany(next, { own: false }));
    next = again.state;
    effects = [...effects, ...again.effects];
  }
  if (before.company.wish && next.company?.wish === true && command !== null && !isLocal(before, command)) {
    const driver = isFollowing(before) ? driverOf(before) : null;
    next = withCompany(next, { wish: false, notes: [] });
    if (driver !== null) {
      const own = next.message === null ? '' : `${next.message.text}; `;
      next = tell(next, `${own}you look around alone: F follows ${shortName(driver)} again`, 'accent', now);
    }
  }
  return { state: next, effects };
}
