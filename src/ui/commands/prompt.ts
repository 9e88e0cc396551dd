/** Typing into the filter line. */
import type { Key } from '../keys.ts';
import type { Prompt, State } from '../model.ts';
import { withPane } from '../model.ts';
import { typed } from './find.ts';

const MAX_TEXT = 200;

/** Index of the character before or after `at`, never inside a surrogate pair. */
function step(text: string, at: number, by: -1 | 1): number {
  const next = Math.max(0, Math.min(text.length, at + by));
  const code = text.charCodeAt(next);
  return code >= 0xdc00 && code <= 0xdfff && next > 0 ? next + by : next;
}

function insert(state: State, prompt: Prompt, text: string): State {
  // A pasted line break must not end the line; other controls cannot be meant.
  const clean = text.replace(/[\r\n\t]+/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
  const room = MAX_TEXT - prompt.text.length;
  const added = clean.slice(0, Math.max(0, room));
  return typed(state, prompt, prompt.text.slice(0, prompt.cursor) + added + prompt.text.slice(prompt.cursor), prompt.cursor + added.length);
}

/** A key or a paste while a filter is being typed. */
export function promptKey(state: State, prompt: Prompt, key: Key): State {
  const { text, cursor } = prompt;
  const to = (at: number): State => ({ ...state, prompt: { ...prompt, cursor: at } });
  const cut = (from: number, upTo: number): State => typed(state, prompt, text.slice(0, from) + text.slice(upTo), from);
  switch (key.name) {
    case 'enter': return prompt.error === null ? { ...state, prompt: null } : state;
    case 'esc': return withPane({ ...state, prompt: null }, prompt.pane, { filter: prompt.before });
    case 'backspace': return text === '' ? { ...state, prompt: null } : cut(step(text, cursor, -1), cursor);
    case 'delete': return cut(cursor, step(text, cursor, 1));
    case 'left': case 'ctrl-b': return to(step(text, cursor, -1));
    case 'right': case 'ctrl-f': return to(step(text, cursor, 1));
    case 'home': case 'ctrl-a': return to(0);
    case 'end': case 'ctrl-e': return to(text.length);
    case 'ctrl-u': return cut(0, cursor);
    case 'ctrl-k': return cut(cursor, text.length);
    case 'ctrl-w': return cut(text.slice(0, cursor).replace(/\S+\s*$/, '').length, cursor);
    default: return key.text === '' ? state : insert(state, prompt, key.text);
  }
}

export const promptPaste = (state: State, prompt: Prompt, text: string): State => insert(state, prompt, text);
