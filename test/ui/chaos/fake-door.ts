/**
 * A door behind which no kernel is: it plans, refuses and asks for confirmation by the same rules as the real one, and
 * counts what the test says has happened. Time and calls are the test's.
 */
import type { AuditReason } from '../../../src/chaos/audit.ts';
import { confirmationFor } from '../../../src/chaos/confirmations.ts';
import { type ChaosDoor, ChaosError, type ChaosEvent, type FaultStatus, type Injected, type Permits, type Plan } from '../../../src/chaos/door.ts';
import { explainRule } from '../../../src/chaos/explain.ts';
import type { Hit } from '../../../src/chaos/hit.ts';
import { type NodeFacts, warningsOf } from '../../../src/chaos/node-warnings.ts';
import { judgeRule } from '../../../src/chaos/refusals.ts';
import type { TargetCgroup } from '../../../src/chaos/refused-targets.ts';
import { type Rule, targetText } from '../../../src/chaos/rule.ts';
import { type ChaosCapabilities, selectForRule } from '../../../src/chaos/select.ts';
import type { ContainerInfo } from '../../../src/frame/frame.ts';
import { fullName } from '../../../src/frame/names.ts';

const NODE: NodeFacts = { panicOnOops: false, hungTaskPanic: false, softlockupPanic: false, cgroupMode: 'v2', execProbes: [], ioUring: null };

export interface FakeDoorOptions {
  readonly capabilities: ChaosCapabilities;
  /** Containers that live, by key, as at the time of the call. */
  readonly containers: () => Readonly<Record<string, ContainerInfo>>;
  readonly node?: Partial<NodeFacts>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

export class FakeDoor implements ChaosDoor {
  readonly #options: FakeDoorOptions;
  readonly #listeners = new Set<(event: ChaosEvent) => void>();
  readonly #injected = new Map<string, [string, string, number, number]>();
  #faults: FaultStatus[] = [];
  #ids = 0;
  #gate: Promise<void> | null = null;
  #gone: string | null = null;
  /** What was asked of it, in order: "plan", "arm dry", "arm real", "disarm 1", "stopAll panic-key". */
  readonly asked: string[] = [];
  /** Every rule that was armed for real, and what was typed for it. */
  readonly armed: { readonly rule: Rule; readonly typed: string | null; readonly confirmation: string | null }[] = [];
  closed = 0;

  constructor(options: FakeDoorOptions) {
    this.#options = options;
  }

  get #now(): number {
    return this.#options.now?.() ?? Date.now();
  }

  /** Answers wait until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      this.#gate = null;
      resolve();
    };
  }

  async #answer(what: string): Promise<void> {
    this.asked.push(what);
    await this.#gate;
    if (this.#gone !== null) throw new ChaosError('failed', `the service of faults is gone: ${this.#gone}`);
  }

  async capabilities(): Promise<ChaosCapabilities> {
    await this.#answer('capabilities');
    return this.#options.capabilities;
  }

  #targets({ target }: Rule): TargetCgroup[] {
    const matches = (info: ContainerInfo): boolean => {
      switch (target?.kind) {
        case 'pod': return info.namespace === target.namespace && info.pod === target.pod && (target.container === null || info.container === target.container);
        case 'container': return info.containerId?.startsWith(target.id) === true;
        case 'cgroup': return info.cgroup === target.path || (info.cgroup?.startsWith(`${target.path}/`) ?? false);
        case undefined: return false;
      }
    };
    return Object.entries(this.#options.containers()).filter(([, info]) => matches(info)).map(([key, info]) => ({ key, info, tasks: [{ pid: 20_000, comm: 'server', kernelThread: false }] }));
  }

  #planned(rule: Rule, permits: Permits): Plan {
    const target = this.#targets(rule);
    if (target.length === 0) throw new ChaosError('notFound', `there is no ${rule.target === null ? 'target' : targetText(rule.target)} on this node`);
    const { arch } = this.#options.capabilities;
    const node = { ...NODE, ...this.#options.node };
    const facts = { arch, target, own: { pids: new Set([1]), cgroup: '/kbtop' }, node };
    const { refusals, excluded } = judgeRule(rule, facts, permits);
    return {
      rule, text: explainRule(rule), refusals, selections: selectForRule(rule, this.#options.capabilities), warnings: warningsOf(rule, arch, node, target), confirmation: confirmationFor(rule, target, permits),
      targets: target.filter(({ key }) => !excluded.includes(key)).map(({ key, info }) => ({ key, cgroup: info.cgroup, name: fullName(info) })),
    };
  }

  async plan(rule: Rule, permits: Permits): Promise<Plan> {
    await this.#answer('plan');
    return this.#planned(rule, permits);
  }

  async arm(rule: Rule, permits: Permits, { dryRun, typed }: { readonly dryRun: boolean; readonly typed: string | null }): Promise<FaultStatus> {
    await this.#answer(`arm ${dryRun ? 'dry' : 'real'}`);
    const plan = this.#planned(rule, permits);
    const [refusal] = plan.refusals;
    if (refusal !== undefined) throw new ChaosError('refused', refusal.reason);
    const [unable] = plan.selections;
    if (plan.selections.every(({ attachment }) => attachment === null)) throw new ChaosError('impossible', unable?.reason ?? 'nothing can');
    if (!dryRun && plan.confirmation !== null && typed !== plan.confirmation.text) throw new ChaosError('refused', `type ${plan.confirmation.text} to arm it`);
    if (!dryRun) this.armed.push({ rule, typed, confirmation: plan.confirmation?.text ?? null });
    this.#ids += 1;
    const fault: FaultStatus = {
      id: this.#ids, auditId: `audit-${this.#ids}`, rule, text: explainRule(rule, dryRun), targetName: plan.targets.map(({ name }) => name).join(', '), cgroups: plan.targets.map(({ key }) => key),
      backends: [...new Set(plan.selections.flatMap(({ attachment }) => (attachment === null ? [] : [attachment.backend])))], dryRun, state: 'armed', armedAt: this.#now, deadline: this.#now + rule.durationMs,
      endedAt: null, endReason: null, endDetail: null, matched: 0, hits: 0, acted: 0, missed: 0, unreadable: 0, throttled: 0, lost: 0,
    };
    this.#put(fault);
    return fault;
  }

  #put(fault: FaultStatus): void {
    const all = [fault, ...this.#faults.filter(({ id }) => id !== fault.id)];
    const ended = all.filter(({ state }) => state === 'ended').sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0) || b.id - a.id);
    this.#faults = [...all.filter(({ state }) => state === 'armed').sort((a, b) => a.id - b.id), ...ended];
    this.#emit({ kind: 'fault', fault });
  }

  #emit(event: ChaosEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #end(fault: FaultStatus, reason: AuditReason, detail: string | null = null): void {
    if (fault.state === 'armed') this.#put({ ...fault, state: 'ended', endedAt: this.#now, endReason: reason, endDetail: detail });
  }

  #fault(id: number): FaultStatus | undefined {
    return this.#faults.find((fault) => fault.id === id);
  }

  /** The target makes calls: each is hit until the budget is spent. @param more of each hit */
  call(id: number, calls = 1, more: Partial<Hit> = {}): void {
    for (let i = 0; i < calls; i++) {
      const fault = this.#fault(id);
      if (fault === undefined || fault.state === 'ended') return;
      const { rule, dryRun, hits, matched } = fault;
      const { effect } = rule;
      const [cgroup = '1'] = fault.cgroups;
      const hit: Hit = {
        time: this.#now, cgroup, n: matched + 1, number: hits + 1, abi: 'x86_64', nr: 257, syscall: rule.syscalls[0] ?? 'openat', effect: effect.kind, result: dryRun ? 3 : -28,
        given: effect.kind === 'error' ? effect.errno : effect.kind === 'signal' ? effect.signal : null, heldUs: effect.kind === 'delay' ? effect.us : 4, acted: !dryRun, dryRun, pid: 20_000, tid: 20_000, nsPid: 1, uid: 0,
        comm: 'server', path: '/var/lib/data/file', backend: fault.backends[0] ?? 'fmod_ret', ...more,
      };
      if (!dryRun) {
        const key = `${cgroup} ${hit.abi} ${hit.nr}`;
        const count = this.#injected.get(key) ?? [cgroup, hit.abi, hit.nr, 0];
        count[3] += 1;
        this.#injected.set(key, count);
      }
      const counted = { ...fault, matched: matched + 1, hits: hits + 1, acted: dryRun ? 0 : fault.acted + 1 };
      this.#put(counted);
      this.#emit({ kind: 'hit', fault: id, hit });
      if (counted.hits >= rule.maxHits) this.#end(counted, 'budget');
    }
  }

  /** Time has gone by: what is past its deadline ends. */
  passTime(): void {
    for (const fault of this.#faults) if (fault.deadline <= this.#now) this.#end(fault, 'duration');
  }

  /** Whoever holds the faults is gone, and all of them with it. */
  vanish(reason: string): void {
    this.#gone = reason;
    this.#faults = this.#faults.map((fault) => (fault.state === 'ended' ? fault : { ...fault, state: 'ended', endedAt: this.#now, endReason: 'error', endDetail: reason }));
    this.#emit({ kind: 'gone', reason });
  }

  async disarm(id: number, reason: AuditReason = 'stopped'): Promise<void> {
    await this.#answer(`disarm ${id}`);
    const fault = this.#fault(id);
    if (fault !== undefined) this.#end(fault, reason);
  }

  async stopAll(reason: AuditReason = 'stopped'): Promise<void> {
    await this.#answer(`stopAll ${reason}`);
    for (const fault of this.#faults) this.#end(fault, reason);
  }

  get faults(): readonly FaultStatus[] {
    return this.#faults;
  }

  get injected(): Injected {
    return [...this.#injected.values()];
  }

  subscribe(listener: (event: ChaosEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.closed += 1;
    for (const fault of this.#faults) this.#end(fault, 'stopped');
    return Promise.resolve();
  }
}
