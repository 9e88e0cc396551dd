/** One call that was hit, or that would have been in a dry run; as the kernel tells it at the call's end. */
import type { EffectKind } from './backends.ts';

export interface Hit {
  /** Milliseconds since the epoch. */
  readonly time: number;
  /** Cgroup key. */
  readonly cgroup: string;
  /** Number of the matching call and of the hit, from 1. */
  readonly n: number;
  readonly number: number;
  readonly abi: string;
  readonly nr: number;
  readonly syscall: string;
  readonly effect: EffectKind;
  /** What the program was given: a result, or -errno. */
  readonly result: number;
  /** errno name, signal name, or null for a delay. */
  readonly given: string | null;
  /** From the call's entry to its exit, microseconds. */
  readonly heldUs: number;
  /** False in a dry run. */
  readonly acted: boolean;
  readonly dryRun: boolean;
  readonly pid: number;
  readonly tid: number;
  readonly nsPid: number | null;
  readonly uid: number;
  readonly comm: string;
  /** Start of the call's path as the program passed it; null when it has none. */
  readonly path: string | null;
  readonly backend: string;
}

/** What a fault has counted so far. */
export interface FaultCounts {
  /** Calls that matched, that were hit, and that really failed, were held or signalled (surfaced). */
  readonly matched: number;
  readonly hits: number;
  readonly acted: number;
  /** Hits that the hook never saw, arguments that could not be read, delays left out, hits that could not be told. */
  readonly missed: number;
  readonly unreadable: number;
  readonly throttled: number;
  readonly lost: number;
}
