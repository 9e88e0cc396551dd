/** One line out of pieces that leave by rank when there is no room: header, footer, tabs. */
import type { Role } from '../theme.ts';
import type { Pen } from './pen.ts';

export interface LinePiece {
  /** Parts that stay together, each in its colour; raw text. */
  readonly spans: readonly { readonly text: string; readonly role: Role }[];
  /** Higher leaves first; 0 stays and is cut. */
  readonly rank: number;
}

export const linePiece = (text: string, role: Role, rank: number): LinePiece => ({ spans: [{ text, role }], rank });

interface Ready {
  readonly spans: readonly { readonly text: string; readonly role: Role }[];
  readonly rank: number;
  readonly cells: number;
  readonly left: boolean;
}

function ready(pen: Pen, pieces: readonly LinePiece[], left: boolean): Ready[] {
  return pieces.map((piece) => {
    const spans = piece.spans.map((span) => ({ ...span, text: pen.clean(span.text) })).filter((span) => span.text !== '');
    return { spans, rank: piece.rank, left, cells: spans.reduce((n, span) => n + pen.width(span.text), 0) };
  }).filter((piece) => piece.cells > 0);
}

/** Exactly `width` cells: `left` from the left, `right` up to the right edge, `gap` cells between pieces. */
export function drawLine(pen: Pen, width: number, left: readonly LinePiece[], right: readonly LinePiece[], gap = 2): string {
  const pieces = [...ready(pen, left, true), ...ready(pen, right, false)];
  const edge = width >= 20 ? 1 : 0;
  const room = Math.max(0, width - 2 * edge);
  const need = (): number => pieces.reduce((n, piece) => n + piece.cells, 0) + Math.max(0, pieces.length - 1) * gap;
  while (pieces.length > 1 && need() > room) {
    const worst = pieces.reduce((at, piece, i) => (piece.rank >= (pieces[at]?.rank ?? 0) ? i : at), 0);
    if (pieces[worst]?.rank === 0) break;
    pieces.splice(worst, 1);
  }
  let used = 0;
  const side = (wanted: boolean): string => {
    let text = '', first = true;
    for (const piece of pieces.filter((one) => one.left === wanted)) {
      const space = first ? 0 : gap;
      if (used + space >= room) break;
      text += ' '.repeat(space);
      used += space;
      first = false;
      for (const span of piece.spans) {
        const cells = Math.min(pen.width(span.text), room - used);
        text += pen.paint(span.role, pen.fit(span.text, cells));
        used += cells;
      }
    }
    return text;
  };
  const start = side(true);
  const startCells = used;
  used += pieces.some((piece) => !piece.left) && startCells > 0 && used < room ? Math.min(gap, room - used) : 0;
  const spaced = used - startCells;
  const end = side(false);
  return ' '.repeat(edge) + start + ' '.repeat(spaced + room - used) + end + ' '.repeat(edge);
}
