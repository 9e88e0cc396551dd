/** The one way in which the state changes: an action in, a state and what is to be done out. Pure. */
import type { FaultStatus, Plan } from '../chaos/door.ts';
import type { ChaosCapabilities } from '../chaos/select.ts';
import { leave } from './chaos/leave.ts';
import { type ChaosCommand, backInPanel, chaosCommand, isChaosCommand } from './chaos/commands.ts';
import { panelKey, panelPaste } from './chaos/keys.ts';
import type { ChaosState, ToldHit } from './chaos/model.ts';
import { armTold, capabilitiesTold, dryRunTold, planTold } from './chaos/panel.ts';
import { told, toldGone } from './chaos/told.ts';
import type { CompanyAction, CompanyCommand } from './company/update.ts';
import { afterKey, companyCommand, companyUpdate, mirrored, mirroredHere } from './company/update.ts';
import { back, cycleGrouping, enter } from './commands/drill.ts';
import { acceptSort, openDetails, openPrompt, openSortMenu, reverse, sortItems, sortStep, toggleErrorsOnly } from './commands/find.ts';
import { changeInterval, cycleLevel } from './commands/measure.ts';
import type { Move } from './commands/move.ts';
import { distance, focusBy, focusNumber, moveColumns, moveSelection, nextLayout, toggleZoom } from './commands/move.ts';
import { acceptPick, openPicker, pickerItems, pickerKey, pickerPage } from './commands/pick.ts';
import { promptKey, promptPaste } from './commands/prompt.ts';
import { tell } from './commands/tell.ts';
import type { Effect } from './effects.ts';
import type { Command } from './keymap.ts';
import { bindingFor, contextOfState } from './keymap.ts';
import type { InputEvent, Key } from './keys.ts';
import { LAYOUTS } from './layout.ts';
import type { Shown, Size, State } from './model.ts';
import { withPane } from './model.ts';
import { overlayLength, overlayPage } from './overlays/overlay.ts';
import type { Role } from './theme.ts';
import { type TravelCommand, isTravelCommand, jumpKey, jumpPaste, travelCommand } from './travel/commands.ts';
import type { Travel } from './travel/model.ts';
import { applyTravel } from './travel/shared.ts';
import { paneView } from './view.ts';
import type { PaneId } from '../frame/frame.ts';

export type Action =
  | { readonly type: 'input'; readonly event: InputEvent; readonly now: number }
  /** A Frame to show, with the history that holds it. */
  | { readonly type: 'frame'; readonly shown: Shown; readonly now: number }
  /** Which time is shown now; without `shown` it is what was. Null: whatever comes. */
  | { readonly type: 'travelled'; readonly travel: Travel | null; readonly shown?: Shown | null; readonly message?: { readonly text: string; readonly role: Role }; readonly now: number }
  /** Another screen's view of time, which this one follows. */
  | { readonly type: 'travelTo'; readonly view: unknown }
  | { readonly type: 'resize'; readonly size: Size }
  | { readonly type: 'message'; readonly text: string; readonly role: Role; readonly now: number }
  /** No Frame for so long, milliseconds; null: they come again. */
  | { readonly type: 'silent'; readonly ms: number | null }
  /** What the source can be told has changed. */
  | { readonly type: 'can'; readonly can: State['can'] }
  | CompanyAction
  /** The source's tick length, milliseconds: somebody else may have changed it. */
  | { readonly type: 'interval'; readonly ms: number }
  /** No more Frames come, and why in a word; null: they come again. */
  | { readonly type: 'ended'; readonly reason: string | null }
  /** What the door tells of faults; hits since the last time, the oldest first. */
  | { readonly type: 'chaosTold'; readonly faults: readonly FaultStatus[]; readonly hits: readonly ToldHit[]; readonly now: number }
  | { readonly type: 'chaosClock'; readonly now: number }
  | { readonly type: 'chaosGone'; readonly reason: string; readonly now: number }
  /** Answers to the effects of the same names; the serial is the question's. */
  | { readonly type: 'chaosCapabilities'; readonly answer: { readonly capabilities: ChaosCapabilities } | { readonly error: string } }
  | { readonly type: 'chaosPlanned'; readonly serial: number; readonly answer: { readonly plan: Plan } | { readonly error: string } }
  | { readonly type: 'chaosDryRun'; readonly serial: number; readonly answer: { readonly plan: Plan; readonly fault: FaultStatus } | { readonly plan: Plan | null; readonly error: string } }
  | { readonly type: 'chaosArmed'; readonly serial: number; readonly answer: { readonly fault: FaultStatus } | { readonly error: string } };

export interface Update {
  readonly state: State;
  readonly effects: readonly Effect[];
}

const only = (state: State): Update => ({ state, effects: [] });

export function update(state: State, action: Action): Update {
  switch (action.type) {
    case 'input': return afterKey(state, action.event, input(state, action.event, action.now), action.now);
    case 'frame': return mirrored(newFrame(state, action.shown, action.now));
    case 'travelled': return only(mirroredHere(travelled(state, action)));
    case 'travelTo': return applyTravel(state, action.view);
    case 'resize': return only({ ...state, size: action.size });
    case 'message': return only(tell(state, action.text, action.role, action.now));
    case 'interval': return only(state.intervalMs === action.ms ? state : { ...state, intervalMs: action.ms });
    case 'ended': return only({ ...state, ended: action.reason });
    case 'silent': return only({ ...state, silentMs: action.ms });
    case 'can': return only({ ...state, can: action.can });
    case 'company': case 'companyView': return companyUpdate(state, action);
    case 'chaosTold': return only(withChaos(state, (chaos) => told(chaos, action.faults, action.hits, action.now)));
    case 'chaosClock': return only(withChaos(state, (chaos) => ({ ...chaos, clock: action.now })));
    case 'chaosGone': return only(withChaos(state, (chaos) => toldGone(chaos, action.reason, action.now)));
    case 'chaosCapabilities': return capabilitiesTold(state, action.answer);
    case 'chaosPlanned': return only(planTold(state, action.serial, action.answer));
    case 'chaosDryRun': return dryRunTold(state, action.serial, action.answer);
    case 'chaosArmed': return armTold(state, action.serial, action.answer);
  }
}

const withChaos = (state: State, change: (chaos: ChaosState) => ChaosState): State => (state.chaos === null ? state : { ...state, chaos: change(state.chaos) });

/** Note where selected rows are now: their places when they are gone. Details go on with the row's new numbers. */
function follow(state: State): State {
  let next = state;
  for (const id of Object.keys(state.panes) as PaneId[]) {
    const { selected, index } = state.panes[id];
    if (selected === null) continue;
    const at = paneView(state, id)?.rows.findIndex((row) => row.key === selected) ?? -1;
    if (at >= 0 && at !== index) next = withPane(next, id, { index: at });
  }
  const { overlay } = next;
  if (overlay?.kind !== 'details') return next;
  const view = paneView(next, overlay.pane);
  const row = view?.rows.find((one) => one.key === overlay.key)?.row;
  return view == null || row === undefined ? next : { ...next, overlay: { ...overlay, row, info: view.context.container(row.container) } };
}

const unexpired = ({ message }: State, now: number): State['message'] => (message !== null && message.until <= now ? null : message);

function newFrame(state: State, shown: Shown, now: number): State {
  return follow({ ...state, shown, message: unexpired(state, now), asked: null, silentMs: null });
}

function travelled(state: State, { travel, shown, message, now }: Extract<Action, { type: 'travelled' }>): State {
  const next = { ...state, travel, message: unexpired(state, now) };
  const there = shown === undefined ? next : follow({ ...next, shown });
  return message === undefined ? there : tell(there, message.text, message.role, now);
}

/** Keys that hold also while a line is being typed. */
const PAST_PROMPT: ReadonlySet<string> = new Set(['ctrl-c', 'ctrl-z', 'ctrl-l', 'f9', 'ctrl-x']);

function input(state: State, event: InputEvent, now: number): Update {
  const { prompt, menu } = state;
  const context = contextOfState(state);
  const panel = context === 'form' || context === 'confirm' ? state.chaos?.panel ?? null : null;
  if (event.kind === 'paste') {
    if (prompt !== null) return only(promptPaste(state, prompt, event.text));
    if (state.jump !== null) return only(jumpPaste(state, state.jump, event.text));
    return panel === null ? only(state) : panelPaste(state, panel, event.text);
  }
  const quiet = state.message === null && state.leaving === null ? state : { ...state, message: null, leaving: null };
  if (prompt !== null && !PAST_PROMPT.has(event.key.name)) return only(promptKey(quiet, prompt, event.key));
  if (quiet.jump !== null && !PAST_PROMPT.has(event.key.name)) return jumpKey(quiet, quiet.jump, event.key);
  const picked = menu?.kind === 'namespace' ? pickerKey(quiet, menu, event.key) : null;
  if (picked !== null) return only(picked);
  const typed = panel === null || prompt !== null ? null : panelKey(quiet, panel, event.key);
  if (typed !== null) return typed;
  const binding = bindingFor(quiet, event.key.name);
  if (binding === null) return only(quiet);
  // Asked before this key, and answered by it.
  if (binding.command === 'quit' || binding.command === 'interrupt') return leave({ ...quiet, leaving: state.leaving }, binding.command, now);
  if (isTravelCommand(binding.command)) return travelCommand(quiet, binding.command, now);
  return isChaosCommand(binding.command) ? chaosCommand(quiet, binding.command, now) : command(quiet, binding.command, event.key, now);
}

/** A move inside an open menu or overlay. */
function scroll(state: State, move: Move): State {
  const { menu, overlay } = state;
  if (menu !== null) {
    const [items, page] = menu.kind === 'sort' ? [sortItems(state, menu).length, 5] : [pickerItems(state, menu).length, pickerPage(state)];
    return { ...state, menu: { ...menu, index: Math.max(0, Math.min(items - 1, menu.index + distance(move, page))) } };
  }
  if (overlay === null) return moveSelection(state, move);
  const page = overlayPage(state);
  const last = Math.max(0, overlayLength(state) - page);
  return { ...state, overlay: { ...overlay, scroll: Math.max(0, Math.min(last, overlay.scroll + distance(move, page))) } };
}

function command(state: State, name: Exclude<Command, ChaosCommand | TravelCommand | 'quit' | 'interrupt'>, key: Key, now: number): Update {
  switch (name) {
    case 'suspend': return { state, effects: [{ kind: 'suspend' }] };
    case 'redraw': return { state, effects: [{ kind: 'redraw' }] };
    case 'help': case 'nodes': return only({ ...state, overlay: { kind: name, scroll: 0 } });
    case 'drive': case 'follow': case 'viewers': return companyCommand(state, name satisfies CompanyCommand, now);
    case 'close': return only({ ...state, overlay: null });
    case 'back': return backInPanel(state) ?? only(back(state, now));
    case 'focusNext': return only(focusBy(state, 1));
    case 'focusPrevious': return only(focusBy(state, -1));
    case 'focus': return only(focusNumber(state, Number(key.name)));
    case 'zoom': return only(toggleZoom(state));
    case 'layout': {
      const next = nextLayout(state);
      return only(tell(next, `layout: ${LAYOUTS[next.layout]?.name ?? ''}`, 'accent', now));
    }
    case 'up': case 'down': case 'pageUp': case 'pageDown': case 'halfUp': case 'halfDown': case 'first': case 'last':
      return only(scroll(state, name));
    case 'columnsLeft': return only(moveColumns(state, -1));
    case 'columnsRight': return only(moveColumns(state, 1));
    case 'enter': return only(enter(state, now));
    case 'accept': return only(state.menu === null ? state : state.menu.kind === 'sort' ? acceptSort(state, state.menu) : acceptPick(state, state.menu));
    case 'details': return only(openDetails(state, now));
    case 'group': return only(cycleGrouping(state, 1, now));
    case 'groupBack': return only(cycleGrouping(state, -1, now));
    case 'namespace': return only(openPicker(state, now));
    case 'filter': return only(openPrompt(state));
    case 'errorsOnly': return only(toggleErrorsOnly(state));
    case 'sortMenu': return only(openSortMenu(state));
    case 'sortNext': return only(sortStep(state, 1));
    case 'sortPrevious': return only(sortStep(state, -1));
    case 'reverse': return only(reverse(state));
    case 'slower': return changeInterval(state, 1);
    case 'faster': return changeInterval(state, -1);
    case 'level': return cycleLevel(state, now);
    case 'totals': return { state: { ...state, totals: !state.totals }, effects: state.travel?.settled === false ? [{ kind: 'travel', go: { kind: 'settle' } }] : [] };
    case 'heatMap': return only({ ...state, heatMap: !state.heatMap });
    case 'reset': return { state, effects: [{ kind: 'reset' }] };
    case 'save': return state.shown === null ? only(tell(state, 'nothing to save yet', 'warn', now)) : { state, effects: [{ kind: 'save', frame: state.shown.frame }] };
  }
}
