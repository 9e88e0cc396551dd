/** Frames as no node would make them: any numbers, any strings, any state of a pane. */
import fc from 'fast-check';
import type { ContainerInfo, Frame, Latency, OpenRow, Pane, PaneState, RunqueueRow, StreamPane, SyscallRow, TcpRow } from '../../src/frame/frame.ts';
import { HIST_BOUNDS_NS, HIST_BUCKETS, latencyOf } from '../../src/frame/histogram.ts';
import { terminalText } from './ink/text.ts';

/** What a container may call itself, its files and its processes. */
export const hostile: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: fc.constantFrom(...'abcdefghijklmnop-./_0123456789'), maxLength: 40 }) },
  { weight: 2, arbitrary: terminalText },
  { weight: 2, arbitrary: fc.constantFrom('\x1b[2J\x1b[H', '\x1b]0;owned\x07', '\x9b31mred', 'a\nb\r\tc', '\u202e\u2066evil', '漢字漢字漢字漢字', '👨‍👩‍👧‍👦👍🏽🇩🇪', 'ก็น้ำ', '\u0301\u0301', '', ' ', '\ud800x', 'x'.repeat(300), '\u200bzero') },
);

const count = fc.oneof(fc.nat(100_000), fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER));
const real = fc.oneof(fc.double({ min: 0, max: 1e12, noNaN: true }), fc.constantFrom(0, 0.001, 99.95, 999.95, 1e15));
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 5 });
const errors = maybe(fc.dictionary(fc.constantFrom('ENOENT', 'EAGAIN', 'ECONNREFUSED', 'errno_999'), count, { maxKeys: 4 }));

const latency: fc.Arbitrary<Latency | null> = maybe(fc.array(fc.tuple(fc.nat(HIST_BUCKETS - 1), fc.integer({ min: 1, max: 1e6 })), { maxLength: 8 }).map((draws) => {
  const counts = new Float64Array(HIST_BUCKETS);
  let max = 0;
  for (const [bucket, n] of draws) {
    counts[bucket] = (counts[bucket] ?? 0) + n;
    max = Math.max(max, HIST_BOUNDS_NS[bucket] ?? 0);
  }
  return latencyOf(counts, max * 3, max, 1 + (draws.length % 3) * 8);
}));

const KEYS = ['1', '2', '3'] as const;
const key = fc.constantFrom<string>(...KEYS, 'unknown');
const container: fc.Arbitrary<ContainerInfo> = fc.record({
  kind: fc.constantFrom('pod', 'container', 'service', 'host', 'unknown'), cgroupId: hostile, cgroup: maybe(hostile), namespace: maybe(hostile), pod: maybe(hostile), podUid: maybe(hostile), container: maybe(hostile), containerId: maybe(hostile),
  image: maybe(hostile), labels: fc.dictionary(hostile, hostile, { maxKeys: 2 }), labelSource: fc.constant(null), owner: maybe(fc.record({ kind: hostile, name: hostile })), qos: fc.constant(null), podStatus: fc.constant(null), pidNs: maybe(fc.nat()), nodename: maybe(hostile), nameSource: fc.constant('oci'), unresolved: maybe(hostile),
});

const state: fc.Arbitrary<PaneState> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ status: fc.constant('ok' as const), reason: maybe(hostile), level: fc.constantFrom('count', 'latency', 'sampled', null) }) },
  { weight: 2, arbitrary: fc.record({ status: fc.constantFrom('loading' as const, 'off' as const, 'error' as const), reason: maybe(hostile), level: fc.constant(null) }) },
);
const loss = fc.record({ seen: count, kept: count, lostRing: count, lostMap: count, lostFault: count, unattributed: count, overBudget: count });
const pane = <Row>(row: fc.Arbitrary<Row>): fc.Arbitrary<Pane<Row>> => fc.record({ state, loss, rows: fc.array(row, { maxLength: 30 }) });
const stream = <Row>(row: fc.Arbitrary<Row>): fc.Arbitrary<StreamPane<Row>> => fc.record({ state, loss, rows: fc.array(row, { maxLength: 30 }), ratePerSec: real, totals: fc.array(fc.record({ container: key, count, errors: errors.map((known) => known ?? {}) }), { maxLength: 3 }) });
const time = fc.oneof(fc.integer({ min: 0, max: 4e12 }).map((ms) => new Date(ms).toISOString()), hostile);

const syscall: fc.Arbitrary<SyscallRow> = fc.record({ container: key, abi: fc.constantFrom('x86_64', 'i386', 'x32'), nr: fc.nat(400), syscall: hostile, count, ratePerSec: real, errors, injected: fc.constantFrom(0, 0, 3), latency });
const wait: fc.Arbitrary<RunqueueRow> = fc.record({ container: key, count, ratePerSec: real, latency, throttledPct: maybe(real), preemptedBy: fc.array(fc.record({ container: key, count }), { maxLength: 4 }) });
const open: fc.Arbitrary<OpenRow> = fc.record({ time, container: key, pid: fc.nat(), tid: fc.nat(), nsPid: maybe(fc.nat()), comm: hostile, path: maybe(hostile), flags: fc.array(fc.constantFrom('O_RDONLY', 'O_CLOEXEC', 'O_CREAT'), { maxLength: 3 }), fd: maybe(fc.nat()), error: maybe(hostile), latencyUs: maybe(real) });
const connection: fc.Arbitrary<TcpRow> = fc.record({
  time, container: key, pid: maybe(fc.nat()), nsPid: maybe(fc.nat()), comm: maybe(hostile), direction: fc.constantFrom('connect', 'accept'), family: fc.constantFrom(4, 6), localAddress: hostile, localPort: fc.nat(65535), remoteAddress: hostile, remotePort: fc.nat(65535),
  outcome: fc.constantFrom('established', 'refused', 'timeout', 'reset', 'unreachable', 'failed', 'pending'), error: maybe(hostile), latencyUs: maybe(real), retransmits: count,
});
const use = fc.record({ container: key, cpuPct: maybe(real), memoryBytes: maybe(real), syscallsPerSec: maybe(real), errorsPerSec: maybe(real), runqueueP99Us: maybe(real), opensPerSec: maybe(real), connectsPerSec: maybe(real), tasks: maybe(count) });
const process = fc.record({ container: key, pid: count, nsPid: maybe(count), comm: hostile, cpuPct: real, tasks: count });

export const anyFrame: fc.Arbitrary<Frame> = fc.record({
  schema: fc.constant('kbtop.frame/1' as const), seq: count, time, intervalMs: fc.constantFrom(0, 250, 1000, 10_000),
  node: fc.record({ name: hostile, kernel: hostile, arch: hostile, cpus: fc.integer({ min: 1, max: 512 }), cgroupMode: fc.constantFrom('v1', 'hybrid', 'v2') }),
  containers: fc.tuple(container, container, container).map((infos) => Object.fromEntries(infos.map((info, i) => [KEYS[i], info]))),
  learned: fc.constant({}),
  panes: fc.record({ syscalls: pane(syscall), runqueue: pane(wait), opens: stream(open), tcp: stream(connection), containers: pane(use), processes: pane(process) }),
  chaos: fc.array(fc.record({ id: count, rule: hostile, target: key, targets: fc.array(key, { maxLength: 2 }), targetName: hostile, backend: hostile, hits: count, remainingMs: count, remainingHits: count, dryRun: fc.boolean(), state: fc.constantFrom('armed' as const, 'ended' as const) }), { maxLength: 2 }),
  self: fc.record({ cpuPct: maybe(real), bpfCpuPct: maybe(real), rssBytes: maybe(count) }),
});
