/** Typing into the filter line. */
import type { Key } from '../keys.ts';
import type { Prompt, State } from '../model.ts';
import { withPane } from '../model.ts';
import { typed } from './find.ts';
import { editLine, insertText } from './line.ts';

/** A key or a paste while a filter is being typed. */
export function promptKey(state: State, prompt: Prompt, key: Key): State {
  switch (key.name) {
    case 'enter': return prompt.error === null ? { ...state, prompt: null } : state;
    case 'esc': return withPane({ ...state, prompt: null }, prompt.pane, { filter: prompt.before });
    case 'backspace': if (prompt.text === '') return { ...state, prompt: null };
  }
  const line = editLine(prompt, key);
  if (line === null) return state;
  return line.text === prompt.text ? { ...state, prompt: { ...prompt, cursor: line.cursor } } : typed(state, prompt, line.text, line.cursor);
}

export function promptPaste(state: State, prompt: Prompt, text: string): State {
  const line = insertText(prompt, text);
  return typed(state, prompt, line.text, line.cursor);
}
