/** States for tests: a node with some history behind it. */
import type { Frame, PaneId } from '../../src/frame/frame.ts';
import { History } from '../../src/ui/history/history.ts';
import type { State } from '../../src/ui/model.ts';
import { initialState } from '../../src/ui/model.ts';
import type { UiOptions } from '../../src/ui/options.ts';
import type { Effect } from '../../src/ui/effects.ts';
import { update } from '../../src/ui/update.ts';
import { FakeNode } from './fixtures.ts';

export const OPTIONS: UiOptions = { color: 'auto', ascii: false, intervalMs: 1000, readOnly: false, scope: null, saveDirectory: '/nowhere', version: '1.2.3' };

export function emptyState(more: Partial<State> = {}, options: Partial<UiOptions> = {}): State {
  return { ...initialState({ options: { ...OPTIONS, ...options }, can: { setInterval: true, setLevel: true }, size: { width: 120, height: 40 }, symbols: 'braille', depth: 0 }), ...more };
}

/** Show a Frame as the controller does. */
export function shows(state: State, history: History, frame: Frame, now = 0): State {
  history.push(frame);
  return update(state, { type: 'frame', shown: { frame, history }, now }).state;
}

/** A state after `ticks` Frames of a FakeNode. */
export function liveState(more: Partial<State> = {}, { ticks = 5, node = new FakeNode(), history = new History() } = {}): State {
  let state = emptyState(more);
  for (let i = 0; i < ticks; i++) state = shows(state, history, node.next());
  return state;
}

export const inputOf = (name: string, now = 0) => ({ type: 'input', event: { kind: 'key', key: { name, text: [...name].length === 1 ? name : '' } }, now } as const);

/** Press keys by name, one after the other. */
export function press(state: State, ...keys: readonly string[]): State {
  return keys.reduce((now, key) => update(now, inputOf(key)).state, state);
}

/** What the last of these keys asks for. */
export function effectsOf(state: State, ...keys: readonly string[]): readonly Effect[] {
  const before = press(state, ...keys.slice(0, -1));
  return update(before, inputOf(keys.at(-1) ?? '')).effects;
}

/** Type text into whatever takes it. */
export const type = (state: State, text: string): State => press(state, ...text);

/** A Frame with other rows in one pane. */
export function withRows<P extends PaneId>(frame: Frame, pane: P, rows: Frame['panes'][P]['rows'], more: Partial<Frame['panes'][P]> = {}): Frame {
  return { ...frame, panes: { ...frame.panes, [pane]: { ...frame.panes[pane], rows, ...more } } };
}
