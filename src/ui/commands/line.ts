/** Editing a line of text: the filter, a time. Pure. */
import type { Key } from '../keys.ts';

const MAX_TEXT = 200;

export interface Line {
  readonly text: string;
  /** UTF-16 index that the cursor stands before. */
  readonly cursor: number;
}

/** Index of the character before or after `at`, never inside a surrogate pair. */
function step(text: string, at: number, by: -1 | 1): number {
  const next = Math.max(0, Math.min(text.length, at + by));
  const code = text.charCodeAt(next);
  return code >= 0xdc00 && code <= 0xdfff && next > 0 ? next + by : next;
}

/** Typed or pasted text at the cursor. */
export function insertText({ text, cursor }: Line, added: string): Line {
  // A pasted line break must not end the line; other controls cannot be meant.
  const clean = added.replace(/[\r\n\t]+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
  const fitting = clean.slice(0, Math.max(0, MAX_TEXT - text.length));
  return { text: text.slice(0, cursor) + fitting + text.slice(cursor), cursor: cursor + fitting.length };
}

/** What a key makes of the line; null when it does nothing to it. */
export function editLine({ text, cursor }: Line, key: Key): Line | null {
  const cut = (from: number, upTo: number): Line => ({ text: text.slice(0, from) + text.slice(upTo), cursor: from });
  switch (key.name) {
    case 'backspace': return cut(step(text, cursor, -1), cursor);
    case 'delete': return cut(cursor, step(text, cursor, 1));
    case 'left': case 'ctrl-b': return { text, cursor: step(text, cursor, -1) };
    case 'right': case 'ctrl-f': return { text, cursor: step(text, cursor, 1) };
    case 'home': case 'ctrl-a': return { text, cursor: 0 };
    case 'end': case 'ctrl-e': return { text, cursor: text.length };
    case 'ctrl-u': return cut(0, cursor);
    case 'ctrl-k': return cut(cursor, text.length);
    case 'ctrl-w': return cut(text.slice(0, cursor).replace(/\S+\s*$/, '').length, cursor);
    default: return key.text === '' ? null : insertText({ text, cursor }, key.text);
  }
}
