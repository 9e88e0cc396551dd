import type { PaneDef } from '../columns.ts';
import type { Latency, SyscallRow } from '../frame.ts';
import { mergeLatencies } from '../histogram.ts';
import { containerColumn, exportColumn, latencyColumn, latencyExports, nodeColumn } from './shared.ts';

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0);

function mergeErrors(rows: readonly SyscallRow[]): Record<string, number> | null {
  const all: Record<string, number> = {};
  let known = false;
  for (const { errors } of rows) {
    if (!errors) continue;
    known = true;
    for (const [errno, n] of Object.entries(errors)) all[errno] = (all[errno] ?? 0) + n;
  }
  return known ? all : null;
}

/** Seconds that a row's interval lasted, from its own numbers. */
const perSec = (n: number, row: SyscallRow): number => (row.count === 0 ? 0 : (n * row.ratePerSec) / row.count);

/** "ENOENT 3, EAGAIN 1", most first. */
export function errorText(errors: Readonly<Record<string, number>>): string {
  return Object.entries(errors).sort((a, b) => b[1] - a[1]).map(([errno, n]) => `${errno} ${n}`).join(', ');
}

/** Which call, whoever makes it. */
export const callKey = (row: SyscallRow): string => `${row.abi} ${row.nr}`;

function merge(rows: readonly SyscallRow[], container: string): SyscallRow {
  let latency: Latency | null | undefined;
  return {
    ...(rows[0] as SyscallRow), container,
    count: rows.reduce((n, row) => n + row.count, 0),
    ratePerSec: rows.reduce((n, row) => n + row.ratePerSec, 0),
    injected: rows.reduce((n, row) => n + row.injected, 0),
    errors: mergeErrors(rows),
    // The dearest part, and most rows are never on screen.
    get latency() { return latency === undefined ? (latency = mergeLatencies(rows.map((row) => row.latency))) : latency; },
  };
}

export const syscalls: PaneDef<'syscalls'> = {
  id: 'syscalls', number: 1, title: 'syscalls', kind: 'table',
  help: 'System calls by container: how many, how many failed and with what, and how long they took',
  defaultSort: { column: 'ratePerSec', descending: true },
  rowKey: (row) => `${row.container} ${row.abi} ${row.nr}`,
  groupings: [
    { id: 'all', label: 'all containers', by: null, part: callKey, merge },
    { id: 'container', label: 'by container', by: 'container', part: callKey, merge },
  ],
  isTrouble: (row) => row.errors !== null && sum(row.errors) > 0,
  columns: [
    { id: 'syscall', title: 'SYSCALL', unit: 'text', align: 'left', rank: 0, width: { min: 10, max: 22, grow: 1, ideal: 14 },
      help: 'Name of the system call; calls of another ABI carry it in front',
      value: (row) => row.syscall, text: (row) => (row.abi === 'i386' || row.abi === 'x32' ? `${row.abi}:${row.syscall}` : row.syscall) },
    { id: 'ratePerSec', title: 'RATE/s', unit: 'perSec', align: 'right', rank: 0, width: { min: 6, max: 8, grow: 0 },
      help: 'Calls per second over the interval', value: (row) => row.ratePerSec },
    { id: 'count', title: 'COUNT', unit: 'count', align: 'right', rank: 8, width: { min: 5, max: 7, grow: 0 },
      help: 'Calls in the interval, exact', value: (row) => row.count, metric: { name: 'kbtop_syscalls', total: 'System calls, exact' } },
    { id: 'errorsPerSec', title: 'ERR/s', unit: 'perSec', align: 'right', rank: 1, width: { min: 5, max: 7, grow: 0 },
      help: 'Failed calls per second; calls that the kernel restarts are not failures',
      value: (row) => (row.errors ? perSec(sum(row.errors), row) : null),
      text: (row) => { const n = row.errors ? perSec(sum(row.errors), row) : null; return n === null || n === 0 ? '-' : n < 0.05 ? '<0.1' : n < 99.95 ? n.toFixed(1) : n < 999.5 ? n.toFixed(0) : `${(n / 1000).toFixed(1)}k`; },
      severity: (row) => (row.errors && sum(row.errors) > row.count / 2 ? 'bad' : row.errors && sum(row.errors) > 0 ? 'warn' : 'ok') },
    { id: 'injected', title: 'INJ', unit: 'count', align: 'right', rank: 9, width: { min: 3, max: 6, grow: 0 },
      help: 'Calls that failed because kbtop made them fail (chaos)', value: (row) => row.injected,
      severity: (row) => (row.injected > 0 ? 'bad' : 'ok'), metric: { name: 'kbtop_syscalls_injected', total: 'System calls that failed because kbtop made them fail (chaos)' } },
    latencyColumn('p50Us', 'P50', 'Half of the calls took less', 5),
    latencyColumn('p95Us', 'P95', '95 % of the calls took less', 7),
    latencyColumn('p99Us', 'P99', '99 % of the calls took less', 2),
    latencyColumn('maxUs', 'MAX', 'The slowest call that ended in the interval', 6),
    { id: 'trend', title: 'TREND', unit: 'text', align: 'left', rank: 3, width: { min: 6, max: 20, grow: 1 }, trendOf: 'ratePerSec',
      help: 'Rate over the last ticks', value: () => null },
    { id: 'topError', title: 'ERRORS', unit: 'text', align: 'left', rank: 10, width: { min: 8, max: 28, grow: 1 },
      help: 'Errors by name, most first', value: (row) => (row.errors ? errorText(row.errors) : null) },
    nodeColumn(4),
    containerColumn(4, 14),
  ],
  exports: [
    exportColumn('abi', 'ABI of the call: the kernel numbers calls by ABI', (row) => row.abi),
    exportColumn('nr', 'Number of the call in its ABI', (row) => row.nr, 'id'),
    exportColumn('errors', 'Failed calls in the interval', (row) => (row.errors ? sum(row.errors) : null), 'count'),
    ...latencyExports<SyscallRow>(),
  ],
  labels: (row) => ({ abi: row.abi, syscall: row.syscall }),
  metrics: [
    { name: 'kbtop_syscall_errors', kind: 'byName', label: 'errno', help: 'Failed calls in the interval by error; calls that the kernel restarts are not failures',
      total: 'System calls that failed, by error; calls that the kernel restarts are not failures', values: (row) => row.errors },
    { name: 'kbtop_syscall_latency_seconds', kind: 'latency', help: 'Time in the call, of the calls that ended in the interval and were timed',
      total: 'Time in the system call; a call that was timed as one in N counts N times', latency: (row) => row.latency },
  ],
};
