/** Charts over time on top of a pane: a small area chart, or when zoomed a line chart with its axis. */
import type { PaneId } from '../../frame/frame.ts';
import { formatPct, formatRate } from '../../frame/units.ts';
import { areaChart, areaSamples } from '../draw/spark.ts';
import { lineChart } from '../draw/chart.ts';
import type { Pen } from '../draw/pen.ts';
import { CHART_TICKS, TREND_TICKS } from '../history/history.ts';
import type { State } from '../model.ts';
import { cellText, columnById } from '../rows.ts';
import type { PaneView } from '../view.ts';
import { scopeOf } from '../view.ts';

interface Subject {
  /** Whose values, and which; raw. */
  readonly caption: string;
  readonly values: Float64Array;
  readonly format: (value: number) => string;
}

/** What the chart of a pane is about: the chosen row where rows have a history, else all of the scope. */
function subjectOf(state: State, view: PaneView, samples: number): Subject {
  const id = view.pane.id;
  const history = state.shown?.history;
  const trend = view.pane.columns.find((column) => column.trendOf !== undefined)?.trendOf;
  const row = state.panes[id].selected !== null || id === 'containers' || id === 'processes' ? view.rows[view.selected] : undefined;
  if (trend !== undefined && row !== undefined && history !== undefined) {
    const column = columnById(view.pane, trend);
    const name = view.columns.filter((one) => one.rank <= 1 && one.unit === 'text' && one.trendOf === undefined).map((one) => cellText(one, row.row, view.context, false)).filter((text) => text !== '-');
    return {
      caption: `${name.join('/')}  ${column?.title ?? ''}`,
      values: history.trend(id, trend, row.members, Math.min(samples, TREND_TICKS)),
      format: column?.unit === 'pct' ? formatPct : formatRate,
    };
  }
  const scope = scopeOf(state);
  // Rates are by container: of one process there are none.
  const whose = scope?.process?.within ?? scope?.label ?? 'all containers';
  if (state.breakdown !== null && id === 'syscalls' && history !== undefined) {
    const values = history.trend(id, 'ratePerSec', view.rows.flatMap((one) => one.members), Math.min(samples, TREND_TICKS));
    return { caption: `${whose}  ${state.breakdown.label} per second`, values, format: formatRate };
  }
  const values = history?.rates(id, history.keysOf(scope), Math.min(samples, CHART_TICKS)) ?? new Float64Array(0);
  return { caption: `${whose}  ${WHAT[id] ?? 'per second'}`, values, format: formatRate };
}

const WHAT: Partial<Record<PaneId, string>> = { syscalls: 'system calls per second', opens: 'opens per second', tcp: 'connections per second' };

const LABEL = 7;

/** The time that `ticks` take, as the axis says it. */
function span(state: State, ticks: number): string {
  const seconds = Math.round((ticks * (state.shown?.frame.intervalMs ?? 1000)) / 1000);
  return seconds < 120 ? `${seconds}s` : `${Math.round(seconds / 60)}m`;
}

/** Exactly `height` lines of `width` cells. */
export function drawChart(state: State, view: PaneView, pen: Pen, width: number, height: number): string[] {
  if (state.zoomed) {
    const room = Math.max(0, width - LABEL - 1);
    const subject = subjectOf(state, view, room);
    const shown = Math.min(room, subject.values.length);
    const ticks = shown > 0 ? `last ${span(state, shown)}` : '';
    const caption = pen.fit(subject.caption, Math.max(0, width - ticks.length)) + pen.fit(ticks, Math.min(width, ticks.length));
    return [pen.paint('dim', caption), ...lineChart(pen, subject.values, width, height - 1, subject.format, LABEL).map((line) => pen.paint('spark', line))];
  }
  const subject = subjectOf({ ...state, panes: { ...state.panes, [view.pane.id]: { ...state.panes[view.pane.id], selected: null } } }, view, areaSamples(pen, width));
  // The last line stays free, so that the chart does not touch the heading.
  return [...areaChart(pen, subject.values, width, height - 1).map((line) => pen.paint('spark', line)), ' '.repeat(width)];
}
