/** Keys of the panel: moving through its fields, typing and choosing, and the list of faults. Pure. */
import type { FaultStatus } from '../../chaos/door.ts';
import type { Key } from '../keys.ts';
import type { State } from '../model.ts';
import { type Choice, choicesOf } from './choices.ts';
import { type FieldId, type Form, shownFields } from './fields.ts';
import type { Panel } from './model.ts';
import { type Changed, asked, groundOf, withLikelyError, withPanel } from './panel.ts';

/** Longest text of a field: the longest path of a cgroup. */
const MAX_TEXT = 4096;

const unchanged = (state: State): Changed => ({ state, effects: [] });

/** The field that takes what is typed; null when letters are commands. */
export const typingField = (panel: Panel): FieldId | null => (panel.stage.kind === 'form' && panel.field !== 'faults' ? panel.field : null);

/** Put another text into the field. */
function filled(state: State, panel: Panel, field: FieldId, text: string, narrowed: string | null): Changed {
  const form: Form = { ...panel.form, [field]: text.slice(0, MAX_TEXT) };
  const ownError = panel.ownError || field === 'error';
  return asked(withPanel(state, { form: field === 'call' && !ownError ? withLikelyError(state, form) : form, ownError, narrowed, error: null }));
}

/** What a choice that was begun to be typed must be, when nothing else begins like it. */
function settled(state: State, panel: Panel): Changed {
  const field = typingField(panel);
  if (field === null || panel.narrowed === null) return unchanged(state);
  const typed = panel.form[field].trim().toLowerCase();
  if (typed === '') return unchanged(state);
  const choices = choicesOf(field, panel.form, panel.narrowed, groundOf(state)).filter(({ value, not }) => not === null && value.toLowerCase().startsWith(typed));
  const [only] = choices;
  if (only === undefined || choices.length > 1 || only.value.toLowerCase() === typed || !COMPLETED.has(field)) return unchanged(state);
  return filled(state, panel, field, only.value, null);
}

/** Fields whose text is one of their choices. */
const COMPLETED: ReadonlySet<FieldId> = new Set(['target', 'call', 'fault', 'error', 'signal']);

/** The choice that a field now has. */
const chosenAt = (choices: readonly Choice[], text: string): number => choices.findIndex(({ value }) => value === text);

/** Left and right: the next choice that can be had. */
export function stepChoice(state: State, by: 1 | -1): Changed {
  const panel = state.chaos?.panel;
  const field = panel ? typingField(panel) : null;
  if (!panel || field === null) return unchanged(state);
  const choices = choicesOf(field, panel.form, panel.narrowed, groundOf(state)).filter(({ not }) => not === null);
  if (choices.length === 0) return unchanged(state);
  const at = chosenAt(choices, panel.form[field]);
  const next = choices[at === -1 ? (by === 1 ? 0 : choices.length - 1) : (at + by + choices.length) % choices.length];
  return next === undefined ? unchanged(state) : filled(state, panel, field, next.value, panel.narrowed);
}

/** Tab: the next field, then the list of faults where there are any. */
export function stepField(state: State, by: 1 | -1): Changed {
  const panel = state.chaos?.panel;
  if (!panel || panel.stage.kind !== 'form') return unchanged(state);
  const done = settled(state, panel);
  const now = done.state.chaos?.panel ?? panel;
  const stops: readonly Panel['field'][] = [...shownFields(now.form), ...((state.chaos?.faults.length ?? 0) > 0 ? ['faults' as const] : [])];
  const at = stops.indexOf(now.field);
  const field = stops[at === -1 ? 0 : (at + by + stops.length) % stops.length] ?? 'target';
  return { state: withPanel(done.state, { field, narrowed: null, scroll: 0, error: null }), effects: done.effects };
}

/** Before the form is read: what is being typed is complete. */
export const finishField = (state: State): Changed => (state.chaos?.panel ? settled(state, state.chaos.panel) : unchanged(state));

/** A line break cannot be meant, and other controls neither. */
const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '');

function typedInto(state: State, panel: Panel, field: FieldId, text: string): Changed {
  const added = printable(text);
  if (added === '') return unchanged(state);
  const next = panel.narrowed === null ? added : panel.form[field] + added;
  return filled(state, panel, field, next, next);
}

const withoutLast = (text: string): string => Array.from(text).slice(0, -1).join('');

/** A key that types into a field or a confirmation; null for any other. */
export function panelKey(state: State, panel: Panel, { name, text }: Key): Changed | null {
  const { stage } = panel;
  const edited = (before: string): string | null => {
    if (name === 'backspace') return withoutLast(before);
    return name === 'ctrl-u' || name === 'ctrl-w' ? '' : null;
  };
  if (stage.kind === 'confirm') {
    const typed = edited(stage.typed) ?? (text === '' ? null : (stage.typed + text).slice(0, MAX_TEXT));
    return typed === null ? null : unchanged(withPanel(state, { stage: { ...stage, typed }, error: null }));
  }
  const field = typingField(panel);
  if (field === null) return null;
  const after = edited(panel.form[field]);
  if (after !== null) return filled(state, panel, field, after, after);
  // Part of no name but of patterns and threads.
  if (text === '' || (text === '?' && field !== 'path' && field !== 'comm')) return null;
  return typedInto(state, panel, field, text);
}

/** Pasted text goes into a field, never into a confirmation: that is to be typed. */
export function panelPaste(state: State, panel: Panel, text: string): Changed {
  const field = typingField(panel);
  return field === null ? unchanged(state) : typedInto(state, panel, field, text);
}

/** The fault of the list that `x` ends and that hits are shown of; null when there is none. */
export const chosenFault = (faults: readonly FaultStatus[], panel: Panel): FaultStatus | null => faults.find(({ id }) => id === panel.chosen) ?? faults[0] ?? null;

/** Up and down in the list. Past its first line is the form. */
export function stepFault(state: State, by: 1 | -1): Changed {
  const { chaos } = state;
  const panel = chaos?.panel;
  if (chaos === null || !panel) return unchanged(state);
  const chosen = chosenFault(chaos.faults, panel);
  const at = chaos.faults.findIndex(({ id }) => id === chosen?.id);
  if (by === -1 && at <= 0) return stepField(state, -1);
  const next = chaos.faults[Math.min(chaos.faults.length - 1, at + by)];
  return unchanged(withPanel(state, { chosen: next?.id ?? null, scroll: 0 }));
}
