/** The namespace picker on screen: a list over the panes, narrowed by what is typed. */
import { formatCount, formatPct } from '../../frame/units.ts';
import type { Picker, PickerItem } from '../commands/pick.ts';
import { currentNamespace, pickerItems, pickerPage } from '../commands/pick.ts';
import type { Piece } from '../draw/box.ts';
import { drawBox, innerWidth } from '../draw/box.ts';
import type { Pen } from '../draw/pen.ts';
import type { State } from '../model.ts';

const NUMBERS = ['PODS', 'CONTAINERS', 'CPU%'] as const;
/** Cells of a number with the gap before it. */
const NUMBER = 12;
/** Cells beside a name: the mark before it, and what stands behind the current one. */
const BESIDE_NAME = 2 + 11;

function line(pen: Pen, nameWidth: number, name: string, numbers: readonly string[]): string {
  return pen.fit(name, nameWidth) + numbers.map((text) => pen.fit(text, NUMBER, 'right')).join('');
}

function itemLine(pen: Pen, item: PickerItem, nameWidth: number, width: number, numbers: number, marked: boolean, current: boolean): string {
  const name = `${marked ? pen.symbols.pointer : ' '} ${item.namespace ?? 'all namespaces'}${current ? '  (current)' : ''}`;
  const values = [formatCount(item.pods), formatCount(item.containers), item.cpuPct === null ? '-' : formatPct(item.cpuPct)];
  const text = pen.fit(line(pen, nameWidth, name, values.slice(0, numbers)), width);
  return pen.paint(marked ? 'selected' : current ? 'accent' : item.containers === 0 ? 'dim' : 'text', text);
}

/** Exactly `height` lines of `width` cells, the marked line always among them. */
export function drawPicker(state: State, menu: Picker, pen: Pen, width: number, height: number): string[] {
  const inner = innerWidth(width, 1);
  const items = pickerItems(state, menu);
  const page = pickerPage(state);
  const numbers = Math.max(0, Math.min(NUMBERS.length, Math.floor((inner - 16) / NUMBER)));
  const offset = Math.max(0, Math.min(menu.index - Math.floor(page / 2), items.length - page));
  const now = currentNamespace(state);
  // Of all names, so that nothing moves while the list is narrowed.
  const longest = pickerItems(state, { ...menu, text: '' }).reduce((most, { namespace }) => Math.max(most, namespace?.length ?? 14), 0);
  const nameWidth = Math.min(longest + BESIDE_NAME, inner - numbers * NUMBER);
  const head = pen.paint('heading', pen.fit(line(pen, nameWidth, '  NAMESPACE', NUMBERS.slice(0, numbers)), inner));
  const lines = items.slice(offset, offset + page).map((item, i) => itemLine(pen, item, nameWidth, inner, numbers, offset + i === menu.index, item.namespace === now));
  if (items.length === 0) lines.push(pen.paint('dim', pen.fit(`no namespace holds ${menu.text}`, inner)));
  const title: Piece[] = [{ text: 'namespace', role: 'title', rank: 0 }, menu.text === '' ? { text: ' letters narrow the list', role: 'dim', rank: 2 } : { text: ` ${menu.text}`, role: 'accent', rank: 0 }];
  const facts: Piece[] = items.length > page ? [{ text: `${offset + 1}-${Math.min(items.length, offset + page)} of ${items.length}`, role: 'dim', rank: 1 }] : [];
  return drawBox(pen, { width, height, title, facts, focused: true, pad: 1 }, {
    lines: [head, ...lines], scroll: { offset, shown: page, total: items.length, firstLine: 1 },
  });
}
