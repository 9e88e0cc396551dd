/** The whole screen as lines: pure, exactly as wide and high as the terminal. */
import { drawPanel } from './chaos/draw/panel.ts';
import type { Pen } from './draw/pen.ts';
import { penOf } from './draw/pen.ts';
import { calculateLayout } from './layout.ts';
import type { State } from './model.ts';
import { drawOverlay } from './overlays/overlay.ts';
import { drawPane } from './panes/pane.ts';
import { drawBanner } from './parts/banner.ts';
import { drawFooter } from './parts/footer.ts';
import { drawHeader } from './parts/header.ts';
import { drawPicker } from './parts/picker.ts';
import { drawTabs } from './parts/tabs.ts';
import { drawTimeBar } from './travel/bar.ts';

const pens = new Map<string, Pen>();

/** The pen for a state's colours and characters. */
export function penFor(state: State): Pen {
  const key = `${state.depth} ${state.symbols}`;
  let pen = pens.get(key);
  if (pen === undefined) {
    pen = penOf(state.depth, state.symbols);
    pens.set(key, pen);
  }
  return pen;
}

/** Exactly `state.size.height` lines of `state.size.width` cells. */
export function drawScreen(state: State): string[] {
  const pen = penFor(state);
  const layout = calculateLayout(state);
  const { width, height } = layout;
  if (width <= 0 || height <= 0) return Array.from({ length: Math.max(0, height) }, () => '');
  const lines: string[] = [];
  if (layout.header) lines.push(drawHeader(state, pen, width));
  if (layout.banner) lines.push(drawBanner(state, pen, width));
  const { panel } = layout;
  if (state.menu?.kind === 'namespace') lines.push(...drawPicker(state, state.menu, pen, width, layout.bodyHeight + layout.tabs));
  else if (state.overlay !== null) lines.push(...drawOverlay(state, pen, width, layout.bodyHeight + layout.tabs));
  else if (panel !== null && !panel.beside) lines.push(...drawPanel(state, pen, width, panel.height));
  else {
    const beside = panel === null ? [] : drawPanel(state, pen, panel.width, panel.height);
    const first = lines.length;
    if (layout.tabs) lines.push(drawTabs(state, pen, width));
    for (const row of layout.rows) {
      const panes = row.map((place) => drawPane(state, place.id, pen, place.width, place.height, layout.pad, place.behind));
      const rows = row[0]?.height ?? 0;
      for (let y = 0; y < rows; y++) lines.push(panes.map((pane) => pane[y] ?? '').join('') + (beside[lines.length - first] ?? ''));
    }
  }
  if (layout.timeBar) lines.push(drawTimeBar(state, pen, width));
  if (layout.footer) lines.push(drawFooter(state, pen, width));
  return lines;
}
