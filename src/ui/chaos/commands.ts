/** What the keys of faults do. Pure; whatever touches the door is asked for as an effect. */
import { tell } from '../commands/tell.ts';
import { distance } from '../commands/move.ts';
import type { Command } from '../keymap.ts';
import type { State } from '../model.ts';
import { panelLength, panelPage } from './draw/panel.ts';
import { chosenFault, finishField, stepChoice, stepFault, stepField } from './keys.ts';
import { type Changed, closePanel, confirm, leaveStage, openPanel, startDryRun, stopAll, withPanel } from './panel.ts';

const COMMANDS = ['chaos', 'stopAll', 'panelNext', 'panelPrevious', 'panelLeft', 'panelRight', 'panelEnter', 'panelArm', 'panelConfirm', 'panelUp', 'panelDown', 'panelEnd', 'panelWhy', 'panelPageUp', 'panelPageDown'] as const satisfies readonly Command[];
export type ChaosCommand = (typeof COMMANDS)[number];

export const isChaosCommand = (command: Command): command is ChaosCommand => (COMMANDS as readonly Command[]).includes(command);

const unchanged = (state: State): Changed => ({ state, effects: [] });

/** One change after another. */
function then({ state, effects }: Changed, next: (state: State) => Changed): Changed {
  const after = next(state);
  return { state: after.state, effects: [...effects, ...after.effects] };
}

function page(state: State, by: 'pageUp' | 'pageDown'): State {
  const panel = state.chaos?.panel;
  if (!panel) return state;
  const size = panelPage(state);
  return withPanel(state, { scroll: Math.max(0, Math.min(Math.max(0, panelLength(state) - size), panel.scroll + distance(by, size))) });
}

function endChosen(state: State, now: number): Changed {
  const { chaos } = state;
  const fault = chaos?.panel ? chosenFault(chaos.faults, chaos.panel) : null;
  if (fault === null) return unchanged(state);
  if (fault.state === 'ended') return unchanged(tell(state, `fault #${fault.id} has ended already`, 'dim', now));
  return { state: tell(state, `ending fault #${fault.id}`, 'accent', now), effects: [{ kind: 'chaosEnd', id: fault.id }] };
}

function stopEverything(state: State, now: number): Changed {
  const armed = state.chaos?.faults.filter((fault) => fault.state === 'armed').length ?? 0;
  // Asked for in any case: what the screen knows may be a moment old.
  const text = armed === 0 ? 'no fault is armed; all are stopped to be sure' : `stopping ${armed === 1 ? 'the fault' : `all ${armed} faults`}`;
  return then(unchanged(tell(state, text, 'accent', now)), stopAll);
}

/** Esc in the panel: out of the dry run or the confirmation, else out of the panel; null when it is not open. */
export function backInPanel(state: State): Changed | null {
  const panel = state.chaos?.panel;
  // What stands over the panel goes first.
  if (!panel || state.menu !== null || state.overlay !== null) return null;
  const { stage } = panel;
  switch (stage.kind) {
    case 'form': return closePanel(state);
    case 'confirm': return unchanged(withPanel(state, { stage: { kind: 'dry', rule: stage.rule, plan: stage.plan, fault: stage.fault }, error: null, scroll: 0 }));
    default: return leaveStage(state);
  }
}

export function chaosCommand(state: State, command: ChaosCommand, now: number): Changed {
  const panel = state.chaos?.panel;
  switch (command) {
    case 'chaos': return panel ? closePanel(state) : openPanel(state);
    case 'stopAll': return stopEverything(state, now);
    case 'panelNext': return stepField(state, 1);
    case 'panelPrevious': return stepField(state, -1);
    case 'panelLeft': return stepChoice(state, -1);
    case 'panelRight': return stepChoice(state, 1);
    case 'panelEnter': return then(finishField(state), startDryRun);
    case 'panelArm': {
      if (panel?.stage.kind !== 'dry') return unchanged(state);
      return unchanged(withPanel(state, { stage: { ...panel.stage, kind: 'confirm', typed: '' }, error: null, scroll: 0 }));
    }
    case 'panelConfirm': return confirm(state);
    case 'panelUp': return stepFault(state, -1);
    case 'panelDown': return stepFault(state, 1);
    case 'panelEnd': return endChosen(state, now);
    case 'panelWhy': return unchanged(panel ? withPanel(state, { why: !panel.why }) : state);
    case 'panelPageUp': return unchanged(page(state, 'pageUp'));
    case 'panelPageDown': return unchanged(page(state, 'pageDown'));
  }
}
