/** Faults of a session: who armed which, and that they end with whoever armed them. The door behind it is the server's. */
import { type ChaosDoor, ChaosError, type FaultStatus, type Permits } from '../../chaos/door.ts';
import type { AuditReason } from '../../chaos/audit.ts';
import { type Ask, plainCapabilities, plainFault, plainPlan } from '../../chaos/service/messages.ts';
import { MAX_OPEN_ASKS } from '../protocol/limits.ts';
import type { ChaosAsk } from '../protocol/messages.ts';
import type { Viewer } from './viewer.ts';
import type { Note, Visits } from './visits.ts';

export interface FaultDeskOptions {
  readonly door: ChaosDoor;
  /** What this session allows at the most. */
  readonly permits: Permits;
  readonly visits: Visits;
  /** For people who watch the server. */
  readonly log: (line: string) => void;
}

const ACTIONS = { arm: 'arm', disarm: 'disarm', stopAll: 'stop all' } as const;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export class FaultDesk {
  readonly #options: FaultDeskOptions;
  /** By fault, as long as it is armed. */
  readonly #owners = new Map<number, Viewer>();
  readonly #viewers = new Set<Viewer>();
  /** Of viewers that left, as long as their faults are ending. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #unsubscribe: () => void;

  constructor(options: FaultDeskOptions) {
    this.#options = options;
    this.#unsubscribe = options.door.subscribe((event) => {
      if (event.kind === 'fault' && event.fault.state === 'ended') this.#owners.delete(event.fault.id);
      for (const viewer of this.#viewers) {
        if (event.kind === 'fault') viewer.tellFault(event.fault);
        else if (event.kind === 'hit') viewer.tellHit(event.fault, event.hit);
        else viewer.answer({ t: 'bye', reason: event.reason });
      }
    });
  }

  /** Somebody who may control: hears of all faults. */
  join(viewer: Viewer): void {
    this.#viewers.add(viewer);
    for (const fault of this.#options.door.faults) if (fault.state === 'armed') viewer.tellFault(fault);
  }

  holds(viewer: Viewer): boolean {
    return [...this.#owners.values()].includes(viewer);
  }

  /** It is gone, or gives no sign of life: what it armed ends. */
  async release(viewer: Viewer, reason: AuditReason): Promise<void> {
    const own = [...this.#owners].filter(([, owner]) => owner === viewer).map(([id]) => id);
    // All at once: none waits for another's end.
    await Promise.all(own.map((id) => this.#end(id, reason)));
  }

  async #end(id: number, reason: AuditReason): Promise<void> {
    try {
      await this.#options.door.disarm(id, reason);
    } catch (error) {
      this.#options.log(`fault ${id} may not have ended: ${messageOf(error)}`);
    }
    this.#owners.delete(id);
  }

  leave(viewer: Viewer): void {
    this.#viewers.delete(viewer);
    const released = this.release(viewer, 'stopped').finally(() => this.#leaving.delete(released));
    this.#leaving.add(released);
  }

  async ask(viewer: Viewer, message: ChaosAsk): Promise<void> {
    const { id } = message;
    if (message.t === 'bad') return viewer.answer({ t: 'error', id, kind: 'failed', message: message.problem });
    if (viewer.asks >= MAX_OPEN_ASKS) return viewer.answer({ t: 'error', id, kind: 'failed', message: 'the session is asked too much at once' });
    viewer.asks++;
    try {
      viewer.answer({ t: 'answer', id, value: await this.#do(viewer, message.ask) });
    } catch (error) {
      const { kind, message: text } = error instanceof ChaosError ? error : new ChaosError('failed', messageOf(error));
      if (message.ask.what === 'arm') this.#note(viewer, { event: 'refused', action: ACTIONS.arm, detail: text });
      viewer.answer({ t: 'error', id, kind, message: text });
    } finally {
      viewer.asks--;
    }
  }

  #note(viewer: Viewer, note: Note): void {
    this.#options.visits.note(viewer.about.visitor, note);
  }

  #allowed({ expert, allowSystem }: Permits): Permits {
    const { permits } = this.#options;
    return { expert: expert && permits.expert, allowSystem: allowSystem && permits.allowSystem };
  }

  async #do(viewer: Viewer, ask: Ask): Promise<unknown> {
    const { door } = this.#options;
    switch (ask.what) {
      case 'capabilities': return plainCapabilities(await door.capabilities());
      case 'plan': return plainPlan(await door.plan(ask.rule, this.#allowed(ask.permits)));
      case 'arm': return plainFault(await this.#arm(viewer, ask));
      case 'disarm': {
        const fault = door.faults.find((one) => one.id === ask.fault && one.state === 'armed');
        if (fault === undefined) return null;
        // Never held up by an audit that cannot be kept: a fault must always be possible to end.
        this.#note(viewer, { event: 'asked', action: ACTIONS.disarm, fault: fault.auditId });
        await door.disarm(fault.id, ask.reason);
        return null;
      }
      case 'stopAll': {
        const everybodys = ask.reason === 'panic-key';
        const asked = everybodys ? door.faults.some(({ state }) => state === 'armed') : this.holds(viewer);
        if (asked) this.#note(viewer, { event: 'asked', action: ACTIONS.stopAll, detail: everybodys ? 'everybody\'s' : 'its own' });
        await (everybodys ? door.stopAll(ask.reason) : this.release(viewer, ask.reason));
        return null;
      }
    }
  }

  async #arm(viewer: Viewer, ask: Extract<Ask, { what: 'arm' }>): Promise<FaultStatus> {
    const { door, log } = this.#options;
    // Who armed it is what the kernel says, whatever the question does.
    const fault = await door.arm(ask.rule, this.#allowed(ask.permits), { dryRun: ask.dryRun, typed: ask.typed, who: viewer.about.visitor.who });
    if (fault.state === 'armed' && door.faults.some(({ id, state }) => id === fault.id && state === 'armed')) this.#owners.set(fault.id, viewer);
    // It left while the programs were loading.
    if (viewer.connection.over) await this.release(viewer, 'stopped');
    else log(`${viewer.about.name} armed: ${fault.text}`);
    return fault;
  }

  /** Everything ends. Never rejects. */
  async close(): Promise<void> {
    await Promise.all([...this.#leaving, this.#options.door.stopAll('stopped').catch(() => {})]);
    this.#unsubscribe();
    this.#viewers.clear();
    this.#owners.clear();
  }
}
