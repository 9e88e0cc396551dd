/**
 * The metrics of a Frame's panes, one number after the other, from the panes' tables. A snapshot makes gauges of the
 * interval of them, the endpoint adds them up.
 */
import type { MetricName, RowContext, RowMetric } from '../frame/columns.ts';
import type { Frame, Latency, Loss, PaneId } from '../frame/frame.ts';
import { HIST_BOUNDS_NS, HIST_BUCKETS, bucketOf } from '../frame/histogram.ts';
import { contextOf } from '../frame/names.ts';
import { type AnyPane, type AnyRow, paneDef, rowsOf } from './any-pane.ts';
import { boundText, labelText } from './exposition.ts';

/** Upper bounds of the exported histograms, microseconds: every second octave of the kernel's buckets, so that no count is split. */
export const LE_US: readonly number[] = Array.from({ length: 14 }, (_, i) => 2 ** (10 + 2 * i) / 1000);

/** The bounds as `le` has them: seconds, and what lies above all. */
export const LE_TEXT: readonly string[] = [...LE_US.map((us) => boundText(us / 1e6)), '+Inf'];

/** For each of the kernel's buckets the index of its bound in LE_US; one past the last where it is above all. */
const LE_OF_BUCKET = Uint8Array.from({ length: HIST_BUCKETS }, (_, i) => {
  const lowerUs = (HIST_BOUNDS_NS[i] ?? 0) / 1000;
  const found = LE_US.findIndex((upper) => lowerUs < upper);
  return found < 0 ? LE_US.length : found;
});

/** Index of the bound in LE_US that a bucket of a Latency falls under. */
export const boundOf = (lowerUs: number): number => LE_OF_BUCKET[bucketOf(lowerUs)] ?? LE_US.length;

/** A metric as a table states it. */
export interface Metric {
  /** Without suffixes. */
  readonly name: string;
  /** Of the interval. */
  readonly help: string;
  /** As something that grows; absent: it does not, and is as it is at the interval's end. */
  readonly total?: string;
  /** Of rows that share their labels. */
  readonly combine: 'sum' | 'max';
}

/** Takes what the walk finds. `container` is the key of whom it is about, null for the node's; `labels` is text. */
export interface MetricSink {
  number(metric: Metric, container: string | null, labels: string, value: number): void;
  latency(metric: Metric, container: string, labels: string, latency: Latency): void;
}

const LOSSES = {
  lostRing: 'ring_full', lostMap: 'map_full', lostFault: 'fault', overBudget: 'over_budget', unattributed: 'unattributed',
} as const satisfies Partial<Record<keyof Loss, string>>;

const PANE_UP: Metric = { name: 'kbtop_pane_up', help: '1 when the pane could be measured', combine: 'sum' };
const SEEN: Metric = { name: 'kbtop_pane_events_seen', help: 'Events of the pane in the interval, kept or lost', total: 'Events of the pane, kept or lost', combine: 'sum' };
const KEPT: Metric = {
  name: 'kbtop_pane_events_kept', help: 'Events of the pane in the interval that its numbers are made of', total: 'Events of the pane that its numbers are made of', combine: 'sum',
};
const LOST: Metric = {
  name: 'kbtop_pane_events_lost', help: 'Events of the pane in the interval that are missing or incomplete, by cause',
  total: 'Events of the pane that are missing or incomplete, by cause', combine: 'sum',
};
const SAMPLED: Metric = { name: 'kbtop_pane_sampled_one_in', help: 'One event in so many was timed', combine: 'sum' };

interface ColumnMetric {
  readonly metric: Metric;
  readonly divisor: number;
  readonly column: AnyPane['columns'][number];
}

interface PaneMetrics {
  readonly columns: readonly ColumnMetric[];
  readonly rows: readonly (readonly [RowMetric<AnyRow>, Metric])[];
  readonly totals: readonly (readonly [NonNullable<AnyPane['totalMetrics']>[number], Metric])[];
}

const ofColumn = ({ name, help, total, combine = 'sum' }: MetricName, columnHelp: string): Metric => ({ name, help: help ?? columnHelp, ...(total !== undefined && { total }), combine });
const ofRow = <Row>({ name, help, total }: RowMetric<Row>): Metric => ({ name, help, total, combine: 'sum' });

/** What a pane's table says, read once. */
const known = new Map<PaneId, PaneMetrics>();
function metricsOf(pane: AnyPane): PaneMetrics {
  let found = known.get(pane.id);
  if (!found) {
    found = {
      columns: pane.columns.flatMap((column) => (column.metric ? [{ column, metric: ofColumn(column.metric, column.help), divisor: column.metric.divisor ?? 1 }] : [])),
      rows: (pane.metrics ?? []).map((metric) => [metric, ofRow(metric)] as const),
      totals: (pane.totalMetrics ?? []).map((metric) => [metric, ofRow(metric)] as const),
    };
    known.set(pane.id, found);
  }
  return found;
}

const joinLabels = (a: string, b: string): string => (a === '' ? b : `${a},${b}`);

function walkMetric<Row>(sink: MetricSink, [from, metric]: readonly [RowMetric<Row>, Metric], row: Row, container: string, labels: string): void {
  if (from.kind === 'value') {
    const value = from.value(row);
    if (value !== null) sink.number(metric, container, labels, value);
  } else if (from.kind === 'byName') {
    const values = from.values(row);
    for (const name in values) sink.number(metric, container, joinLabels(labels, labelText({ [from.label]: name, ...from.labels?.(name) })), values[name] ?? 0);
  } else {
    const latency = from.latency(row);
    if (latency !== null && latency.count > 0) sink.latency(metric, container, labels, latency);
  }
}

function walkRows(sink: MetricSink, pane: AnyPane, rows: readonly AnyRow[], context: RowContext): void {
  const { columns, rows: metrics } = metricsOf(pane);
  for (const row of rows) {
    const labels = pane.labels ? labelText(pane.labels(row)) : '';
    for (const { column, metric, divisor } of columns) {
      const value = column.value(row, context);
      if (typeof value === 'number') sink.number(metric, row.container, labels, value / divisor);
    }
    for (const metric of metrics) walkMetric(sink, metric, row, row.container, labels);
  }
}

/** One pane's state, losses and rows. A pane that is down has nothing else to say. */
export function walkPane(frame: Frame, id: PaneId, sink: MetricSink): void {
  const pane = frame.panes[id];
  const def = paneDef(id);
  const labels = labelText({ pane: id });
  sink.number(PANE_UP, null, labels, pane.state.status === 'ok' ? 1 : 0);
  if (pane.state.status !== 'ok') return;
  sink.number(SEEN, null, labels, pane.loss.seen);
  sink.number(KEPT, null, labels, pane.loss.kept);
  for (const [key, cause] of Object.entries(LOSSES)) sink.number(LOST, null, joinLabels(labels, labelText({ cause })), pane.loss[key as keyof typeof LOSSES]);
  const rows = rowsOf(frame, id);
  let sampled = 0;
  for (const row of rows) if ('latency' in row && row.latency) sampled = Math.max(sampled, row.latency.sampled);
  if (sampled > 0) sink.number(SAMPLED, null, labels, sampled);
  if (def.kind === 'table') walkRows(sink, def, rows, contextOf(frame));
  if (!('totals' in pane)) return;
  for (const total of pane.totals) for (const metric of metricsOf(def).totals) walkMetric(sink, metric, total, total.container, '');
}
