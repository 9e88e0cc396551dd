/**
 * What a terminal sends, as keys: bytes in, named keys out. Escape sequences may come in pieces, and a lone ESC is
 * only known to be the key when nothing follows it.
 */

export interface Key {
  /**
   * Canonical name: a printable character as it is ("a", "A", "/", " "), else "enter", "esc", "up", "f5", "pageup" ...,
   * with "ctrl-", "alt-" and "shift-" in front, in this order.
   */
  readonly name: string;
  /** What it types into a text field; '' for keys that type nothing. */
  readonly text: string;
}

/** Pasted text is one event: it must never be taken for commands. */
export type InputEvent = { readonly kind: 'key'; readonly key: Key } | { readonly kind: 'paste'; readonly text: string };

const ESC = '\x1b';
const PASTE_START = `${ESC}[200~`;
const PASTE_END = `${ESC}[201~`;
/** Longest paste and longest unfinished sequence kept, characters. */
const MAX_PASTE = 4096;
const MAX_SEQUENCE = 64;

const FINAL: Readonly<Record<string, string>> = {
  A: 'up', B: 'down', C: 'right', D: 'left', H: 'home', F: 'end', E: 'begin', M: 'enter', P: 'f1', Q: 'f2', R: 'f3', S: 'f4', Z: 'shift-tab',
};
const TILDE: Readonly<Record<string, string>> = {
  1: 'home', 2: 'insert', 3: 'delete', 4: 'end', 5: 'pageup', 6: 'pagedown', 7: 'home', 8: 'end', 11: 'f1', 12: 'f2', 13: 'f3', 14: 'f4', 15: 'f5',
  17: 'f6', 18: 'f7', 19: 'f8', 20: 'f9', 21: 'f10', 23: 'f11', 24: 'f12',
};
/** The Linux console's F1 to F5. */
const LINUX_F: Readonly<Record<string, string>> = { A: 'f1', B: 'f2', C: 'f3', D: 'f4', E: 'f5' };
const CONTROL: Readonly<Record<number, string>> = { 0: 'ctrl-space', 8: 'backspace', 9: 'tab', 10: 'enter', 13: 'enter', 27: 'esc', 28: 'ctrl-\\', 29: 'ctrl-]', 30: 'ctrl-^', 31: 'ctrl-_', 127: 'backspace' };

/** "ctrl-", "alt-", "shift-" of an xterm modifier parameter (1 plus bits). */
function modifiers(parameter: string | undefined): string {
  const bits = Math.max(0, Number(parameter ?? '1') - 1);
  return `${bits & 4 ? 'ctrl-' : ''}${bits & 2 ? 'alt-' : ''}${bits & 1 ? 'shift-' : ''}`;
}

function keyOf(char: string): Key {
  const code = char.codePointAt(0) ?? 0;
  const named = CONTROL[code];
  if (named !== undefined) return { name: named, text: '' };
  if (code < 32) return { name: `ctrl-${String.fromCharCode(code + 96)}`, text: '' };
  return { name: char, text: char };
}

/** A complete CSI sequence as a key; null for what is none (mouse reports, focus, answers to queries). */
function csiKey(parameters: string, final: string): Key | null {
  if (!/^[\d;]*$/.test(parameters)) return null;
  const [first = '', second] = parameters.split(';');
  const base = final === '~' ? TILDE[first] : FINAL[final];
  if (base === undefined || (final === 'R' && second !== undefined && first !== '1')) return null;
  return { name: modifiers(second) + base, text: '' };
}

type Step = { readonly length: number; readonly event: InputEvent | null } | null;

const key = (length: number, value: Key | null): Step => ({ length, event: value === null ? null : { kind: 'key', key: value } });

/** The event that an input starting with ESC starts with; null when more must come first. */
function escapeStep(input: string): Step {
  if (input.length === 1) return null;
  const second = input[1] as string;
  if (input.startsWith(PASTE_START)) {
    const end = input.indexOf(PASTE_END);
    if (end !== -1) return { length: end + PASTE_END.length, event: { kind: 'paste', text: input.slice(PASTE_START.length, end).slice(0, MAX_PASTE) } };
    return input.length > MAX_PASTE + PASTE_START.length ? { length: input.length, event: null } : null;
  }
  if (second === '[') {
    if (input.startsWith(`${ESC}[[`)) return input.length < 4 ? null : key(4, LINUX_F[input[3] as string] ? { name: LINUX_F[input[3] as string] as string, text: '' } : null);
    const match = /^\x1b\[([\x30-\x3f]*)[\x20-\x2f]*([\x40-\x7e])/.exec(input);
    if (match !== null) return key(match[0].length, csiKey(match[1] ?? '', match[2] ?? ''));
    // Unfinished, unless something that no sequence holds came: then the sequence is void.
    const bad = input.slice(2).search(/[^\x20-\x3f]/);
    if (bad !== -1) return key(2 + bad, null);
    return input.length > MAX_SEQUENCE ? key(input.length, null) : null;
  }
  if (second === 'O') {
    const match = /^\x1bO(\d?)([A-Za-z])/.exec(input);
    if (match !== null) {
      const base = FINAL[match[2] as string];
      return key(match[0].length, base === undefined ? null : { name: modifiers(match[1] || undefined) + base, text: '' });
    }
    return input.length < 4 ? null : key(2, null);
  }
  if (second === 'P' || second === ']' || second === '_' || second === '^') {
    // A string that a terminal answers with: nothing that a person types.
    const end = /\x1b\\|\x07/.exec(input.slice(2));
    if (end !== null) return key(2 + end.index + end[0].length, null);
    return input.length > MAX_PASTE ? key(input.length, null) : null;
  }
  if (second === ESC) return key(1, { name: 'esc', text: '' });
  const char = String.fromCodePoint(input.codePointAt(1) ?? 0);
  const plain = keyOf(char);
  return key(1 + char.length, { name: `alt-${plain.name}`, text: '' });
}

/** Takes input in pieces and gives out events; `flush` when nothing has come for a moment. */
export class KeyParser {
  #rest = '';

  /** Input is waiting for more; after a short while without any, call `flush`. */
  get pending(): boolean {
    return this.#rest !== '';
  }

  /** What a piece of input, together with what waited, holds. */
  push(input: string): InputEvent[] {
    this.#rest += input;
    const events: InputEvent[] = [];
    while (this.#rest !== '') {
      const step = this.#step(this.#rest);
      if (step === null) break;
      if (step.event !== null) events.push(step.event);
      this.#rest = this.#rest.slice(step.length);
    }
    return events;
  }

  #step(input: string): Step {
    if (input.startsWith(ESC)) return escapeStep(input);
    const char = String.fromCodePoint(input.codePointAt(0) ?? 0);
    // U+FFFD: bytes that are no UTF-8. C1: nothing that a key sends.
    if (char === '\ufffd' || (char >= '\x80' && char <= '\x9f')) return { length: char.length, event: null };
    return { length: char.length, event: { kind: 'key', key: keyOf(char) } };
  }

  /** Nothing more came: a waiting ESC was the key, anything else waiting was noise. A paste goes on waiting. */
  flush(): InputEvent[] {
    const rest = this.#rest;
    if (rest === '' || rest.startsWith(PASTE_START)) return [];
    this.#rest = '';
    if (rest === ESC) return [{ kind: 'key', key: { name: 'esc', text: '' } }];
    if (rest === `${ESC}[` || rest === `${ESC}O`) return [{ kind: 'key', key: { name: `alt-${rest[1]}`, text: '' } }];
    return [];
  }
}
