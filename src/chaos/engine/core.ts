/**
 * The deciding half of faults in the kernel (bpf/chaos/core.bpf.c): which rules are in which place, on which calls and
 * cgroups, what they counted, and their hits. Knows no names and no policy. Programs are attached only while a rule is
 * armed; closing it, or the death of the process, takes everything out of the kernel.
 */
import type { Addon, BpfMap, BpfObject, ProgramResult } from '../../bpf/addon.ts';
import { objectPath } from '../../bpf/objects.ts';
import { RecordReader } from '../../bpf/records.ts';
import { type CallArguments, type Counters, type KernelHit, type KernelRule, NO_ARGUMENTS, NO_RULE, RULES_MAX, decodeCounters, decodeHit, encodeCall, encodeRule, freshCounters } from './layout.ts';

const PROGRAMS = ['call_returns', 'task_exits', 'child_of', 'call_enters'];

export interface CoreOptions {
  /** True on v1 and hybrid hosts; see bpf/cgroup.h. */
  readonly v1Fallback: boolean;
  readonly debug: (text: string) => void;
}

/** One call of a rule. */
export interface ConcernedCall {
  readonly places: CallArguments;
  /** Bit per hook that may act on it; 0n: the entry itself does. */
  readonly hooks: bigint;
}

/** What one armed rule concerns. */
export interface Concern {
  /** By ABI and number packed as in bpf/syscall.h. */
  readonly calls: ReadonlyMap<number, ConcernedCall>;
  /** Cgroup keys. */
  readonly cgroups: ReadonlySet<string>;
}

function index(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function word(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}

export class FaultCore {
  readonly object: BpfObject;
  readonly #rules: BpfMap;
  readonly #states: BpfMap;
  readonly #calls: BpfMap;
  readonly #callHooks: BpfMap;
  readonly #scope: BpfMap;
  readonly #tokens: BpfMap;
  readonly #reader = new RecordReader();
  readonly #concerns = new Map<number, Concern>();
  #attached = false;

  private constructor(object: BpfObject) {
    this.object = object;
    this.#rules = object.map('rules');
    this.#states = object.map('rule_states');
    this.#calls = object.map('calls');
    this.#callHooks = object.map('call_hooks');
    this.#scope = object.map('scope');
    this.#tokens = object.map('tokens');
  }

  /** @throws BpfError or Error with one line that says why faults cannot be decided on this kernel */
  static async load(addon: Addon, { v1Fallback, debug }: CoreOptions): Promise<FaultCore> {
    const object = addon.open(objectPath('chaos/core'), { globals: { cgroup_v1_fallback: v1Fallback } });
    try {
      const results = await object.load();
      for (const { log } of results) if (log !== '') debug(log);
      require('load', results);
      return new FaultCore(object);
    } catch (error) {
      object.close();
      throw error;
    }
  }

  /** A place that is free; null when all are taken. */
  get freeSlot(): number | null {
    for (let slot = 0; slot < RULES_MAX; slot++) if (!this.#concerns.has(slot)) return slot;
    return null;
  }

  /** Look at calls from now on. @throws BpfError or Error with one line */
  async attach(): Promise<void> {
    if (this.#attached) return;
    const results = await this.object.attachAsync(PROGRAMS);
    this.#attached = true;
    require('attach', results);
  }

  /**
   * Put a rule into a place. Everything must be attached by then: it takes effect at once. @throws BpfError, RangeError
   */
  put(slot: number, rule: KernelRule, concern: Concern): void {
    const bytes = encodeRule(rule);
    this.disarm(slot);
    this.#states.update(index(slot), freshCounters(rule.id));
    this.#concerns.set(slot, concern);
    this.#writeScope(concern.cgroups);
    for (const [call, { hooks }] of concern.calls) this.#callHooks.update(index(call * RULES_MAX + slot), word(hooks));
    this.#writeCalls(concern.calls.keys());
    this.#rules.update(index(slot), bytes);
  }

  /** Other cgroups for an armed rule, such as those of a container that was started anew. @throws BpfError */
  rescope(slot: number, cgroups: ReadonlySet<string>): void {
    const before = this.#concerns.get(slot);
    if (before === undefined) return;
    this.#concerns.set(slot, { ...before, cgroups });
    this.#writeScope(new Set([...before.cgroups, ...cgroups]));
  }

  /** Take a rule out at once; its counters stay to be read until another is put there. @throws BpfError */
  disarm(slot: number): void {
    this.#rules.update(index(slot), NO_RULE);
    const before = this.#concerns.get(slot);
    this.#concerns.delete(slot);
    if (before === undefined) return;
    this.#writeCalls(before.calls.keys());
    this.#forget(slot);
  }

  /** Every rule out at once; what it takes down is what disarm() is still to be called for. @throws BpfError */
  clear(): void {
    for (const slot of this.#concerns.keys()) this.#rules.update(index(slot), NO_RULE);
  }

  /** Leave the calls alone altogether while nothing is armed. */
  async rest(): Promise<void> {
    if (!this.#attached || this.#concerns.size > 0) return;
    this.#attached = false;
    await this.object.detachAsync(PROGRAMS);
    // Of calls that were under way: nobody saw them end.
    const { count, keys } = this.#tokens.read();
    for (let row = 0; row < count; row++) this.#tokens.delete(keys.slice(row * 8, row * 8 + 8));
    this.object.setGlobal('tokens_out', 0n);
  }

  #writeCalls(calls: Iterable<number>): void {
    for (const call of calls) {
      let mask = 0;
      let places: CallArguments = NO_ARGUMENTS;
      for (const [slot, concern] of this.#concerns) {
        const of = concern.calls.get(call);
        if (of === undefined) continue;
        mask |= 1 << slot;
        places = of.places;
      }
      this.#calls.update(index(call), encodeCall(mask, places));
    }
  }

  /** Take a place's bit off every cgroup, children that the kernel put into scope by itself included: another rule may come there. */
  #forget(slot: number): void {
    const { count, keys, words } = this.#scope.read();
    const rows = Array.from({ length: count }, (_, row) => ({ key: keys.slice(row * 8, row * 8 + 8), mask: BigInt(words[0]?.[row] ?? 0) }));
    const bit = 1n << BigInt(slot);
    for (const { key, mask } of rows) {
      if (mask === bit) this.#scope.delete(key);
      else if ((mask & bit) !== 0n) this.#scope.update(key, word(mask & ~bit));
    }
  }

  #writeScope(cgroups: Iterable<string>): void {
    for (const cgroup of cgroups) {
      let mask = 0n;
      for (const [slot, concern] of this.#concerns) if (concern.cgroups.has(cgroup)) mask |= 1n << BigInt(slot);
      const key = word(BigInt(cgroup));
      if (mask === 0n) this.#scope.delete(key);
      else this.#scope.update(key, word(mask));
    }
  }

  counters(slot: number): Counters {
    return decodeCounters(this.#states.lookup(index(slot)) ?? new Uint8Array(this.#states.valueSize));
  }

  /** Hits since the last call, in the order in which their calls ended. @throws BpfError */
  drain(): KernelHit[] {
    const ring = this.object.ring('hits');
    const hits: KernelHit[] = [];
    for (;;) {
      const drained = ring.drain();
      this.#reader.use(drained.buffer);
      for (let i = 0; i < drained.count; i++) hits.push(decodeHit(this.#reader, drained.offsets[i] ?? 0));
      if (!drained.more) return hits;
    }
  }

  /** Calls that were failed so far, as [cgroup key, call, count]; only grows. @throws BpfError */
  injected(): (readonly [cgroup: string, call: number, count: number])[] {
    const columns = this.object.map('injected').read();
    const reader = new RecordReader().use(columns.keys.buffer);
    return Array.from({ length: columns.count }, (_, row) => {
      const at = columns.keys.byteOffset + row * 16;
      return [reader.id(at), reader.u32(at + 8), columns.words[0]?.[row] ?? 0] as const;
    });
  }

  close(): void {
    this.#concerns.clear();
    this.object.close();
  }
}

/** @throws Error when a program is missing */
function require(what: string, results: readonly ProgramResult[]): void {
  const failed = results.find(({ ok }) => !ok);
  if (failed) throw new Error(`faults cannot be injected here: ${failed.program} did not ${what}: ${failed.reason ?? 'refused'}`);
}
