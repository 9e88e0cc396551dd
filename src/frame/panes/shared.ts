/** Columns that several panes have. */
import type { Column } from '../columns.ts';
import type { Latency } from '../frame.ts';
import { ALL_CONTAINERS, fullName } from '../names.ts';

/** Who: namespace/pod/container. */
export function containerColumn<Row extends { readonly container: string }>(rank: number, min = 12, max = 48): Column<Row> {
  return {
    id: 'container', title: 'CONTAINER', unit: 'text', align: 'left', rank, width: { min, max, grow: 3 },
    help: 'Namespace, pod and container, or the service or cgroup where it is not a pod',
    value: (row, context) => (row.container === ALL_CONTAINERS ? 'all' : fullName(context.container(row.container))),
  };
}

type Percentile = 'p50Us' | 'p95Us' | 'p99Us' | 'maxUs';

/** One percentile of a latency, microseconds. */
export function latencyColumn<Row extends { readonly latency: Latency | null }>(
  field: Percentile, title: string, help: string, rank: number, limits?: { readonly warn: number; readonly bad: number },
): Column<Row> {
  return {
    id: field, title, unit: 'us', align: 'right', rank, width: { min: 6, max: 7, grow: 0 }, help,
    value: (row) => row.latency?.[field] ?? null,
    ...(limits && {
      severity: (row: Row) => {
        const us = row.latency?.[field] ?? 0;
        return us >= limits.bad ? 'bad' : us >= limits.warn ? 'warn' : 'ok';
      },
    }),
  };
}
