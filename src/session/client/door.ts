/** The door of chaos over a session: faults are the server's, and end with this viewer. */
import type { AuditReason } from '../../chaos/audit.ts';
import { type ArmOptions, type ChaosDoor, ChaosError, type ChaosEvent, type FaultStatus, type Injected, type Permits, type Plan } from '../../chaos/door.ts';
import type { Rule } from '../../chaos/rule.ts';
import type { ChaosCapabilities } from '../../chaos/select.ts';
import { Ledger } from '../../chaos/service/ledger.ts';
import { type Ask, readCapabilities, readFault, readPlan } from '../../chaos/service/messages.ts';
import { Questions } from '../../chaos/service/questions.ts';
import type { ChaosTold } from '../protocol/messages.ts';
import type { SessionLink } from './link.ts';

const NOT_CONNECTED = 'the session is not connected';

/** @throws ChaosError for an answer that is none */
function understood<T>(answer: T | null): T {
  if (answer === null) throw new ChaosError('failed', 'the session\'s answer is not understood: is it of another version?');
  return answer;
}

export class AttachDoor implements ChaosDoor {
  readonly #ledger = new Ledger();
  readonly #questions = new Questions();
  readonly #listeners = new Set<(event: ChaosEvent) => void>();
  #link: SessionLink | null = null;
  #capabilities: Promise<ChaosCapabilities> | null = null;

  connected(link: SessionLink): void {
    this.#link = link;
  }

  lost(reason: string): void {
    this.#link = null;
    // Another server may run on another kernel.
    this.#capabilities = null;
    const ended = this.#ledger.lose(reason);
    this.#questions.failAll(reason);
    for (const fault of ended) this.#emit({ kind: 'fault', fault });
    this.#emit({ kind: 'gone', reason });
  }

  heard(told: ChaosTold): void {
    switch (told.t) {
      case 'answer': return this.#questions.answer(told.id, told.value);
      case 'error': return this.#questions.fail(told.id, new ChaosError(told.kind, told.message));
      case 'fault': return this.#emit({ kind: 'fault', fault: this.#ledger.take(told.fault) });
      case 'hit': return this.#emit({ kind: 'hit', fault: this.#ledger.id(told.fault), hit: told.hit });
      case 'injected': return this.#ledger.count(told.injected);
      // What was armed has been told as ended before.
      case 'bye': return this.#emit({ kind: 'gone', reason: told.reason });
    }
  }

  #ask(ask: Ask): Promise<unknown> {
    const link = this.#link;
    if (link === null || link.over) return Promise.reject(new ChaosError('failed', NOT_CONNECTED));
    let number = 0;
    const say = (id: number): void => {
      number = id;
      if (!link.send({ kind: 'chaos', ask: { t: 'ask', id, ask } })) this.#questions.fail(id, new ChaosError('failed', 'the rule is larger than a session takes'));
    };
    return this.#questions.ask(ask, say, (patience) => this.#questions.fail(number, new ChaosError('failed', `the session did not answer for ${patience / 1000} s`)));
  }

  capabilities(): Promise<ChaosCapabilities> {
    this.#capabilities ??= this.#ask({ what: 'capabilities' }).then((answer) => understood(readCapabilities(answer))).catch((error: unknown) => {
      this.#capabilities = null;
      throw error;
    });
    return this.#capabilities;
  }

  async plan(rule: Rule, permits: Permits): Promise<Plan> {
    return understood(readPlan(await this.#ask({ what: 'plan', rule, permits })));
  }

  /** Who stands in the audit is decided by the session. */
  async arm(rule: Rule, permits: Permits, { dryRun, typed }: ArmOptions): Promise<FaultStatus> {
    const fault = understood(readFault(await this.#ask({ what: 'arm', rule, permits, dryRun, typed, who: null })));
    const id = this.#ledger.id(fault.id);
    return this.faults.find((one) => one.id === id) ?? this.#ledger.take(fault);
  }

  async disarm(id: number, reason: AuditReason = 'stopped'): Promise<void> {
    const fault = this.#ledger.wire(id);
    if (fault !== null && this.#link !== null) await this.#ask({ what: 'disarm', fault, reason });
  }

  /** With the panic key everybody's; otherwise this viewer's own. */
  async stopAll(reason: AuditReason = 'stopped'): Promise<void> {
    if (this.#link !== null) await this.#ask({ what: 'stopAll', reason });
  }

  #emit(event: ChaosEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  get faults(): readonly FaultStatus[] {
    return this.#ledger.faults;
  }

  get injected(): Injected {
    return this.#ledger.injected;
  }

  subscribe(listener: (event: ChaosEvent) => void): () => void {
    const own = (event: ChaosEvent): void => listener(event);
    this.#listeners.add(own);
    return () => { this.#listeners.delete(own); };
  }

  /** The session ends this viewer's faults when its connection is closed, too; whoever waits for this knows that they have ended. */
  async close(): Promise<void> {
    if (this.faults.some(({ state }) => state === 'armed')) await this.stopAll('stopped').catch(() => {});
    this.#listeners.clear();
    this.#questions.failAll('kbtop is ending');
  }
}
