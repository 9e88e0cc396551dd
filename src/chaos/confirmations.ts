/** When a yes is not enough: the name of the target is to be typed. */
import type { ContainerInfo } from '../frame/frame.ts';
import { containerName, podName } from '../frame/names.ts';
import type { TargetCgroup } from './refused-targets.ts';
import type { Rule } from './rule.ts';

export interface Confirmation {
  /** What is to be typed: the pod's name, or the last part of the cgroup's path. Raw, not escaped. */
  readonly text: string;
  /** Why, one line each. */
  readonly reasons: readonly string[];
}

/** From so many hits on, a fault without a chance to pass is an outage. */
const CERTAIN_HITS = 1000;
const DEADLY = new Set(['SIGKILL', 'SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGILL', 'SIGFPE', 'SIGSYS', 'SIGQUIT']);
const STOPPING = new Set(['SIGSTOP', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']);

const podKey = (info: ContainerInfo): string | null => info.podUid ?? (info.pod === null ? null : `${info.namespace}/${info.pod}`);

function reasonsFor(rule: Rule, target: readonly TargetCgroup[], allowSystem: boolean): string[] {
  const reasons: string[] = [];
  const pods = new Set(target.map(({ info }) => podKey(info)).filter((key) => key !== null));
  const { effect, kernel, probability, every, maxHits } = rule;
  if (pods.size > 1) reasons.push(`wide: ${pods.size} pods are hit`);
  if (probability === 1 && every === 1 && maxHits >= CERTAIN_HITS) reasons.push(`certain: every call is hit, ${maxHits} times`);
  if (kernel !== null) reasons.push(`irreversible: what the kernel makes of failed ${kernel.fault === 'bio' ? 'I/O' : 'allocations'} may outlive the fault, such as a file system that turns read-only`);
  if (effect.kind === 'signal' && DEADLY.has(effect.signal)) reasons.push(`irreversible: ${effect.signal} ends the process`);
  if (effect.kind === 'signal' && STOPPING.has(effect.signal)) reasons.push(`irreversible: ${effect.signal} stops the process, and it stays stopped`);
  if (allowSystem) reasons.push('system: pods that run the node or the cluster may be hit');
  return reasons;
}

/** Null: an ordinary yes will do. */
export function confirmationFor(rule: Rule, target: readonly TargetCgroup[], { allowSystem }: { readonly allowSystem: boolean }): Confirmation | null {
  const reasons = reasonsFor(rule, target, allowSystem);
  const [first] = target;
  if (reasons.length === 0 || first === undefined) return null;
  return { text: rule.target?.kind === 'pod' ? rule.target.pod : podName(first.info) ?? containerName(first.info), reasons };
}
