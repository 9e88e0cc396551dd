/** What the keys of time do. Pure; whoever moves through the timeline is asked for it by an effect. */
import { tell } from '../commands/tell.ts';
import type { Effect } from '../effects.ts';
import type { Command } from '../keymap.ts';
import type { Key } from '../keys.ts';
import type { State } from '../model.ts';
import { editLine, insertText } from '../commands/line.ts';
import type { Go, Jump } from './model.ts';
import { parseMoment } from './moment.ts';

const COMMANDS = ['pause', 'play', 'frameBack', 'frameOn', 'tenBack', 'tenOn', 'minuteBack', 'minuteOn', 'oldest', 'newest', 'slowerPlay', 'fasterPlay', 'jump', 'saveTimeline'] as const satisfies readonly Command[];
export type TravelCommand = (typeof COMMANDS)[number];

export const isTravelCommand = (command: Command): command is TravelCommand => (COMMANDS as readonly Command[]).includes(command);

interface Changed {
  readonly state: State;
  readonly effects: readonly Effect[];
}

const MINUTE_MS = 60_000;

const going = (state: State, go: Go): Changed => ({ state, effects: [{ kind: 'travel', go }] });

/** `p` holds the screen and lets go of it: it is live again. A recording has nothing live to go on with. */
function pause(state: State): Go {
  const { travel, reach } = state;
  if (travel === null || travel.playing) return { kind: 'pause' };
  return { kind: reach === 'recording' ? 'play' : 'live' };
}

export function travelCommand(state: State, command: TravelCommand, now: number): Changed {
  switch (command) {
    case 'pause': return going(state, pause(state));
    case 'play': return going(state, { kind: state.travel !== null && !state.travel.playing ? 'play' : 'pause' });
    case 'frameBack': return going(state, { kind: 'frames', by: -1 });
    case 'frameOn': return going(state, { kind: 'frames', by: 1 });
    case 'tenBack': return going(state, { kind: 'frames', by: -10 });
    case 'tenOn': return going(state, { kind: 'frames', by: 10 });
    case 'minuteBack': return going(state, { kind: 'moment', moment: { kind: 'relative', ms: -MINUTE_MS } });
    case 'minuteOn': return going(state, { kind: 'moment', moment: { kind: 'relative', ms: MINUTE_MS } });
    case 'oldest': return going(state, { kind: 'oldest' });
    case 'newest': return going(state, { kind: 'live' });
    case 'slowerPlay': return going(state, { kind: 'speed', by: -1 });
    case 'fasterPlay': return going(state, { kind: 'speed', by: 1 });
    case 'jump': return { state: { ...state, jump: { text: '', cursor: 0, error: null } }, effects: [] };
    case 'saveTimeline': return { state: tell(state, 'saving what is held ...', 'accent', now), effects: [{ kind: 'saveTimeline' }] };
  }
}

/** What is wrong with the text; null when nothing is, or nothing yet. */
function errorOf(text: string): string | null {
  if (text.trim() === '' || /^[+-]\s*\d*\.?\d*$/.test(text.trim())) return null;
  try {
    parseMoment(text);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const withText = (state: State, jump: Jump, text: string, cursor: number): State => ({ ...state, jump: { ...jump, text, cursor, error: jump.error === null ? null : errorOf(text) } });

/** A key while a time is being typed. */
export function jumpKey(state: State, jump: Jump, key: Key): Changed {
  const closed = { ...state, jump: null };
  if (key.name === 'esc' || (key.name === 'backspace' && jump.text === '')) return { state: closed, effects: [] };
  if (key.name === 'enter') {
    if (jump.text.trim() === '') return { state: closed, effects: [] };
    try {
      return going(closed, { kind: 'moment', moment: parseMoment(jump.text) });
    } catch (error) {
      return { state: { ...state, jump: { ...jump, error: (error as Error).message } }, effects: [] };
    }
  }
  const line = editLine(jump, key);
  return { state: line === null ? state : withText(state, jump, line.text, line.cursor), effects: [] };
}

export function jumpPaste(state: State, jump: Jump, text: string): State {
  const line = insertText(jump, text);
  return withText(state, jump, line.text, line.cursor);
}
