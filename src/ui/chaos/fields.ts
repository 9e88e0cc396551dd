/** The fields of the panel: what each is called, what it begins with, and the rule that all of them together make. */
import { ADDRESS_ARGUMENTS, PATH_ARGUMENTS } from '../../chaos/call-arguments.ts';
import { callsOfItem } from '../../chaos/families.ts';
import type { Mistake, Result } from '../../chaos/result.ts';
import { DEFAULT_DURATION_MS, DEFAULT_MAX_HITS, MAX_DURATION_MS, MIN_DURATION_MS, type Rule } from '../../chaos/rule.ts';
import { parseDelayUs } from '../../chaos/time.ts';
import { type RuleDraft, validateRule } from '../../chaos/validate.ts';
import { formatDuration, parseDuration } from '../../frame/duration.ts';
import { targetDraft } from './target.ts';

export type FieldId = 'target' | 'call' | 'fault' | 'error' | 'delay' | 'signal' | 'chance' | 'skip' | 'every' | 'hits' | 'for' | 'path' | 'port' | 'comm';

/** What stands in each field, as typed. Fields that do not show keep what they had. */
export type Form = Readonly<Record<FieldId, string>>;

export interface Field {
  readonly id: FieldId;
  readonly label: string;
  /** What it is about and what may stand in it, for the line of help. */
  readonly help: string;
  /** Values that left and right go through; choices.ts has those of target, call and error. */
  readonly presets: readonly string[];
  /** What stands there before anything is typed, and is meant by an empty field. */
  readonly initial: string;
  /** Fields with the same number stand in one line where there is room. */
  readonly row: number;
}

export const FIELDS: readonly Field[] = [
  { id: 'target', label: 'Target', row: 0, initial: '', presets: [], help: 'NAMESPACE/POD or NAMESPACE/POD/CONTAINER, a path of cgroup v2 beginning with /, or a container id' },
  { id: 'call', label: 'Call', row: 1, initial: '', presets: [], help: 'a system call, a family such as %open, or several with commas between them' },
  { id: 'fault', label: 'Fault', row: 2, initial: 'error', presets: ['error', 'delay', 'signal'], help: 'error: the call fails; delay: it starts late; signal: its caller gets one' },
  { id: 'error', label: 'Error', row: 2, initial: '', presets: [], help: 'the errno that the program is given' },
  { id: 'delay', label: 'Delay', row: 2, initial: '5ms', presets: ['100us', '500us', '1ms', '5ms', '10ms', '20ms', '50ms', '100ms', '500ms', '1s'], help: 'how much later each call starts: 250us, 5ms, 1.5s' },
  { id: 'signal', label: 'Signal', row: 2, initial: 'SIGTERM', presets: ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGPIPE', 'SIGABRT', 'SIGSEGV', 'SIGKILL', 'SIGSTOP'], help: 'the signal that the calling task gets before the call runs' },
  { id: 'chance', label: 'Chance', row: 3, initial: '100%', presets: ['0.1%', '1%', '5%', '10%', '25%', '50%', '100%'], help: 'of each call that the counts let through: 10% or 0.1' },
  { id: 'skip', label: 'Skip', row: 3, initial: '0', presets: ['0', '1', '10', '100', '1000'], help: 'so many matching calls go by first' },
  { id: 'every', label: 'Every', row: 3, initial: '1', presets: ['1', '2', '3', '5', '10', '100'], help: 'then one call in so many; 1 is all of them' },
  { id: 'hits', label: 'Max hits', row: 3, initial: String(DEFAULT_MAX_HITS), presets: ['1', '10', '100', '500', '1000'], help: 'the fault ends after so many' },
  { id: 'for', label: 'For', row: 3, initial: formatDuration(DEFAULT_DURATION_MS), presets: ['10s', '30s', '1m', '2m', '5m', '15m'], help: `the fault ends by itself after this time, ${formatDuration(MAX_DURATION_MS)} at most` },
  { id: 'path', label: 'Path', row: 4, initial: '', presets: [], help: 'only calls on this path: * and ? stand for anything; without / the name of the file alone; empty: any' },
  { id: 'port', label: 'Port', row: 4, initial: '', presets: ['', '53', '80', '443', '5432', '6379'], help: 'only calls to this port (bind: on it); empty: any' },
  { id: 'comm', label: 'Comm', row: 4, initial: '', presets: [], help: 'only threads with exactly this name; empty: any' },
];

const BY_ID = new Map(FIELDS.map((field) => [field.id, field]));
export const fieldOf = (id: FieldId): Field => BY_ID.get(id) as Field;

/** The form before anything is filled in but this. */
export const emptyForm = (more: Partial<Form> = {}): Form => ({ ...Object.fromEntries(FIELDS.map(({ id, initial }) => [id, initial])) as Record<FieldId, string>, ...more });

/** Calls and families of the call field. */
export const callItems = (text: string): readonly string[] => text.split(',').map((item) => item.trim()).filter((item) => item !== '');

const having = (items: readonly string[], known: ReadonlyMap<string, unknown>): boolean => items.some((item) => (callsOfItem(item) ?? []).some((call) => known.has(call)));

/** Fields that mean something as the form stands, in their order. One that hides while it holds something would decide unseen, so it stays. */
export function shownFields(form: Form): readonly FieldId[] {
  const items = callItems(form.call);
  return FIELDS.map(({ id }) => id).filter((id) => {
    switch (id) {
      case 'error': case 'delay': case 'signal': return (fieldKinds.includes(form.fault) ? form.fault : 'error') === id;
      case 'path': return form.path !== '' || having(items, PATH_ARGUMENTS);
      case 'port': return form.port !== '' || having(items, ADDRESS_ARGUMENTS);
      default: return true;
    }
  });
}

const fieldKinds: readonly string[] = ['error', 'delay', 'signal'];

/** What is wrong in a field. */
export interface FieldMistake {
  readonly field: FieldId;
  /** One line. Raw, not escaped. */
  readonly message: string;
}

/** The field that a mistake's path is about. */
function fieldAt(path: string): FieldId {
  const [head = '', second = ''] = path.replace(/\[\d+\]/, '').split('.');
  switch (head) {
    case 'target': return 'target';
    case 'syscalls': return 'call';
    case 'error': case 'signal': case 'delay': case 'skip': case 'every': return head;
    case 'where': return second === 'path' || second === 'port' ? second : 'comm';
    case 'probability': return 'chance';
    case 'maxHits': return 'hits';
    case 'duration': return 'for';
    default: return 'fault';
  }
}

/** The same words as in the form. */
const inPanelWords = ({ path, message }: Mistake): string => {
  if (path === 'syscalls') return message.replace(/^syscalls lacks/, 'say which:');
  return message.replace(/^maxHits /, 'max hits ').replace(/^probability /, 'chance ').replace(/^duration /, 'the time ');
};

/** Reads the texts of a form; what cannot be read is noted. */
class Reading {
  readonly mistakes: FieldMistake[] = [];
  readonly #form: Form;

  constructor(form: Form) {
    this.#form = form;
  }

  text(id: FieldId): string {
    const text = this.#form[id].trim();
    return text === '' ? fieldOf(id).initial : text;
  }

  attempt<T>(field: FieldId, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.mistakes.push({ field, message: error.message });
      return undefined;
    }
  }

  count(field: FieldId): number | undefined {
    const text = this.text(field);
    if (text === '') return undefined;
    return this.attempt(field, () => {
      if (!/^\d{1,15}$/.test(text)) throw new RangeError(`"${text}" is not a whole number`);
      return Number(text);
    });
  }

  chance(): number | undefined {
    const text = this.text('chance');
    return this.attempt('chance', () => {
      const [, number, percent] = /^(\d+(?:\.\d+)?|\.\d+)\s*(%?)$/.exec(text) ?? [];
      if (number === undefined) throw new RangeError(`"${text}" is not a chance such as 10% or 0.1`);
      if (percent !== '%') return Number(number);
      if (Number(number) > 100) throw new RangeError(`${text} is more than all: 100% at most`);
      // Through text: 0.1 / 100 is not 0.001.
      return Number(`${number}e-2`);
    });
  }
}

/** The rule that a form makes, or everything that is wrong with it, in the order of the fields. */
export function ruleOfForm(form: Form): Result<Rule, FieldMistake> {
  const reading = new Reading(form);
  const kind = reading.text('fault');
  if (!fieldKinds.includes(kind)) reading.mistakes.push({ field: 'fault', message: `"${kind}" is no fault: error, delay or signal` });
  const target = targetDraft(form.target);
  if (target === undefined) reading.mistakes.push({ field: 'target', message: 'say whom: NAMESPACE/POD, a path of cgroup v2, or a container id' });
  const error = reading.text('error');
  if (kind === 'error' && error === '') reading.mistakes.push({ field: 'error', message: 'choose an error with left and right, or type one' });
  const where = Object.fromEntries(Object.entries({ path: form.path === '' ? undefined : form.path, port: reading.count('port'), comm: form.comm === '' ? undefined : form.comm }).filter(([, value]) => value !== undefined)) as NonNullable<RuleDraft['where']>;
  const given = {
    target, syscalls: callItems(form.call), where: Object.keys(where).length === 0 ? undefined : where,
    error: kind === 'error' && error !== '' ? error : undefined, signal: kind === 'signal' ? reading.text('signal') : undefined,
    delay: kind === 'delay' ? reading.attempt('delay', () => parseDelayUs(reading.text('delay'), null)) : undefined,
    probability: reading.chance(), skip: reading.count('skip'), every: reading.count('every'), maxHits: reading.count('hits'),
    duration: reading.attempt('for', () => Math.round(parseDuration(reading.text('for'), { min: MIN_DURATION_MS, max: MAX_DURATION_MS }))),
  };
  const result = validateRule(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as RuleDraft);
  const own = new Set(reading.mistakes.map(({ field }) => field));
  // A field whose text cannot be read is missing from the draft: that it lacks is no second mistake.
  const effects: readonly FieldId[] = ['fault', 'error', 'delay', 'signal'];
  const lost = effects.some((field) => own.has(field));
  const more = result.ok ? [] : result.mistakes.map((mistake) => ({ field: fieldAt(mistake.path), message: inPanelWords(mistake) })).filter(({ field }) => !own.has(field) && !(lost && effects.includes(field)));
  const mistakes = [...reading.mistakes, ...more].sort((a, b) => order(a.field) - order(b.field));
  return result.ok && mistakes.length === 0 ? result : { ok: false, mistakes };
}

const order = (id: FieldId): number => FIELDS.findIndex((field) => field.id === id);
