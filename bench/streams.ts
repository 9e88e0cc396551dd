/** What watching opens and TCP connections costs them, and every other system call, beside libbpf-tools' opensnoop and tcpstates. */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadAddon } from '../src/bpf/load.ts';
import { Hierarchies } from '../src/identity/hierarchies.ts';
import { OpensProbe } from '../src/probes/opens.ts';
import type { ProbeContext } from '../src/probes/probe.ts';
import { TcpProbe } from '../src/probes/tcp.ts';
import type { BenchRow } from './bench.ts';
import { command, overheads } from './overhead.ts';
import type { Overhead, Variant } from './overhead.ts';

const ROUNDS = 7;
const DRAIN_MS = 40;
/** So many rows that the budget never bites: as the peers, which send every event. */
const EVERY_ROW = { rowsPerSecond: 100_000_000, maxRows: 10_000_000 };

/** A probe that is drained and ticked as the manager does, while it is on. */
async function variant(name: string, probe: OpensProbe | TcpProbe, context: ProbeContext): Promise<Variant> {
  let timer: NodeJS.Timeout | undefined, seq = 0;
  await probe.start(context);
  probe.setLevel('off');
  return {
    name,
    async on() {
      probe.setLevel('latency');
      timer = setInterval(() => (++seq % 10 === 0 ? void probe.tick({ seq, ms: 10 * DRAIN_MS }) : probe.drain()), DRAIN_MS);
      await sleep(100);
    },
    async off() {
      clearInterval(timer);
      probe.setLevel('off');
      await sleep(100);
    },
  };
}

function row(name: string, unit: string, mine: Overhead | undefined, peer: Overhead | undefined, limit: number): BenchRow {
  const ratio = mine?.ns != null && peer?.ns != null ? mine.ns / peer.ns : null;
  return {
    name, ours: mine?.ns ?? null, peer: peer?.ns ?? null, ratio, aim: `<= ${limit.toFixed(2)}`, met: ratio === null ? null : ratio <= limit,
    note: `peer: libbpf-tools ${peer?.name}; CPU time added to ${unit}; kbtop ${mine?.note}; peer ${peer?.note}`,
  };
}

export async function run(): Promise<readonly BenchRow[]> {
  const addon = loadAddon();
  const context: ProbeContext = { addon, cgroupV1Fallback: Hierarchies.read().v1Fallback, cpus: addon.possibleCpus(), clockOffsetMs: 0, debug: () => {} };
  const probes = { opens: new OpensProbe({ compat: 'never' }), allOpens: new OpensProbe({ ...EVERY_ROW, compat: 'never' }), tcp: new TcpProbe(), allTcp: new TcpProbe(EVERY_ROW) };
  try {
    const opens = await variant('opens', probes.opens, context), allOpens = await variant('opens, every row', probes.allOpens, context);
    const opensnoop = command('opensnoop', 'opensnoop', []);
    const tcp = await variant('tcp', probes.tcp, context), allTcp = await variant('tcp, every row', probes.allTcp, context);
    const tcpstates = command('tcpstates', 'tcpstates', []);

    const [open, openAll, openPeer] = await overheads('open', [opens, allOpens, opensnoop], ROUNDS);
    const [call, callPeer] = await overheads('syscall', [opens, opensnoop], ROUNDS);
    const [connection, connectionAll, connectionPeer] = await overheads('tcp', [tcp, allTcp, tcpstates], ROUNDS);
    return [
      row('opens: ns per open, rows under the default budget', 'a failing openat', open, openPeer, 1),
      row('opens: ns per open, every row sent', 'a failing openat', openAll, openPeer, 1),
      row('opens: ns per call that opens nothing', 'getppid', call, callPeer, 1.1),
      row('tcp: ns per connection, rows under the default budget', 'a loopback connection, both ends', connection, connectionPeer, 1),
      row('tcp: ns per connection, every row sent', 'a loopback connection, both ends', connectionAll, connectionPeer, 1),
    ];
  } finally {
    for (const probe of Object.values(probes)) probe.close();
  }
}
