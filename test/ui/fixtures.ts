/** A node that does not exist: plausible Frames without BPF, the same for the same seed. For tests and for the bench of the screen. */
import type { ContainerInfo, Frame, Latency, OpenRow, PaneState, RunqueueRow, SyscallRow, TcpRow } from '../../src/frame/frame.ts';
import { NO_LOSS } from '../../src/frame/frame.ts';
import { HIST_BOUNDS_NS, HIST_BUCKETS, latencyOf } from '../../src/frame/histogram.ts';
import type { FrameSource } from '../../src/frame/source.ts';

/** mulberry32. */
export function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

interface Workload {
  readonly namespace: string;
  readonly pod: string;
  readonly owner: ContainerInfo['owner'];
  readonly container: string;
  readonly comm: string;
  /** kubectl's STATUS where it is not Running. */
  readonly status?: string;
}

/** Containers of workloads, in the order of their keys; a sidecar stands after them and shares the pod of its neighbour. */
const PODS: readonly Workload[] = [
  { namespace: 'shop', pod: 'web-5d9f6c7b8-iz6xk', owner: { kind: 'Deployment', name: 'web' }, container: 'nginx', comm: 'nginx' },
  { namespace: 'shop', pod: 'cart-7b4e55d9c-dq4tz', owner: { kind: 'Deployment', name: 'cart' }, container: 'app', comm: 'python3', status: 'CrashLoopBackOff' },
  { namespace: 'payments', pod: 'etcd-28e2-0', owner: { kind: 'StatefulSet', name: 'etcd-28e2' }, container: 'etcd', comm: 'etcd' },
  { namespace: 'monitoring', pod: 'prometheus-0', owner: { kind: 'StatefulSet', name: 'prometheus' }, container: 'prometheus', comm: 'prometheus' },
  { namespace: 'kube-system', pod: 'coredns-7a16bd4c9-md6pw', owner: { kind: 'Deployment', name: 'coredns' }, container: 'coredns', comm: 'coredns' },
  { namespace: 'default', pod: 'job-x2k1-5194', owner: { kind: 'CronJob', name: 'job' }, container: 'worker', comm: 'java', status: 'Completed' },
  { namespace: 'kube-system', pod: 'kube-proxy-9xk2l', owner: { kind: 'DaemonSet', name: 'kube-proxy' }, container: 'kube-proxy', comm: 'kube-proxy' },
  { namespace: 'ingress', pod: 'envoy-6f7d9d8b5c-2pqrs', owner: null, container: 'envoy', comm: 'envoy', status: 'Terminating' },
  { namespace: 'shop', pod: 'web-5d9f6c7b8-iz6xk', owner: { kind: 'Deployment', name: 'web' }, container: 'log-shipper', comm: 'fluent-bit' },
];
const SYSCALLS: readonly (readonly [name: string, nr: number, weight: number, us: number, errno: string | null])[] = [
  ['read', 0, 21000, 2, 'EAGAIN'], ['write', 1, 11200, 3, 'EPIPE'], ['futex', 202, 6900, 6, 'ETIMEDOUT'], ['epoll_wait', 232, 4000, 900, null], ['openat', 257, 3900, 5, 'ENOENT'],
  ['close', 3, 3000, 1, null], ['sendto', 44, 2700, 9, 'EAGAIN'], ['mmap', 9, 2600, 7, null], ['newfstatat', 262, 2200, 4, 'ENOENT'], ['recvfrom', 45, 2100, 6, 'EAGAIN'],
  ['clock_nanosleep', 230, 900, 52000, null], ['getpid', 39, 700, 0.3, null], ['connect', 42, 120, 60, 'ECONNREFUSED'], ['accept4', 288, 110, 12, 'EAGAIN'], ['fsync', 74, 40, 4200, null],
];
const PATHS = ['/usr/lib/x86_64-linux-gnu/libc.so.6', '/app/conf/local.yaml', '/proc/self/stat', '/etc/resolv.conf', '/etc/hosts', '/var/log/pods/shop_web-5d9f6c7b8/nginx/0.log', 'relative/path.txt'];

/** A latency with `count` samples about `medianUs`. */
export function latencyFixture(rand: () => number, count: number, medianUs: number, sampled = 1): Latency {
  const counts = new Float64Array(HIST_BUCKETS);
  let max = 0, sum = 0;
  const draws = Math.min(40, Math.max(1, Math.round(count)));
  for (let i = 0; i < draws; i++) {
    const ns = Math.max(1, medianUs * 1000 * Math.exp((rand() + rand() + rand() - 1.5) * 2.2));
    let bucket = 0;
    while (bucket < HIST_BUCKETS - 1 && (HIST_BOUNDS_NS[bucket + 1] ?? 0) <= ns) bucket++;
    const n = i === 0 ? Math.max(0, Math.round(count) - (draws - 1) * Math.floor(count / draws)) : Math.floor(count / draws);
    counts[bucket] = (counts[bucket] ?? 0) + n;
    sum += ns * n;
    max = Math.max(max, ns);
  }
  return latencyOf(counts, sum, max, sampled);
}

const hex = (rand: () => number, n: number): string => Array.from({ length: n }, () => '0123456789abcdef'[Math.floor(rand() * 16)]).join('');

export interface NodeOptions {
  readonly seed?: number;
  readonly containers?: number;
  readonly intervalMs?: number;
  /** Events per tick in each stream. */
  readonly events?: number;
}

/** Makes one Frame after the other. */
export class FakeNode {
  readonly #rand: () => number;
  readonly #containers: Record<string, ContainerInfo> = {};
  readonly #comms = new Map<string, string>();
  readonly #load = new Map<string, number>();
  #seq = 0;
  #now = Date.UTC(2026, 10, 21, 2, 0, 0);
  intervalMs: number;
  readonly #events: number;

  constructor({ seed = 1, containers = 12, intervalMs = 1000, events = 8 }: NodeOptions = {}) {
    this.#rand = random(seed);
    this.intervalMs = intervalMs;
    this.#events = events;
    const uids = new Map<string, string>();
    for (let i = 0; i < containers; i++) {
      const { namespace, pod: name, owner, container, comm, status = 'Running' } = PODS[i % PODS.length] as Workload;
      const round = Math.floor(i / PODS.length);
      const key = String(5000 + i);
      const pod = round === 0 ? name : `${name.slice(0, -1)}${round}`;
      const uid = `${hex(this.#rand, 8)}-0000-4000-8000-${hex(this.#rand, 12)}`;
      const podUid = uids.get(pod) ?? uid;
      uids.set(pod, podUid);
      const two = name.startsWith('web-');
      this.#containers[key] = {
        kind: 'pod', cgroupId: key, cgroup: `/kubepods/burstable/pod${podUid}/${hex(this.#rand, 64)}`, namespace, pod, podUid, container, containerId: hex(this.#rand, 64), image: `registry.local/${container}:1.${i}`,
        labels: { app: container, 'pod-template-hash': '5d9f6c7b8' }, labelSource: 'cri', owner, qos: i % 3 === 0 ? 'Guaranteed' : 'Burstable',
        podStatus: { ready: status === 'Running' ? (two ? 2 : 1) : 0, containers: two ? 2 : 1, status, restarts: status === 'CrashLoopBackOff' ? 17 : 0, createdAt: new Date(this.#now - (round * 97 + (i % PODS.length === 8 ? 0 : i % PODS.length) + 1) * 5_000_000).toISOString() },
        pidNs: 4026532000 + i, nodename: pod, nameSource: 'oci', unresolved: null,
      };
      this.#comms.set(key, comm);
    }
    // systemd runs in this one: a second cgroup inside the container's own.
    const outer = this.#containers['5002'];
    if (outer !== undefined) {
      this.#containers['78'] = { ...outer, cgroupId: '78', cgroup: `${outer.cgroup}/init.scope` };
      this.#comms.set('78', 'systemd');
    }
    const plain = { namespace: null, pod: null, podUid: null, container: null, containerId: null, image: null, labels: {}, labelSource: null, owner: null, qos: null, podStatus: null, nodename: 'worker-1', nameSource: 'cgroup', unresolved: null } as const;
    this.#containers['1'] = { ...plain, kind: 'host', cgroupId: '1', cgroup: '/', pidNs: 4026531836 };
    this.#containers['77'] = { ...plain, kind: 'service', cgroupId: '77', cgroup: '/system.slice/containerd.service', pidNs: 4026531836 };
    this.#containers['99'] = { ...plain, kind: 'pod', cgroupId: '99', cgroup: '/kubepods/besteffort/pod0b9e', podUid: '0b9e4c1e-1111-4222-8333-444455556666', containerId: hex(this.#rand, 64), pidNs: 4026532999, unresolved: 'no OCI bundle and the CRI socket did not answer: run as root on the host' };
    this.#comms.set('1', 'systemd');
    this.#comms.set('77', 'containerd');
    this.#comms.set('99', 'sleep');
  }

  get keys(): readonly string[] {
    return Object.keys(this.#containers);
  }

  #weight(key: string): number {
    const before = this.#load.get(key) ?? 0.2 + this.#rand() ** 2 * 3;
    const after = Math.max(0.05, before * (0.8 + this.#rand() * 0.42));
    this.#load.set(key, after);
    return after;
  }

  #syscalls(loads: ReadonlyMap<string, number>): SyscallRow[] {
    const seconds = this.intervalMs / 1000;
    const rows: SyscallRow[] = [];
    for (const [container, load] of loads) {
      SYSCALLS.forEach(([syscall, nr, weight, us, errno], i) => {
        const count = Math.round((weight / 14) * load * seconds * (0.7 + this.#rand() * 0.6));
        if (count === 0 || (i > 9 && this.#rand() < 0.3)) return;
        const failed = errno !== null && this.#rand() < 0.5 ? Math.round(count * this.#rand() * 0.01) : 0;
        rows.push({ container, abi: 'x86_64', nr, syscall, count, ratePerSec: count / seconds, errors: failed > 0 && errno !== null ? { [errno]: failed } : {}, injected: 0, latency: latencyFixture(this.#rand, count, us) });
      });
    }
    return rows;
  }

  #runqueue(loads: ReadonlyMap<string, number>): RunqueueRow[] {
    const seconds = this.intervalMs / 1000;
    return [...loads].map(([container, load], i) => {
      const count = Math.round(900 * load * seconds);
      const others = this.keys.filter((key) => key !== container);
      return {
        container, count, ratePerSec: count / seconds, latency: latencyFixture(this.#rand, count, 22 + (i % 5) * 14 * load), throttledPct: i % 4 === 0 ? Math.max(0, (load - 1) * 12) : null,
        preemptedBy: others.slice(0, 3).map((key, n) => ({ container: key, count: Math.round((40 * load) / (n + 1)) })).filter((by) => by.count > 0),
      };
    });
  }

  #opens(): OpenRow[] {
    return Array.from({ length: this.#events }, (_, i) => {
      const container = this.#any();
      const failed = this.#rand() < 0.2;
      const worker = this.#rand() < 0.3 ? 1 : 0;
      const pid = this.#pid(container, worker);
      return {
        time: this.#time(i), container, pid, tid: pid, nsPid: container === '1' ? pid : 1 + worker * 6, comm: this.#comms.get(container) ?? 'sh', path: this.#rand() < 0.04 ? null : PATHS[Math.floor(this.#rand() * PATHS.length)] ?? null,
        flags: this.#rand() < 0.7 ? ['O_RDONLY', 'O_CLOEXEC'] : ['O_WRONLY', 'O_CREAT', 'O_APPEND'], fd: failed ? null : 3 + Math.floor(this.#rand() * 20), error: failed ? (this.#rand() < 0.8 ? 'ENOENT' : 'EACCES') : null, latencyUs: 4 + this.#rand() * 90,
      };
    });
  }

  #tcp(): TcpRow[] {
    return Array.from({ length: Math.ceil(this.#events / 2) }, (_, i) => {
      const container = this.#any();
      const dice = this.#rand();
      const outcome = dice < 0.8 ? 'established' : dice < 0.88 ? 'refused' : dice < 0.92 ? 'timeout' : dice < 0.96 ? 'reset' : 'pending';
      const six = this.#rand() < 0.2;
      const part = (): number => 1 + Math.floor(this.#rand() * 250);
      return {
        time: this.#time(i), container, pid: this.#pid(container, 0), nsPid: container === '1' ? this.#pid(container, 0) : 1, comm: this.#comms.get(container) ?? null, direction: this.#rand() < 0.7 ? 'connect' : 'accept', family: six ? 6 : 4,
        localAddress: six ? 'fd00:10::5' : `10.244.1.${part()}`, localPort: 32768 + part(), remoteAddress: six ? '2001:db8:85a3::8a2e:370:7334' : `10.${part()}.${part()}.${part()}`, remotePort: [80, 443, 5432, 6379, 53][part() % 5] ?? 80,
        outcome, error: outcome === 'refused' ? 'ECONNREFUSED' : outcome === 'timeout' ? 'ETIMEDOUT' : outcome === 'reset' ? 'ECONNRESET' : null, latencyUs: outcome === 'pending' ? null : outcome === 'timeout' ? 3_000_000 : 200 + this.#rand() * 9000, retransmits: outcome === 'timeout' ? 3 : this.#rand() < 0.05 ? 1 : 0,
      };
    });
  }

  /** Each container has a server and a worker. */
  #pid(container: string, worker: number): number {
    return 20_000 + this.keys.indexOf(container) * 10 + worker;
  }

  #any(): string {
    return this.keys[Math.floor(this.#rand() * this.keys.length)] ?? '1';
  }

  #time(i: number): string {
    return new Date(this.#now - this.intervalMs + Math.floor(((i + 1) / (this.#events + 1)) * this.intervalMs)).toISOString();
  }

  /** The next tick's Frame. */
  next(): Frame {
    this.#seq += 1;
    this.#now += this.intervalMs;
    const loads = new Map(this.keys.map((key) => [key, this.#weight(key)]));
    const seconds = this.intervalMs / 1000;
    const syscalls = this.#syscalls(loads), runqueue = this.#runqueue(loads), opens = this.#opens(), tcp = this.#tcp();
    const ok: PaneState = { status: 'ok', reason: null, level: null };
    const errors = (row: SyscallRow): number => Object.values(row.errors ?? {}).reduce((a, b) => a + b, 0);
    const totals = (rows: readonly (OpenRow | TcpRow)[], times: number) => this.keys.map((container) => {
      const own = rows.filter((row) => row.container === container);
      const counts: Record<string, number> = {};
      for (const row of own) if (row.error !== null) counts[row.error] = (counts[row.error] ?? 0) + times;
      return { container, count: own.length * times, errors: counts };
    });
    return {
      schema: 'kbtop.frame/1', seq: this.#seq, time: new Date(this.#now).toISOString(), intervalMs: this.intervalMs,
      node: { name: 'worker-1', kernel: '6.1.0-18-amd64', arch: 'x86_64', cpus: 4, cgroupMode: 'v2' },
      containers: this.#containers,
      panes: {
        syscalls: { state: { ...ok, level: 'latency' }, loss: { ...NO_LOSS, seen: syscalls.length, kept: syscalls.length }, rows: syscalls },
        runqueue: { state: ok, loss: NO_LOSS, rows: runqueue },
        opens: { state: ok, loss: { ...NO_LOSS, seen: opens.length * 40, kept: opens.length, overBudget: opens.length * 39 }, rows: opens, ratePerSec: (opens.length * 40) / seconds, totals: totals(opens, 40) },
        tcp: { state: ok, loss: NO_LOSS, rows: tcp, ratePerSec: tcp.length / seconds, totals: totals(tcp, 1) },
        containers: {
          state: ok, loss: NO_LOSS, rows: [...loads].map(([container, load], i) => {
            const own = syscalls.filter((row) => row.container === container);
            return {
              container, cpuPct: Math.min(390, load * 28), memoryBytes: container === '1' ? null : Math.round((40 + i * 67) * 2 ** 20), syscallsPerSec: own.reduce((n, row) => n + row.ratePerSec, 0), errorsPerSec: own.reduce((n, row) => n + errors(row), 0) / seconds,
              runqueueP99Us: runqueue.find((row) => row.container === container)?.latency?.p99Us ?? null, opensPerSec: opens.filter((row) => row.container === container).length * 40 / seconds, connectsPerSec: tcp.filter((row) => row.container === container).length / seconds, tasks: 3 + i * 4,
            };
          }),
        },
        processes: {
          state: ok, loss: NO_LOSS, rows: [...loads].flatMap(([container, load]) => [0, 1].map((j) => ({
            container, pid: this.#pid(container, j), nsPid: container === '1' ? this.#pid(container, j) : 1 + j * 6, comm: j === 0 ? this.#comms.get(container) ?? 'server' : 'worker', cpuPct: Math.min(390, load * (j === 0 ? 20 : 8)), tasks: 2 + j,
          }))),
        },
      },
      learned: {}, chaos: [], self: { cpuPct: 1.4 + this.#rand(), bpfCpuPct: 0.6, rssBytes: 96 * 2 ** 20 },
    };
  }
}

/** A Frame whose panes are all still loading. */
export function loadingFrame(node = new FakeNode()): Frame {
  const frame = node.next();
  const state: PaneState = { status: 'loading', reason: null, level: null };
  const empty = { state, loss: NO_LOSS, rows: [] };
  return { ...frame, panes: { syscalls: empty, runqueue: empty, opens: { ...empty, ratePerSec: 0, totals: [] }, tcp: { ...empty, ratePerSec: 0, totals: [] }, containers: empty, processes: empty } };
}

export interface FakeSource extends FrameSource {
  /** What the screen asked for, in order. */
  readonly asked: readonly string[];
  /** Hand out a Frame now. */
  emit(frame?: Frame): Frame;
  end(error?: Error): void;
}

/** A source over a FakeNode. @param everyMs hand out a Frame by itself each so many milliseconds; absent: only by emit() */
export function fakeSource(node: FakeNode = new FakeNode(), everyMs?: number): FakeSource {
  const listeners = new Set<(frame: Frame) => void>();
  const asked: string[] = [];
  let latest: Frame | null = null;
  let timer: NodeJS.Timeout | undefined;
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const emit = (frame = node.next()): Frame => {
    latest = frame;
    for (const listener of listeners) listener(frame);
    return frame;
  };
  const start = (ms: number): void => {
    clearInterval(timer);
    timer = setInterval(() => emit(), ms);
  };
  if (everyMs !== undefined) start(everyMs);
  return {
    asked, emit, done,
    can: { setInterval: true, setLevel: true },
    setInterval(ms) {
      asked.push(`interval ${ms}`);
      node.intervalMs = ms;
      if (everyMs !== undefined) start(ms);
    },
    setLevel: (pane, level) => void asked.push(`level ${pane} ${level}`),
    subscribe(onFrame) {
      listeners.add(onFrame);
      if (latest) onFrame(latest);
      return () => listeners.delete(onFrame);
    },
    end: (error) => (error === undefined ? resolve() : reject(error)),
    close: () => {
      clearInterval(timer);
      listeners.clear();
      return Promise.resolve();
    },
  };
}
