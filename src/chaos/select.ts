/**
 * Which backend makes a fault: the first in order that can, and one line for every other one that says why not. Pure;
 * what this kernel has comes as ChaosCapabilities. Nothing is ever done by less than what was asked for.
 */
import { type Call, syscallName, syscallNumber } from '../frame/syscall-names/index.ts';
import { BACKENDS, BACKEND_NAMES, type BackendName } from './backends.ts';
import { ABIS, type Arch, namesOf } from './families.ts';
import { cgroupHooksOf, securityHooksOf } from './hooks.ts';
import { type Entry, entriesOf } from './kernel-symbols.ts';
import type { Effect, KernelFaultKind, Rule } from './rule.ts';

export interface Usable {
  readonly usable: boolean;
  /** One line; when usable, what was found. */
  readonly reason: string;
}

/** What was found out about this kernel, by loading and attaching no-ops and from its files. */
export interface ChaosCapabilities {
  readonly arch: Arch;
  readonly backends: Readonly<Record<BackendName, Usable>>;
  /** Functions that may be made to fail (/sys/kernel/debug/error_injection/list), by any of their names; null when no list can be read. */
  readonly injectable: ReadonlySet<string> | null;
  /** security_... functions that the kernel has; null when that cannot be told. */
  readonly securityFunctions: ReadonlySet<string> | null;
  /** Hooks that the BPF LSM takes, by its names; null when that cannot be told. */
  readonly lsmHooks: ReadonlySet<string> | null;
  /** Cgroup programs may choose the error (bpf_set_retval, Linux 5.18); else it is EPERM. */
  readonly cgroupAnyErrno: boolean;
  /** Longest delay that the kernel bears: its programs may sleep and so give the CPU away, or not; microseconds. */
  readonly maxDelayUs: number;
}

/** What a backend attaches to for one call. */
export type Attachment =
  | { readonly kind: 'function'; readonly backend: 'fmod_ret' | 'kprobe'; /** One for each ABI; where no list of functions can be read, also such as this kernel may lack or never use. */ readonly entries: readonly Entry[] }
  | { readonly kind: 'hooks'; readonly backend: 'fmod_ret_security' | 'lsm' | 'lsm_cgroup'; /** security_... functions or names of LSM hooks. */ readonly hooks: readonly string[] }
  | { readonly kind: 'cgroup'; readonly backend: 'cgroup'; readonly programs: readonly string[] }
  | { readonly kind: 'entry'; readonly backend: 'signal' | 'delay' };

export interface No {
  readonly backend: BackendName;
  readonly reason: string;
}

export interface Selection {
  readonly syscall: string;
  /** Null: no backend can. */
  readonly attachment: Attachment | null;
  /** What is different from the call really failing: side effects, uses that are not hit. One line each. */
  readonly notes: readonly string[];
  /** Every other backend and why it is not the one. */
  readonly others: readonly No[];
  /** One line: what will be done by what, or why nothing can be. */
  readonly reason: string;
}

type Answer = { readonly attachment: Attachment; readonly notes: readonly string[] } | { readonly no: string };
type Attempt = (syscall: string, effect: Effect, capabilities: ChaosCapabilities) => Answer;

const kinds = { error: 'errors', signal: 'signals', delay: 'delays' } as const;

/** The call on every ABI of this kernel that has it. */
const callsNamed = (name: string, abis: readonly string[]): Call[] => abis.flatMap((abi) => {
  const nr = syscallNumber(abi, name);
  return nr === null ? [] : [{ abi, nr, name: syscallName(abi, nr) }];
});

function byFunction(backend: 'fmod_ret' | 'kprobe'): Attempt {
  return (syscall, _effect, { arch, injectable }) => {
    const entries: Entry[] = [];
    const closed: string[] = [];
    for (const call of callsNamed(syscall, ABIS[arch])) {
      const ways = entriesOf(call);
      // Without a list whoever attaches finds out; the first that exists is right.
      const open = injectable === null ? ways : ways.filter(({ names }) => names.some((name) => injectable.has(name)));
      if (open.length === 0) closed.push(call.abi);
      for (const way of open.slice(0, injectable === null ? undefined : 1)) if (!entries.some(({ btf }) => btf === way.btf)) entries.push(way);
    }
    if (entries.length === 0) return { no: closed.length === 0 ? `no program on ${arch} has a call ${syscall}` : `${syscall} is not among the functions that this kernel lets fail` };
    return { attachment: { kind: 'function', backend, entries }, notes: closed.map((abi) => `${syscall} of ${abi} programs is not hit: not among the functions that this kernel lets fail`) };
  };
}

/** io_uring does pass these hooks, but the rule's decision is taken at the entry of a system call. */
function byHook(backend: 'fmod_ret_security' | 'lsm' | 'lsm_cgroup'): Attempt {
  return (syscall, _effect, { securityFunctions, lsmHooks }) => {
    const cover = securityHooksOf(syscall);
    if (cover === null) return { no: `${syscall} passes no security hook` };
    const known = backend === 'fmod_ret_security' ? securityFunctions : lsmHooks;
    const names = cover.hooks.map((hook) => (backend === 'fmod_ret_security' ? hook.function : hook.lsm)).filter((name) => name !== null);
    if (names.length === 0) return { no: `BPF LSM has none of the hooks of ${syscall}` };
    const present = names.filter((name) => known === null || known.has(name));
    if (present.length === 0) return { no: `this kernel lacks ${names.join(', ')}` };
    return { attachment: { kind: 'hooks', backend, hooks: present }, notes: [cover.side, cover.except].filter((note) => note !== null).map((note) => `${syscall}: ${note}`) };
  };
}

const ATTEMPTS: Readonly<Record<BackendName, Attempt>> = {
  fmod_ret: byFunction('fmod_ret'),
  kprobe: byFunction('kprobe'),
  lsm_cgroup: byHook('lsm_cgroup'),
  fmod_ret_security: byHook('fmod_ret_security'),
  lsm: byHook('lsm'),
  cgroup: (syscall, effect, { cgroupAnyErrno }) => {
    const cover = cgroupHooksOf(syscall);
    if (cover === null) return { no: `cgroups have no hook for ${syscall}` };
    if (!cgroupAnyErrno && effect.kind === 'error' && effect.errno !== 'EPERM') return { no: 'this kernel\'s cgroup hooks give EPERM only (others since Linux 5.18)' };
    return { attachment: { kind: 'cgroup', backend: 'cgroup', programs: cover.programs }, notes: cover.only === null ? [] : [`${syscall}: ${cover.only} only`] };
  },
  signal: (syscall, _effect, capabilities) => atEntry('signal', syscall, capabilities),
  delay: (syscall, effect, capabilities) => {
    if (effect.kind === 'delay' && effect.us > capabilities.maxDelayUs) return { no: `a delay of ${effect.us}us is longer than the ${capabilities.maxDelayUs}us that this kernel bears` };
    return atEntry('delay', syscall, capabilities);
  },
};

function atEntry(backend: 'signal' | 'delay', syscall: string, { arch }: ChaosCapabilities): Answer {
  if (callsNamed(syscall, ABIS[arch]).length === 0) return { no: `no program on ${arch} has a call ${syscall}` };
  return { attachment: { kind: 'entry', backend }, notes: [] };
}

/** Could the backend do it, were it the one? */
function attempt(backend: BackendName, syscall: string, effect: Effect, capabilities: ChaosCapabilities): Answer {
  const can = BACKENDS.find(({ name }) => name === backend)?.effect ?? 'error';
  if (can !== effect.kind) return { no: `gives ${kinds[can]} only` };
  const { usable, reason } = capabilities.backends[backend];
  return usable ? ATTEMPTS[backend](syscall, effect, capabilities) : { no: reason };
}

/**
 * @param syscall an exact name
 * @param wish the only backend that may be used; null: any
 */
export function select(syscall: string, effect: Effect, capabilities: ChaosCapabilities, wish: BackendName | null = null): Selection {
  let chosen: { readonly backend: BackendName; readonly attachment: Attachment; readonly notes: readonly string[] } | null = null;
  const others: No[] = [];
  for (const backend of BACKEND_NAMES) {
    const answer = attempt(backend, syscall, effect, capabilities);
    if ('no' in answer) others.push({ backend, reason: answer.no });
    else if (wish !== null && backend !== wish) others.push({ backend, reason: `could do it, but ${wish} was asked for` });
    else if (chosen !== null) others.push({ backend, reason: `could do it, but ${chosen.backend} comes first` });
    else chosen = { backend, ...answer };
  }
  if (chosen !== null) return { syscall, attachment: chosen.attachment, notes: chosen.notes, others, reason: `${syscall}: ${kinds[effect.kind]} by ${chosen.backend}` };
  return { syscall, attachment: null, notes: [], others, reason: whyNot(syscall, effect, others, wish) };
}

/** Of several reasons, what stands in the way of the backends that give this effect, in one line. */
function whyNot(syscall: string, effect: Effect, others: readonly No[], wish: BackendName | null): string {
  const asked = others.filter(({ backend }) => (wish === null ? BACKENDS.find(({ name }) => name === backend)?.effect === effect.kind : backend === wish));
  return `no ${kinds[effect.kind]} from ${syscall}: ${asked.map(({ backend, reason }) => `${backend}: ${reason}`).join('; ')}`;
}

/** One for each call of the rule that this kernel's programs can make. Empty when there is none. */
export function selectForRule({ syscalls, effect, backend, kernel }: Rule, capabilities: ChaosCapabilities): Selection[] {
  const names = namesOf(syscalls, ABIS[capabilities.arch]);
  if (kernel !== null) return names.map((name) => selectKernelFault(name, kernel.fault, capabilities, backend));
  return names.map((name) => select(name, effect, capabilities, backend));
}

/** Kernel functions whose failing is the fault. */
export const KERNEL_FAULT_FUNCTIONS: Readonly<Record<KernelFaultKind, string>> = { slab: 'should_failslab', page: 'should_fail_alloc_page', bio: 'should_fail_bio' };
/** What each returns to fail: an errno, but for the page allocator's, which answers whether to fail. */
export const KERNEL_FAULT_RETURNS: Readonly<Record<KernelFaultKind, number>> = { slab: -12, page: 1, bio: -5 };
const MISSING: Readonly<Record<KernelFaultKind, string>> = {
  slab: 'a kernel with CONFIG_FAILSLAB, or older than 6.11 with CONFIG_FUNCTION_ERROR_INJECTION, has it', page: 'a kernel with CONFIG_FAIL_PAGE_ALLOC, or older than 6.11 with CONFIG_FUNCTION_ERROR_INJECTION, has it',
  bio: 'a kernel with CONFIG_FUNCTION_ERROR_INJECTION has it',
};

export function selectKernelFault(syscall: string, fault: KernelFaultKind, { backends, injectable }: ChaosCapabilities, wish: BackendName | null = null): Selection {
  const target = KERNEL_FAULT_FUNCTIONS[fault];
  const others: No[] = [];
  let chosen: 'fmod_ret' | 'kprobe' | null = null;
  for (const backend of BACKEND_NAMES) {
    const { usable, reason } = backends[backend];
    if (backend !== 'fmod_ret' && backend !== 'kprobe') others.push({ backend, reason: 'cannot make a kernel function fail' });
    else if (!usable) others.push({ backend, reason });
    else if (injectable?.has(target) === false) others.push({ backend, reason: `this kernel does not let ${target} fail; ${MISSING[fault]}` });
    else if (wish !== null && backend !== wish) others.push({ backend, reason: `could do it, but ${wish} was asked for` });
    else if (chosen !== null) others.push({ backend, reason: `could do it, but ${chosen} comes first` });
    else chosen = backend;
  }
  const asked = others.filter(({ backend }) => backend === (wish ?? 'fmod_ret') || (wish === null && backend === 'kprobe'));
  return {
    syscall, others, notes: [],
    attachment: chosen === null ? null : { kind: 'function', backend: chosen, entries: [{ btf: target, names: [target] }] },
    reason: chosen === null ? `no ${fault} failures: ${asked.map(({ backend, reason }) => `${backend}: ${reason}`).join('; ')}` : `${syscall}: ${fault} failures by ${chosen} on ${target}`,
  };
}

