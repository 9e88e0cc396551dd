/**
 * Strict check of a Frame against the public contract `kbtop.frame/1`: every field there, of the right type and
 * range, no field that nobody declared, and every key resolvable. Used by the tests of whoever makes or writes Frames.
 */
type Problem = string;
/** Adds a problem for every way in which the value is wrong. */
type Check = (value: unknown, at: string, problems: Problem[]) => void;

const wrong = (what: string): ((value: unknown, at: string, problems: Problem[]) => void) =>
  (value, at, problems) => { problems.push(`${at}: ${JSON.stringify(value)?.slice(0, 80) ?? String(value)} is not ${what}`); };

function is(what: string, test: (value: unknown) => boolean): Check {
  return (value, at, problems) => { if (!test(value)) wrong(what)(value, at, problems); };
}

const text = is('a string', (value) => typeof value === 'string');
const number = is('a finite number', (value) => Number.isFinite(value));
const positive = is('a number, 0 or more', (value) => Number.isFinite(value) && (value as number) >= 0);
const count = is('a whole number, 0 or more', (value) => Number.isInteger(value) && (value as number) >= 0);
const digits = is('decimal digits', (value) => typeof value === 'string' && /^\d+$/.test(value));
const time = is('an ISO 8601 UTC time', (value) => typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(value) && !Number.isNaN(Date.parse(value)));
const key = is('a key: decimal digits, in a Frame of several nodes with @ and the node behind them', (value) => typeof value === 'string' && /^\d+(?:@[a-z0-9][a-z0-9.-]*)?$/.test(value));
const exactly = (expected: unknown): Check => is(JSON.stringify(expected), (value) => value === expected);
const oneOf = (...values: readonly string[]): Check => is(`one of ${values.join(', ')}`, (value) => values.includes(value as string));
const nullable = (check: Check): Check => (value, at, problems) => { if (value !== null) check(value, at, problems); };

const listOf = (check: Check): Check => (value, at, problems) => {
  if (!Array.isArray(value)) wrong('an array')(value, at, problems);
  else value.forEach((one, i) => check(one, `${at}[${i}]`, problems));
};

const mapOf = (check: Check, key: Check = text): Check => (value, at, problems) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong('an object')(value, at, problems);
  for (const [name, one] of Object.entries(value)) {
    key(name, `key of ${at}`, problems);
    check(one, `${at}.${name}`, problems);
  }
};

const shape = (fields: Readonly<Record<string, Check>>): Check => (value, at, problems) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong('an object')(value, at, problems);
  for (const [name, check] of Object.entries(fields)) {
    if (name in value) check((value as Record<string, unknown>)[name], `${at}.${name}`, problems);
    else if (!('optional' in check)) problems.push(`${at}.${name} is missing`);
  }
  for (const name of Object.keys(value)) if (!(name in fields)) problems.push(`${at}.${name} is not in the contract`);
};

/** A field that may be missing: Frames leave out what is none. */
const optional = (check: Check): Check => Object.assign(((value, at, problems) => check(value, at, problems)) as Check, { optional: true });

const both = (first: Check, second: Check): Check => (value, at, problems) => {
  const before = problems.length;
  first(value, at, problems);
  if (problems.length === before) second(value, at, problems);
};

const errno = is('an errno name', (value) => typeof value === 'string' && /^(E[A-Z0-9]+|errno \d+|\d+)$/.test(value));
const errors = mapOf(count, errno);

const latency = both(shape({
  count, sumUs: positive, p50Us: nullable(positive), p95Us: nullable(positive), p99Us: nullable(positive), maxUs: nullable(positive),
  buckets: listOf(is('a [lower bound, count] pair', (value) => Array.isArray(value) && value.length === 2 && value.every((one) => Number.isFinite(one) && one >= 0))),
  sampled: is('1 or more', (value) => Number.isInteger(value) && (value as number) >= 1),
}), (value, at, problems) => {
  const { buckets, count: total, p50Us, p95Us, p99Us } = value as { buckets: [number, number][]; count: number; p50Us: number; p95Us: number; p99Us: number };
  if (buckets.some(([lower], i) => i > 0 && lower <= (buckets[i - 1]?.[0] ?? 0))) problems.push(`${at}.buckets do not ascend`);
  if (buckets.reduce((sum, [, n]) => sum + n, 0) !== total) problems.push(`${at}.buckets do not add up to count`);
  if (p50Us > p95Us || p95Us > p99Us) problems.push(`${at}: percentiles do not ascend`);
});

const state = both(shape({
  status: oneOf('ok', 'loading', 'off', 'error'), reason: nullable(text), level: nullable(oneOf('count', 'latency', 'sampled')),
}), (value, at, problems) => {
  const { status, reason } = value as { status: string; reason: string | null };
  if ((status === 'off' || status === 'error') && !reason) problems.push(`${at}: ${status} without a reason`);
  if (reason?.includes('\n')) problems.push(`${at}.reason has more than one line`);
});

const LOSSES = { seen: count, kept: count, lostRing: count, lostMap: count, lostFault: count, unattributed: count, overBudget: count };
const loss = shape(LOSSES);

const syscallRow = shape({ container: key, abi: text, nr: is('a whole number', Number.isInteger), syscall: text, count, ratePerSec: positive, errors: nullable(errors), injected: count, latency: nullable(latency) });
const runqueueRow = shape({
  container: key, count, ratePerSec: positive, latency: nullable(latency), throttledPct: nullable(positive), preemptedBy: listOf(shape({ container: key, count })),
});
const openRow = shape({
  time, container: key, pid: count, tid: count, nsPid: nullable(count), comm: text, path: nullable(text), flags: listOf(text), fd: nullable(count),
  error: nullable(errno), latencyUs: nullable(positive),
});
const tcpRow = shape({
  time, container: key, pid: nullable(count), nsPid: nullable(count), comm: nullable(text), direction: oneOf('connect', 'accept'),
  family: is('4 or 6', (value) => value === 4 || value === 6), localAddress: text, localPort: count, remoteAddress: text, remotePort: count,
  outcome: oneOf('established', 'refused', 'timeout', 'reset', 'unreachable', 'failed', 'pending'), error: nullable(errno), latencyUs: nullable(positive), retransmits: count,
});
const containerRow = shape({
  container: key, cpuPct: nullable(positive), memoryBytes: nullable(count), syscallsPerSec: nullable(positive), errorsPerSec: nullable(positive),
  runqueueP99Us: nullable(positive), opensPerSec: nullable(positive), connectsPerSec: nullable(positive), tasks: nullable(count),
});
const processRow = shape({ container: key, pid: count, nsPid: nullable(count), comm: text, cpuPct: positive, tasks: count });

const pane = (row: Check, more: Readonly<Record<string, Check>> = {}): Check => shape({ state, loss, rows: listOf(row), ...more });
const stream = (row: Check): Check => pane(row, { ratePerSec: positive, totals: listOf(shape({ container: key, count, errors })) });

const info = shape({
  node: optional(text), kind: oneOf('pod', 'container', 'sandbox', 'service', 'user', 'host', 'unknown'), cgroupId: digits, cgroup: nullable(text), namespace: nullable(text), pod: nullable(text),
  podUid: nullable(text), container: nullable(text), containerId: nullable(text), image: nullable(text), labels: mapOf(text), labelSource: nullable(oneOf('oci', 'cri', 'logs', 'api', 'kubelet')),
  owner: nullable(shape({ kind: text, name: text })), qos: nullable(oneOf('Guaranteed', 'Burstable', 'BestEffort')),
  podStatus: nullable(shape({ ready: count, containers: count, status: text, restarts: count, createdAt: nullable(time), execProbes: optional(listOf(text)) })), pidNs: nullable(count), nodename: nullable(text),
  nameSource: nullable(oneOf('cgroup', 'oci', 'cri', 'logs', 'api', 'kubelet')), unresolved: nullable(text),
});

const CGROUP_MODES = ['v1', 'hybrid', 'v2'] as const;
const node = shape({ name: text, kernel: text, arch: text, cpus: is('1 or more', (value) => Number.isInteger(value) && (value as number) >= 1), cgroupMode: oneOf(...CGROUP_MODES) });
/** All nodes together; none may be there yet. */
const cluster = shape({ name: text, kernel: text, arch: text, cpus: count, cgroupMode: oneOf(...CGROUP_MODES) });
const self = shape({ cpuPct: nullable(positive), bpfCpuPct: nullable(positive), rssBytes: nullable(count) });

const frame = shape({
  schema: exactly('kbtop.frame/1'), seq: is('1 or more', (value) => Number.isInteger(value) && (value as number) >= 1), time, intervalMs: positive,
  node: cluster,
  containers: mapOf(info, key), learned: mapOf(info, key),
  panes: shape({ syscalls: pane(syscallRow), runqueue: pane(runqueueRow), opens: stream(openRow), tcp: stream(tcpRow), containers: pane(containerRow), processes: pane(processRow) }),
  chaos: listOf(shape({ id: count, node: optional(text), rule: text, target: text, targets: listOf(text), targetName: text, backend: text, hits: count, remainingMs: number, remainingHits: number, dryRun: is('true or false', (value) => typeof value === 'boolean'), state: oneOf('armed', 'ended') })),
  self,
  nodes: optional(listOf(shape({
    name: text, state: oneOf('ok', 'connecting', 'late', 'lost', 'refused'), reason: nullable(text), time: nullable(time), intervalMs: nullable(positive), skewMs: nullable(number),
    skipped: count, repeated: is('true or false', (value) => typeof value === 'boolean'), info: nullable(node), self: nullable(self),
  }))),
});

interface Referring { readonly container: string; readonly preemptedBy?: readonly { readonly container: string }[] }
interface AnyPane { readonly loss: Record<string, number>; readonly rows: readonly Referring[]; readonly totals?: readonly Referring[] }

/** Keys that rows refer to but the frame does not hold, and the other way round. */
function checkKeys(value: { containers: Record<string, unknown>; panes: Record<string, AnyPane> }, problems: Problem[]): void {
  const used = new Set<string>();
  for (const { rows, totals } of Object.values(value.panes)) {
    for (const row of [...rows, ...totals ?? []]) {
      used.add(row.container);
      for (const other of row.preemptedBy ?? []) used.add(other.container);
    }
  }
  for (const key of used) if (!(key in value.containers)) problems.push(`a row refers to ${key}, which is not in containers`);
  for (const key of Object.keys(value.containers)) if (!used.has(key)) problems.push(`containers.${key} is not referred to`);
}

interface OfNodes {
  readonly node: { readonly cpus: number };
  readonly nodes?: readonly { readonly name: string; readonly state: string; readonly reason: string | null; readonly time: string | null }[];
  readonly containers: Record<string, { readonly node?: string }>;
}

/** Of one node, nothing tells a node; of several, everything does. */
function checkNodes({ node: whole, nodes, containers }: OfNodes, problems: Problem[]): void {
  if (nodes === undefined && whole.cpus === 0) problems.push('node.cpus is 0');
  const shown = new Set(nodes?.filter(({ time: of }) => of !== null).map(({ name }) => name));
  for (const [of, { node: name }] of Object.entries(containers)) {
    if (of.split('@')[1] !== name) problems.push(`containers.${of} is on node ${name}`);
    if (name !== undefined && !shown.has(name)) problems.push(`containers.${of} is of a node that has nothing to show`);
  }
  for (const { name, state: of, reason } of nodes ?? []) if (reason?.includes('\n') || ((of === 'late' || of === 'lost' || of === 'refused') && !reason)) problems.push(`node ${name} is ${of} without one line that says why`);
}

/** seen = kept + what was lost on the way; a fault or a missing name loses no event. */
function checkLosses(panes: Record<string, AnyPane>, problems: Problem[]): void {
  for (const [name, { loss: of }] of Object.entries(panes)) {
    const { seen = 0, kept = 0, lostRing = 0, lostMap = 0, overBudget = 0 } = of;
    if (seen !== kept + lostRing + lostMap + overBudget) problems.push(`panes.${name}.loss: ${seen} seen are not ${kept} kept + ${lostRing} + ${lostMap} + ${overBudget} lost`);
  }
}

/** Every way in which a value, as it is or parsed from JSON, is not a Frame of the contract; empty when it is one. */
export function contractProblems(value: unknown): Problem[] {
  const problems: Problem[] = [];
  frame(value, 'frame', problems);
  if (problems.length === 0) {
    const whole = value as { containers: Record<string, unknown>; panes: Record<string, AnyPane> };
    checkKeys(whole, problems);
    checkLosses(whole.panes, problems);
    checkNodes(value as unknown as OfNodes, problems);
    if (JSON.stringify(JSON.parse(JSON.stringify(value))) !== JSON.stringify(value)) problems.push('does not survive JSON');
  }
  return problems;
}
