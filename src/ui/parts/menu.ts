/** A list to choose from, inside the focused pane. */
import { menuItems } from '../commands/find.ts';
import type { Pen } from '../draw/pen.ts';
import type { State } from '../model.ts';

const TITLE = { sort: 'sort by', namespace: 'namespace' } as const;

/** Cells that the list takes beside the pane's own body. */
export function menuWidth(state: State, pen: Pen, width: number): number {
  const longest = Math.max(0, ...menuItems(state).map((item) => pen.width(pen.clean(item))));
  return Math.min(width, Math.max(12, Math.min(longest + 2, 32)));
}

/** Exactly `height` lines of `width` cells, the marked line always among them. */
export function drawMenu(state: State, pen: Pen, width: number, height: number): string[] {
  const { menu } = state;
  if (menu === null || height <= 0) return [];
  const items = menuItems(state);
  const head = height >= 3 ? 1 : 0;
  const room = height - head;
  const offset = Math.max(0, Math.min(menu.index - Math.floor(room / 2), items.length - room));
  const lines = head === 1 ? [pen.paint('dim', pen.fit(TITLE[menu.kind], width))] : [];
  for (let i = 0; i < room; i++) {
    const item = items[offset + i];
    const marked = offset + i === menu.index;
    const text = item === undefined ? ' '.repeat(width) : pen.fit(`${marked ? pen.symbols.pointer : ' '} ${item}`, width);
    lines.push(marked ? pen.paint('selected', text) : text);
  }
  return lines;
}
