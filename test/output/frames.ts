/** Frames for tests: one with hostile strings in every place that a container can reach, and arbitrary ones. */
import fc from 'fast-check';
import {
  type ContainerInfo, type ContainerRow, type Frame, type Latency, NO_LOSS, type OpenRow, type Pane, type PaneState, type Panes, type ProcessRow,
  type RunqueueRow, SCHEMA, type StreamPane, type StreamTotal, type SyscallRow, type TcpRow,
} from '../../src/frame/frame.ts';
import { HIST_BOUNDS_NS, HIST_BUCKETS, latencyOf } from '../../src/frame/histogram.ts';

const OK: PaneState = { status: 'ok', reason: null, level: null };

export const HOSTILE = '\u001b]0;pwn\u0007\u001b[31m"a,b"\r\nc\\d\te\0f\uFFFDg\u202eh\u{1f600} =1+1';

/** Labels that are given, or that their source would have told, are known. */
function labelSourceOf({ labels, nameSource = null, podStatus = null }: Partial<ContainerInfo>): ContainerInfo['labelSource'] {
  if (nameSource === 'cri' || nameSource === 'api' || nameSource === 'kubelet') return nameSource;
  return podStatus !== null ? 'api' : labels !== undefined && Object.keys(labels).length > 0 ? 'cri' : null;
}

export function info(over: Partial<ContainerInfo> = {}): ContainerInfo {
  return {
    kind: 'service', cgroupId: '17', cgroup: '/system.slice/x.service', namespace: null, pod: null, podUid: null, container: 'x.service', containerId: null,
    image: null, labels: {}, labelSource: labelSourceOf(over), owner: null, qos: null, podStatus: null, pidNs: null, nodename: null, nameSource: null, unresolved: null, ...over,
  };
}

export const latency = (counts: Readonly<Record<number, number>>, sumNs: number, maxNs: number | null, sampled = 1): Latency =>
  latencyOf(Array.from({ length: HIST_BUCKETS }, (_, i) => counts[i] ?? 0), sumNs, maxNs, sampled);

const table = <Row>(rows: readonly Row[]): Pane<Row> => ({ state: OK, loss: { ...NO_LOSS, seen: rows.length, kept: rows.length }, rows });
const stream = <Row>(rows: readonly Row[], totals: readonly StreamTotal[], ratePerSec: number): StreamPane<Row> => ({ ...table(rows), totals, ratePerSec });

export function frameOf(panes: Partial<Panes>, over: Partial<Frame> = {}): Frame {
  return {
    schema: SCHEMA, seq: 1, time: '2026-11-21T02:00:05.000Z', intervalMs: 5000,
    node: { name: 'worker-1', kernel: '6.1.0', arch: 'x86_64', cpus: 4, cgroupMode: 'v2' },
    containers: {}, learned: {},
    panes: { syscalls: table([]), runqueue: table([]), opens: stream([], [], 0), tcp: stream([], [], 0), containers: table([]), processes: table([]), ...panes },
    chaos: [], self: { cpuPct: 1.2, bpfCpuPct: 0.4, rssBytes: 90_000_000 }, ...over,
  };
}

const WEB = info({
  kind: 'pod', cgroupId: '4990', cgroup: '/kubepods/burstable/podU/C', namespace: 'shop', pod: 'web-1', podUid: '11111111-2222-3333-4444-555555555555',
  container: 'app', containerId: 'c0ffee'.padEnd(64, '0'), qos: 'Burstable', podStatus: null, pidNs: 4026531836, nodename: 'web-1',
});

/** Two containers, one of them named by an enemy; all five panes filled. */
export const FRAME: Frame = frameOf(
  {
    syscalls: table<SyscallRow>([
      { container: 'evil', abi: 'i386', nr: 5, syscall: HOSTILE, count: 4, ratePerSec: 0.8, errors: null, injected: 0, latency: null },
      { container: 'web', abi: 'x86_64', nr: 257, syscall: 'openat', count: 123, ratePerSec: 24.6, errors: { ENOENT: 3, EACCES: 1 }, injected: 0, latency: latency({ 10: 100, 40: 23 }, 5e7, 9e6) },
      { container: 'web', abi: 'x86_64', nr: 0, syscall: 'read', count: 12_345, ratePerSec: 2469, errors: {}, injected: 2, latency: latency({ 0: 5, 112: 1 }, 4e10, 3.8e10, 16) },
    ]),
    runqueue: table<RunqueueRow>([
      { container: 'web', count: 900, ratePerSec: 180, latency: latency({ 12: 800, 60: 100 }, 3e9, 2e7), throttledPct: 7, preemptedBy: [{ container: 'evil', count: 12 }] },
      { container: 'evil', count: 1, ratePerSec: 0.2, latency: latency({ 20: 1 }, 9000, 9000), throttledPct: null, preemptedBy: [] },
    ]),
    opens: stream<OpenRow>(
      [
        { time: '2026-11-21T02:00:04.100Z', container: 'web', pid: 10, tid: 11, nsPid: 1, comm: 'nginx', path: '/etc/hosts', flags: ['O_RDONLY', 'O_CLOEXEC'], fd: 5, error: null, latencyUs: 9.1 },
        { time: '2026-11-21T02:00:04.200Z', container: 'evil', pid: 20, tid: 20, nsPid: null, comm: HOSTILE, path: HOSTILE, flags: [], fd: null, error: 'ENOENT', latencyUs: null },
        { time: '2026-11-21T02:00:04.300Z', container: 'evil', pid: 20, tid: 20, nsPid: null, comm: '', path: null, flags: ['O_RDWR'], fd: null, error: 'EFAULT', latencyUs: 1 },
      ],
      [{ container: 'web', count: 190, errors: {} }, { container: 'evil', count: 10, errors: { ENOENT: 9, EFAULT: 1 } }],
      40,
    ),
    tcp: stream<TcpRow>(
      [
        { time: '2026-11-21T02:00:03.000Z', container: 'web', pid: 10, nsPid: 1, comm: 'curl', direction: 'connect', family: 4, localAddress: '10.0.0.2', localPort: 40_000, remoteAddress: '10.0.0.1', remotePort: 80, outcome: 'established', error: null, latencyUs: 310, retransmits: 0 },
        { time: '2026-11-21T02:00:03.500Z', container: 'evil', pid: null, nsPid: null, comm: null, direction: 'accept', family: 6, localAddress: '::1', localPort: 8080, remoteAddress: 'fe80::1', remotePort: 1, outcome: 'refused', error: 'ECONNREFUSED', latencyUs: null, retransmits: 3 },
      ],
      [{ container: 'web', count: 2, errors: {} }, { container: 'evil', count: 13, errors: { ECONNREFUSED: 13 } }],
      3,
    ),
    containers: table<ContainerRow>([
      { container: 'evil', cpuPct: 57, memoryBytes: null, syscallsPerSec: 0.8, errorsPerSec: null, runqueueP99Us: 9, opensPerSec: 2, connectsPerSec: 2.6, tasks: 4 },
      { container: 'web', cpuPct: 212.5, memoryBytes: 57_671_680, syscallsPerSec: 2493.6, errorsPerSec: 0.8, runqueueP99Us: 80, opensPerSec: 38, connectsPerSec: 0.4, tasks: 12 },
    ]),
    processes: table<ProcessRow>([
      { container: 'web', pid: 21_925, nsPid: 7, comm: HOSTILE, cpuPct: 12.5, tasks: 4 },
      { container: 'evil', pid: 30_001, nsPid: null, comm: 'sh', cpuPct: 0.4, tasks: 1 },
    ]),
  },
  { containers: { web: WEB, evil: info({ kind: 'container', container: HOSTILE, cgroup: `/x/${HOSTILE}`, nodename: HOSTILE }) } },
);

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 12 }), fc.constant(HOSTILE), fc.constantFrom('', ' ', '\r', '\n', '"', ',', '\\', 'plain'));
const count = fc.nat(2 ** 40);
const positive = fc.double({ min: 0, max: 1e9, noNaN: true });
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(of, { nil: null });
const key = fc.constantFrom('a', 'b', 'gone');
const errors = fc.dictionary(fc.constantFrom('ENOENT', 'EACCES', 'EAGAIN'), fc.integer({ min: 1, max: 1e6 }));
const latencies = fc.record({ counts: fc.dictionary(fc.nat(HIST_BUCKETS - 1).map(String), fc.integer({ min: 1, max: 1e9 })), sumNs: fc.nat(2 ** 45), sampled: fc.constantFrom(1, 16) })
  .map(({ counts, sumNs, sampled }) => {
    const top = Math.max(0, ...Object.keys(counts).map(Number));
    return latency(counts, sumNs, HIST_BOUNDS_NS[top + 1] ?? null, sampled);
  });
const time = fc.date({ min: new Date(0), max: new Date('2099-01-01'), noInvalidDate: true }).map((date) => date.toISOString());

const syscallRow: fc.Arbitrary<SyscallRow> = fc.record({
  container: key, abi: fc.constantFrom('x86_64', 'i386'), nr: fc.nat(500), syscall: text, count, ratePerSec: positive, errors: maybe(errors), injected: count, latency: maybe(latencies),
});
const openRow: fc.Arbitrary<OpenRow> = fc.record({
  time, container: key, pid: fc.nat(), tid: fc.nat(), nsPid: maybe(fc.nat()), comm: text, path: maybe(text), flags: fc.subarray(['O_RDONLY', 'O_CREAT', 'O_CLOEXEC']),
  fd: maybe(fc.nat()), error: maybe(fc.constantFrom('ENOENT', 'EPERM')), latencyUs: maybe(positive),
});
const total: fc.Arbitrary<StreamTotal> = fc.record({ container: key, count, errors });
const containerRow: fc.Arbitrary<ContainerRow> = fc.record({
  container: key, cpuPct: maybe(positive), memoryBytes: maybe(count), syscallsPerSec: maybe(positive), errorsPerSec: maybe(positive),
  runqueueP99Us: maybe(positive), opensPerSec: maybe(positive), connectsPerSec: maybe(positive), tasks: maybe(fc.nat()),
});
const containerInfo: fc.Arbitrary<ContainerInfo> = fc.record({ kind: fc.constantFrom('pod', 'container', 'service'), container: maybe(text), namespace: maybe(text), pod: maybe(text), cgroup: maybe(text) }).map(info);

/** Any Frame that the types allow, within reason. */
export const anyFrame: fc.Arbitrary<Frame> = fc
  .record({ syscalls: fc.array(syscallRow, { maxLength: 6 }), opens: fc.array(openRow, { maxLength: 6 }), totals: fc.array(total, { maxLength: 4 }), containers: fc.array(containerRow, { maxLength: 4 }), a: containerInfo, b: containerInfo })
  .map(({ syscalls, opens, totals, containers, a, b }) =>
    frameOf({ syscalls: table(syscalls), opens: stream(opens, totals, 1), containers: table(containers) }, { containers: { a, b } }));
