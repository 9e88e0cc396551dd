/** What no rule may do, whoever asks: everything that must be empty before a rule is armed. */
import { formatDelayUs } from './time.ts';
import { ABIS, type Arch, namesOf } from './families.ts';
import { canonicalErrno } from './errnos.ts';
import type { NodeFacts } from './node-warnings.ts';
import { refusedCall, refusedError } from './refused-calls.ts';
import { judgeTarget, type OwnFacts, type Refusal, type TargetCgroup, type TargetVerdict } from './refused-targets.ts';
import type { Rule } from './rule.ts';

/** Longest delay on a node that panics when a CPU does not get away from the kernel. */
const MAX_DELAY_WITH_SOFTLOCKUP_PANIC_US = 1000;

export interface Permissions {
  /** --expert */
  readonly expert: boolean;
  /** --allow-system */
  readonly allowSystem: boolean;
}

function refusalsOfCalls({ syscalls, effect, kernel }: Rule, arch: Arch, { expert }: Permissions): Refusal[] {
  if (effect.kind !== 'error' || kernel !== null) return [];
  const refusals: Refusal[] = [];
  for (const call of namesOf(syscalls, ABIS[arch])) {
    const refused = refusedCall(call);
    if (refused !== null && !(expert && refused.expert)) refusals.push({ rule: 'call', reason: `errors of ${call} are refused: ${refused.reason}`, unless: refused.expert ? '--expert' : null });
    const error = refusedError(effect.errno, call);
    if (error !== null) refusals.push({ rule: 'error', reason: `${effect.errno} of ${call} is refused: ${error}`, unless: null });
  }
  return refusals;
}

/** The errno as such: a Rule never holds a refused one, but what was recorded or made elsewhere may. */
function refusalsOfErrno({ effect }: Rule): Refusal[] {
  if (effect.kind !== 'error') return [];
  try {
    canonicalErrno(effect.errno);
    return [];
  } catch (error) {
    return [{ rule: 'error', reason: (error as Error).message, unless: null }];
  }
}

function refusalsOfNode({ effect, kernel }: Rule, node: NodeFacts, { expert }: Permissions): Refusal[] {
  const refusals: Refusal[] = [];
  if (kernel !== null && !expert) refusals.push({ rule: 'kernel-fault', reason: `${kernel.fault} faults reach below the system call, and what the kernel makes of them may outlive the fault`, unless: '--expert' });
  if (kernel !== null && node.panicOnOops === true) refusals.push({ rule: 'panic', reason: `${kernel.fault} faults are refused on a node that panics on an oops (kernel.panic_on_oops=1)`, unless: null });
  if (effect.kind === 'delay' && node.softlockupPanic === true && effect.us > MAX_DELAY_WITH_SOFTLOCKUP_PANIC_US) {
    refusals.push({ rule: 'long-delay', reason: `a delay of ${formatDelayUs(effect.us)} is refused on a node that panics on a stalled CPU (kernel.softlockup_panic=1): ${formatDelayUs(MAX_DELAY_WITH_SOFTLOCKUP_PANIC_US)} at most`, unless: null });
  }
  return refusals;
}

export interface RuleFacts {
  readonly arch: Arch;
  readonly target: readonly TargetCgroup[];
  readonly own: OwnFacts;
  readonly node: NodeFacts;
}

/** All that forbids the rule; `excluded` are the cgroups of its target that are left out. */
export function judgeRule(rule: Rule, { arch, target, own, node }: RuleFacts, permissions: Permissions): TargetVerdict {
  const { refusals, excluded } = judgeTarget(target, own, permissions.allowSystem);
  return { refusals: [...refusals, ...refusalsOfCalls(rule, arch, permissions), ...refusalsOfErrno(rule), ...refusalsOfNode(rule, node, permissions)], excluded };
}
