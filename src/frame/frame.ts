/**
 * A Frame is one tick's immutable snapshot of every pane: the only thing that the TUI, snapshots,
 * exports, recordings and shared sessions know. Field names and units are the public JSON schema
 * `kbtop.frame/1`; add fields freely, never change or drop one without a changelog entry.
 *
 * Counts are exact over the interval unless a `sampled` field stands beside them. Unknown is `null`,
 * never zero. Strings are raw bytes decoded as UTF-8 (invalid bytes become U+FFFD): whoever writes
 * them to a terminal escapes them there (see escape.ts).
 */

export const SCHEMA = 'kbtop.frame/1';

export type PaneId = 'syscalls' | 'runqueue' | 'opens' | 'tcp' | 'containers' | 'processes';

/** How much a pane measures: `count` has no latencies, `sampled` times one call in N. */
export type Level = 'count' | 'latency' | 'sampled';

export interface PaneState {
  readonly status: 'ok' | 'loading' | 'off' | 'error';
  /** One line that says why the pane is not `ok`, or why its level fell; null when all is well. */
  readonly reason: string | null;
  readonly level: Level | null;
}

/** What happened to the events of one pane during the interval: seen = kept + every loss but `unattributed`. */
export interface Loss {
  readonly seen: number;
  readonly kept: number;
  /** Ring buffer was full. */
  readonly lostRing: number;
  /** A BPF map was full or its update failed, or the kernel skipped the program. */
  readonly lostMap: number;
  /** A read of user or kernel memory faulted; the event is kept with the unreadable field null. */
  readonly lostFault: number;
  /** Kept, but its cgroup could not be named. */
  readonly unattributed: number;
  /** Rows left out on purpose by the pane's rows-per-second budget; the counts still include them. */
  readonly overBudget: number;
}

/** Latency distribution over the interval; microseconds, fractions allowed. Percentiles are null without samples. */
export interface Latency {
  readonly count: number;
  readonly sumUs: number;
  readonly p50Us: number | null;
  readonly p95Us: number | null;
  readonly p99Us: number | null;
  readonly maxUs: number | null;
  /** Ascending [lower bound in us, count]; empty buckets are left out. */
  readonly buckets: readonly (readonly [lowerUs: number, count: number])[];
  /** 1: every event was timed; N: one in N. */
  readonly sampled: number;
}

export type ContainerKind = 'pod' | 'container' | 'sandbox' | 'service' | 'user' | 'host' | 'unknown';
export type NameSource = 'cgroup' | 'oci' | 'cri' | 'logs' | 'api' | 'kubelet';

/** A pod as `kubectl get pods` tells it. */
export interface PodStatus {
  /** Containers that are ready, of how many; sidecars (restartable init containers) count. */
  readonly ready: number;
  readonly containers: number;
  /** kubectl's STATUS, which is not the phase: Running, CrashLoopBackOff, Init:0/1, Terminating, ... */
  readonly status: string;
  /** Restarts of all its containers, as kubectl counts them. */
  readonly restarts: number;
  /** ISO 8601; null when not told. */
  readonly createdAt: string | null;
  /** Containers with a probe that runs a command in them; absent: none has. */
  readonly execProbes?: readonly string[];
}

/** Who a cgroup is. Every cgroup that a row refers to stands in `Frame.containers` under its key. */
export interface ContainerInfo {
  readonly kind: ContainerKind;
  /** Name of its node; only in Frames of several nodes. */
  readonly node?: string;
  /** Kernel id of the cgroup: the inode of its directory. Decimal, since it may pass 2^53. */
  readonly cgroupId: string;
  /** Path below the mount of its hierarchy; null when the cgroup was gone before it could be read. */
  readonly cgroup: string | null;
  readonly namespace: string | null;
  readonly pod: string | null;
  readonly podUid: string | null;
  readonly container: string | null;
  readonly containerId: string | null;
  readonly image: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Who told the labels, also that there are none; null: nobody, so they are not known. */
  readonly labelSource: NameSource | null;
  readonly owner: { readonly kind: string; readonly name: string } | null;
  readonly qos: 'Guaranteed' | 'Burstable' | 'BestEffort' | null;
  /** Null unless the Kubernetes API or the kubelet tells it. */
  readonly podStatus: PodStatus | null;
  /** Inode number of the pid namespace its tasks live in (the task's own, not the one for children). */
  readonly pidNs: number | null;
  /** UTS nodename its tasks see. */
  readonly nodename: string | null;
  readonly nameSource: NameSource | null;
  /** Why a name is missing; null when nothing is. */
  readonly unresolved: string | null;
}

export interface SyscallRow {
  readonly container: string;
  readonly abi: string;
  readonly nr: number;
  readonly syscall: string;
  readonly count: number;
  readonly ratePerSec: number;
  /** Failed calls by errno name; null at a level that does not see results. Restart codes are not errors. */
  readonly errors: Readonly<Record<string, number>> | null;
  readonly injected: number;
  readonly latency: Latency | null;
}

export interface RunqueueRow {
  readonly container: string;
  readonly count: number;
  readonly ratePerSec: number;
  readonly latency: Latency | null;
  /** Share of the interval in which the cgroup's CPU quota held it back, 0..100; null where there is no quota to read. */
  readonly throttledPct: number | null;
  /** Who was put on the CPU when this container was preempted, most first. */
  readonly preemptedBy: readonly { readonly container: string; readonly count: number }[];
}

export interface OpenRow {
  readonly time: string;
  readonly container: string;
  readonly pid: number;
  readonly tid: number;
  readonly nsPid: number | null;
  readonly comm: string;
  /** As the program passed it; null when its memory could not be read. */
  readonly path: string | null;
  readonly flags: readonly string[];
  readonly fd: number | null;
  readonly error: string | null;
  readonly latencyUs: number | null;
}

export type TcpOutcome = 'established' | 'refused' | 'timeout' | 'reset' | 'unreachable' | 'failed' | 'pending';

export interface TcpRow {
  readonly time: string;
  readonly container: string;
  readonly pid: number | null;
  readonly nsPid: number | null;
  readonly comm: string | null;
  readonly direction: 'connect' | 'accept';
  readonly family: 4 | 6;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly outcome: TcpOutcome;
  readonly error: string | null;
  /** From the first SYN (connect) or the incoming SYN (accept) to the outcome. */
  readonly latencyUs: number | null;
  readonly retransmits: number;
}

export interface ContainerRow {
  readonly container: string;
  /** 100 is one CPU. */
  readonly cpuPct: number | null;
  readonly memoryBytes: number | null;
  readonly syscallsPerSec: number | null;
  readonly errorsPerSec: number | null;
  readonly runqueueP99Us: number | null;
  readonly opensPerSec: number | null;
  readonly connectsPerSec: number | null;
  readonly tasks: number | null;
}

/** A process that used the CPU in the interval. */
export interface ProcessRow {
  readonly container: string;
  /** On the host, and in its own pid namespace. */
  readonly pid: number;
  readonly nsPid: number | null;
  readonly comm: string;
  /** All its threads; 100 is one CPU. */
  readonly cpuPct: number;
  /** Threads. */
  readonly tasks: number;
}

export interface Pane<Row> {
  readonly state: PaneState;
  readonly loss: Loss;
  readonly rows: readonly Row[];
}

/** Exact in-kernel totals per container for panes whose rows are a budgeted stream. */
export interface StreamTotal {
  readonly container: string;
  readonly count: number;
  readonly errors: Readonly<Record<string, number>>;
}

export interface StreamPane<Row> extends Pane<Row> {
  readonly ratePerSec: number;
  readonly totals: readonly StreamTotal[];
}

export interface PaneRows {
  syscalls: SyscallRow;
  runqueue: RunqueueRow;
  opens: OpenRow;
  tcp: TcpRow;
  containers: ContainerRow;
  processes: ProcessRow;
}

export interface Panes {
  readonly syscalls: Pane<SyscallRow>;
  readonly runqueue: Pane<RunqueueRow>;
  readonly opens: StreamPane<OpenRow>;
  readonly tcp: StreamPane<TcpRow>;
  readonly containers: Pane<ContainerRow>;
  readonly processes: Pane<ProcessRow>;
}

export interface NodeInfo {
  readonly name: string;
  readonly kernel: string;
  readonly arch: string;
  readonly cpus: number;
  readonly cgroupMode: 'v1' | 'hybrid' | 'v2';
}

/** A fault that is armed. */
export interface ChaosStatus {
  /** In a Frame of several nodes, one's own only together with `node`. */
  readonly id: number;
  /** Only in Frames of several nodes. */
  readonly node?: string;
  /** In a sentence. Raw. */
  readonly rule: string;
  /** The first of its cgroup keys; '' while it has none. */
  readonly target: string;
  /** All of them. */
  readonly targets: readonly string[];
  /** For people. Raw. */
  readonly targetName: string;
  readonly backend: string;
  readonly hits: number;
  readonly remainingMs: number;
  readonly remainingHits: number;
  /** Calls are counted, nothing happens to them. */
  readonly dryRun: boolean;
  readonly state: 'armed' | 'ended';
}

export interface SelfCost {
  /** CPU time of the kbtop process, 100 is one CPU. */
  readonly cpuPct: number | null;
  /** CPU time spent inside kbtop's BPF programs, 100 is one CPU; null when the kernel does not tell. */
  readonly bpfCpuPct: number | null;
  readonly rssBytes: number | null;
}

/**
 * ok: its rows are here. connecting: it has not told anything yet. late: it has told nothing for several intervals, so its
 * rows are left out. lost: the way to it broke. refused: it is there and cannot be shown.
 */
export type NodeState = 'ok' | 'connecting' | 'late' | 'lost' | 'refused';

/** One node of a Frame of several. */
export interface NodeStatus {
  readonly name: string;
  readonly state: NodeState;
  /** Why it is not ok, one line. Raw. */
  readonly reason: string | null;
  /** End of the interval that its rows are about, by its own clock; null: it has no rows here. */
  readonly time: string | null;
  /** Length of that interval, milliseconds: every count of the node is over this one, not over the Frame's. */
  readonly intervalMs: number | null;
  /** How far its clock is ahead of the one here, milliseconds: as its quickest Frame of late tells, the way included. */
  readonly skewMs: number | null;
  /** Frames of it that came and were not shown, since the beginning. Their events and losses were told with the next. */
  readonly skipped: number;
  /** Its rows stood in the Frame before: whoever adds up counts must leave them out. Events and losses are not told again. */
  readonly repeated: boolean;
  /** Null: not told yet. */
  readonly info: NodeInfo | null;
  /** Of its agent. */
  readonly self: SelfCost | null;
}

export interface Frame {
  readonly schema: typeof SCHEMA;
  readonly seq: number;
  /** End of the interval, ISO 8601 UTC. */
  readonly time: string;
  readonly intervalMs: number;
  readonly node: NodeInfo;
  readonly containers: Readonly<Record<string, ContainerInfo>>;
  /** Containers of earlier Frames, by key, about which something was learned since: names that came late. */
  readonly learned: Readonly<Record<string, ContainerInfo>>;
  readonly panes: Panes;
  readonly chaos: readonly ChaosStatus[];
  readonly self: SelfCost;
  /**
   * Only in a Frame of several nodes: all of them, also those that it has no rows of, by name. `node`, `self`, losses and
   * totals are then of all together (`node.cgroupMode` is that of most), and keys of containers are `KEY@NODE` (see
   * node-key.ts).
   */
  readonly nodes?: readonly NodeStatus[];
}

export const NO_LOSS: Loss = { seen: 0, kept: 0, lostRing: 0, lostMap: 0, lostFault: 0, unattributed: 0, overBudget: 0 };
