/** System calls and errors that no rule may make: what would follow is not a fault that a program could handle. */
import { familyOf } from './families.ts';

export interface RefusedCall {
  /** What would happen. */
  readonly reason: string;
  /** Expert mode allows it. */
  readonly expert: boolean;
}

const words = (calls: string, reason: string, expert: boolean): (readonly [string, RefusedCall])[] => calls.split(' ').map((call) => [call, { reason, expert }]);

const REFUSED = new Map<string, RefusedCall>([
  ...words('exit exit_group', 'it never returns: a kernel that lets it return crashes', false),
  ...words('rt_sigreturn sigreturn', 'the program would go on with the registers of its signal handler', false),
  ...words('restart_syscall', 'it goes on with a call that a signal interrupted, and nobody checks it', false),
  ...words('close close_range', 'programs do not handle it: descriptors leak, or another one is closed in their place', true),
  ...words('munmap', 'memory leaks, and allocators abort the program', true),
  ...words('brk', 'programs die before main, without a word', true),
  ...words('rt_sigaction sigaction signal', 'signal handlers are missing without notice', true),
  ...words('rt_sigprocmask sigprocmask', 'signals stay blocked or unblocked without notice', true),
  ...words('futex futex_time64 futex_waitv futex_wait futex_wake futex_requeue', 'locks do not handle it: threads hang or abort', true),
  ...words('sched_yield', 'spin locks expect it to work', true),
  ...words('arch_prctl set_tid_address set_robust_list rseq set_thread_area', 'threads and programs die at their start', true),
]);

/** Why errors of this call are refused; null when they are not. Signals and delays are allowed. */
export const refusedCall = (call: string): RefusedCall | null => REFUSED.get(call) ?? null;

/** Names of all refused calls. */
export const REFUSED_CALLS: readonly string[] = [...REFUSED.keys()];

/** Why this error is refused of this call even where others are not; null when it is not. */
export function refusedError(errno: string, call: string): string | null {
  const family = familyOf(call)?.name;
  if (errno === 'EINTR' && family === 'close') return 'the descriptor is closed all the same: callers that try again close another one';
  if (errno === 'EINPROGRESS' && family === 'connect') return 'the caller waits for a connection that nobody is making';
  return null;
}

/** Calls that programs mostly answer themselves, from memory that the kernel shares with them. */
const VDSO = new Set(['clock_gettime', 'clock_gettime64', 'gettimeofday', 'time', 'clock_getres', 'clock_getres_time64', 'getcpu', 'getrandom']);

/** What to know of a call before a fault of it is expected to show; null when there is nothing. */
export const callNote = (call: string): string | null => (VDSO.has(call) ? `${call} is mostly answered without entering the kernel (vDSO): such calls are not hit` : null);
