/** What to know about the node and the target before something is armed. None of it forbids the rule. */
import { callNote } from './refused-calls.ts';
import { ABIS, type Arch, blindSpot, exactNameHint, namesOf } from './families.ts';
import { isRetried, RETRY_CAUTION } from './errors.ts';
import { isRuntimeInit, type TargetCgroup } from './refused-targets.ts';
import type { Rule } from './rule.ts';

/** Null: cannot be told. */
export interface NodeFacts {
  /** kernel.panic_on_oops, kernel.hung_task_panic, kernel.softlockup_panic */
  readonly panicOnOops: boolean | null;
  readonly hungTaskPanic: boolean | null;
  readonly softlockupPanic: boolean | null;
  readonly cgroupMode: 'v1' | 'hybrid' | 'v2';
  /** Containers of the target with a probe that runs a command in them. */
  readonly execProbes: readonly string[];
  /** Processes of the target that have an io_uring. */
  readonly ioUring: readonly string[] | null;
}

export interface Warning {
  readonly about: 'panic_on_oops' | 'hung_task_panic' | 'softlockup_panic' | 'exec-probes' | 'io_uring' | 'cgroup-v1' | 'runtime' | 'retries' | 'calls' | 'stopped' | 'stall';
  /** One line. Raw, not escaped. */
  readonly text: string;
}

const several = (names: readonly string[]): string => (names.length <= 3 ? names.join(', ') : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`);
const STALLING = new Set(['fsync', 'fdatasync', 'sync', 'syncfs']);

export function warningsOf(rule: Rule, arch: Arch, node: NodeFacts, target: readonly TargetCgroup[]): Warning[] {
  const { effect, kernel, syscalls } = rule;
  const warnings: Warning[] = [];
  const warn = (about: Warning['about'], text: string): void => { warnings.push({ about, text }); };
  const names = namesOf(syscalls, ABIS[arch]);

  if (node.panicOnOops === true) warn('panic_on_oops', 'this node panics on an oops (kernel.panic_on_oops=1): a kernel bug that the fault wakes takes the node down');
  if (node.hungTaskPanic === true && (kernel !== null || names.some((name) => STALLING.has(name)))) warn('hung_task_panic', 'this node panics when a task is stuck for minutes (kernel.hung_task_panic=1): do not stall it for long');
  // Writeback tries a failed allocation again and again.
  if (kernel !== null && kernel.fault !== 'bio' && names.some((name) => STALLING.has(name))) warn('stall', 'a program that such a call holds up cannot be killed before the fault ends');
  if (node.softlockupPanic === true && effect.kind === 'delay') warn('softlockup_panic', 'this node panics on a stalled CPU (kernel.softlockup_panic=1)');
  if (node.execProbes.length > 0) warn('exec-probes', `probes that run commands in ${several(node.execProbes)} will be hit, too: kubelet may restart the container`);
  if (node.ioUring !== null && node.ioUring.length > 0) warn('io_uring', `${several(node.ioUring)} uses io_uring: what it does there passes no system call and is not hit`);
  if (node.cgroupMode === 'v1') warn('cgroup-v1', 'this node has cgroup v1 only: the target is known by its pid namespace, so containers that share one are all hit');
  const inits = target.flatMap(({ tasks }) => tasks.filter(({ comm }) => isRuntimeInit(comm)));
  if (inits.length > 0) warn('runtime', 'a container runtime is entering the target right now: it is left alone, but what it starts is not');
  if (effect.kind === 'error' && isRetried(effect.errno) && rule.probability === 1 && rule.every === 1) warn('retries', `${effect.errno}: ${RETRY_CAUTION}, or hit one in several`);
  if (effect.kind === 'signal' && (effect.signal === 'SIGSTOP' || effect.signal === 'SIGTSTP')) warn('stopped', 'who is stopped stays so when the fault ends: kill -CONT wakes it');
  for (const note of [...syscalls.map(exactNameHint), ...names.map(callNote), blindSpot(syscalls, ABIS[arch])]) if (note !== null) warn('calls', note);
  return warnings;
}
