/**
 * The acting half of a kernel fault (bpf/chaos/alloc.bpf.c): an allocation or block I/O fails, while one function is being
 * run for a call that the core has hit. Attached before its rule is armed and closed after it is disarmed; until then,
 * and without a token of the core, it does nothing.
 */
import type { Addon, BpfError, BpfMap, BpfObject, ProgramResult } from '../../bpf/addon.ts';
import { objectPath } from '../../bpf/objects.ts';
import { ChaosError } from '../door.ts';
import type { KernelFault } from '../rule.ts';
import { KERNEL_FAULT_FUNCTIONS, KERNEL_FAULT_RETURNS } from '../select.ts';
import { type KernelFunction, KernelTypes } from './kernel-types.ts';
import { DEVICES_MAX, systemDevices } from './system-devices.ts';

/** enum condition. */
const CONDITION = { none: 0, pid: 1, string: 2, dentry: 3 } as const;
const CONDITION_OF_TYPE: Readonly<Record<string, number>> = { 'char *': CONDITION.string, 'struct dentry *': CONDITION.dentry };
const WANTED_BYTES = 64;
/** The programs on the function of the call chain, in the order in which they are attached: the way out first. */
const CHAINS = { fentry: ['leaves', 'enters'], kprobe: ['leaves_kprobe', 'enters_kprobe'] } as const;
/** How the function on the call chain is watched. */
export type ChainBy = keyof typeof CHAINS;
const ACTS = { fmod_ret: 'modify', kprobe: 'override' } as const;

export interface KernelFaultOptions {
  /** The bit of it in the hooks that the core is told for the rule's calls; of no other rule. */
  readonly hook: bigint;
  /** What acts, as selectKernelFault() chose it. */
  readonly backend: 'fmod_ret' | 'kprobe';
  readonly debug: (text: string) => void;
}

/** Allocations and I/O, not calls. */
export interface KernelFaultCounts {
  readonly failed: number;
  /** Let through: whoever asked was promised success. */
  readonly nofail: number;
  /** Let through: of an interrupt that came upon the call. */
  readonly interrupts: number;
  /** Let through: of a device that the node lives on. */
  readonly devices: number;
}

type Maps = Readonly<Record<string, BpfMap>>;
type Globals = Readonly<Record<string, number | bigint | Uint8Array>>;

export class KernelFaults {
  readonly backend: 'fmod_ret' | 'kprobe';
  readonly chain: ChainBy;
  readonly #object: BpfObject;

  private constructor(object: BpfObject, backend: 'fmod_ret' | 'kprobe', chain: ChainBy) {
    this.#object = object;
    this.backend = backend;
    this.chain = chain;
  }

  /**
   * @param maps those of FaultCore's object: rules, rule_states, tokens
   * @throws ChaosError impossible, one line
   */
  static async attach(addon: Addon, maps: Maps, fault: KernelFault, options: KernelFaultOptions): Promise<KernelFaults> {
    const { types, of, devices } = await known(fault);
    const globals = { ...conditionGlobals(fault, of), ...deviceGlobals(devices), own_hook: options.hook, failure: BigInt(KERNEL_FAULT_RETURNS[fault.fault]), nofail_mask: types.nofailMask };
    const refusals: string[] = [];
    for (const chain of of.parameters === null ? ['kprobe'] as const : ['fentry', 'kprobe'] as const) {
      const tried = await attempt(addon, maps, fault, options, chain, globals);
      if (typeof tried !== 'string') return new KernelFaults(tried, options.backend, chain);
      if (!refusals.includes(tried)) refusals.push(tried);
    }
    throw new ChaosError('impossible', `no ${fault.fault} failures within ${fault.function}: ${refusals.join('; ')}`);
  }

  get counts(): KernelFaultCounts {
    const count = (name: string): number => Number(this.#object.getGlobal(name));
    return { failed: count('failed'), nofail: count('spared_nofail'), interrupts: count('spared_interrupts'), devices: count('spared_devices') };
  }

  /** Out of the kernel when it returns. */
  close(): void {
    this.#object.close();
  }

  /** The same off the main thread. Never rejects. */
  closeAsync(): Promise<void> {
    return this.#object.closeAsync();
  }
}

/** What the fault needs to know of this kernel and node. @throws ChaosError impossible */
async function known(fault: KernelFault): Promise<{ readonly types: KernelTypes; readonly of: KernelFunction; readonly devices: readonly number[] }> {
  try {
    const types = await KernelTypes.read();
    return { types, of: await types.functionNamed(fault.function), devices: fault.fault === 'bio' ? await systemDevices() : [] };
  } catch (error) {
    throw new ChaosError('impossible', `no ${fault.fault} failures within ${fault.function}: ${(error as Error).message}`, { cause: error });
  }
}

/** @throws ChaosError impossible: the argument is not one that can be compared */
export function conditionGlobals({ fault, when }: KernelFault, { name, module, parameters }: KernelFunction): Globals {
  if (when === null) return { condition: CONDITION.none };
  if (when.kind === 'pid') return { condition: CONDITION.pid, wanted_pid: when.pid };
  const wrong = (why: string): never => { throw new ChaosError('impossible', `no ${fault} failures within ${name}: ${why}`); };
  if (parameters === null) return wrong(`${module === null ? 'the kernel' : `module ${module}`} has no type information of it, so argument ${when.argument} cannot be told; leave the condition out, or give a pid`);
  const type = parameters[when.argument - 1];
  const condition = CONDITION_OF_TYPE[type ?? ''];
  if (condition === undefined) {
    const fit = parameters.flatMap((one, i) => (CONDITION_OF_TYPE[one] === undefined ? [] : [`${i + 1} (${one})`]));
    return wrong(`${type === undefined ? `it has no argument ${when.argument}` : `its argument ${when.argument} is ${type}, neither a string nor a dentry`}; ${fit.length === 0 ? 'none of its arguments has a name to compare' : `try ${fit.join(' or ')}`}`);
  }
  const bytes = new TextEncoder().encode(when.equals);
  const wanted = new Uint8Array(WANTED_BYTES);
  wanted.set(bytes);
  return { condition, condition_argument: when.argument - 1, wanted, wanted_bytes: bytes.length };
}

function deviceGlobals(devices: readonly number[]): Globals {
  const excluded = new Uint8Array(DEVICES_MAX * 4);
  const view = new DataView(excluded.buffer);
  devices.forEach((device, i) => view.setUint32(i * 4, device, true));
  return { excluded, excluded_count: devices.length };
}

/** The attached object, or one line that says why not. */
async function attempt(addon: Addon, maps: Maps, { fault, function: within }: KernelFault, { backend, debug }: KernelFaultOptions, chain: ChainBy, globals: Globals): Promise<BpfObject | string> {
  const acts = `${ACTS[backend]}_${fault}`;
  const programs = [acts, ...CHAINS[chain]];
  const targets = Object.fromEntries(programs.map((program) => [program, program === acts ? KERNEL_FAULT_FUNCTIONS[fault] : within]));
  const object = addon.open(objectPath('chaos/alloc'), {
    name: `chaos/${fault}`, globals, attachTargets: targets, autoload: Object.fromEntries(programs.map((program) => [program, true])),
    sharedMaps: maps,
  });
  try {
    for (const results of [await object.load(), await object.attachAsync(programs)]) {
      for (const { log } of results) if (log !== '') debug(log);
      const failed = results.find(({ ok }) => !ok);
      if (failed !== undefined) throw new Error(refusal(failed, targets));
    }
    return object;
  } catch (error) {
    object.close();
    const { message, libbpfLog = '', verifierLog = '' } = error as Partial<BpfError>;
    if (libbpfLog !== '' || verifierLog !== '') debug(libbpfLog + verifierLog);
    return message ?? String(error);
  }
}

const refusal = ({ program, reason }: ProgramResult, targets: Readonly<Record<string, string>>): string => `${targets[program] ?? program}: ${reason ?? 'refused'}`;
