/** The help: every key from the key table, the columns of the focused pane from their definitions. */
import { presentIn } from '../../frame/columns.ts';
import type { Pen } from '../draw/pen.ts';
import type { Binding } from '../keymap.ts';
import { GROUPS, activeBindings, keyName } from '../keymap.ts';
import type { State } from '../model.ts';
import { PANE_IDS } from '../../frame/panes/index.ts';
import { paneOf } from '../rows.ts';
import { beside, blankLine, entryLines, headingLine, textLines } from './text.ts';

const TWO_COLUMNS = 100;
const KEY_WIDTH = 15;

function keysOf(pen: Pen, binding: Binding): string {
  if (binding.command === 'focus') return `1-${PANE_IDS.length}`;
  return binding.keys.map((key) => keyName(key, pen.ascii)).join(' ');
}

function group(state: State, pen: Pen, name: Binding['group'], width: number): string[] {
  const bindings = activeBindings(state).filter((binding) => binding.group === name);
  if (bindings.length === 0) return [];
  return [headingLine(pen, GROUPS[name], width), ...bindings.flatMap((binding) => entryLines(pen, keysOf(pen, binding), binding.description, KEY_WIDTH, width)), blankLine(width)];
}

function columns(state: State, pen: Pen, width: number): string[] {
  const pane = paneOf(state.focus);
  const present = presentIn(pane.columns, state.shown?.frame);
  const titleWidth = Math.max(...present.map((column) => column.title.length));
  return [
    headingLine(pen, `${pane.number} ${pane.title}`, width), ...textLines(pen, pane.help, width, 'dim'),
    ...present.flatMap((column) => entryLines(pen, column.title, column.help, titleWidth, width, { name: 'accent', text: 'text' })), blankLine(width),
  ];
}

const NOTES: readonly (readonly [string, string])[] = [
  ['filter', 'terms apart by spaces must all hold: web  !web  web|db  rate>100  p99>=5ms  mem>100M  comm=nginx  ns=shop  age>1d  "a b"'],
  ['!', 'stands after a value that is bad; colour says the same'],
  ['-', 'unknown, which is not zero'],
  ['?', 'behind a container: a name is missing; d says why'],
  ['lost', 'events that the kernel had no room for, since the start (or 0); counts are exact when it is 0'],
  ['1 row in', 'rates count every event; only so many rows per second are shown'],
  ['self', 'CPU of kbtop plus CPU of its BPF programs, of one CPU'],
  ['sorting', 'values within 10 % of each other are ordered by their mean of three intervals, so that rows keep their places'],
];

function notes(pen: Pen, width: number): string[] {
  return [headingLine(pen, 'Reading the screen', width), ...NOTES.flatMap(([name, text]) => entryLines(pen, name, text, 8, width, { name: 'accent', text: 'text' })), blankLine(width)];
}

/** Lines of exactly `width` cells. */
export function helpLines(state: State, pen: Pen, width: number): string[] {
  const blocks = (w: number) => ({
    left: (['go', 'leave'] as const).flatMap((name) => group(state, pen, name, w)),
    right: (['find', 'show', 'time', 'measure', 'company', 'chaos'] as const).flatMap((name) => group(state, pen, name, w)),
  });
  if (width < TWO_COLUMNS) {
    const { left, right } = blocks(width);
    return [...right, ...left, ...columns(state, pen, width), ...notes(pen, width)];
  }
  const gap = 4, half = Math.floor((width - gap) / 2), rest = width - gap - half;
  const { left } = blocks(half), { right } = blocks(rest);
  return [...beside([...left, ...notes(pen, half)], [...right, ...columns(state, pen, rest)], half, rest, gap)];
}
