import type { PaneDef } from '../columns.ts';
import type { RunqueueRow } from '../frame.ts';
import { mergeLatencies } from '../histogram.ts';
import { maxKnown } from '../grouping.ts';
import { containerName } from '../names.ts';
import { containerColumn, latencyColumn, latencyExports, nodeColumn } from './shared.ts';

/** A wait that a person notices, and one that breaks a service: microseconds. */
export const LIMITS = { warn: 5_000, bad: 50_000 };

/** Several cgroups of a container: its CPU limit stands on one of them. */
function merge(rows: readonly RunqueueRow[], container: string): RunqueueRow {
  const by = new Map<string, number>();
  for (const row of rows) for (const p of row.preemptedBy) by.set(p.container, (by.get(p.container) ?? 0) + p.count);
  return {
    container,
    count: rows.reduce((n, row) => n + row.count, 0),
    ratePerSec: rows.reduce((n, row) => n + row.ratePerSec, 0),
    latency: mergeLatencies(rows.map((row) => row.latency)),
    throttledPct: maxKnown(rows, (row) => row.throttledPct),
    preemptedBy: Array.from(by, ([of, count]) => ({ container: of, count })).sort((a, b) => b.count - a.count),
  };
}

export const runqueue: PaneDef<'runqueue'> = {
  id: 'runqueue', number: 2, title: 'run queue', kind: 'table',
  help: 'How long tasks that could run waited for a CPU, by the container that waited, and who ran instead',
  defaultSort: { column: 'p99Us', descending: true },
  rowKey: (row) => row.container,
  groupings: [{ id: 'container', label: 'by container', by: 'container', merge }],
  withKeys: (row, replace) => ({ ...row, preemptedBy: row.preemptedBy.map((by) => ({ ...by, container: replace(by.container) })) }),
  isTrouble: (row) => (row.latency?.p99Us ?? 0) >= LIMITS.warn || (row.throttledPct ?? 0) > 1,
  columns: [
    nodeColumn(1),
    containerColumn(0, 12),
    { id: 'ratePerSec', title: 'RUNS/s', unit: 'perSec', align: 'right', rank: 3, width: { min: 6, max: 8, grow: 0 },
      help: 'Times per second that a task got a CPU after waiting', value: (row) => row.ratePerSec },
    { id: 'count', title: 'COUNT', unit: 'count', align: 'right', rank: 8, width: { min: 5, max: 7, grow: 0 },
      help: 'Waits that ended in the interval', value: (row) => row.count, metric: { name: 'kbtop_runqueue_waits', total: 'Waits for a CPU that ended' } },
    latencyColumn('p50Us', 'P50', 'Half of the waits were shorter', 2),
    latencyColumn('p95Us', 'P95', '95 % of the waits were shorter', 6),
    latencyColumn('p99Us', 'P99', '99 % of the waits were shorter', 0, LIMITS),
    latencyColumn('maxUs', 'MAX', 'The longest wait', 4, LIMITS),
    { id: 'throttledPct', title: 'THR%', unit: 'pct', align: 'right', rank: 5, width: { min: 5, max: 5, grow: 0 },
      help: 'Share of the interval in which its own CPU limit stopped the container: raise the limit, do not blame a neighbour',
      value: (row) => row.throttledPct, severity: (row) => ((row.throttledPct ?? 0) >= 25 ? 'bad' : (row.throttledPct ?? 0) > 1 ? 'warn' : 'ok'),
      metric: { name: 'kbtop_container_cpu_throttled_ratio', help: 'Share of the interval in which its own CPU limit stopped the container', divisor: 100, combine: 'max' } },
    { id: 'preemptedBy', title: 'PREEMPTED BY', unit: 'list', align: 'left', rank: 7, width: { min: 12, max: 120, grow: 2, ideal: 24 },
      help: 'Containers that were given the CPU when this one was preempted, most first',
      value: (row, context) => row.preemptedBy.map((p) => `${containerName(context.container(p.container))} ${p.count}`).join(', ') || null },
  ],
  exports: latencyExports<RunqueueRow>(),
  metrics: [
    { name: 'kbtop_runqueue_latency_seconds', kind: 'latency', help: 'Time that tasks which could run waited for a CPU, of the waits that ended in the interval',
      total: 'Time that tasks which could run waited for a CPU', latency: (row) => row.latency },
  ],
};
