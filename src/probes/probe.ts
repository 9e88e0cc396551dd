/**
 * What a probe is: the owner of one BPF object and of one pane's numbers. The manager opens it, ticks it and
 * turns its cgroup keys into containers; a probe knows nothing of Frames' consumers.
 */
import type { Addon, BpfObject, ProgramResult } from '../bpf/addon.ts';
import type { Level, Loss, PaneId, PaneRows, PaneState, StreamTotal } from '../frame/frame.ts';

/** A cgroup as BPF programs key it: hierarchy id << 56 | kernfs id (bpf/cgroup.h), as a decimal string. */
export type CgroupKey = string;

/** What every probe is given when it starts. */
export interface ProbeContext {
  readonly addon: Addon;
  /** True on v1 and hybrid hosts: value for the BPF variable cgroup_v1_fallback. */
  readonly cgroupV1Fallback: boolean;
  /** Only some containers were asked for: the object has a list of those to be ignored (see ignored.ts). */
  readonly filtered?: boolean;
  readonly cpus: number;
  /** Wall clock minus CLOCK_MONOTONIC, milliseconds, to date kernel timestamps. */
  readonly clockOffsetMs: number;
  /** Receives libbpf and verifier logs (--debug). */
  readonly debug: (text: string) => void;
}

/** One pane's numbers over one interval. `container` fields hold CgroupKeys; the manager replaces nothing, it resolves them. */
export interface ProbeTick<P extends PaneId = PaneId> {
  readonly state: PaneState;
  readonly loss: Loss;
  readonly rows: readonly PaneRows[P][];
  /** Exact totals, for panes that stream rows. */
  readonly totals?: readonly StreamTotal[];
}

/** What a tick covers. */
export interface Interval {
  /** Number of the tick, from 1. */
  readonly seq: number;
  readonly ms: number;
  /** When it ends, milliseconds of performance.now(): the same for all panes of a Frame. */
  readonly at?: number;
  /** One Frame was asked for, not a stream of them: numbers must be of exactly this interval, whatever they cost. */
  readonly exact?: boolean;
}

export interface Probe<P extends PaneId = PaneId> {
  readonly pane: P;
  /** Load and attach; rejects with a BpfError or Error whose message is one line that says what to do. Counting starts here. */
  start(context: ProbeContext): Promise<void>;
  /** Programs and how they fared, for `doctor` and --debug. */
  readonly results: readonly ProgramResult[];
  /** Take ring-buffer records out so that nothing is lost between ticks; cheap, called every 20 to 50 ms. Absent without a ring. */
  drain?(): void;
  /** The numbers since the last tick (since start for the first). */
  tick(interval: Interval): ProbeTick<P>;
  /** Change what is measured, at once. */
  setLevel?(level: Level | 'off'): void;
  /** The BPF object, for its cost; null before start and after close. */
  readonly object: BpfObject | null;
  close(): void;
}
