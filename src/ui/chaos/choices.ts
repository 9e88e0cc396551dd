/** What a field can be set to, as things are: the targets there are, the calls they make, the errors that this kernel can give them. */
import { type ErrorChoice, errorsOf } from '../../chaos/errors.ts';
import { ABIS, type Arch, CALL_NAMES, FAMILIES, familyOf, GROUP_NAMES, namesOf } from '../../chaos/families.ts';
import { refusedCall, refusedError } from '../../chaos/refused-calls.ts';
import { type ChaosCapabilities, select } from '../../chaos/select.ts';
import { OWN_ARCH, archNamed } from '../../frame/arch.ts';
import type { Frame } from '../../frame/frame.ts';
import { validateRule } from '../../chaos/validate.ts';
import type { FieldId, Form } from './fields.ts';
import { callItems, fieldOf } from './fields.ts';
import { targetDraft, targetKeys, targetsIn } from './target.ts';

export interface Choice {
  readonly value: string;
  /** What it means, or how often it happens; null when there is nothing to say. */
  readonly meaning: string | null;
  /** Why it cannot be had; null when it can. */
  readonly not: string | null;
}

export interface Ground {
  readonly frame: Frame | null;
  readonly capabilities: ChaosCapabilities | null;
  readonly expert: boolean;
}

const plainChoice = (value: string): Choice => ({ value, meaning: null, not: null });

export const archOf = ({ frame, capabilities }: Pick<Ground, 'frame' | 'capabilities'>): Arch => capabilities?.arch ?? archNamed(frame?.node.arch ?? '') ?? OWN_ARCH;

/** Keys of the containers that a target's text is about now. */
export function keysOf(frame: Frame | null, target: string): ReadonlySet<string> {
  const draft = targetDraft(target);
  const read = draft === undefined ? null : validateRule({ target: draft, syscalls: ['read'], error: 'EIO' });
  return frame === null || read === null || !read.ok ? new Set() : targetKeys(frame, read.value.target);
}

/** Calls that the target makes, the most frequent first, and their families; each with its rate. */
function liveCalls(frame: Frame | null, target: string): Choice[] {
  if (frame === null) return [];
  const keys = keysOf(frame, target);
  const rates = new Map<string, number>();
  for (const { container, syscall, ratePerSec } of frame.panes.syscalls.rows) if (keys.has(container)) rates.set(syscall, (rates.get(syscall) ?? 0) + ratePerSec);
  return [...rates].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([value, rate]) => ({ value, meaning: `${rateText(rate)}/s`, not: null }));
}

const rateText = (rate: number): string => (rate >= 100 ? String(Math.round(rate)) : String(Number(rate.toFixed(1))));

/** At most so many of all calls that there are, beside those that are being made. */
const MORE_CALLS = 40;

/** Whatever the last item of the field begins or goes on with. */
function callChoices(frame: Frame | null, form: Form, narrowed: string | null): Choice[] {
  const live = liveCalls(frame, form.target);
  if (narrowed === null) return live;
  const at = narrowed.lastIndexOf(',') + 1;
  const wanted = narrowed.slice(at).trim().toLowerCase();
  const lead = narrowed.slice(0, at);
  const taken = new Set(callItems(lead));
  const made = new Set(live.map(({ value }) => value));
  const families = new Map(FAMILIES.map(({ name, title }) => [name, title]));
  const others = [...GROUP_NAMES.map((name) => `%${name}`), ...CALL_NAMES.filter((name) => !made.has(name))].map((value): Choice => ({ value, meaning: value.startsWith('%') ? families.get(value.slice(1)) ?? null : null, not: null }));
  const fits = ({ value }: Choice): boolean => value.includes(wanted) && !taken.has(value);
  const first = ({ value }: Choice): number => (value.startsWith(wanted) ? 0 : 1);
  const found = wanted === '' ? [] : others.filter(fits).sort((a, b) => first(a) - first(b)).slice(0, MORE_CALLS);
  return [...live.filter(fits).sort((a, b) => first(a) - first(b)), ...found].map((choice) => ({ ...choice, value: lead + choice.value }));
}

/** Why no call of the items can be given the error here; null when at least one can. */
function whyNoError(items: readonly string[], errno: string, { capabilities, expert }: Ground, arch: Arch): string | null {
  const calls = namesOf(items, ABIS[arch]);
  let why: string | null = null;
  for (const call of calls) {
    const refused = refusedCall(call);
    if (refused !== null && !(expert && refused.expert)) why ??= `errors of ${call} are refused: ${refused.reason}${refused.expert ? '; --expert allows them' : ''}`;
    else {
      const error = refusedError(errno, call);
      if (error !== null) {
        why ??= `${errno} of ${call} is refused: ${error}`;
        continue;
      }
      if (capabilities === null) return null;
      const { attachment, reason } = select(call, { kind: 'error', errno }, capabilities);
      if (attachment !== null) return null;
      why ??= reason;
    }
  }
  return why;
}

const errorMemo: { ground: Ground['capabilities']; readonly known: Map<string, readonly Choice[]> } = { ground: null, known: new Map() };

/** Errors that make sense for the calls, the likely ones first; each with its plain meaning and why it cannot be given here. */
function errorChoices(form: Form, ground: Ground): readonly Choice[] {
  // Every selection asks every backend about every call: only once for each list of calls.
  if (errorMemo.ground !== ground.capabilities) {
    errorMemo.ground = ground.capabilities;
    errorMemo.known.clear();
  }
  const arch = archOf(ground);
  const key = `${arch} ${ground.expert} ${form.call}`;
  let choices = errorMemo.known.get(key);
  if (choices === undefined) {
    const items = callItems(form.call);
    const seen = new Map<string, ErrorChoice>();
    for (const item of items) for (const choice of errorsOf(item)) if (!seen.has(choice.errno)) seen.set(choice.errno, choice);
    choices = Array.from(seen.values(), ({ errno, meaning, caution }) => ({ value: errno, meaning: caution === null ? meaning : `${meaning}; ${caution}`, not: whyNoError(items, errno, ground, arch) }));
    if (errorMemo.known.size >= 50) errorMemo.known.clear();
    errorMemo.known.set(key, choices);
  }
  return choices;
}

/** The error as the field has it, though it be none of the usual ones. */
export function errorChoice(form: Form, ground: Ground): Choice | null {
  const errno = form.error.trim().toUpperCase();
  if (errno === '') return null;
  const known = errorChoices(form, ground).find(({ value }) => value === errno);
  if (known !== undefined) return known;
  const items = callItems(form.call);
  return { value: errno, meaning: `not usual for ${items.map((item) => familyOf(item)?.title ?? item).join(', ')}`, not: items.length === 0 ? null : whyNoError(items, errno, ground, archOf(ground)) };
}

/** What left and right go through in a field, and what its line of choices shows. @param narrowed what was typed into it */
export function choicesOf(id: FieldId, form: Form, narrowed: string | null, ground: Ground): readonly Choice[] {
  const wanted = (narrowed ?? '').toLowerCase();
  const matching = (choices: readonly Choice[]): readonly Choice[] => (wanted === '' ? choices : choices.filter(({ value }) => value.toLowerCase().includes(wanted)));
  switch (id) {
    case 'target': return ground.frame === null ? [] : matching(targetsIn(ground.frame).map(plainChoice));
    case 'call': return callChoices(ground.frame, form, narrowed);
    case 'error': return matching(errorChoices(form, ground));
    case 'comm': {
      const keys = keysOf(ground.frame, form.target);
      const names = new Set(ground.frame?.panes.processes.rows.filter(({ container }) => keys.has(container)).map(({ comm }) => comm));
      return matching([...names].sort().map(plainChoice));
    }
    case 'fault': case 'signal': return matching(fieldOf(id).presets.map(plainChoice));
    default: return fieldOf(id).presets.map(plainChoice);
  }
}

/** The first error that can be given; '' when none can or nothing is known of the call. */
export const likelyError = (form: Form, ground: Ground): string => errorChoices(form, ground).find(({ not }) => not === null)?.value ?? '';
