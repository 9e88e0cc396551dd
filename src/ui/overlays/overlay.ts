/** Help, nodes, details and viewers: a text over the panes, as long as it needs, scrolled. */
import type { Pen } from '../draw/pen.ts';
import { penOf } from '../draw/pen.ts';
import type { Piece } from '../draw/box.ts';
import { drawBox, innerWidth } from '../draw/box.ts';
import { viewerLines } from '../company/draw/viewers.ts';
import { calculateLayout } from '../layout.ts';
import type { Overlay, State } from '../model.ts';
import { detailLines, detailTitle } from './details.ts';
import { helpLines } from './help.ts';
import { nodesLines, nodesTitle } from './nodes.ts';

function titleOf(state: State, overlay: Overlay): Piece[] {
  switch (overlay.kind) {
    case 'details': return detailTitle(state, overlay);
    case 'nodes': return nodesTitle(state);
    case 'help': case 'viewers': return [{ text: overlay.kind, role: 'title', rank: 0 }];
  }
}

function content(state: State, pen: Pen, width: number): string[] {
  const { overlay } = state;
  if (overlay === null || width <= 0) return [];
  switch (overlay.kind) {
    case 'help': return helpLines(state, pen, width);
    case 'nodes': return nodesLines(state, pen, width);
    case 'viewers': return viewerLines(state, pen, width);
    case 'details': return detailLines(state, overlay, pen, width);
  }
}

function room(state: State): { readonly width: number; readonly height: number; readonly pad: number } {
  const layout = calculateLayout(state);
  return { width: innerWidth(layout.width, 1), height: Math.max(0, layout.bodyHeight + layout.tabs - 2), pad: 1 };
}

/** Lines that the open overlay has. */
export const overlayLength = (state: State): number => content(state, penOf(0, state.symbols), room(state).width).length;

/** Lines of it that are on screen at once. */
export const overlayPage = (state: State): number => room(state).height;

/** Exactly `height` lines of `width` cells. */
export function drawOverlay(state: State, pen: Pen, width: number, height: number): string[] {
  const { overlay } = state;
  if (overlay === null) return [];
  const { width: inner, height: page, pad } = room(state);
  const lines = content(state, pen, inner);
  const offset = Math.max(0, Math.min(overlay.scroll, lines.length - page));
  const title = titleOf(state, overlay);
  const facts: Piece[] = lines.length > page ? [{ text: `${offset + 1}-${Math.min(lines.length, offset + page)} of ${lines.length}`, role: 'dim', rank: 1 }] : [];
  return drawBox(pen, { width, height, title, facts, focused: true, pad }, {
    lines: lines.slice(offset, offset + page), scroll: { offset, shown: page, total: lines.length, firstLine: 0 },
  });
}
