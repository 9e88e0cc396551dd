/**
 * A rule: which calls of which container fail, wait or end, and when that stops. The one model behind the command line,
 * strace's grammar, scenario files and the panel. Made by validateRule() only, so what holds a Rule holds a right one,
 * in its canonical form.
 */
import type { BackendName } from './backends.ts';

export const DEFAULT_MAX_HITS = 100;
export const DEFAULT_DURATION_MS = 60_000;
/** No fault outlives it, whoever armed it. */
export const MAX_DURATION_MS = 900_000;
export const MIN_DURATION_MS = 100;
/** Longest delay of one call; longer ones stall a CPU until the kernel complains. */
export const MAX_DELAY_US = 5_000_000;
/** Largest value of a count; the kernel side counts in u64. */
export const MAX_COUNT = 2 ** 32 - 1;
/** Least probability that is not none. */
export const MIN_PROBABILITY = 1e-6;
/** Bytes of a task's name without the final NUL. */
export const COMM_BYTES = 15;

/** Whom it is for, as given: who that is right now is resolved elsewhere. */
export type RuleTarget =
  | { readonly kind: 'pod'; readonly namespace: string; readonly pod: string; /** null: every container of the pod. */ readonly container: string | null }
  /** Path below the mount of cgroup v2, beginning with a slash; it and everything below it. */
  | { readonly kind: 'cgroup'; readonly path: string }
  /** Hexadecimal, 12 to 64 digits: the start of an id or all of it. */
  | { readonly kind: 'container'; readonly id: string };

export type Effect =
  /** The call fails with it; an errno's name, ENOSPC. */
  | { readonly kind: 'error'; readonly errno: string }
  /** The calling task gets it before the call runs; SIGTERM. */
  | { readonly kind: 'signal'; readonly signal: string }
  /** The call runs this much later; microseconds. */
  | { readonly kind: 'delay'; readonly us: number };

/** All of them must hold; null: anything. A call with two paths or descriptors needs one of them. */
export interface Where {
  /** A pattern, see glob.ts. */
  readonly path: string | null;
  /** The other side's port of connect and sendto, the own one of bind; 0..65535. */
  readonly port: number | null;
  readonly fd: number | null;
  /** Whole name of the thread, as in /proc/PID/task/TID/comm. */
  readonly comm: string | null;
  /** Real user id as the host sees it (bpf_get_current_uid_gid). */
  readonly uid: number | null;
}

/** Kernel operations that fail below a system call. Expert mode only: what the kernel makes of it may outlive the fault. */
export const KERNEL_FAULTS = ['slab', 'page', 'bio'] as const;
export type KernelFaultKind = (typeof KERNEL_FAULTS)[number];

/** What each makes fail, and the error that it gives. */
export const KERNEL_FAULT_ERRORS: Readonly<Record<KernelFaultKind, string>> = { slab: 'ENOMEM', page: 'ENOMEM', bio: 'EIO' };

/** Fail kmalloc (slab), page allocation (page) or block I/O (bio), only while `function` is being run for one of the rule's calls. */
export interface KernelFault {
  readonly fault: KernelFaultKind;
  /** Kernel function that must be on the call chain: ext4_create. */
  readonly function: string;
  /** A condition on it; null: none. */
  readonly when:
    /** Argument number `argument`, 1 is the first: a string, or a dentry with that name. */
    | { readonly kind: 'string'; readonly argument: number; readonly equals: string }
    /** The process that runs it, as the host numbers it. */
    | { readonly kind: 'pid'; readonly pid: number }
    | null;
}

export interface Rule {
  readonly name: string | null;
  /** null: not said yet; no rule is armed without. */
  readonly target: RuleTarget | null;
  /** System calls ("openat") and families ("%open"), sorted, each once; see families.ts. */
  readonly syscalls: readonly string[];
  readonly effect: Effect;
  readonly where: Where;
  /** Of each call that the counts below let through; above 0, up to 1. */
  readonly probability: number;
  /** So many matching calls go by first. */
  readonly skip: number;
  /** Of those after them, the first and then one in so many; 1 is all. */
  readonly every: number;
  /** Number of the last matching call that may be hit, skipped ones included; null: no such. */
  readonly last: number | null;
  readonly maxHits: number;
  readonly durationMs: number;
  /** Of the probability: the same seed hits the same numbers. */
  readonly seed: number;
  /** The only backend to use; null: the best one. */
  readonly backend: BackendName | null;
  readonly kernel: KernelFault | null;
}

export const ANYWHERE: Where = { path: null, port: null, fd: null, comm: null, uid: null };

export const equalRules = (a: Rule, b: Rule): boolean => JSON.stringify(a) === JSON.stringify(b);

/** "pod shop/web-1", "container app in pod shop/web-1", "cgroup /system.slice/x", "container 0123456789ab". Raw, not escaped. */
export function targetText(target: RuleTarget): string {
  switch (target.kind) {
    case 'pod': return `${target.container === null ? '' : `container ${target.container} in `}pod ${target.namespace}/${target.pod}`;
    case 'cgroup': return `cgroup ${target.path}`;
    case 'container': return `container ${target.id.slice(0, 12)}`;
  }
}
