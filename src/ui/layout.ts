/** Who stands where: pure arithmetic from the size of the terminal and what is zoomed. */
import type { PaneId } from '../frame/frame.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
import { hasBanner } from './chaos/armed.ts';
import type { State } from './model.ts';
import { hasTimeBar } from './travel/bar.ts';

/** Below this, one pane and a line of tabs. */
export const GRID_WIDTH = 80;
export const GRID_HEIGHT = 24;
/** From this width on, bodies stand one cell off their frames. */
const ROOMY_WIDTH = 120;
/** From this width on, the panel of chaos stands beside the panes. */
const BESIDE_WIDTH = 150;
/** Its share of it, and its width at most. */
const PANEL_SHARE = 0.45;
const PANEL_WIDTH = 90;

export interface PlacedPane {
  readonly id: PaneId;
  readonly width: number;
  readonly height: number;
  /** Panes that share its place and are not shown now. */
  readonly behind: readonly PaneId[];
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** 1 when there is room for a header, tabs, a footer; 0 when not. */
  readonly header: 0 | 1;
  /** 1 while something is armed; before the header when there is one line only. */
  readonly banner: 0 | 1;
  readonly tabs: 0 | 1;
  /** 1 while the past is shown: the line above the footer that tells which. */
  readonly timeBar: 0 | 1;
  readonly footer: 0 | 1;
  /** Lines between header (or tabs) and footer. */
  readonly bodyHeight: number;
  /** Panes from top to bottom, those of one row from left to right; together as large as the body. */
  readonly rows: readonly (readonly PlacedPane[])[];
  /** Room of the chaos panel, right of the panes or in their place; null when it is not open. */
  readonly panel: { readonly width: number; readonly height: number; readonly beside: boolean } | null;
  /** Cells between a pane's frame and its body. */
  readonly pad: 0 | 1;
}

interface Row {
  /** Cells from left to right; of the panes of one cell, one shows. */
  readonly cells: readonly (readonly PaneId[])[];
  /** Least height, and share of what is left over. */
  readonly min: number;
  readonly weight: number;
}

/** The layouts that `v` goes through. A pane that one of them does not name joins its last row. */
export const LAYOUTS: readonly { readonly name: string; readonly rows: readonly Row[] }[] = [
  { name: 'overview', rows: [
    { cells: [['syscalls'], ['runqueue']], min: 7, weight: 10 }, { cells: [['opens'], ['tcp']], min: 6, weight: 5 }, { cells: [['containers', 'processes']], min: 9, weight: 6 },
  ] },
  { name: 'containers first', rows: [
    { cells: [['containers', 'processes']], min: 10, weight: 12 }, { cells: [['syscalls'], ['runqueue']], min: 7, weight: 6 }, { cells: [['opens'], ['tcp']], min: 5, weight: 3 },
  ] },
  { name: 'events', rows: [
    { cells: [['opens']], min: 7, weight: 8 }, { cells: [['tcp']], min: 7, weight: 8 }, { cells: [['syscalls'], ['runqueue'], ['containers', 'processes']], min: 8, weight: 5 },
  ] },
];

function rowsOf(layout: number): Row[] {
  const rows = [...(LAYOUTS[layout % LAYOUTS.length] ?? { rows: [] }).rows];
  const named = new Set(rows.flatMap((row) => row.cells.flat()));
  const others = PANE_IDS.filter((id) => !named.has(id));
  const last = rows.pop();
  if (last !== undefined) rows.push({ ...last, cells: [...last.cells, ...others.map((id) => [id])] });
  return rows;
}

/** The pane of a cell that shows: the one with the focus, or that had it last. */
function frontOf(state: State, cell: readonly PaneId[]): PaneId {
  const front = cell.includes(state.focus) ? state.focus : state.fronts.find((id) => cell.includes(id));
  return front ?? (cell[0] as PaneId);
}

/** Share `total` out in proportion to the weights, every share at least its minimum; the shares add up to `total`. */
function divide(total: number, parts: readonly { readonly min: number; readonly weight: number }[]): number[] {
  const shares = parts.map((part) => part.min);
  // The banner may have taken a line that the least heights need.
  for (let over = shares.reduce((a, b) => a + b, 0) - total; over > 0 && Math.max(...shares) > 0; over--) shares[shares.indexOf(Math.max(...shares))]! -= 1;
  const spare = Math.max(0, total - shares.reduce((a, b) => a + b, 0));
  const weights = parts.reduce((n, part) => n + part.weight, 0);
  let given = 0, weight = 0;
  return parts.map((part, i) => {
    weight += part.weight;
    const upTo = Math.round((spare * weight) / weights);
    const share = (shares[i] ?? 0) + upTo - given;
    given = upTo;
    return share;
  });
}

function grid(state: State, width: number, height: number): PlacedPane[][] {
  const rows = rowsOf(state.layout);
  const heights = divide(height, rows);
  return rows.map((row, i) => {
    const widths = divide(width, row.cells.map(() => ({ min: 0, weight: 1 })));
    return row.cells.map((cell, j) => {
      const id = frontOf(state, cell);
      return { id, width: widths[j] ?? 0, height: heights[i] ?? 0, behind: cell.filter((other) => other !== id) };
    });
  });
}

/** Room for the panel; beside the panes where they still have a grid. */
function panelOf(state: State, width: number, height: number): Layout['panel'] {
  if (!state.chaos?.panel) return null;
  return width < BESIDE_WIDTH ? { width, height, beside: false } : { width: Math.min(PANEL_WIDTH, Math.floor(width * PANEL_SHARE)), height, beside: true };
}

/** Place everything. The parts always fill the terminal exactly. */
export function calculateLayout(state: State): Layout {
  const { width, height } = state.size;
  const banner = height >= 1 && hasBanner(state) ? 1 : 0;
  const header = height >= 3 + banner ? 1 : 0;
  const footer = height >= 6 + banner ? 1 : 0;
  const timeBar = height >= 7 + banner && hasTimeBar(state) ? 1 : 0;
  const bodyAll = Math.max(0, height - header - banner - timeBar - footer);
  const panel = panelOf(state, width, bodyAll);
  const rest = panel?.beside ? width - panel.width : width;
  const small = rest < GRID_WIDTH || height < GRID_HEIGHT;
  const tabs = small && !state.zoomed && height >= 7 + banner + timeBar && panel === null ? 1 : 0;
  const bodyHeight = bodyAll - tabs;
  const rows = small || state.zoomed ? [[{ id: state.focus, width: rest, height: bodyHeight, behind: [] }]] : grid(state, rest, bodyHeight);
  return { width, height, header, banner, tabs, timeBar, footer, bodyHeight, rows, panel, pad: rest >= ROOMY_WIDTH ? 1 : 0 };
}

/** Where a pane stands; null when it is not on screen. */
export function placeOf(layout: Layout, id: PaneId): PlacedPane | null {
  return layout.rows.flat().find((pane) => pane.id === id) ?? null;
}
