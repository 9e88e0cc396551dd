import type { Grouping, PaneDef } from '../columns.ts';
import type { ContainerInfo, ContainerRow } from '../frame.ts';
import { type GroupBy, GROUPS, maxKnown, sumKnown } from '../grouping.ts';
import { containerName, podName } from '../names.ts';
import { ownerName, statusSeverity } from '../pod.ts';
import { UNKNOWN } from '../units.ts';
import { LIMITS } from './runqueue.ts';
import { nodeColumn, unsure } from './shared.ts';

/** Rows hold only what is charged to their own cgroups, so nothing is counted twice. */
function merge(rows: readonly ContainerRow[], container: string): ContainerRow {
  return {
    container, cpuPct: sumKnown(rows, (row) => row.cpuPct), memoryBytes: sumKnown(rows, (row) => row.memoryBytes),
    syscallsPerSec: sumKnown(rows, (row) => row.syscallsPerSec), errorsPerSec: sumKnown(rows, (row) => row.errorsPerSec),
    runqueueP99Us: maxKnown(rows, (row) => row.runqueueP99Us), opensPerSec: sumKnown(rows, (row) => row.opensPerSec),
    connectsPerSec: sumKnown(rows, (row) => row.connectsPerSec), tasks: sumKnown(rows, (row) => row.tasks),
  };
}

const grouping = (by: GroupBy): Grouping<ContainerRow> => ({ id: by, label: `by ${by}`, by, merge, ...(by === 'node' && { cluster: true }) });

const QOS = { Guaranteed: 'GA', Burstable: 'BU', BestEffort: 'BE' } as const satisfies Record<NonNullable<ContainerInfo['qos']>, string>;

/** Seconds since an ISO time; null when there is none to read. */
function secondsSince(from: string | null, to: string): number | null {
  if (from === null) return null;
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  return Number.isNaN(seconds) ? null : seconds;
}

export const containers: PaneDef<'containers'> = {
  id: 'containers', number: 5, title: 'containers', kind: 'table',
  help: 'Every container, service and the host itself, with its use of the node and the totals of the other panes',
  defaultSort: { column: 'cpuPct', descending: true },
  rowKey: (row) => row.container,
  groupings: GROUPS.map(grouping),
  isTrouble: (row, context) => {
    if ((row.errorsPerSec ?? 0) > 0 || (row.runqueueP99Us ?? 0) >= LIMITS.warn) return true;
    const { podStatus } = context.container(row.container);
    return podStatus !== null && statusSeverity(podStatus.status) === 'bad';
  },
  columns: [
    nodeColumn(2),
    { id: 'namespace', title: 'NAMESPACE', aliases: ['ns'], unit: 'text', align: 'left', rank: 3, optional: true, width: { min: 11, max: 20, grow: 1, ideal: 12 }, help: 'Kubernetes namespace',
      value: (row, context) => context.container(row.container).namespace },
    { id: 'pod', title: 'POD', unit: 'text', align: 'left', rank: 1, optional: true, width: { min: 15, max: 48, grow: 3, ideal: 22 }, cut: 'middle', help: 'Pod, or the start of its uid while its name is not known',
      value: (row, context) => podName(context.container(row.container)) },
    { id: 'container', title: 'CONTAINER', unit: 'text', align: 'left', rank: 0, width: { min: 11, max: 40, grow: 3, ideal: 14 }, cut: 'middle', help: 'Container, service, or last part of the cgroup path; ? when a name is missing, and the details say why',
      value: (row, context) => containerName(context.container(row.container)),
      text: (row, context) => { const info = context.container(row.container); return unsure(containerName(info), info); } },
    { id: 'cpuPct', title: 'CPU%', unit: 'pct', align: 'right', rank: 0, width: { min: 5, max: 6, grow: 0 }, help: 'CPU time; 100 is one CPU', value: (row) => row.cpuPct,
      severity: (row) => ((row.cpuPct ?? 0) >= 90 ? 'warn' : 'ok'), metric: { name: 'kbtop_container_cpu_cores', help: 'CPU time; 1 is one CPU', divisor: 100 } },
    { id: 'trend', title: 'TREND', unit: 'text', align: 'left', rank: 9, width: { min: 6, max: 12, grow: 1 }, trendOf: 'cpuPct', help: 'CPU% over the last ticks', value: () => null },
    { id: 'memoryBytes', title: 'MEM', unit: 'bytes', align: 'right', rank: 4, width: { min: 4, max: 6, grow: 0 }, help: 'Memory charged to the cgroup, page cache included', value: (row) => row.memoryBytes,
      metric: { name: 'kbtop_container_memory_bytes' } },
    { id: 'syscallsPerSec', title: 'SYSC/s', unit: 'perSec', align: 'right', rank: 2, width: { min: 6, max: 7, grow: 0 }, help: 'System calls per second', value: (row) => row.syscallsPerSec },
    { id: 'errorsPerSec', title: 'ERR/s', unit: 'perSec', align: 'right', rank: 7, width: { min: 5, max: 6, grow: 0 }, help: 'Failed system calls per second', value: (row) => row.errorsPerSec },
    { id: 'runqueueP99Us', title: 'RQ P99', unit: 'us', align: 'right', rank: 2, width: { min: 6, max: 7, grow: 0 }, help: '99 % of its waits for a CPU were shorter; of several containers the worst one\'s', value: (row) => row.runqueueP99Us,
      severity: (row) => ((row.runqueueP99Us ?? 0) >= LIMITS.bad ? 'bad' : (row.runqueueP99Us ?? 0) >= LIMITS.warn ? 'warn' : 'ok') },
    { id: 'opensPerSec', title: 'OPEN/s', unit: 'perSec', align: 'right', rank: 4, width: { min: 6, max: 6, grow: 0 }, help: 'Files opened per second', value: (row) => row.opensPerSec },
    { id: 'connectsPerSec', title: 'TCP/s', unit: 'perSec', align: 'right', rank: 4, width: { min: 5, max: 6, grow: 0 }, help: 'TCP connections made or accepted per second', value: (row) => row.connectsPerSec },
    { id: 'tasks', title: 'TASKS', unit: 'count', align: 'right', rank: 10, width: { min: 5, max: 5, grow: 0 }, help: 'Threads', value: (row) => row.tasks,
      metric: { name: 'kbtop_container_tasks' } },
    { id: 'ready', title: 'READY', unit: 'text', align: 'right', rank: 5, optional: true, width: { min: 5, max: 7, grow: 0 }, help: 'Containers of the pod that are ready, of how many',
      value: (row, context) => { const pod = context.container(row.container).podStatus; return pod && `${pod.ready}/${pod.containers}`; },
      severity: (row, context) => { const pod = context.container(row.container).podStatus; return pod?.status === 'Running' && pod.ready < pod.containers ? 'warn' : 'ok'; } },
    { id: 'status', title: 'STATUS', unit: 'text', align: 'left', rank: 5, optional: true, width: { min: 9, max: 26, grow: 1, ideal: 17 }, help: 'Of the pod, as kubectl says it; of several pods the worst one\'s',
      value: (row, context) => context.container(row.container).podStatus?.status ?? null,
      severity: (row, context) => { const pod = context.container(row.container).podStatus; return pod === null ? 'ok' : statusSeverity(pod.status); } },
    { id: 'restarts', title: 'RESTARTS', unit: 'count', align: 'right', rank: 5, optional: true, width: { min: 8, max: 8, grow: 0 }, help: 'Restarts of the pod\'s containers',
      value: (row, context) => context.container(row.container).podStatus?.restarts ?? null,
      severity: (row, context) => ((context.container(row.container).podStatus?.restarts ?? 0) > 0 ? 'warn' : 'ok') },
    { id: 'ageSeconds', title: 'AGE', unit: 'age', align: 'right', rank: 6, optional: true, width: { min: 5, max: 6, grow: 0 }, help: 'Since the pod was made; of several pods the oldest one\'s',
      value: (row, context) => secondsSince(context.container(row.container).podStatus?.createdAt ?? null, context.frame.time) },
    { id: 'qos', title: 'QOS', unit: 'text', align: 'left', rank: 8, optional: true, width: { min: 3, max: 3, grow: 0 }, help: 'Class of the pod: GA guaranteed, BU burstable, BE best effort',
      value: (row, context) => context.container(row.container).qos, text: (row, context) => { const { qos } = context.container(row.container); return qos === null ? UNKNOWN : QOS[qos]; } },
    { id: 'owner', title: 'OWNER', aliases: ['workload'], unit: 'text', align: 'left', rank: 11, optional: true, width: { min: 12, max: 40, grow: 2, ideal: 16 }, cut: 'middle', help: 'Workload that the pod belongs to, with kubectl\'s short kinds',
      value: (row, context) => { const { owner } = context.container(row.container); return owner && ownerName(owner); } },
    { id: 'image', title: 'IMAGE', unit: 'text', align: 'left', rank: 12, optional: true, width: { min: 16, max: 80, grow: 2, ideal: 24 }, cut: 'start', help: 'Image that the container runs', value: (row, context) => context.container(row.container).image },
    { id: 'nodename', title: 'NODENAME', unit: 'text', align: 'left', rank: 13, width: { min: 8, max: 24, grow: 1, ideal: 12 }, help: 'UTS nodename its tasks see', value: (row, context) => context.container(row.container).nodename },
    { id: 'pidNs', title: 'PIDNS', unit: 'id', align: 'left', rank: 14, width: { min: 10, max: 10, grow: 0 }, help: 'Inode number of its pid namespace', value: (row, context) => context.container(row.container).pidNs },
    { id: 'cgroup', title: 'CGROUP', unit: 'text', align: 'left', rank: 15, width: { min: 20, max: 120, grow: 1 }, cut: 'start', help: 'Path of the cgroup in its hierarchy', value: (row, context) => context.container(row.container).cgroup },
  ],
};
