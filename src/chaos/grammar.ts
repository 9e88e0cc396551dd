/**
 * strace's way to write a fault, as in `strace -e inject=`:
 *
 *   SET[:error=ERRNO][:signal=SIGNAL][:delay_enter=TIME][:when=FIRST[..LAST][+[STEP]]]
 *
 *   SET    calls, %families and /regular expressions, separated by commas; ?NAME may be unknown
 *   ERRNO  a name, or its number
 *   TIME   5ms, 250us, 1.5s; without a unit microseconds
 *   when   of the matching calls, number FIRST, up to LAST, and one in STEP. FIRST alone is that call alone; FIRST+ is it
 *          and all after it. The last `when` counts
 *
 * As there, but: calls are counted for the rule as a whole, not for each call and thread; one effect per rule; %open is
 * a family of ours, and 32-bit calls are always included. Where strace can do what kbtop does not (retval, syscall,
 * poke_*, delay_exit, !set), the string is refused and says why.
 */
import { errnoName } from '../frame/errno.ts';
import { oneOf } from '../frame/suggest.ts';
import { CALL_NAMES, isCall } from './families.ts';
import { bad, good, type Result } from './result.ts';
import type { Rule } from './rule.ts';
import { formatDelayUs, parseDelayUs } from './time.ts';
import { type RuleDraft, validateRule } from './validate.ts';

/** Something wrong at a place of the string. */
export interface GrammarMistake {
  /** Index of its first character, 0 is the first, and how many characters are meant (0: something is missing there). */
  readonly index: number;
  readonly length: number;
  /** One line: what is wrong, or what was expected. Raw, not escaped. */
  readonly message: string;
}

const MAX_TEXT = 4096;
const MAX_REGEX = 128;
const MAX_FIRST = 65_535;
const MAX_LAST = 65_534;

/** A stretch of the string. */
interface Token {
  readonly index: number;
  readonly text: string;
}

/** Parts between separators, with their places. */
function split({ index, text }: Token, separator: string): Token[] {
  let at = index;
  return text.split(separator).map((part) => {
    const token = { index: at, text: part };
    at += part.length + separator.length;
    return token;
  });
}

type Field = 'error' | 'signal' | 'delay';
type Draft = { -readonly [K in keyof RuleDraft]: RuleDraft[K] };

/** What strace knows and a rule does not. */
const REFUSED: Readonly<Record<string, string>> = {
  retval: 'retval is refused: a call that did nothing must not look like a success',
  syscall: 'syscall is refused: a call is never replaced by another one',
  poke_enter: 'poke_enter is refused: kbtop never writes into a program\'s memory',
  poke_exit: 'poke_exit is refused: kbtop never writes into a program\'s memory',
  delay_exit: 'delay_exit is refused: kbtop delays a call before it runs; use delay_enter',
};
const OPTIONS = ['error', 'signal', 'delay_enter', 'when'];

class Reading {
  readonly draft: Draft = {};
  readonly mistakes: GrammarMistake[] = [];
  /** Where each part of the draft stands in the string, by the path that validateRule() names it with. */
  readonly places = new Map<string, Token>();

  wrong({ index, text }: Token, message: string): void {
    this.mistakes.push({ index, length: text.length, message });
  }

  set(field: Field, key: Token, value: Token, read: (text: string) => string | number): void {
    const other = (['error', 'signal', 'delay'] as const).find((one) => this.places.has(one));
    if (other !== undefined) {
      this.wrong(key, other === field ? `${key.text} is given twice` : 'one effect per rule: a second rule can have the other');
      return;
    }
    this.places.set(field, value);
    try {
      (this.draft as Record<Field, string | number>)[field] = read(value.text);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      this.wrong(value, error.message);
    }
  }

  option(token: Token): void {
    const equals = token.text.indexOf('=');
    const name = equals < 0 ? token.text : token.text.slice(0, equals);
    const key = { index: token.index, text: name };
    const value = { index: token.index + name.length + 1, text: equals < 0 ? '' : token.text.slice(equals + 1) };
    if (Object.hasOwn(REFUSED, name)) this.wrong(key, REFUSED[name] ?? '');
    else if (name === '') this.wrong(key, `an option was expected: ${OPTIONS.join(', ')}`);
    else if (!OPTIONS.includes(name)) this.wrong(key, `unknown option "${name}"${oneOf(name, OPTIONS, 'options')}`);
    else if (equals < 0) this.wrong({ index: token.index + name.length, text: '' }, `"=" and a value were expected after ${name}`);
    else if (value.text === '') this.wrong(value, `a value was expected after ${name}=`);
    else if (name === 'error') this.set('error', key, value, errnoText);
    else if (name === 'signal') this.set('signal', key, value, (text) => text);
    else if (name === 'delay_enter') this.set('delay', key, value, (text) => parseDelayUs(text, 'us'));
    else this.when(value);
  }

  when(value: Token): void {
    const reading = readWhen(value);
    if ('mistake' in reading) {
      this.mistakes.push(reading.mistake);
      return;
    }
    this.places.set('when', value);
    const { first, last, step } = reading;
    delete this.draft.skip;
    delete this.draft.every;
    delete this.draft.last;
    if (first > 1) this.draft.skip = first - 1;
    if (step > 1) this.draft.every = step;
    if (last !== null) this.draft.last = last;
  }

  calls(set: Token): void {
    const items: string[] = [];
    for (const item of split(set, ',')) {
      for (const name of this.item(item)) {
        this.places.set(`syscalls[${items.length}]`, item);
        items.push(name);
      }
    }
    this.draft.syscalls = items;
  }

  item(token: Token): readonly string[] {
    const { text } = token;
    if (text === '') this.wrong(token, 'a system call was expected, such as openat, %open or /^open');
    else if (text.startsWith('!')) this.wrong(token, 'everything but some calls is too wide: name those that are meant');
    else if (text === 'all' || text === 'none') this.wrong(token, `"${text}" is refused: name the calls that are meant`);
    else if (/@(?:64|32|x32)$/.test(text)) this.wrong(token, `"${text}" is refused: 32-bit and 64-bit calls always go together; write ${text.slice(0, text.indexOf('@'))}`);
    else if (text.startsWith('/')) return this.regex(token);
    else if (text.startsWith('?')) return isCall(text.slice(1)) || text.startsWith('?%') ? [text.slice(1)] : [];
    else return [text];
    return [];
  }

  regex(token: Token): readonly string[] {
    const source = token.text.slice(1);
    try {
      if (source === '' || source.length > MAX_REGEX) throw new SyntaxError(`a regular expression of 1 to ${MAX_REGEX} characters was expected`);
      const expression = new RegExp(source);
      const names = CALL_NAMES.filter((name) => expression.test(name));
      if (names.length === 0) this.wrong(token, `no system call matches ${token.text}`);
      return names;
    } catch (error) {
      this.wrong(token, `${token.text} is not a regular expression: ${(error as Error).message.replace(/^Invalid regular expression: /, '')}`);
      return [];
    }
  }
}

function errnoText(text: string): string {
  if (!/^\d+$/.test(text)) return text;
  const name = errnoName(Number(text));
  if (name.startsWith('errno_') || Number(text) === 0) throw new RangeError(`there is no errno ${text}: 1 to 133, or a name`);
  return name;
}

type When = { readonly first: number; readonly last: number | null; readonly step: number } | { readonly mistake: GrammarMistake };

/** FIRST[..LAST][+[STEP]] */
function readWhen({ index, text }: Token): When {
  let at = 0;
  const fail = (from: number, length: number, message: string): When => ({ mistake: { index: index + from, length, message } });
  const number = (): string => {
    const digits = /^\d*/.exec(text.slice(at))?.[0] ?? '';
    at += digits.length;
    return digits;
  };
  const firstText = number();
  if (firstText === '') return fail(0, 0, 'the number of the first call was expected: FIRST[..LAST][+[STEP]]');
  const first = Number(firstText);
  if (first < 1 || first > MAX_FIRST) return fail(0, firstText.length, `FIRST must be 1 to ${MAX_FIRST}`);
  let last: number | null = null, step = 0;
  if (text.startsWith('..', at)) {
    at += 2;
    const from = at, lastText = number();
    if (lastText === '') return fail(from, 0, 'the number of the last call was expected after ..');
    last = Number(lastText);
    if (last < 1 || last > MAX_LAST) return fail(from, lastText.length, `LAST must be 1 to ${MAX_LAST}`);
    if (last < first) return fail(from, lastText.length, `LAST must not be before FIRST, which is ${first}`);
  }
  if (text[at] === '+') {
    at++;
    const from = at, stepText = number();
    step = stepText === '' ? 1 : Number(stepText);
    if (step < 1 || step > MAX_FIRST) return fail(from, stepText.length, `STEP must be 1 to ${MAX_FIRST}`);
  }
  if (at < text.length) return fail(at, text.length - at, `${last === null && step === 0 ? '"..", "+" or ' : step === 0 ? '"+" or ' : ''}the end of when= was expected`);
  // Without + and .. it is that one call.
  return { first, last: last ?? (step === 0 ? first : null), step: Math.max(1, step) };
}

/** A draft that the command line may add to, or all mistakes, the first in the string first. */
export function readInject(text: string): Result<RuleDraft, GrammarMistake> {
  if (text.length > MAX_TEXT) return bad([{ index: MAX_TEXT, length: text.length - MAX_TEXT, message: `the string is longer than ${MAX_TEXT} characters` }]);
  const reading = new Reading();
  const [set = { index: 0, text: '' }, ...options] = split({ index: 0, text }, ':');
  reading.calls(set);
  for (const option of options) reading.option(option);
  const end = { index: text.length, text: '' };
  const validated = validateRule(reading.draft);
  if (!validated.ok) {
    const told = new Set(reading.mistakes.map(({ index }) => index));
    for (const { path, message } of validated.mistakes) {
      // What could not even be read is missing in the draft: one message about it is enough.
      if (path === '' && reading.mistakes.length > 0) continue;
      if (path === 'syscalls' && set.text !== '' && told.size > 0) continue;
      const place = reading.places.get(path) ?? (path.startsWith('syscalls') ? set : path === '' ? end : reading.places.get('when') ?? end);
      if (!told.has(place.index)) reading.wrong(place, path === '' ? 'an effect was expected: error=ERRNO, signal=SIGNAL or delay_enter=TIME' : message);
    }
  }
  if (reading.mistakes.length > 0) return bad(reading.mistakes.sort((a, b) => a.index - b.index));
  return good(reading.draft);
}

/** The rule that the string alone makes: everything that it does not say has its default. */
export function parseInject(text: string): Result<Rule, GrammarMistake> {
  const draft = readInject(text);
  if (!draft.ok) return draft;
  const rule = validateRule(draft.value);
  return rule.ok ? rule : bad(rule.mistakes.map(({ message }) => ({ index: 0, length: text.length, message })));
}

/** All of it in one line: `character 8: unknown option ...`. */
export function grammarError(mistakes: readonly GrammarMistake[]): string {
  return mistakes.map(({ index, message }) => `character ${index + 1}: ${message}`).join('; ');
}

export interface InjectText {
  readonly text: string;
  /** Fields of the rule that the grammar has no words for, by their paths; parsed again they have their defaults. */
  readonly lost: readonly string[];
}

function whenText({ skip, every, last }: Rule): string | null {
  if (skip === 0 && every === 1 && last === null) return '';
  const first = skip + 1;
  if (first > MAX_FIRST || every > MAX_FIRST || (last !== null && last > MAX_LAST)) return null;
  if (last === first && every === 1) return `:when=${first}`;
  return `:when=${first}${last === null ? '' : `..${last}`}${every > 1 ? `+${every}` : last === null ? '+' : ''}`;
}

/** A string that parses to the same rule, but for what is lost. */
export function formatInject(rule: Rule): InjectText {
  const { effect, where } = rule;
  const when = whenText(rule);
  const effectText = effect.kind === 'error' ? `:error=${effect.errno}` : effect.kind === 'signal' ? `:signal=${effect.signal}` : `:delay_enter=${formatDelayUs(effect.us)}`;
  const plain = parseInject(`${rule.syscalls.join(',')}${effectText}`);
  const defaults = plain.ok ? plain.value : null;
  const same = ['name', 'target', 'probability', 'maxHits', 'durationMs', 'seed', 'backend', 'kernel'] as const;
  const lost = [
    ...same.filter((key) => defaults === null || rule[key] !== defaults[key]).map((key) => (key === 'durationMs' ? 'duration' : key)),
    ...Object.entries(where).filter(([, value]) => value !== null).map(([key]) => `where.${key}`),
    ...(when === null ? ['skip', 'every', 'last'] : []),
  ];
  return { text: `${rule.syscalls.join(',')}${effectText}${when ?? ''}`, lost };
}
