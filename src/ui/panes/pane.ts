/** A whole pane: frame, title, chart, table. Pure: the same state gives the same lines. */
import type { PaneId } from '../../frame/frame.ts';
import type { Body } from '../draw/box.ts';
import { drawBox, innerWidth } from '../draw/box.ts';
import type { Pen } from '../draw/pen.ts';
import { drawTable } from '../draw/table.ts';
import type { State } from '../model.ts';
import { drawMenu, menuWidth } from '../parts/menu.ts';
import { paneView } from '../view.ts';
import { divideBody } from './area.ts';
import { drawChart } from './chart.ts';
import { factsOf, titleOf } from './facts.ts';
import { tableOf } from './fit.ts';
import { emptyLines, reasonLines, statusBody } from './notice.ts';
import { drawRunqueue } from './runqueue.ts';

const below = (top: readonly string[], body: Body): Body => ({
  lines: [...top, ...body.lines],
  selected: body.selected === null || body.selected === undefined ? null : body.selected + top.length,
  scroll: body.scroll ? { ...body.scroll, firstLine: body.scroll.firstLine + top.length } : null,
});

function tableBody(state: State, id: PaneId, pen: Pen, width: number, height: number): Body {
  const view = paneView(state, id);
  if (view === null || height <= 0) return { lines: [] };
  const page = height >= 2 ? height - 1 : height;
  const table = drawTable(pen, tableOf(state, view, page), width, height);
  if (view.rows.length > 0) return table;
  const head = table.lines.slice(0, 1);
  return { lines: [...head, ...emptyLines(state, view, pen, width, height - head.length)] };
}

function bodyOf(state: State, id: PaneId, pen: Pen, width: number, height: number): Body {
  const status = statusBody(state, id, pen, width, height);
  if (status !== null) return { lines: status };
  const reason = reasonLines(state, id, pen, width, height);
  const area = divideBody(state, id, width, height - reason.length);
  const view = paneView(state, id);
  const chart = view === null || area.chart === 0 ? [] : id === 'runqueue' ? drawRunqueue(state, pen, width, area.chart) : drawChart(state, view, pen, width, area.chart);
  const body = below(chart, tableBody(state, id, pen, width, area.table));
  if (reason.length === 0) return body;
  const blank = ' '.repeat(width);
  return { ...body, lines: [...body.lines, ...Array.from({ length: Math.max(0, area.height - body.lines.length) }, () => blank), ...reason] };
}

/** Exactly `height` lines of exactly `width` cells. @param behind panes that share its place */
export function drawPane(state: State, id: PaneId, pen: Pen, width: number, height: number, pad: number, behind: readonly PaneId[] = []): string[] {
  const inner = { width: innerWidth(width, pad), height: Math.max(0, height - 2) };
  const { menu } = state;
  let body: Body;
  if (menu?.kind === 'sort' && menu.pane === id) {
    const beside = menuWidth(state, menu, pen, inner.width);
    const rest = inner.width - beside - 1;
    const list = drawMenu(state, menu, pen, rest >= 12 ? beside : inner.width, inner.height);
    const own = rest >= 12 ? bodyOf(state, id, pen, rest, inner.height) : null;
    const blank = ' '.repeat(Math.max(0, rest));
    body = { lines: own === null ? list : list.map((line, i) => `${line} ${own.lines[i] ?? blank}`) };
  } else body = bodyOf(state, id, pen, inner.width, inner.height);
  return drawBox(pen, { width, height, title: titleOf(state, id, pen, behind), facts: factsOf(state, id, pen, width), focused: state.focus === id, pad }, body);
}
