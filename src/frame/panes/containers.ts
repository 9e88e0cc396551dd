import type { PaneDef } from '../columns.ts';
import { containerName, podName } from '../names.ts';

export const containers: PaneDef<'containers'> = {
  id: 'containers', number: 5, title: 'containers', kind: 'table',
  help: 'Every container, service and the host itself, with its use of the node and the totals of the other panes',
  defaultSort: { column: 'cpuPct', descending: true },
  rowKey: (row) => row.container,
  isTrouble: (row) => (row.errorsPerSec ?? 0) > 0 || (row.runqueueP99Us ?? 0) >= 5_000,
  columns: [
    { id: 'namespace', title: 'NAMESPACE', unit: 'text', align: 'left', rank: 3, width: { min: 9, max: 20, grow: 1, ideal: 12 }, help: 'Kubernetes namespace',
      value: (row, context) => context.container(row.container).namespace },
    { id: 'pod', title: 'POD', unit: 'text', align: 'left', rank: 1, width: { min: 16, max: 48, grow: 3, ideal: 22 }, cut: 'middle', help: 'Pod, or the start of its uid while its name is not known',
      value: (row, context) => podName(context.container(row.container)) },
    { id: 'container', title: 'CONTAINER', unit: 'text', align: 'left', rank: 0, width: { min: 10, max: 40, grow: 3, ideal: 14 }, cut: 'middle', help: 'Container, service, or last part of the cgroup path',
      value: (row, context) => containerName(context.container(row.container)) },
    { id: 'cpuPct', title: 'CPU%', unit: 'pct', align: 'right', rank: 0, width: { min: 5, max: 6, grow: 0 }, help: 'CPU time; 100 is one CPU', value: (row) => row.cpuPct,
      severity: (row) => ((row.cpuPct ?? 0) >= 90 ? 'warn' : 'ok'), metric: { name: 'kbtop_container_cpu_cores', divisor: 100 } },
    { id: 'trend', title: 'TREND', unit: 'text', align: 'left', rank: 9, width: { min: 6, max: 12, grow: 1 }, trendOf: 'cpuPct', help: 'CPU% over the last ticks', value: () => null },
    { id: 'memoryBytes', title: 'MEM', unit: 'bytes', align: 'right', rank: 4, width: { min: 4, max: 6, grow: 0 }, help: 'Memory charged to the cgroup, page cache included', value: (row) => row.memoryBytes,
      metric: { name: 'kbtop_container_memory_bytes' } },
    { id: 'syscallsPerSec', title: 'SYSC/s', unit: 'perSec', align: 'right', rank: 2, width: { min: 6, max: 7, grow: 0 }, help: 'System calls per second', value: (row) => row.syscallsPerSec },
    { id: 'errorsPerSec', title: 'ERR/s', unit: 'perSec', align: 'right', rank: 6, width: { min: 5, max: 6, grow: 0 }, help: 'Failed system calls per second', value: (row) => row.errorsPerSec },
    { id: 'runqueueP99Us', title: 'RQ P99', unit: 'us', align: 'right', rank: 2, width: { min: 6, max: 7, grow: 0 }, help: '99 % of its waits for a CPU were shorter', value: (row) => row.runqueueP99Us,
      severity: (row) => ((row.runqueueP99Us ?? 0) >= 50_000 ? 'bad' : (row.runqueueP99Us ?? 0) >= 5_000 ? 'warn' : 'ok') },
    { id: 'opensPerSec', title: 'OPEN/s', unit: 'perSec', align: 'right', rank: 5, width: { min: 6, max: 6, grow: 0 }, help: 'Files opened per second', value: (row) => row.opensPerSec },
    { id: 'connectsPerSec', title: 'TCP/s', unit: 'perSec', align: 'right', rank: 5, width: { min: 5, max: 6, grow: 0 }, help: 'TCP connections made or accepted per second', value: (row) => row.connectsPerSec },
    { id: 'tasks', title: 'TASKS', unit: 'count', align: 'right', rank: 7, width: { min: 5, max: 5, grow: 0 }, help: 'Threads', value: (row) => row.tasks,
      metric: { name: 'kbtop_container_tasks' } },
    { id: 'nodename', title: 'NODENAME', unit: 'text', align: 'left', rank: 11, width: { min: 8, max: 24, grow: 1, ideal: 12 }, help: 'UTS nodename its tasks see', value: (row, context) => context.container(row.container).nodename },
    { id: 'pidNs', title: 'PIDNS', unit: 'id', align: 'left', rank: 12, width: { min: 10, max: 10, grow: 0 }, help: 'Inode number of its pid namespace', value: (row, context) => context.container(row.container).pidNs },
    { id: 'cgroup', title: 'CGROUP', unit: 'text', align: 'left', rank: 13, width: { min: 20, max: 120, grow: 1 }, cut: 'start', help: 'Path of the cgroup in its hierarchy', value: (row, context) => context.container(row.container).cgroup },
  ],
};
