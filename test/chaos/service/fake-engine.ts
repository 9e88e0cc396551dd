/** An engine without a kernel: hits come with the polls, and everything that is asked of it stands in a journal. */
import { type Hit } from '../../../src/chaos/hit.ts';
import { ChaosError } from '../../../src/chaos/door.ts';
import type { EngineFault, FaultEngine, ScopeCgroup } from '../../../src/chaos/engine/engine.ts';
import type { Rule } from '../../../src/chaos/rule.ts';
import type { ChaosCapabilities, Selection } from '../../../src/chaos/select.ts';
import { BARE } from '../capabilities-fixture.ts';

export interface FakeEngineOptions {
  readonly hitsPerPoll?: number;
  readonly capabilities?: ChaosCapabilities;
  readonly journal?: (line: string) => void;
  /** Throw at this call. */
  readonly fails?: 'arm' | 'poll' | 'disarm';
  /** What stands in the way of a fault that moves to other cgroups. */
  readonly trouble?: string;
}

interface Running {
  readonly rule: Rule;
  readonly dryRun: boolean;
  scope: readonly ScopeCgroup[];
  fault: EngineFault;
}

export class FakeEngine implements FaultEngine {
  readonly #running = new Map<number, Running>();
  readonly #options: FakeEngineOptions;
  #lastId = 40;
  #total = 0;
  closed = false;

  constructor(options: FakeEngineOptions = {}) {
    this.#options = options;
    this.#note('open');
  }

  #note(line: string): void {
    this.#options.journal?.(line);
  }

  async capabilities(): Promise<ChaosCapabilities> {
    return this.#options.capabilities ?? BARE;
  }

  async arm(rule: Rule, selections: readonly Selection[], scope: readonly ScopeCgroup[], dryRun: boolean): Promise<EngineFault> {
    this.#note(`arm ${scope.map(({ key }) => key).join(',')}${dryRun ? ' dry' : ''}`);
    if (this.#options.fails === 'arm') throw new ChaosError('impossible', 'another rule has connect of this target');
    const now = Date.now();
    const backends = [...new Set(selections.flatMap(({ attachment }) => (attachment === null ? [] : [attachment.backend])))];
    const fault: EngineFault = { id: ++this.#lastId, backends, armedAt: now, deadline: now + rule.durationMs, matched: 0, hits: 0, acted: 0, missed: 0, unreadable: 0, throttled: 0, lost: 0, trouble: null, over: null };
    this.#running.set(fault.id, { rule, dryRun, scope, fault });
    return fault;
  }

  async rescope(id: number, scope: readonly ScopeCgroup[]): Promise<void> {
    this.#note(`rescope ${scope.map(({ key }) => key).join(',')}`);
    const running = this.#running.get(id);
    if (running) Object.assign(running, { scope, fault: { ...running.fault, trouble: this.#options.trouble ?? null } });
  }

  async disarm(id: number): Promise<EngineFault | null> {
    this.#note('disarm');
    if (this.#options.fails === 'disarm') throw new Error('bpf map update: EBADF');
    const fault = this.#running.get(id)?.fault ?? null;
    this.#running.delete(id);
    return fault;
  }

  clear(): void {
    this.#note('clear');
    for (const running of this.#running.values()) running.fault = { ...running.fault, over: running.fault.over ?? 'duration' };
  }

  poll(): ReturnType<FaultEngine['poll']> {
    if (this.#options.fails === 'poll') throw new Error('ring is broken');
    const hits: { fault: number; hit: Hit }[] = [];
    for (const running of this.#running.values()) {
      for (let i = 0; i < (this.#options.hitsPerPoll ?? 0) && running.fault.over === null && running.scope.length > 0; i++) hits.push(this.#hit(running));
      if (running.fault.over === null && Date.now() >= running.fault.deadline) running.fault = { ...running.fault, over: 'duration' };
    }
    return { faults: [...this.#running.values()].map(({ fault }) => fault), hits };
  }

  #hit(running: Running): { fault: number; hit: Hit } {
    const { rule, dryRun, scope } = running;
    const hits = running.fault.hits + 1;
    this.#total++;
    running.fault = { ...running.fault, matched: hits, hits, acted: dryRun ? 0 : hits, over: hits >= rule.maxHits ? 'budget' : null };
    return {
      fault: running.fault.id,
      hit: {
        time: Date.now(), cgroup: scope[0]?.key ?? '0', n: hits, number: hits, abi: 'x86_64', nr: 42, syscall: 'connect', effect: 'error', result: -111, given: 'ECONNREFUSED', heldUs: 3, acted: !dryRun, dryRun,
        pid: 4711, tid: 4711, nsPid: 7, uid: 0, comm: 'cu\u001brl', path: null, backend: 'cgroup',
      },
    };
  }

  get injected(): FaultEngine['injected'] {
    return this.#total === 0 ? [] : [['1', 'x86_64', 42, this.#total]];
  }

  close(): void {
    this.closed = true;
    this.#note('close');
  }
}
