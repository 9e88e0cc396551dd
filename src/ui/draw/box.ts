/** A pane's frame: title on the left of its top edge, facts on the right, pointer and scroll bar in its sides. */
import type { Role } from '../theme.ts';
import type { Pen } from './pen.ts';

/** A piece of a title. Those with the highest `rank` leave first when there is no room; rank 0 is cut instead. */
export interface Piece {
  readonly text: string;
  readonly role: Role;
  readonly rank: number;
}

/** Where a body stands in what it is a part of. */
export interface Scroll {
  readonly offset: number;
  readonly shown: number;
  readonly total: number;
  /** Body line that the first row stands on. */
  readonly firstLine: number;
}

export interface Body {
  /** Painted lines of exactly innerWidth cells; missing ones are blank. */
  readonly lines: readonly string[];
  /** Line of the selected row. */
  readonly selected?: number | null;
  readonly scroll?: Scroll | null;
}

export interface Frame {
  readonly width: number;
  readonly height: number;
  readonly title: readonly Piece[];
  readonly facts: readonly Piece[];
  readonly focused: boolean;
  /** Cells left free inside the left and the right edge. */
  readonly pad: number;
}

const padOf = (width: number, pad: number): number => (width >= 20 ? pad : 0);

/** Cells that a body has inside a frame. */
export const innerWidth = (width: number, pad: number): number => Math.max(0, width - 2 - 2 * padOf(width, pad));


interface Placed { readonly text: string; readonly role: Role; readonly cells: number }

const GAP = 2;

/** Drop pieces until both sides fit into `room` with something of the edge between them. */
function choose(pen: Pen, title: readonly Piece[], facts: readonly Piece[], room: number): { left: Placed[]; right: Placed[] } {
  const entry = (piece: Piece, left: boolean) => {
    const text = pen.clean(piece.text);
    return { piece, left, text, cells: pen.width(text) };
  };
  const all = [...title.map((piece) => entry(piece, true)), ...facts.map((piece) => entry(piece, false))].filter(({ cells }) => cells > 0);
  const need = (): number => {
    const left = all.filter((entry) => entry.left), right = all.filter((entry) => !entry.left);
    const side = (entries: typeof all): number => entries.reduce((n, entry) => n + entry.cells, 0) + (entries.length - 1) + GAP;
    return (left.length > 0 ? side(left) : 0) + (right.length > 0 ? side(right) + 2 : 0);
  };
  while (all.length > 1 && need() > room) {
    const worst = all.reduce((at, entry, i) => (entry.piece.rank >= (all[at]?.piece.rank ?? 0) ? i : at), 0);
    if (all[worst]?.piece.rank === 0) break;
    all.splice(worst, 1);
  }
  const place = (left: boolean): Placed[] => all.filter((entry) => entry.left === left).map(({ text, piece, cells }) => ({ text, role: piece.role, cells }));
  return { left: place(true), right: place(false) };
}

function join(pen: Pen, pieces: readonly Placed[], room: number): { text: string; cells: number } {
  let text = '', cells = 0;
  for (const piece of pieces) {
    const gap = cells === 0 ? 0 : 1;
    const left = room - cells - gap;
    if (left <= 0) break;
    const width = Math.min(piece.cells, left);
    text += ' '.repeat(gap) + pen.paint(piece.role, pen.fit(piece.text, width));
    cells += gap + width;
  }
  return { text, cells };
}

function topEdge(pen: Pen, frame: Frame): string {
  const { topLeft, topRight, horizontal } = boxOf(pen, frame.focused);
  const role: Role = frame.focused ? 'focus' : 'border';
  const inner = frame.width - 2;
  const edge = (n: number): string => pen.paint(role, horizontal.repeat(Math.max(0, n)));
  const corner = (c: string): string => pen.paint(role, c);
  if (inner < 4) return corner(topLeft) + edge(inner) + corner(topRight);
  const chosen = choose(pen, frame.title, frame.facts, inner - 2);
  const left = join(pen, chosen.left, inner - 2 - GAP);
  const room = inner - 2 - (left.cells > 0 ? left.cells + GAP : 0) - GAP - 1;
  const right = chosen.right.length > 0 && room > 0 ? join(pen, chosen.right, room) : { text: '', cells: 0 };
  const leftText = left.cells > 0 ? ` ${left.text} ` : '';
  const rightText = right.cells > 0 ? ` ${right.text} ` : '';
  const filled = 1 + (left.cells > 0 ? left.cells + GAP : 0) + (right.cells > 0 ? right.cells + GAP + 1 : 0);
  return corner(topLeft) + edge(1) + leftText + edge(inner - filled) + rightText + edge(right.cells > 0 ? 1 : 0) + corner(topRight);
}

function boxOf(pen: Pen, focused: boolean) {
  return focused && pen.theme.depth === 0 ? pen.symbols.heavyBox : pen.symbols.box;
}

/** First and one past the last body line of the scroll bar's thumb; null when all rows are shown. */
function thumbOf(scroll: Scroll | null | undefined): readonly [number, number] | null {
  if (!scroll || scroll.shown <= 0 || scroll.total <= scroll.shown) return null;
  const size = Math.max(1, Math.round((scroll.shown * scroll.shown) / scroll.total));
  const last = scroll.total - scroll.shown;
  const at = Math.round((Math.min(scroll.offset, last) / last) * (scroll.shown - size));
  return [scroll.firstLine + at, scroll.firstLine + at + size];
}

/** The frame around a body: exactly `height` lines of `width` cells. Below 2x2 there is no room for a frame. */
export function drawBox(pen: Pen, frame: Frame, body: Body): string[] {
  const { width, height } = frame;
  if (width < 2 || height < 2) return Array.from({ length: Math.max(0, height) }, () => ' '.repeat(Math.max(0, width)));
  const box = boxOf(pen, frame.focused);
  const role: Role = frame.focused ? 'focus' : 'border';
  const side = pen.paint(role, box.vertical);
  const thumb = thumbOf(body.scroll);
  const pad = ' '.repeat(padOf(width, frame.pad));
  const blank = ' '.repeat(innerWidth(width, frame.pad));
  const lines = [topEdge(pen, frame)];
  for (let i = 0; i < height - 2; i++) {
    const left = body.selected === i && frame.focused ? pen.paint('accent', pen.symbols.pointer) : side;
    const right = thumb && i >= thumb[0] && i < thumb[1] ? pen.paint('accent', pen.symbols.thumb) : side;
    lines.push(left + pad + (body.lines[i] ?? blank) + pad + right);
  }
  lines.push(pen.paint(role, box.bottomLeft + box.horizontal.repeat(width - 2) + box.bottomRight));
  return lines;
}
