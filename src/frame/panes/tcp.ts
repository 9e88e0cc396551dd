import type { PaneDef } from '../columns.ts';
import type { TcpOutcome, TcpRow } from '../frame.ts';
import { nodeSuffix } from '../node-key.ts';
import { outcomeOf } from '../tcp-outcome.ts';
import { containerColumn, exportColumn, nodeColumn, totalMetrics } from './shared.ts';

const SHORT: Readonly<Record<TcpOutcome, string>> = {
  established: 'EST', refused: 'REFUSED', timeout: 'TIMEOUT', reset: 'RESET', unreachable: 'UNREACH', failed: 'FAILED', pending: 'pending',
};

/** "10.0.0.1:80", "[::1]:80". */
export function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

const pendingKey = (row: TcpRow): string => `${row.direction} ${row.localAddress} ${row.localPort} ${row.remoteAddress} ${row.remotePort} ${row.pid ?? ''}${nodeSuffix(row.container)}`;

export const tcp: PaneDef<'tcp'> = {
  id: 'tcp', number: 4, title: 'tcp connects', kind: 'stream',
  help: 'TCP connections being made and accepted, and how each ended up',
  defaultSort: { column: 'time', descending: true },
  rowKey: (row) => (row.outcome === 'pending' ? pendingKey(row) : `${pendingKey(row)} ${row.time}`),
  pendingKey,
  isPending: (row) => row.outcome === 'pending',
  isTrouble: (row) => row.outcome !== 'established' && row.outcome !== 'pending',
  columns: [
    { id: 'time', title: 'TIME', unit: 'time', align: 'left', rank: 6, width: { min: 8, max: 8, grow: 0 }, help: 'When the outcome was known', value: (row) => row.time },
    { id: 'pid', title: 'PID', unit: 'id', align: 'left', rank: 2, width: { min: 5, max: 8, grow: 0, ideal: 7 }, help: 'Process id of the owner on the host', value: (row) => row.pid },
    { id: 'nsPid', title: 'NSPID', unit: 'id', align: 'left', rank: 4, width: { min: 5, max: 8, grow: 0 }, help: 'Process id inside its own pid namespace', value: (row) => row.nsPid },
    { id: 'comm', title: 'COMM', unit: 'text', align: 'left', rank: 0, width: { min: 8, max: 16, grow: 0, ideal: 12 }, help: 'Name of the owner\'s thread', value: (row) => row.comm, text: (row) => row.comm ?? '?' },
    { id: 'direction', title: 'DIR', unit: 'text', align: 'left', rank: 5, width: { min: 3, max: 7, grow: 0 }, help: 'out: it connected; in: it accepted',
      value: (row) => row.direction, text: (row) => (row.direction === 'connect' ? 'out' : 'in') },
    { id: 'latencyUs', title: 'LAT', unit: 'us', align: 'right', rank: 1, width: { min: 6, max: 7, grow: 0 }, help: 'From the SYN to the outcome', value: (row) => row.latencyUs,
      severity: (row) => ((row.latencyUs ?? 0) >= 1_000_000 ? 'bad' : (row.latencyUs ?? 0) >= 200_000 ? 'warn' : 'ok') },
    { id: 'outcome', title: 'STATE', unit: 'text', align: 'left', rank: 0, width: { min: 7, max: 8, grow: 0 }, help: 'Established, refused, timed out, reset, unreachable, failed otherwise, or still pending',
      value: (row) => row.outcome, text: (row) => SHORT[row.outcome],
      severity: (row) => (row.outcome === 'established' ? 'ok' : row.outcome === 'pending' ? 'warn' : 'bad') },
    { id: 'error', title: 'ERROR', unit: 'text', align: 'left', rank: 8, width: { min: 8, max: 13, grow: 0 }, help: 'errno of the failure', value: (row) => row.error },
    { id: 'retransmits', title: 'RTX', unit: 'count', align: 'right', rank: 7, width: { min: 3, max: 4, grow: 0 }, help: 'Segments sent again', value: (row) => row.retransmits,
      severity: (row) => (row.retransmits > 0 ? 'warn' : 'ok') },
    nodeColumn(3),
    containerColumn(3, 14, 40),
    { id: 'local', title: 'LOCAL', unit: 'text', align: 'left', rank: 9, width: { min: 12, max: 28, grow: 1 }, cut: 'middle', help: 'Own address and port', value: (row) => endpoint(row.localAddress, row.localPort) },
    { id: 'remote', title: 'REMOTE', unit: 'text', align: 'left', rank: 0, width: { min: 21, max: 47, grow: 3 }, cut: 'middle', help: 'Address and port of the other end', value: (row) => endpoint(row.remoteAddress, row.remotePort) },
  ],
  exports: [
    exportColumn('family', '4 or 6', (row) => row.family, 'id'),
    exportColumn('localAddress', 'Own address', (row) => row.localAddress),
    exportColumn('localPort', 'Own port', (row) => row.localPort, 'id'),
    exportColumn('remoteAddress', 'Address of the other end', (row) => row.remoteAddress),
    exportColumn('remotePort', 'Port of the other end', (row) => row.remotePort, 'id'),
  ],
  // An established connection may be reset later, so that count and errors are told apart, and not taken from each other.
  totalMetrics: totalMetrics('kbtop_tcp_connections', 'kbtop_tcp_connection_errors', 'TCP connections made or accepted', (errno) => ({ outcome: outcomeOf(errno, 0) })),
};
