/** What is known of a rule before it is armed: how much it would hit, what acts, and what speaks against it. */
import { backendTitle } from '../../../chaos/capabilities.ts';
import type { Plan } from '../../../chaos/door.ts';
import { explainRule } from '../../../chaos/explain.ts';
import { previewOf } from '../../../chaos/preview.ts';
import type { Rule } from '../../../chaos/rule.ts';
import { selectForRule, type Selection } from '../../../chaos/select.ts';
import type { Pen } from '../../draw/pen.ts';
import type { State } from '../../model.ts';
import { entryLines, headingLine, textLines } from '../../overlays/text.ts';
import type { Role } from '../../theme.ts';
import { archOf } from '../choices.ts';
import { ruleOfForm } from '../fields.ts';
import type { Panel } from '../model.ts';
import { groundOf } from '../panel.ts';
import { targetKeys } from '../target.ts';

const NAME = 8;
/** Notes and warnings that are told; the plan of the command line has all. */
const MOST = 4;

const entry = (pen: Pen, name: string, text: string, width: number, role: Role = 'text'): string[] => entryLines(pen, name, text, NAME, width, { name: 'dim', text: role });

/** "about 20/s, budget spent in 5 s, 3 processes, among them nginx"; nothing before the first Frame. */
export function previewLines(state: State, rule: Rule, pen: Pen, width: number): string[] {
  const { frame } = groundOf(state);
  if (frame === null) return [];
  const { text } = previewOf(frame, rule, targetKeys(frame, rule.target), archOf(groundOf(state)));
  return entry(pen, 'Preview', text, width, 'accent');
}

const several = (texts: readonly string[]): readonly string[] => (texts.length <= MOST ? texts : [...texts.slice(0, MOST), `and ${texts.length - MOST} more`]);

/** What acts, each once. */
function backendText(selections: readonly Selection[]): string | null {
  const by = new Map<string, string[]>();
  for (const { syscall, attachment } of selections) if (attachment !== null) by.set(attachment.backend, [...by.get(attachment.backend) ?? [], syscall]);
  if (by.size === 0) return null;
  return [...by].map(([backend, calls]) => `${backendTitle(backend as Parameters<typeof backendTitle>[0])}${by.size > 1 ? ` (${calls.length > 3 ? `${calls.slice(0, 3).join(', ')} and ${calls.length - 3} more` : calls.join(', ')})` : ''}`).join('; ');
}

function actsLines(selections: readonly Selection[], pen: Pen, width: number): string[] {
  const acts = backendText(selections);
  const unable = selections.filter(({ attachment }) => attachment === null);
  const notes = selections.filter(({ attachment }) => attachment !== null).flatMap(({ notes: own }) => own);
  return [
    ...(acts === null ? [] : entry(pen, 'Acts', acts, width)),
    ...several([...new Set(notes)]).flatMap((note) => entry(pen, '', note, width, 'dim')),
    ...(acts === null ? several(unable.map(({ reason }) => reason)).flatMap((reason) => entry(pen, 'Cannot', reason, width, 'bad'))
      : unable.length === 0 ? [] : entry(pen, 'Not hit', unable.map(({ syscall }) => syscall).join(', '), width, 'warn')),
  ];
}

/** For the first call: every backend, and why it is or is not the one. */
export function whyLines([first]: readonly Selection[], pen: Pen, width: number): string[] {
  if (first === undefined) return [];
  return [headingLine(pen, `Why: ${first.syscall}`, width), ...entryLines(pen, first.attachment?.backend ?? 'none', first.reason, 17, width, { name: first.attachment === null ? 'bad' : 'ok', text: 'text' }),
    ...first.others.flatMap(({ backend, reason }) => entryLines(pen, backend, reason, 17, width, { name: 'dim', text: 'dim' }))];
}

export function againstLines({ refusals, warnings }: Plan, pen: Pen, width: number): string[] {
  return [
    ...several(refusals.map(({ reason }) => reason)).flatMap((reason) => entry(pen, 'Refused', reason, width, 'bad')),
    ...several(warnings.map(({ text }) => text)).flatMap((text) => entry(pen, 'Warning', text, width, 'warn')),
  ];
}

/** Whom it hits: containers by name. */
function targetsLine({ targets }: Plan, pen: Pen, width: number): string[] {
  const names = targets.map(({ name }) => name);
  if (names.length === 0) return [];
  return entry(pen, 'Hits', `${names.length} container${names.length === 1 ? '' : 's'}: ${names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ')}`, width);
}

/** Everything about a rule that was planned. */
export function planLines(state: State, rule: Rule, plan: Plan, pen: Pen, width: number): string[] {
  return [...previewLines(state, rule, pen, width), ...targetsLine(plan, pen, width), ...actsLines(plan.selections, pen, width), ...againstLines(plan, pen, width)];
}

/** The lines under the form. What is known without the door stands there at once. */
export function outlookLines(state: State, panel: Panel, pen: Pen, width: number): string[] {
  const read = ruleOfForm(panel.form);
  const unable = state.chaos?.unable ?? null;
  const cannot = unable === null ? [] : entry(pen, 'Cannot', unable, width, 'bad');
  if (!read.ok) {
    const [first] = read.mistakes;
    return [...cannot, ...(first === undefined || first.field === panel.field ? [] : entry(pen, 'To do', first.message, width, panel.form[first.field] === '' ? 'dim' : 'bad'))];
  }
  const rule = read.value;
  const { planned } = panel;
  const { capabilities } = groundOf(state);
  const plan = planned !== null && 'plan' in planned ? planned.plan : null;
  const selections = plan?.selections ?? (capabilities === null ? [] : selectForRule(rule, capabilities));
  // After an error nobody is asked until something changes.
  const waiting = panel.error === null ? [pen.paint('dim', pen.fit('asking whether that may be ...', width))] : [];
  const asking = planned === null ? waiting : 'error' in planned ? entry(pen, 'Cannot', planned.error, width, 'bad') : [];
  return [
    ...previewLines(state, rule, pen, width), ...textLines(pen, plan?.text ?? explainRule(rule), width),
    ...(plan === null ? [] : targetsLine(plan, pen, width)), ...actsLines(selections, pen, width),
    ...(plan === null ? [] : againstLines(plan, pen, width)), ...cannot, ...asking, ...(panel.why ? whyLines(selections, pen, width) : []),
  ];
}
