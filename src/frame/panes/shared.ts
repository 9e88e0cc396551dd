/** Columns that several panes have. */
import type { Column, RowMetric } from '../columns.ts';
import type { ContainerInfo, Latency, StreamTotal } from '../frame.ts';
import { ALL_CONTAINERS, fullName } from '../names.ts';

/** A name that is not all that there is to know of it. */
export const unsure = (name: string, info: ContainerInfo): string => (info.unresolved === null ? name : `${name}?`);

/** Who: namespace/pod/container. */
export function containerColumn<Row extends { readonly container: string }>(rank: number, min = 12, max = 48): Column<Row> {
  return {
    id: 'container', title: 'CONTAINER', unit: 'text', align: 'left', rank, width: { min, max, grow: 3, ideal: 20 }, cut: 'middle',
    help: 'Namespace, pod and container, or the service or cgroup where it is not a pod; ? when a name is missing, and the details say why',
    value: (row, context) => (row.container === ALL_CONTAINERS ? 'all' : fullName(context.container(row.container))),
    text: (row, context) => {
      if (row.container === ALL_CONTAINERS) return 'all';
      const info = context.container(row.container);
      return unsure(fullName(info), info);
    },
  };
}

/** Which node; of a group on several, how many. */
export function nodeColumn<Row extends { readonly container: string }>(rank: number): Column<Row> {
  return {
    id: 'node', title: 'NODE', unit: 'text', align: 'left', rank, cluster: true, width: { min: 8, max: 32, grow: 2, ideal: 12 }, cut: 'middle', help: 'Node that it runs on',
    value: (row, context) => context.container(row.container).node ?? null,
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

/** What exports tell of a latency besides its percentiles. */
export function latencyExports<Row extends { readonly latency: Latency | null }>(): readonly Column<Row>[] {
  const column = { align: 'right', rank: 99, width: { min: 6, max: 12, grow: 0 } } as const;
  return [
    { ...column, id: 'latencyCount', title: 'TIMED', unit: 'count', help: 'How many of them were timed', value: (row) => row.latency?.count ?? null },
    { ...column, id: 'latencySumUs', title: 'SUM', unit: 'us', help: 'Sum of the times that were measured', value: (row) => row.latency?.sumUs ?? null },
    { ...column, id: 'sampled', title: 'SAMPLED', unit: 'count', help: 'One in so many was timed; 1: all of them', value: (row) => row.latency?.sampled ?? null },
  ];
}

/** A column for exports only. */
export function exportColumn<Row>(id: string, help: string, value: (row: Row) => string | number | null, unit: Column<Row>['unit'] = 'text'): Column<Row> {
  return { id, title: id.toUpperCase(), unit, help, align: unit === 'count' ? 'right' : 'left', rank: 99, width: { min: 4, max: 40, grow: 0 }, value };
}

/** The exact totals of a stream as metrics. @param name "kbtop_opens" @param things what is counted, plural @param labels of an error, besides its errno */
export function totalMetrics(name: string, errorsName: string, things: string, labels?: (errno: string) => Readonly<Record<string, string>>): readonly RowMetric<StreamTotal>[] {
  return [
    { name, kind: 'value', help: `${things} in the interval, exact`, total: `${things}, exact`, value: (total) => total.count },
    { name: errorsName, kind: 'byName', label: 'errno', ...(labels && { labels }), help: `${things} in the interval that failed, by error`, total: `${things} that failed, by error`, values: (total) => total.errors },
  ];
}
