/** The FaultEngine over BPF. Nothing of it is pinned: it ends with the process. */
import type { Addon } from '../../bpf/addon.ts';
import { errnoName } from '../../frame/errno.ts';
import { callOf } from '../../frame/syscall-names/index.ts';
import { Hierarchies } from '../../identity/hierarchies.ts';
import { ChaosError, type Injected } from '../door.ts';
import type { Hit } from '../hit.ts';
import type { Rule } from '../rule.ts';
import type { Selection } from '../select.ts';
import { signalName } from '../signals.ts';
import { BootClock } from './boot-clock.ts';
import { type KernelCapabilities, kernelCapabilities } from './capabilities.ts';
import { type ConcernedCall, FaultCore } from './core.ts';
import type { EngineFault, FaultEngine, OpenEngine, ScopeCgroup } from './engine.ts';
import { type HookPlace, HookSet } from './hook-set.ts';
import { ARMED_MAX_MS, type KernelHit, RULES_MAX } from './layout.ts';
import { planRule, type PlannedCall, type RulePlan } from './rule-plan.ts';

/** Ended faults whose last hits may still be in the ring. */
const ENDED_MAX = 64;

interface Fault {
  readonly id: number;
  readonly slot: number;
  readonly plan: RulePlan;
  /** By packed call. */
  readonly backends: ReadonlyMap<number, string>;
  readonly armedNs: bigint;
  readonly untilNs: bigint;
  readonly armedAt: number;
  readonly deadline: number;
  scope: readonly ScopeCgroup[];
  trouble: string | null;
}

function failure(error: unknown): ChaosError {
  if (error instanceof ChaosError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ChaosError('failed', message.split('\n', 1)[0] ?? '', { cause: error });
}

/** Of these directories those that lie in no other. */
function topmost(directories: readonly string[]): string[] {
  return [...new Set(directories)].filter((one) => !directories.some((other) => other !== one && one.startsWith(other.endsWith('/') ? other : `${other}/`)));
}

export class KernelEngine implements FaultEngine {
  readonly #addon: Addon;
  readonly #v1Fallback: boolean;
  readonly #debug: (text: string) => void;
  readonly #clock: BootClock;
  readonly #faults = new Map<number, Fault>();
  readonly #ended = new Map<number, Fault>();
  #core: FaultCore | null = null;
  #hooks: HookSet | null = null;
  #lastId = 0;
  /** Raised by clear(): what was being armed then is not. */
  #clears = 0;
  #closed = false;
  #injected: Injected = [];
  /** Arming, disarming and rescoping happen one after another. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(addon: Addon, { v1Fallback, debug }: { readonly v1Fallback: boolean; readonly debug: (text: string) => void }) {
    this.#addon = addon;
    this.#v1Fallback = v1Fallback;
    this.#debug = debug;
    this.#clock = new BootClock(addon);
  }

  capabilities(): Promise<KernelCapabilities> {
    return kernelCapabilities(this.#addon, this.#debug);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => {});
    return turn;
  }

  arm(rule: Rule, selections: readonly Selection[], scope: readonly ScopeCgroup[], dryRun: boolean): Promise<EngineFault> {
    const clears = this.#clears;
    return this.#inTurn(async () => {
      try {
        return await this.#arm(rule, selections, scope, dryRun, clears);
      } catch (error) {
        throw failure(error);
      }
    });
  }

  async #arm(rule: Rule, selections: readonly Selection[], scope: readonly ScopeCgroup[], dryRun: boolean, clears: number): Promise<EngineFault> {
    this.#goOn(clears);
    if (scope.length === 0) throw new ChaosError('notFound', 'the target has no cgroup now: is it running?');
    const plan = planRule(rule, selections, await this.capabilities(), dryRun);
    this.#goOn(clears);
    this.#refuseOverlap(plan.calls, scope);
    const { core, hooks } = await this.#load();
    const slot = core.freeSlot;
    if (slot === null) throw new ChaosError('impossible', `${RULES_MAX} faults are armed, which is as many as there can be: stop one first`);
    const id = ++this.#lastId;
    try {
      await hooks.acquire(id, placesOf(plan.calls, scope));
      const calls = concernedCalls(plan.calls, hooks);
      if (calls.size === 0) throw new ChaosError('impossible', `this kernel lets nothing act on ${[...new Set(plan.calls.map(({ syscall }) => syscall))].join(', ')} in this way: none of its functions or hooks can be attached`);
      await core.attach();
      this.#goOn(clears);
      const armedNs = this.#clock.nowNs(), untilNs = armedNs + BigInt(Math.round(Math.min(rule.durationMs, ARMED_MAX_MS))) * 1_000_000n;
      core.put(slot, { ...plan.rule, id: BigInt(id), armedNs, untilNs }, { calls, cgroups: new Set(scope.map(({ key }) => key)) });
      const fault: Fault = {
        id, slot, plan, backends: new Map(plan.calls.map(({ packed, backend }) => [packed, backend])), armedNs, untilNs,
        armedAt: this.#clock.epochMs(armedNs), deadline: this.#clock.epochMs(untilNs), scope, trouble: null,
      };
      this.#faults.set(id, fault);
      return this.#statusOf(fault);
    } catch (error) {
      if (!this.#closed) {
        core.disarm(slot);
        await this.#leave(id);
      }
      throw error;
    }
  }

  /** @throws ChaosError when all was to end meanwhile */
  #goOn(clears: number): void {
    if (this.#closed) throw new ChaosError('failed', 'faults cannot be armed any more: this session is being closed');
    if (clears !== this.#clears) throw new ChaosError('failed', 'not armed: every fault was stopped meanwhile');
  }

  async #load(): Promise<{ readonly core: FaultCore; readonly hooks: HookSet }> {
    if (this.#core === null || this.#hooks === null) {
      let core;
      try {
        core = await FaultCore.load(this.#addon, { v1Fallback: this.#v1Fallback, debug: this.#debug });
      } catch (error) {
        throw new ChaosError('impossible', failure(error).message, { cause: error });
      }
      if (this.#closed) {
        core.close();
        this.#goOn(this.#clears);
      }
      this.#core = core;
      this.#hooks = new HookSet(this.#addon, core.object, this.#debug);
    }
    return { core: this.#core, hooks: this.#hooks };
  }

  /** Of two rules that see the same call only one could count it. */
  #refuseOverlap(calls: readonly PlannedCall[], scope: readonly ScopeCgroup[]): void {
    const keys = new Set(scope.map(({ key }) => key));
    for (const other of this.#faults.values()) {
      const theirs = new Set(other.plan.calls.map(({ packed }) => packed));
      const shared = calls.find(({ packed }) => theirs.has(packed));
      if (shared !== undefined && other.scope.some(({ key }) => keys.has(key))) {
        throw new ChaosError('impossible', `fault ${other.id} has ${shared.syscall} of this target already: stop it first`);
      }
    }
  }

  rescope(id: number, scope: readonly ScopeCgroup[]): Promise<void> {
    return this.#inTurn(async () => {
      const fault = this.#faults.get(id);
      if (fault === undefined || this.#closed) return;
      try {
        // Before anything can be hit there, what acts must be there.
        await this.#hooks?.acquire(id, placesOf(fault.plan.calls, scope));
        // oxlint-disable-next-line typescript/no-unnecessary-condition -- closed while it waited
        if (this.#closed || !this.#faults.has(id)) return;
        this.#core?.rescope(fault.slot, new Set(scope.map(({ key }) => key)));
        fault.scope = scope;
      } catch (error) {
        fault.trouble = failure(error).message;
      }
    });
  }

  disarm(id: number): Promise<EngineFault | null> {
    const fault = this.#faults.get(id);
    if (fault === undefined || this.#closed) return Promise.resolve(null);
    this.#faults.delete(id);
    this.#ended.set(id, fault);
    for (const old of this.#ended.keys()) if (this.#ended.size > ENDED_MAX) this.#ended.delete(old);
    try {
      this.#core?.disarm(fault.slot);
    } catch (error) {
      return Promise.reject(failure(error));
    }
    // Its place may be taken by the next one as soon as it waits here.
    const last = this.#statusOf(fault);
    return this.#inTurn(async () => {
      if (!this.#closed) await this.#leave(id);
      return last;
    });
  }

  /** Take away what no fault needs any more. */
  async #leave(id: number): Promise<void> {
    await this.#hooks?.release(id);
    if (!this.#closed) await this.#core?.rest();
  }

  clear(): void {
    this.#clears++;
    if (!this.#closed) this.#core?.clear();
  }

  #statusOf(fault: Fault): EngineFault {
    const { id, slot, plan: { rule }, backends, armedNs, untilNs, armedAt, deadline, trouble } = fault;
    const { matched, hits, acted, missed, unreadable, throttled, lost } = this.#core?.counters(slot) ?? { matched: 0, hits: 0, acted: 0, missed: 0, unreadable: 0, throttled: 0, lost: 0 };
    const max = Number(rule.limits.maxHits), { last } = rule.limits;
    const now = this.#clock.nowNs();
    // A hit under way may still be given back.
    const settled = rule.dryRun || acted >= hits;
    const spent = (hits >= max && settled) || (last !== 0n && BigInt(matched) >= last && settled);
    return {
      id, backends: [...new Set(backends.values())], armedAt, deadline, matched, hits: Math.min(Math.max(hits, 0), max), acted, missed, unreadable, throttled, lost, trouble,
      over: now >= untilNs || now < armedNs ? 'duration' : spent ? 'budget' : null,
    };
  }

  poll(): ReturnType<FaultEngine['poll']> {
    const core = this.#core;
    if (core === null || this.#closed) return { faults: [], hits: [] };
    const hits = core.drain().flatMap((hit) => {
      const fault = this.#faults.get(Number(hit.ruleId)) ?? this.#ended.get(Number(hit.ruleId));
      return fault === undefined ? [] : [{ fault: fault.id, hit: this.#hitOf(hit, fault) }];
    });
    return { faults: [...this.#faults.values()].map((fault) => this.#statusOf(fault)), hits };
  }

  #hitOf(hit: KernelHit, { backends }: Fault): Hit {
    const { abi, nr, name } = callOf(hit.call);
    const { cgroup, n, number, effect, result, acted, dryRun, pid, tid, nsPid, uid, comm, path, value } = hit;
    return {
      time: this.#clock.epochMs(hit.timeNs), cgroup, n, number, abi, nr, syscall: name, effect, result,
      given: effect === 'error' ? errnoName(value) : effect === 'signal' ? signalName(`${value}`) : null,
      heldUs: hit.heldNs / 1000, acted, dryRun, pid, tid, nsPid, uid, comm, path, backend: backends.get(hit.call) ?? '',
    };
  }

  get injected(): Injected {
    if (this.#core !== null && !this.#closed) {
      this.#injected = this.#core.injected().map(([cgroup, call, count]) => {
        const { abi, nr } = callOf(call);
        return [cgroup, abi, nr, count] as const;
      });
    }
    return this.#injected;
  }

  close(): void {
    if (this.#closed) return;
    try {
      this.clear();
    } catch (error) {
      this.#debug(failure(error).message);
    }
    this.#closed = true;
    this.#faults.clear();
    this.#hooks?.close();
    this.#core?.close();
  }
}

/** Where the hooks of these calls go for these cgroups, each once. @throws ChaosError */
function placesOf(calls: readonly PlannedCall[], scope: readonly ScopeCgroup[]): HookPlace[] {
  const specs = new Map(calls.flatMap(({ hooks }) => hooks).map((spec) => [`${spec.program}\0${spec.targets.join('|')}`, spec]));
  if (specs.size === 0) return [];
  let directories: string[] | null = null;
  return [...specs.values()].flatMap((spec): HookPlace[] => (spec.perCgroup ? (directories ??= hookDirectories(scope)).map((directory) => ({ spec, directory })) : [{ spec, directory: null }]));
}

/** A cgroup of v1 has no hooks of its own: those of the root see its tasks, too, and tokens keep them to it. @throws ChaosError */
function hookDirectories(scope: readonly ScopeCgroup[]): string[] {
  const own = scope.map(({ directory }) => directory);
  if (!own.includes(null)) return topmost(own.filter((directory) => directory !== null));
  const root = Hierarchies.read().mounts(0)[0]?.mountPoint;
  if (root === undefined) throw new ChaosError('impossible', 'no cgroup v2 hierarchy is mounted: cgroup hooks have no place here');
  return [root];
}

/** Calls that something will act on. Where it was not known which functions there are, those without any are left out. */
function concernedCalls(calls: readonly PlannedCall[], hooks: HookSet): Map<number, ConcernedCall> {
  const concerned = new Map<number, ConcernedCall>();
  for (const { packed, places, hooks: specs } of calls) {
    const bits = hooks.bitsOf(specs);
    if (specs.length === 0 || bits !== 0n) concerned.set(packed, { places, hooks: bits });
  }
  return concerned;
}

export const openEngine: OpenEngine = (addon, options) => Promise.resolve(new KernelEngine(addon, options));
