/** Everything that a screen can ask a history for, as plain data. */
import type { Frame } from '../../../src/frame/frame.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { CHART_TICKS, type History, TREND_TICKS } from '../../../src/ui/history/history.ts';
import { paneOf } from '../../../src/ui/rows.ts';

/** Floating-point sums that were taken back differ in their last bits. */
const rounded = (value: number): number => Number(value.toPrecision(9));

/** A key that has been silent for as long as can be seen is zero or not known: nobody can tell from a window. */
const told = (values: Float64Array, long: boolean): (number | null)[] => Array.from(values, (value) => (Number.isNaN(value) ? (long ? 0 : null) : rounded(value)));

/**
 * @param frame whose rows and containers are asked about @param long more Frames went by than can be seen: see told
 * @param totals sums, too; without them whoever moves the window keeps them apart
 */
export function seen(history: History, frame: Frame, long: boolean, totals = false): unknown {
  const containers = Object.keys(frame.containers);
  return {
    trends: PANE_IDS.flatMap((id) => {
      const pane = paneOf(id);
      const columns = pane.columns.flatMap((column) => column.trendOf ?? []);
      return pane.kind === 'stream' ? [] : frame.panes[id].rows.flatMap((row) => columns.map((column) => [pane.rowKey(row), told(history.trend(id, column, [pane.rowKey(row)], TREND_TICKS), long), history.smooth(id, column, [pane.rowKey(row)])]));
    }),
    rates: PANE_IDS.map((id) => [history.keysOf(null), ...containers.map((key) => [key])].map((keys) => told(history.rates(id, keys, CHART_TICKS), long))),
    heat: [history.keysOf(null), ...containers.map((key) => [key])].map((keys) => history.heat(keys, CHART_TICKS).map((values) => told(values, long))),
    streams: PANE_IDS.map((id) => history.stream(id)),
    names: containers.map((key) => history.container(key)),
    ...(totals && { totals: summedOf(history) }),
  };
}

/** The sums in an order of their own, rounded. */
export function summedOf(history: History): unknown {
  const plain = JSON.parse(JSON.stringify(history.totals(), (_key, value: unknown) => (typeof value === 'number' ? rounded(value) : value))) as Record<string, unknown>;
  const byKey = (rows: unknown): unknown => (rows as Record<string, unknown>[]).map((row) => ({ ...row, preemptedBy: undefined, errors: row['errors'] && Object.entries(row['errors']).toSorted() })).toSorted((a, b) => (JSON.stringify([a['container' as never], a['nr' as never]]) < JSON.stringify([b['container' as never], b['nr' as never]]) ? -1 : 1));
  return { elapsedMs: plain['elapsedMs'], syscalls: byKey(plain['syscalls']), runqueue: byKey(plain['runqueue']), lost: PANE_IDS.map((id) => history.lost(id)) };
}
