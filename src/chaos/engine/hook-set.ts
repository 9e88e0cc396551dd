/** Programs that act, attached while some fault needs them; one instance for each place, shared by all faults. */
import type { Addon, BpfMap, BpfObject, ProgramResult } from '../../bpf/addon.ts';
import { objectPath } from '../../bpf/objects.ts';
import { ChaosError } from '../door.ts';
import { KernelFaults } from './kernel-faults.ts';
import type { HookSpec } from './rule-plan.ts';

/** Bits of a token's hooks. */
const HOOK_NAMES_MAX = 64;
/** Attached at once; each waits for the kernel, not for a CPU. */
const SIDE_BY_SIDE = 4;

/** One place: a hook, and the directory of a cgroup where it is attached to cgroups. */
export interface HookPlace {
  readonly spec: HookSpec;
  readonly directory: string | null;
}

/** An object, or several that belong together. */
interface Closable {
  close(): void;
  closeAsync(): Promise<void>;
}

interface Attached {
  readonly object: Closable;
  readonly name: string;
  readonly users: Set<number>;
}

/** Hooks are told apart by place, but for kernel faults, which share theirs: by what they are. */
const placeOf = ({ program, targets, kernel, name }: HookSpec): string => `${program}\0${targets.join('|')}\0${kernel === undefined ? '' : name}\0`;

const keyOf = ({ spec, directory }: HookPlace): string => `${placeOf(spec)}${directory ?? ''}`;

const lineOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';

export class HookSet {
  readonly #addon: Addon;
  readonly #maps: Readonly<Record<string, BpfMap>>;
  readonly #debug: (text: string) => void;
  readonly #attached = new Map<string, Attached>();
  /** Names by bit; freed when nothing of the name is attached. */
  readonly #names: (string | undefined)[] = [];
  #closed = false;

  /** @param core whose rules, counters and tokens the hooks use */
  constructor(addon: Addon, core: BpfObject, debug: (text: string) => void) {
    this.#addon = addon;
    this.#maps = { rules: core.map('rules'), rule_states: core.map('rule_states'), tokens: core.map('tokens') };
    this.#debug = debug;
  }

  get size(): number {
    return this.#attached.size;
  }

  /** Bits of those of the hooks that are attached; 0n: none is. */
  bitsOf(specs: readonly HookSpec[]): bigint {
    const attached = new Set([...this.#attached.values()].map(({ name }) => name));
    return specs.reduce((bits, spec) => {
      const there = attached.has(spec.name) && [...this.#attached.keys()].some((key) => key.startsWith(placeOf(spec)));
      return there ? bits | (1n << BigInt(this.#names.indexOf(spec.name))) : bits;
    }, 0n);
  }

  /**
   * Attach for a fault what is not there yet. When something required cannot be, all that was attached for it now is undone.
   * @throws ChaosError impossible
   */
  async acquire(user: number, places: readonly HookPlace[]): Promise<void> {
    const fresh = new Map<string, HookPlace>();
    const taken: string[] = [];
    for (const place of places) {
      const key = keyOf(place);
      const there = this.#attached.get(key);
      if (there === undefined) fresh.set(key, place);
      else if (!there.users.has(user)) {
        there.users.add(user);
        taken.push(key);
      }
    }
    const work = [...fresh];
    let failure: ChaosError | null = null;
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, async () => {
      for (let next = work.shift(); next !== undefined && failure === null; next = work.shift()) {
        const [key, place] = next;
        try {
          const object = await this.#attach(place);
          if (this.#closed) {
            object.close();
            throw new Error('closed meanwhile');
          }
          this.#attached.set(key, { object, name: place.spec.name, users: new Set([user]) });
          taken.push(key);
        } catch (error) {
          if (place.spec.required) failure = new ChaosError('impossible', lineOf(error), { cause: error });
          else this.#debug(lineOf(error));
        }
      }
    }));
    if (failure === null) return;
    await this.#drop(user, taken);
    throw failure as ChaosError;
  }

  /** Take away what only this fault needed. */
  async release(user: number): Promise<void> {
    await this.#drop(user, [...this.#attached.keys()]);
  }

  async #drop(user: number, keys: readonly string[]): Promise<void> {
    const gone: Closable[] = [];
    for (const key of keys) {
      const there = this.#attached.get(key);
      if (there === undefined || !there.users.delete(user) || there.users.size > 0) continue;
      this.#attached.delete(key);
      gone.push(there.object);
    }
    this.#freeNames();
    await Promise.all(gone.map((object) => object.closeAsync()));
  }

  #freeNames(): void {
    const used = new Set([...this.#attached.values()].map(({ name }) => name));
    this.#names.forEach((name, bit) => {
      if (name !== undefined && !used.has(name)) this.#names[bit] = undefined;
    });
  }

  #bitOf(name: string): number {
    const known = this.#names.indexOf(name);
    if (known >= 0) return known;
    const free = this.#names.indexOf(undefined);
    const bit = free >= 0 ? free : this.#names.length;
    if (bit >= HOOK_NAMES_MAX) throw new Error(`more than ${HOOK_NAMES_MAX} kinds of hooks at once are not possible: stop another fault first`);
    this.#names[bit] = name;
    return bit;
  }

  /** @throws Error with one line */
  async #attach({ spec, directory }: HookPlace): Promise<Closable> {
    const { program, targets, name, kernel } = spec;
    const own_hook = 1n << BigInt(this.#bitOf(name));
    if (kernel !== undefined) return await KernelFaults.attach(this.#addon, this.#maps, kernel.fault, { hook: own_hook, backend: kernel.backend, debug: this.#debug });
    const where = targets[0] ?? program;
    let reason = 'there is no such function';
    for (const target of targets.length === 0 ? [null] : targets) {
      const object = this.#addon.open(objectPath(spec.object), {
        name: where, autoload: { [program]: true }, globals: { own_hook }, sharedMaps: this.#maps, ...(target === null ? {} : { attachTargets: { [program]: target } }),
      });
      try {
        await object.load();
        const results: readonly ProgramResult[] = directory === null ? await object.attachAsync([program]) : [object.attachCgroup(program, directory)];
        const failed = results.find(({ ok }) => !ok);
        if (failed === undefined) return object;
        this.#debug(failed.log);
        reason = failed.reason ?? 'refused';
      } catch (error) {
        this.#debug((error as { verifierLog?: string }).verifierLog ?? '');
        reason = lineOf(error).replace(/^cannot load [^:]+: /, '');
      }
      await object.closeAsync();
    }
    throw new Error(`the hook ${where}${directory === null ? '' : ` of ${directory}`} cannot be attached: ${reason}`);
  }

  /** At once. */
  close(): void {
    this.#closed = true;
    for (const { object } of this.#attached.values()) object.close();
    this.#attached.clear();
    this.#names.length = 0;
  }
}
