/** Frames for tests of recordings: a few services over some minutes, made from numbers that repeat in every run. */
import type { ContainerInfo, ContainerRow, Frame, OpenRow, RunqueueRow, StreamPane, SyscallRow, Pane, TcpRow, ProcessRow, Loss } from '../../../src/frame/frame.ts';
import { NO_LOSS } from '../../../src/frame/frame.ts';
import { HIST_BUCKETS, latencyOf } from '../../../src/frame/histogram.ts';
import { frameOf, info } from '../../output/frames.ts';

/** Numbers from 0 to 1 that are the same in every run. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export const START = Date.parse('2026-11-21T02:00:00.000Z');

const table = <Row>(rows: readonly Row[]): Pane<Row> => ({ state: { status: 'ok', reason: null, level: 'latency' }, loss: loss(rows.length), rows });
const loss = (kept: number): Loss => ({ ...NO_LOSS, seen: kept, kept });

const CALLS = ['read', 'write', 'openat', 'close', 'epoll_wait', 'futex', 'nanosleep'] as const;

/** @param containers how many there are */
export function frames(count: number, containers = 6, seed = 1): Frame[] {
  const random = chance(seed), pick = (n: number): number => Math.floor(random() * n);
  const infos: Record<string, ContainerInfo> = Object.fromEntries(Array.from({ length: containers }, (_, i) => {
    const id = (BigInt(i + 1) * 0x9e3779b97f4a7c15n).toString(16).padStart(64, 'a');
    return [String(4000 + i), info({ kind: 'pod', cgroupId: String(4000 + i), cgroup: `/kubepods/pod${id.slice(0, 36)}/${id}`, namespace: 'shop', pod: `web-${i}`, containerId: id, container: 'app', labels: { app: `web-${i}` } })];
  }));
  const histogram = (): NonNullable<SyscallRow['latency']> => {
    const counts = new Float64Array(HIST_BUCKETS);
    const first = 10 + pick(30);
    for (let n = 1 + pick(20); n > 0; n--) counts[first + pick(6)]! += 1 + pick(3);
    return latencyOf(counts, 1_000_000 + pick(1_000_000), random() < 0.1 ? null : 4_000_000 + pick(1000), 1);
  };
  return Array.from({ length: count }, (_, seq) => {
    const time = START + (seq + 1) * 1000 + pick(3), intervalMs = 1000 + pick(2000) / 1000;
    const iso = (us: number): string => `${new Date(time - 1000 + Math.floor(us / 1000)).toISOString().slice(0, 23)}${String(us % 1000).padStart(3, '0')}Z`;
    const keys = Object.keys(infos).filter(() => random() < 0.9);
    const syscalls = keys.flatMap((container) => CALLS.filter(() => random() < 0.7).map((syscall): SyscallRow => {
      const latency = random() < 0.9 ? histogram() : null, n = latency?.count ?? 3;
      return { container, abi: 'x86_64', nr: CALLS.indexOf(syscall), syscall, count: n, ratePerSec: (n * 1000) / intervalMs, errors: random() < 0.1 ? { ENOENT: 1 + pick(3) } : {}, injected: 0, latency };
    }));
    const runqueue = keys.map((container): RunqueueRow => {
      const latency = histogram();
      return { container, count: latency.count, ratePerSec: (latency.count * 1000) / intervalMs, latency, throttledPct: random() < 0.2 ? pick(100) : null, preemptedBy: random() < 0.3 ? [{ container: keys[0] as string, count: 1 + pick(4) }] : [] };
    });
    const opens = keys.flatMap((container, i): OpenRow[] => (random() < 0.6 ? [{ time: iso(pick(1_000_000)), container, pid: 100 + i, tid: 100 + i, nsPid: 1, comm: 'app', path: random() < 0.8 ? '/etc/hosts' : `/proc/${pick(99_999)}/stat`, flags: ['O_RDONLY', 'O_CLOEXEC'], fd: random() < 0.9 ? 7 : null, error: null, latencyUs: pick(30_000) / 1000 }] : []));
    const tcp = keys.flatMap((container, i): TcpRow[] => (random() < 0.3 ? [{ time: iso(pick(1_000_000)), container, pid: 100 + i, nsPid: 1, comm: 'app', direction: 'connect', family: 4, localAddress: '10.0.0.1', localPort: 30_000 + pick(30_000), remoteAddress: '10.0.0.2', remotePort: 80, outcome: random() < 0.9 ? 'established' : 'refused', error: null, latencyUs: pick(900), retransmits: 0 }] : []));
    const rows = keys.map((container): ContainerRow => ({
      container, cpuPct: pick(100_000) / 1000, memoryBytes: 4096 * pick(10_000), syscallsPerSec: syscalls.filter((row) => row.container === container).reduce((sum, row) => sum + row.ratePerSec, 0), errorsPerSec: 0,
      runqueueP99Us: runqueue.find((row) => row.container === container)?.latency?.p99Us ?? null, opensPerSec: 1 / (intervalMs / 1000), connectsPerSec: 0, tasks: 3,
    }));
    const processes = keys.map((container, i): ProcessRow => ({ container, pid: 100 + i, nsPid: 1, comm: 'app', cpuPct: pick(100_000) / 1000, tasks: 3 }));
    const stream = <Row>(all: readonly Row[]): StreamPane<Row> => ({ ...table(all), ratePerSec: (all.length / intervalMs) * 1000, totals: keys.map((container) => ({ container, count: 1, errors: {} })) });
    return frameOf(
      { syscalls: table(syscalls), runqueue: table(runqueue), opens: stream(opens), tcp: stream(tcp), containers: table(rows), processes: table(processes) },
      { seq: seq + 1, time: new Date(time).toISOString(), intervalMs, containers: Object.fromEntries(keys.map((key) => [key, infos[key] as ContainerInfo])), self: { cpuPct: random(), bpfCpuPct: null, rssBytes: 90_000_000 + 4096 * pick(1000) } },
    );
  });
}
