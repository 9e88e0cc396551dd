/** The form on screen: fields in as few lines as they fit in, the choices of the one that has the keys, and what is wrong. */
import type { Pen } from '../../draw/pen.ts';
import { textLines } from '../../overlays/text.ts';
import type { State } from '../../model.ts';
import type { Role } from '../../theme.ts';
import { type Choice, choicesOf, errorChoice } from '../choices.ts';
import { type FieldId, type FieldMistake, fieldOf, ruleOfForm, shownFields } from '../fields.ts';
import { typingField } from '../keys.ts';
import type { Panel } from '../model.ts';
import { groundOf } from '../panel.ts';

const LABEL = 8;
const GAP = 3;
/** Cells that a value keeps at least. */
const LEAST_VALUE = 4;

export interface FieldLines {
  readonly lines: readonly string[];
  /** Line of the field that has the keys; null when none has. */
  readonly focus: number | null;
}

interface Cell {
  readonly text: string;
  readonly cells: number;
  readonly focused: boolean;
}

function fieldCell(pen: Pen, panel: Panel, id: FieldId, first: boolean, wrong: boolean, grey: boolean, width: number): Cell {
  const focused = typingField(panel) === id;
  const { label } = fieldOf(id);
  const lead = pen.fit(label, Math.min(width, first ? LABEL : label.length));
  const room = Math.max(0, width - pen.width(lead) - 1);
  const value = pen.clean(panel.form[id]);
  const mark = wrong ? '!' : '';
  // The cursor's cell stands behind what can be typed on.
  const wanted = Math.max(focused ? LEAST_VALUE : 1, pen.width(value) + (focused ? 1 : 0));
  const cells = Math.max(0, Math.min(room - mark.length, wanted));
  const role: Role = focused ? 'selected' : wrong ? 'bad' : grey || value === '' ? 'dim' : 'strong';
  const shown = pen.fit(value === '' && !focused ? '-' : value, cells, 'left', id === 'target' ? 'middle' : 'end');
  const text = `${pen.paint(focused ? 'key' : 'dim', lead)}${room > 0 ? ' ' : ''}${pen.paint(role, shown)}${cells + mark.length <= room ? pen.paint('bad', mark) : ''}`;
  return { text, cells: pen.width(lead) + (room > 0 ? 1 : 0) + cells + (cells + mark.length <= room ? mark.length : 0), focused };
}

/** Cells side by side, in lines of exactly `width` cells. */
function rowLines(cells: readonly Cell[], width: number): { readonly lines: string[]; readonly focus: number | null } {
  const lines: string[] = [];
  let line = '', used = 0, focus: number | null = null;
  const end = (): void => void lines.push(line + ' '.repeat(Math.max(0, width - used)));
  for (const cell of cells) {
    if (used > 0 && used + GAP + cell.cells > width) {
      end();
      line = '';
      used = 0;
    }
    const gap = used === 0 ? 0 : GAP;
    line += ' '.repeat(gap) + cell.text;
    used += gap + cell.cells;
    if (cell.focused) focus = lines.length;
  }
  if (used > 0) end();
  return { lines, focus };
}

export function formLines(state: State, panel: Panel, pen: Pen, width: number): FieldLines {
  const read = ruleOfForm(panel.form);
  const wrong = new Set(read.ok ? [] : read.mistakes.map(({ field }) => field));
  const impossible = errorChoice(panel.form, groundOf(state))?.not != null;
  const lines: string[] = [];
  let focus: number | null = null;
  const shown = shownFields(panel.form);
  for (const row of new Set(shown.map((id) => fieldOf(id).row))) {
    const ids = shown.filter((id) => fieldOf(id).row === row);
    const done = rowLines(ids.map((id, i) => fieldCell(pen, panel, id, i === 0, wrong.has(id) || (id === 'error' && impossible), false, width)), width);
    if (done.focus !== null) focus = lines.length + done.focus;
    lines.push(...done.lines);
  }
  return { lines, focus };
}

/** "(EACCES)": what cannot be had, also without colour. */
const choiceText = ({ value, meaning, not }: Choice, id: FieldId): string => (not !== null ? `(${value})` : id === 'call' && meaning !== null ? `${value} ${meaning}` : value);

/** One line: as many choices as fit, the chosen one among them. */
export function choiceLine(state: State, panel: Panel, pen: Pen, width: number): string {
  const id = typingField(panel);
  const blank = ' '.repeat(width);
  if (id === null) return blank;
  const choices = choicesOf(id, panel.form, panel.narrowed, groundOf(state));
  if (choices.length === 0) return blank;
  const at = choices.findIndex(({ value }) => value === panel.form[id]);
  const texts = choices.map((choice) => pen.clean(choice.value === '' ? 'any' : choiceText(choice, id)));
  const cells = texts.map((text) => pen.width(text) + 2);
  // Begin so that the chosen one is in sight, with the one before it where there is room.
  let from = 0;
  const reach = (start: number): number => cells.slice(start, Math.max(at, start) + 1).reduce((a, b) => a + b, 2);
  while (from < at && reach(from) > width) from += 1;
  let line = '', used = 0;
  if (from > 0 && width > 4) {
    line = pen.paint('dim', `${pen.symbols.ellipsis} `);
    used = 2;
  }
  for (let i = from; i < choices.length && used < width; i++) {
    const room = width - used;
    const text = texts[i] ?? '';
    const last = pen.width(text) > room;
    // Half a name says nothing, unless it is the chosen one.
    if (last && i > from) {
      line += pen.paint('dim', pen.fit(pen.symbols.ellipsis, Math.min(1, room)));
      used += Math.min(1, room);
      break;
    }
    const take = Math.min(pen.width(text), room);
    const gap = Math.min(2, room - take);
    line += pen.paint(i === at ? 'accent' : choices[i]?.not === null ? 'text' : 'dim', pen.fit(text, take)) + ' '.repeat(gap);
    used += take + gap;
  }
  return line + ' '.repeat(Math.max(0, width - used));
}

/** Reasons why choices cannot be had, each once. */
function whyNot(choices: readonly Choice[]): string | null {
  const by = new Map<string, string[]>();
  for (const { value, not } of choices) if (not !== null) by.set(not, [...by.get(not) ?? [], value]);
  const [first] = by;
  if (first === undefined) return null;
  const [reason, values] = first;
  const more = [...by.values()].reduce((n, one) => n + one.length, 0) - values.length;
  return `not here: ${values.slice(0, 4).join(', ')}${values.length > 4 ? ` and ${values.length - 4} more` : ''} (${reason})${more > 0 ? `; ${more} more for other reasons` : ''}`;
}

/** What the line of help says, and how loudly. */
function helpOf(state: State, panel: Panel, mistakes: readonly FieldMistake[]): readonly { readonly text: string; readonly role: Role }[] {
  const id = typingField(panel);
  if (id === null) return [];
  const own = mistakes.find(({ field }) => field === id);
  // What has not been filled in yet is no mistake to be told loudly.
  const role: Role = panel.form[id] === '' ? 'dim' : 'bad';
  const ground = groundOf(state);
  if (id === 'error') {
    const chosen = errorChoice(panel.form, ground);
    const choices = choicesOf('error', panel.form, null, ground);
    const not = whyNot(choices.filter(({ value }) => value !== chosen?.value));
    const about: { text: string; role: Role }[] = [];
    const [first] = choices;
    if (chosen === null && first !== undefined && choices.every((choice) => choice.not !== null)) return [{ text: `no error can be had here, only a delay or a signal: ${first.not}`, role: 'warn' }];
    if (own !== undefined) about.push({ text: own.message, role });
    else if (chosen !== null) about.push(chosen.not === null ? { text: `${chosen.value}: ${chosen.meaning ?? ''}`, role: 'text' } : { text: `${chosen.value} cannot be had: ${chosen.not}`, role: 'bad' });
    if (not !== null) about.push({ text: not, role: 'dim' });
    return about.length > 0 ? about : [{ text: fieldOf(id).help, role: 'dim' }];
  }
  return [own === undefined ? { text: fieldOf(id).help, role: 'dim' } : { text: own.message, role }];
}

/** @param height exactly so many lines, so that nothing below them moves */
export function helpLines(state: State, panel: Panel, pen: Pen, width: number, height: number): string[] {
  const read = ruleOfForm(panel.form);
  const lines = helpOf(state, panel, read.ok ? [] : read.mistakes).flatMap(({ text, role }) => textLines(pen, text, width, role));
  return Array.from({ length: height }, (_, i) => lines[i] ?? ' '.repeat(width));
}
