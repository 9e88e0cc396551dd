import type { PaneDef } from '../columns.ts';
import { nodeSuffix } from '../node-key.ts';
import { containerColumn, nodeColumn } from './shared.ts';

export const processes: PaneDef<'processes'> = {
  id: 'processes', number: 6, title: 'processes', kind: 'table',
  help: 'Processes that used the CPU in the interval, by container',
  defaultSort: { column: 'cpuPct', descending: true },
  rowKey: (row) => `${row.pid}${nodeSuffix(row.container)}`,
  isTrouble: (row) => row.cpuPct >= 90,
  columns: [
    { id: 'pid', title: 'PID', unit: 'id', align: 'left', rank: 0, width: { min: 5, max: 8, grow: 0, ideal: 7 }, help: 'Process id on the host', value: (row) => row.pid },
    { id: 'nsPid', title: 'NSPID', unit: 'id', align: 'left', rank: 1, width: { min: 5, max: 8, grow: 0 }, help: 'Process id inside its own pid namespace', value: (row) => row.nsPid },
    { id: 'comm', title: 'COMM', unit: 'text', align: 'left', rank: 0, width: { min: 8, max: 16, grow: 0, ideal: 15 }, help: 'Name of its first thread', value: (row) => row.comm },
    { id: 'cpuPct', title: 'CPU%', unit: 'pct', align: 'right', rank: 0, width: { min: 5, max: 6, grow: 0 }, help: 'CPU time of all its threads; 100 is one CPU', value: (row) => row.cpuPct,
      severity: (row) => (row.cpuPct >= 90 ? 'warn' : 'ok') },
    { id: 'trend', title: 'TREND', unit: 'text', align: 'left', rank: 4, width: { min: 6, max: 12, grow: 1 }, trendOf: 'cpuPct', help: 'CPU% over the last ticks', value: () => null },
    { id: 'tasks', title: 'TASKS', unit: 'count', align: 'right', rank: 3, width: { min: 5, max: 5, grow: 0 }, help: 'Its threads', value: (row) => row.tasks },
    nodeColumn(2),
    containerColumn(2, 14),
  ],
};
