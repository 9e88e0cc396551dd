/** The last line: the filter being typed, a message, or the keys that do something now. */
import type { Line } from '../commands/line.ts';
import { intervalText } from '../commands/measure.ts';
import { notePieces } from '../company/draw/parts.ts';
import { isDriving, isFollowing } from '../company/model.ts';
import type { LinePiece } from '../draw/line.ts';
import { drawLine } from '../draw/line.ts';
import type { Pen } from '../draw/pen.ts';
import type { Binding } from '../keymap.ts';
import { activeBindings, contextOfState, keyName } from '../keymap.ts';
import type { State } from '../model.ts';
import { paneOf } from '../rows.ts';

/** The typed text with its cursor, scrolled so that the cursor stays in sight. */
function field(pen: Pen, prompt: Line, width: number): string {
  const before = pen.clean(prompt.text.slice(0, prompt.cursor));
  const [under = ' ', ...rest] = prompt.text.slice(prompt.cursor);
  const at = pen.clean(under), after = pen.clean(rest.join(''));
  const room = Math.max(0, width - pen.width(at));
  const head = pen.width(before) > room ? pen.fit(before, room, 'left', 'start') : before;
  const tail = pen.fit(after, Math.max(0, room - pen.width(head)));
  return head + pen.paint('cursor', at) + tail;
}

const FILTER_HINT = 'text  !not  rate>100  p99>5ms  comm=nginx  a|b';
const JUMP_HINT = '02:00:05  2026-11-21T02:00:05Z  -5m  +30s';

/** @param help what may be typed, and what the keys do then */
function drawPrompt(pen: Pen, prompt: Line & { readonly error: string | null }, label: string, help: readonly [empty: string, typed: string], width: number): string {
  const hint = prompt.error ?? (prompt.text === '' ? help[0] : help[1]);
  const hintWidth = Math.min(pen.width(pen.clean(hint)), Math.max(0, width - label.length - 16));
  const shownHint = hintWidth >= 8 ? hintWidth : 0;
  const text = width - label.length - (shownHint > 0 ? shownHint + 3 : 0);
  if (text < 4) return pen.fit(`${label}${prompt.text}`, width, 'left', 'start');
  const right = shownHint > 0 ? `  ${pen.paint(prompt.error === null ? 'dim' : 'bad', pen.fit(hint, shownHint))} ` : '';
  return pen.paint('key', label) + field(pen, prompt, text) + right;
}

/** Label of a binding where the state changes its meaning. */
function labelOf(binding: Binding, state: State): string {
  switch (binding.command) {
    case 'pause': return state.travel === null ? binding.label : state.travel.playing ? 'Pause' : state.reach === 'recording' ? 'Play' : 'Live';
    case 'newest': return state.reach === 'recording' ? 'End' : 'Live';
    case 'play': return state.travel?.playing ? 'Hold' : binding.label;
    case 'zoom': return state.zoomed ? 'Unzoom' : binding.label;
    case 'totals': return state.totals ? 'Interval' : binding.label;
    case 'heatMap': return state.heatMap ? 'Histogram' : binding.label;
    case 'drive': return isDriving(state) ? 'Let go' : binding.label;
    case 'follow': return isFollowing(state) ? 'Alone' : binding.label;
    default: return binding.label;
  }
}

const placeOf = ({ footer, footerInPast }: Binding, { travel }: State): number | undefined => (travel === null ? footer : footerInPast ?? footer);

const key = (pen: Pen, name: string, label: string, rank: number): LinePiece => ({
  spans: [{ text: keyName(name, pen.ascii), role: 'key' }, { text: ` ${label}`, role: 'text' }], rank,
});

/** Exactly `width` cells. */
export function drawFooter(state: State, pen: Pen, width: number): string {
  if (state.prompt !== null) return drawPrompt(pen, state.prompt, ` ${paneOf(state.prompt.pane).title} /`, [FILTER_HINT, 'Enter keeps  Esc drops'], width);
  if (state.jump !== null) return drawPrompt(pen, state.jump, ' time: ', [JUMP_HINT, 'Enter goes there  Esc leaves it'], width);
  if (state.message !== null) return drawLine(pen, width, [{ spans: [state.message], rank: 0 }], []);
  const context = contextOfState(state);
  const pieces = activeBindings(state)
    .flatMap((binding) => (placeOf(binding, state) === undefined || !binding.context.includes(context) ? [] : [{ binding, place: placeOf(binding, state) ?? 0 }]))
    .toSorted((a, b) => a.place - b.place).map(({ binding, place }) => key(pen, binding.keys[0] ?? '', labelOf(binding, state), 1 + place));
  const interval: LinePiece[] = state.can.setInterval && !state.readOnly && context === 'main'
    ? [{ spans: [{ text: '+/-', role: 'key' }, { text: ` ${intervalText(state.intervalMs)}s`, role: 'text' }], rank: 9 }] : [];
  return drawLine(pen, width, [...notePieces(state), ...pieces], interval);
}
