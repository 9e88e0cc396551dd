/** Leaving the screen: at once, but while a fault is armed it is asked once whether that is meant. Pure. */
import { tell } from '../commands/tell.ts';
import type { State } from '../model.ts';
import { holdsFaults } from './armed.ts';
import type { Changed } from './panel.ts';

/** The question stands as long as its message. */
const ASKED_MS = 6000;
const INTERRUPTED = 130;

export function leave(state: State, by: 'quit' | 'interrupt', now: number): Changed {
  const asked = state.leaving !== null && now <= state.leaving;
  if (asked || !holdsFaults(state)) return { state, effects: [{ kind: 'quit', code: by === 'quit' ? 0 : INTERRUPTED }] };
  const armed = state.chaos?.faults.filter((fault) => fault.state === 'armed' && !fault.dryRun).length ?? 0;
  const text = `${armed === 1 ? 'a fault is' : `${armed} faults are`} armed: ${by === 'quit' ? 'q' : 'Ctrl-C'} again ends ${armed === 1 ? 'the fault' : 'them'} and quits`;
  // In the last line, where a filter that is being typed would stand.
  return { state: { ...tell({ ...state, prompt: null }, text, 'warn', now), leaving: now + ASKED_MS }, effects: [] };
}
