/** Who stands where: pure arithmetic from the size of the terminal and what is zoomed. */
import type { PaneId } from '../frame/frame.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
import type { State } from './model.ts';

/** Below this, one pane and a line of tabs. */
export const GRID_WIDTH = 80;
export const GRID_HEIGHT = 24;
/** From this width on, bodies stand one cell off their frames. */
const ROOMY_WIDTH = 120;

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
  readonly tabs: 0 | 1;
  readonly footer: 0 | 1;
  /** Lines between header (or tabs) and footer. */
  readonly bodyHeight: number;
  /** Panes from top to bottom, those of one row from left to right; together as large as the body. */
  readonly rows: readonly (readonly PlacedPane[])[];
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

/** Place everything. The parts always fill the terminal exactly. */
export function calculateLayout(state: State): Layout {
  const { width, height } = state.size;
  const small = width < GRID_WIDTH || height < GRID_HEIGHT;
  const header = height >= 3 ? 1 : 0;
  const footer = height >= 6 ? 1 : 0;
  const tabs = small && !state.zoomed && height >= 7 ? 1 : 0;
  const bodyHeight = Math.max(0, height - header - tabs - footer);
  const rows = small || state.zoomed ? [[{ id: state.focus, width, height: bodyHeight, behind: [] }]] : grid(state, width, bodyHeight);
  return { width, height, header, tabs, footer, bodyHeight, rows, pad: width >= ROOMY_WIDTH ? 1 : 0 };
}

/** Where a pane stands; null when it is not on screen. */
export function placeOf(layout: Layout, id: PaneId): PlacedPane | null {
  return layout.rows.flat().find((pane) => pane.id === id) ?? null;
}
