/** The panel as a value: opening it for a row, what a change of the form asks of the door, and the door's answers. Pure. */
import type { FaultStatus, Plan } from '../../chaos/door.ts';
import type { Rule } from '../../chaos/rule.ts';
import type { ChaosCapabilities } from '../../chaos/select.ts';
import type { SyscallRow } from '../../frame/frame.ts';
import { ALL_CONTAINERS } from '../../frame/names.ts';
import { chosenRow } from '../commands/drill.ts';
import type { Effect } from '../effects.ts';
import type { State } from '../model.ts';
import { paneOf } from '../rows.ts';
import { containerOf, contextFor, groupingOf, scopeOf } from '../view.ts';
import { callItems, emptyForm, type Form, ruleOfForm } from './fields.ts';
import { type Ground, likelyError } from './choices.ts';
import type { ChaosState, Panel, Stage } from './model.ts';
import { targetTextOf } from './target.ts';

export interface Changed {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/** The state's chaos with another panel. */
export function withPanel(state: State, change: Partial<Panel>): State {
  const { chaos } = state;
  return chaos === null || chaos.panel === null ? state : { ...state, chaos: { ...chaos, panel: { ...chaos.panel, ...change } } };
}

export const groundOf = (state: State): Ground => ({ frame: state.shown?.frame ?? null, capabilities: state.chaos?.capabilities ?? null, expert: state.chaos?.permits.expert ?? false });

/** What the focused row says of a fault: its call, and its container or pod. */
function fromRow(state: State): Partial<Form> {
  const row = state.shown === null ? null : chosenRow(state);
  if (row === null || state.shown === null) return {};
  const pane = paneOf(state.focus);
  const call = pane.id === 'syscalls' ? { call: (row.row as SyscallRow).syscall } : {};
  const key = containerOf(row);
  if (row.row.container === ALL_CONTAINERS) {
    const only = scopeOf(state)?.only ?? null;
    return only === null ? call : { ...call, target: targetTextOf(contextFor(state.shown).container(only), 'container') };
  }
  const by = groupingOf(state, pane)?.by ?? 'container';
  return { ...call, target: targetTextOf(contextFor(state.shown).container(key), by) };
}

/** An error that nobody has chosen is the likeliest one that the calls can be given here. */
export const withLikelyError = (state: State, form: Form): Form => (callItems(form.call).length === 0 ? form : { ...form, error: likelyError(form, groundOf(state)) });

/** Ask the door what it thinks of the form; an answer to an older question no longer counts. */
export function asked(state: State): Changed {
  const { chaos } = state;
  const panel = chaos?.panel;
  if (chaos === null || !panel) return { state, effects: [] };
  const serial = chaos.serial + 1;
  const rule = ruleOfForm(panel.form);
  const next = { ...state, chaos: { ...chaos, serial, panel: { ...panel, serial, planned: null } } };
  return { state: next, effects: [{ kind: 'chaosPlan', rule: rule.ok ? rule.value : null, serial }] };
}

export function openPanel(state: State): Changed {
  const { chaos } = state;
  if (chaos === null) return { state, effects: [] };
  const form = withLikelyError(state, emptyForm(fromRow(state)));
  const field = form.target === '' ? 'target' : form.call === '' ? 'call' : 'fault';
  const panel: Panel = { stage: { kind: 'form' }, form, field, narrowed: null, ownError: false, serial: chaos.serial, planned: null, why: false, chosen: null, scroll: 0, error: null };
  const { state: next, effects } = asked({ ...state, chaos: { ...chaos, panel, gone: chaos.gone && { ...chaos.gone, seen: true } } });
  return { state: next, effects: chaos.capabilities === null ? [{ kind: 'chaosCapabilities' }, ...effects] : effects };
}

/** The dry run that the panel has begun and not made anything of yet. */
const dryRunOf = (stage: Stage): FaultStatus | null => ((stage.kind === 'dry' || stage.kind === 'confirm') && stage.fault.state === 'armed' ? stage.fault : null);

/** Back to the form. A dry run ends; an answer that is still under way finds nobody. */
export function leaveStage(state: State): Changed {
  const { chaos } = state;
  const panel = chaos?.panel;
  if (chaos === null || !panel || panel.stage.kind === 'form') return { state, effects: [] };
  const serial = chaos.serial + 1;
  const dry = dryRunOf(panel.stage);
  const back = asked({ ...state, chaos: { ...chaos, serial, panel: { ...panel, stage: { kind: 'form' }, error: null, scroll: 0 } } });
  return { state: back.state, effects: [...(dry === null ? [] : [{ kind: 'chaosEnd', id: dry.id } as const]), ...back.effects] };
}

export function closePanel(state: State): Changed {
  const { state: left, effects } = leaveStage(state);
  const { chaos } = left;
  if (chaos === null) return { state, effects };
  return { state: { ...left, chaos: { ...chaos, panel: null, serial: chaos.serial + 1 } }, effects: [...effects, { kind: 'chaosPlan', rule: null, serial: chaos.serial + 1 }] };
}

/** The first step to a fault: the door is asked for a dry run of what the form says. */
export function startDryRun(state: State): Changed {
  const { chaos } = state;
  const panel = chaos?.panel;
  if (chaos === null || !panel) return { state, effects: [] };
  const read = ruleOfForm(panel.form);
  if (!read.ok) {
    const [first] = read.mistakes;
    return { state: withPanel(state, { field: first?.field ?? panel.field, narrowed: null, scroll: 0, error: null }), effects: [] };
  }
  const serial = chaos.serial + 1;
  const rule: Rule = read.value;
  return { state: { ...state, chaos: { ...chaos, serial, panel: { ...panel, serial, stage: { kind: 'starting', rule }, narrowed: null, error: null, scroll: 0 } } }, effects: [{ kind: 'chaosDryRun', rule, serial }] };
}

/** What must be typed before it is armed. */
export const toBeTyped = (plan: Plan): string => plan.confirmation?.text ?? 'yes';

/** The one way to a fault that acts: what was typed is what the plan asks for. */
export function confirm(state: State): Changed {
  const { chaos } = state;
  const panel = chaos?.panel;
  if (chaos === null || !panel || panel.stage.kind !== 'confirm') return { state, effects: [] };
  const { stage } = panel;
  const wanted = toBeTyped(stage.plan);
  if (stage.typed !== wanted) return { state: withPanel(state, { error: stage.typed === '' ? `nothing is armed: type ${wanted} first` : `"${stage.typed}" is not ${wanted}: nothing is armed` }), effects: [] };
  const serial = chaos.serial + 1;
  const { rule, plan, typed, fault } = stage;
  return {
    state: { ...state, chaos: { ...chaos, serial, panel: { ...panel, serial, stage: { kind: 'arming', rule, plan }, error: null, scroll: 0 } } },
    effects: [{ kind: 'chaosArm', rule, dryRun: fault.id, typed: plan.confirmation === null ? null : typed, serial }],
  };
}

/** The door's answer to the form. */
export function planTold(state: State, serial: number, planned: NonNullable<Panel['planned']>): State {
  const panel = state.chaos?.panel;
  return panel?.serial === serial && panel.stage.kind === 'form' ? withPanel(state, { planned }) : state;
}

/** A fault that nobody waits for any more must not stay. */
const unwanted = (state: State, fault: FaultStatus | null): Changed => ({ state, effects: fault === null ? [] : [{ kind: 'chaosEnd', id: fault.id }] });

const latest = (chaos: ChaosState, fault: FaultStatus): FaultStatus => chaos.faults.find(({ id }) => id === fault.id) ?? fault;

export function dryRunTold(state: State, serial: number, answer: { readonly plan: Plan; readonly fault: FaultStatus } | { readonly plan: Plan | null; readonly error: string }): Changed {
  const panel = state.chaos?.panel;
  const fault = 'fault' in answer ? answer.fault : null;
  if (state.chaos === null || !panel || panel.serial !== serial || panel.stage.kind !== 'starting') return unwanted(state, fault);
  if ('error' in answer) return { state: withPanel(state, { stage: { kind: 'form' }, error: answer.error, planned: answer.plan === null ? panel.planned : { plan: answer.plan } }), effects: [] };
  return { state: withPanel(state, { stage: { kind: 'dry', rule: panel.stage.rule, plan: answer.plan, fault: latest(state.chaos, answer.fault) }, error: null }), effects: [] };
}

export function armTold(state: State, serial: number, answer: { readonly fault: FaultStatus } | { readonly error: string }): Changed {
  const panel = state.chaos?.panel;
  const fault = 'fault' in answer ? answer.fault : null;
  if (!panel || panel.serial !== serial || panel.stage.kind !== 'arming') return unwanted(state, fault);
  if ('error' in answer) return asked(withPanel(state, { stage: { kind: 'form' }, error: answer.error }));
  return asked(withPanel(state, { stage: { kind: 'form' }, field: 'faults', chosen: answer.fault.id, narrowed: null, error: null, scroll: 0 }));
}

export function capabilitiesTold(state: State, answer: { readonly capabilities: ChaosCapabilities } | { readonly error: string }): Changed {
  const { chaos } = state;
  if (chaos === null) return { state, effects: [] };
  if ('error' in answer) return { state: { ...state, chaos: { ...chaos, unable: answer.error } }, effects: [] };
  const next: State = { ...state, chaos: { ...chaos, capabilities: answer.capabilities, unable: null } };
  const { panel } = chaos;
  if (panel === null || panel.stage.kind !== 'form' || panel.ownError) return { state: next, effects: [] };
  // The error was found before anything was known of this kernel.
  const form = withLikelyError(next, panel.form);
  return form.error === panel.form.error ? { state: next, effects: [] } : asked(withPanel(next, { form }));
}

/** Every fault ends, also one that is only being armed. */
export function stopAll(state: State): Changed {
  const { chaos } = state;
  if (chaos === null) return { state, effects: [] };
  const serial = chaos.serial + 1;
  const panel = chaos.panel && { ...chaos.panel, serial, planned: null, stage: { kind: 'form' } as const, error: null };
  const stopped: State = { ...state, chaos: { ...chaos, serial, panel, gone: chaos.gone && { ...chaos.gone, seen: true } } };
  const { state: next, effects } = panel === null ? { state: stopped, effects: [] } : asked(stopped);
  return { state: next, effects: [{ kind: 'chaosStopAll' }, ...effects] };
}
