/** The list of columns to sort by, inside the focused pane. */
import { sortItems } from '../commands/find.ts';
import type { Pen } from '../draw/pen.ts';
import type { Menu, State } from '../model.ts';

export type SortMenu = Extract<Menu, { kind: 'sort' }>;

/** Cells that the list takes beside the pane's own body. */
export function menuWidth(state: State, menu: SortMenu, pen: Pen, width: number): number {
  const longest = Math.max(0, ...sortItems(state, menu).map((item) => pen.width(pen.clean(item))));
  return Math.min(width, Math.max(12, Math.min(longest + 2, 32)));
}

/** Exactly `height` lines of `width` cells, the marked line always among them. */
export function drawMenu(state: State, menu: SortMenu, pen: Pen, width: number, height: number): string[] {
  if (height <= 0) return [];
  const items = sortItems(state, menu);
  const head = height >= 3 ? 1 : 0;
  const room = height - head;
  const offset = Math.max(0, Math.min(menu.index - Math.floor(room / 2), items.length - room));
  const lines = head === 1 ? [pen.paint('dim', pen.fit('sort by', width))] : [];
  for (let i = 0; i < room; i++) {
    const item = items[offset + i];
    const marked = offset + i === menu.index;
    const text = item === undefined ? ' '.repeat(width) : pen.fit(`${marked ? pen.symbols.pointer : ' '} ${item}`, width);
    lines.push(marked ? pen.paint('selected', text) : text);
  }
  return lines;
}
