/** How a pane's body is divided: chart on top, table below, notices at the bottom. One answer for drawing and for keys. */
import type { PaneId } from '../../frame/frame.ts';
import { innerWidth } from '../draw/box.ts';
import { calculateLayout, placeOf } from '../layout.ts';
import type { State } from '../model.ts';
import { split, usualRange } from './waits.ts';

export interface Area {
  /** Cells and lines inside the frame. */
  readonly width: number;
  readonly height: number;
  /** Lines of the chart, 0 for none. */
  readonly chart: number;
  /** Lines of the table with its heading, 0 for none. */
  readonly table: number;
}

/** A chart's caption takes one line more than the chart. */
const ZOOM_CHART = 9;
const WIDE = 50;
/** Cells from which histogram and heat map of the run queue stand beside each other. */
export const BESIDE = 100;

function chartLines(state: State, id: PaneId, width: number, height: number): number {
  if (id === 'runqueue') {
    if (state.shown === null || height < (state.zoomed ? 16 : 26)) return height;
    const range = usualRange(state.shown);
    const most = Math.max(9, Math.floor(height * (state.zoomed ? 0.45 : 0.7)));
    // As many lines as the scale has rows in this height, a rule above each chart, one free line below.
    if (width >= BESIDE) return 2 + split(range, most - 2).length;
    return state.zoomed ? 1 + split(range, most - 1).length : 2 + 2 * split(range, Math.floor((most - 2) / 2)).length;
  }
  if (width < WIDE) return 0;
  if (state.zoomed) return height >= 20 ? ZOOM_CHART : 0;
  return id === 'syscalls' && height >= 12 ? 3 : 0;
}

/** The division of a body of this size. */
export function divideBody(state: State, id: PaneId, width: number, height: number): Area {
  const chart = chartLines(state, id, width, height);
  return { width, height, chart, table: Math.max(0, height - chart) };
}

/** The division of a pane where it stands now; null when it is not on screen. */
export function areaOf(state: State, id: PaneId): Area | null {
  const layout = calculateLayout(state);
  const place = placeOf(layout, id);
  return place === null ? null : divideBody(state, id, innerWidth(place.width, layout.pad), Math.max(0, place.height - 2));
}

/** Rows that the table of a pane shows at once. */
export function pageOf(state: State, id: PaneId): number {
  const table = areaOf(state, id)?.table ?? 0;
  return table >= 2 ? table - 1 : table;
}
