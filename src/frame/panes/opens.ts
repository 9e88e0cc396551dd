import type { PaneDef } from '../columns.ts';
import { nodeSuffix } from '../node-key.ts';
import { containerColumn, exportColumn, nodeColumn, totalMetrics } from './shared.ts';

export const opens: PaneDef<'opens'> = {
  id: 'opens', number: 3, title: 'opens', kind: 'stream',
  help: 'Files being opened: who, which path, and what came of it',
  defaultSort: { column: 'time', descending: true },
  rowKey: (row) => `${row.time} ${row.tid} ${row.path ?? ''}${nodeSuffix(row.container)}`,
  isTrouble: (row) => row.error !== null,
  columns: [
    { id: 'time', title: 'TIME', unit: 'time', align: 'left', rank: 6, width: { min: 8, max: 8, grow: 0 }, help: 'When the call returned', value: (row) => row.time },
    { id: 'pid', title: 'PID', unit: 'id', align: 'left', rank: 2, width: { min: 5, max: 8, grow: 0, ideal: 7 }, help: 'Process id on the host', value: (row) => row.pid },
    { id: 'nsPid', title: 'NSPID', unit: 'id', align: 'left', rank: 4, width: { min: 5, max: 8, grow: 0 }, help: 'Process id inside its own pid namespace', value: (row) => row.nsPid },
    { id: 'comm', title: 'COMM', unit: 'text', align: 'left', rank: 0, width: { min: 8, max: 16, grow: 0, ideal: 12 }, help: 'Name of the thread', value: (row) => row.comm },
    { id: 'latencyUs', title: 'LAT', unit: 'us', align: 'right', rank: 3, width: { min: 6, max: 7, grow: 0 }, help: 'Time in the call', value: (row) => row.latencyUs },
    { id: 'result', title: 'RET', unit: 'text', align: 'left', rank: 1, width: { min: 6, max: 9, grow: 0 }, help: 'File descriptor, or the error',
      value: (row) => row.error ?? row.fd, severity: (row) => (row.error === null ? 'ok' : row.error === 'ENOENT' ? 'warn' : 'bad') },
    { id: 'flags', title: 'FLAGS', unit: 'list', align: 'left', rank: 8, width: { min: 8, max: 26, grow: 1 }, help: 'How it was opened',
      value: (row) => row.flags.join('|'), text: (row) => row.flags.map((flag) => flag.replace(/^O_/, '')).join('|') },
    nodeColumn(3),
    containerColumn(3, 14, 40),
    { id: 'path', title: 'PATH', unit: 'text', align: 'left', rank: 0, width: { min: 16, max: 200, grow: 6, ideal: 32 }, cut: 'start', help: 'As the program passed it; ? when its memory could not be read',
      value: (row) => row.path, text: (row) => row.path ?? '?' },
  ],
  exports: [
    exportColumn('tid', 'Thread id on the host', (row) => row.tid, 'id'),
    exportColumn('fd', 'File descriptor of a successful call', (row) => row.fd, 'id'),
    exportColumn('error', 'errno of a failed call', (row) => row.error),
  ],
  totalMetrics: totalMetrics('kbtop_opens', 'kbtop_open_errors', 'Calls to open a file'),
};
