/** What a rule comes to in the kernel: the calls it concerns, and the hooks that act on each. Pure. */
import { errnoNumber } from '../../frame/errno.ts';
import { ABI_NAMES, type Call, syscallNumber } from '../../frame/syscall-names/index.ts';
import type { BackendName } from '../backends.ts';
import { ADDRESS_ARGUMENTS, FD_ARGUMENTS, PATH_ARGUMENTS } from '../call-arguments.ts';
import { limitsOf } from '../decide.ts';
import { ChaosError } from '../door.ts';
import { ABIS } from '../families.ts';
import { parseGlob } from '../glob.ts';
import { type Entry, entriesOf } from '../kernel-symbols.ts';
import type { KernelFault, Rule } from '../rule.ts';
import { type Attachment, KERNEL_FAULT_FUNCTIONS, type Selection, select } from '../select.ts';
import { signalNumber } from '../signals.ts';
import { formatDelayUs } from '../time.ts';
import { type KernelCapabilities, SPIN_MAX_US } from './capabilities.ts';
import type { CallArguments, KernelRule } from './layout.ts';

/** A program in a place. */
export interface HookSpec {
  readonly object: 'chaos/act' | 'chaos/cgroup' | 'chaos/alloc';
  readonly program: string;
  /** What it is attached to, the first of these that can be: functions, or an LSM hook. Empty: the program's section says it. */
  readonly targets: readonly string[];
  /** Attached to each cgroup of the target, or once for all tasks. */
  readonly perCgroup: boolean;
  /** Hooks of one name stand in for each other: whichever a call meets first acts. */
  readonly name: string;
  /** Without it there is no fault; else it may be that this kernel has no such function. */
  readonly required: boolean;
  /** Of chaos/alloc: what KernelFaults attaches, and by what. */
  readonly kernel?: { readonly fault: KernelFault; readonly backend: 'fmod_ret' | 'kprobe' };
}

export interface PlannedCall {
  /** ABI and number as bpf/syscall.h packs them. */
  readonly packed: number;
  readonly syscall: string;
  readonly backend: BackendName;
  readonly places: CallArguments;
  /** Empty: the call's entry acts. */
  readonly hooks: readonly HookSpec[];
}

export interface RulePlan {
  /** All but when and under which number. */
  readonly rule: Omit<KernelRule, 'id' | 'armedNs' | 'untilNs'>;
  readonly calls: readonly PlannedCall[];
}

const ABI_SHIFT = 10;

export const packCall = ({ abi, nr }: Pick<Call, 'abi' | 'nr'>): number => ((ABI_NAMES.indexOf(abi) + 1) << ABI_SHIFT) | nr;

const placesOf = (syscall: string): CallArguments => ({ path: PATH_ARGUMENTS.get(syscall) ?? [], fd: FD_ARGUMENTS.get(syscall) ?? [], address: ADDRESS_ARGUMENTS.get(syscall)?.[0] ?? null });

/** On a call's own function: all of them are one hook, since only the current call's is ever run. */
const onFunction = (program: string, targets: readonly string[], required: boolean): HookSpec => ({ object: 'chaos/act', program, targets, perCgroup: false, name: 'call', required });

/** A hook may go by two names. */
const onHook = (program: string, hook: string, perCgroup: boolean, required: boolean): HookSpec => ({ object: 'chaos/act', program, targets: [hook], perCgroup, name: hook.replace(/^security_/, ''), required });

/** What fails below the call; rules with the same fault share it. */
const belowCall = (fault: KernelFault, backend: 'fmod_ret' | 'kprobe'): HookSpec => ({
  object: 'chaos/alloc', program: backend, targets: [KERNEL_FAULT_FUNCTIONS[fault.fault]], perCgroup: false, name: `${backend} ${JSON.stringify(fault)}`, required: true, kernel: { fault, backend },
});

/** kprobes know aliases; what the list of functions has comes first. */
function probeNames({ names }: Entry, injectable: ReadonlySet<string> | null): readonly string[] {
  const listed = names.filter((name) => injectable?.has(name) === true);
  return listed.length > 0 ? listed : names;
}

const PROGRAMS = { fmod_ret: 'modify', kprobe: 'override', fmod_ret_security: 'modify', lsm: 'deny', lsm_cgroup: 'deny_cgroup' } as const;
const HOLDING = { fmod_ret: 'modify_holding', lsm: 'deny_holding' } as const;

/** Hooks for one call by a selection; null: this ABI's call is not among what it attaches to. */
function hooksOf(call: Call, attachment: Attachment, { injectable }: KernelCapabilities, holding = false): readonly HookSpec[] | null {
  switch (attachment.kind) {
    case 'entry': return [];
    case 'cgroup': return attachment.programs.map((program) => ({ object: 'chaos/cgroup', program, targets: [], perCgroup: true, name: program, required: true }));
    case 'hooks': {
      const { backend, hooks } = attachment;
      const program = holding ? HOLDING.lsm : PROGRAMS[backend];
      // Of a call's hooks only some let programs sleep; a call that passes none of these is told as missed.
      return hooks.map((hook) => onHook(program, hook, backend === 'lsm_cgroup', !holding));
    }
    case 'function': {
      const { backend, entries } = attachment;
      const own = new Set(entriesOf(call).map(({ btf }) => btf));
      const mine = entries.filter(({ btf }) => own.has(btf));
      const program = holding ? HOLDING.fmod_ret : PROGRAMS[backend];
      return mine.length === 0 ? null : mine.map((entry) => onFunction(program, backend === 'kprobe' ? probeNames(entry, injectable) : [entry.btf], injectable !== null));
    }
  }
}

/** What holds a call for longer than its entry can. @throws ChaosError */
function holderOf(syscall: string, us: number, capabilities: KernelCapabilities): Attachment {
  const reasons: string[] = [];
  for (const backend of ['fmod_ret', 'lsm'] as const) {
    if (!capabilities.holders.has(backend)) continue;
    const { attachment, reason } = select(syscall, { kind: 'error', errno: 'EPERM' }, capabilities, backend);
    if (attachment !== null) return attachment;
    reasons.push(reason);
  }
  const why = reasons.length === 0 ? 'this kernel has no hook that may sleep' : reasons.join('; ');
  throw new ChaosError('impossible', `${syscall} cannot be held for ${formatDelayUs(us)}: ${why}; up to ${formatDelayUs(SPIN_MAX_US)} is possible`);
}

function effectOf({ effect }: Rule): Pick<KernelRule, 'effect' | 'value' | 'yields'> {
  switch (effect.kind) {
    case 'error': return { effect: 'error', value: BigInt(errnoNumber(effect.errno) ?? 0), yields: false };
    case 'signal': return { effect: 'signal', value: BigInt(signalNumber(effect.signal) ?? 0), yields: false };
    case 'delay': return { effect: 'delay', value: BigInt(effect.us) * 1000n, yields: effect.us > SPIN_MAX_US };
  }
}

/** @throws ChaosError impossible: a call has no backend, or its delay is too long for it */
export function planRule(rule: Rule, selections: readonly Selection[], capabilities: KernelCapabilities, dryRun: boolean): RulePlan {
  const effect = effectOf(rule);
  if (selections.length === 0) throw new ChaosError('impossible', 'no program on this machine makes the calls of this rule');
  const calls: PlannedCall[] = [];
  for (const { syscall, attachment: chosen, reason } of selections) {
    if (chosen === null) throw new ChaosError('impossible', reason);
    const holding = rule.effect.kind === 'delay' && effect.yields;
    const attachment = rule.effect.kind === 'delay' && holding ? holderOf(syscall, rule.effect.us, capabilities) : chosen;
    for (const abi of ABIS[capabilities.arch]) {
      const nr = syscallNumber(abi, syscall);
      if (nr === null) continue;
      const call = { abi, nr, name: syscall };
      const hooks = rule.kernel !== null && attachment.kind === 'function' ? [belowCall(rule.kernel, attachment.backend)] : hooksOf(call, attachment, capabilities, holding);
      if (hooks !== null) calls.push({ packed: packCall(call), syscall, backend: chosen.backend, places: placesOf(syscall), hooks });
    }
  }
  const { path, ...where } = rule.where;
  return { rule: { ...effect, dryRun, limits: limitsOf(rule), ...where, path: path === null ? null : parseGlob(path) }, calls };
}
