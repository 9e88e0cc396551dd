/**
 * The injector: holds every fault, decides alone what may be armed, and ends what is over. Knows neither processes nor
 * pipes (see process.ts).
 */
import { randomUUID } from 'node:crypto';
import { release } from 'node:os';
import { AuditFile } from '../audit-file.ts';
import { type AuditArmed, type AuditReason, type AuditWho, auditArmed, auditEnded } from '../audit.ts';
import type { BackendName } from '../backends.ts';
import { ChaosError, type FaultStatus } from '../door.ts';
import type { FaultEngine } from '../engine/engine.ts';
import { explainRule } from '../explain.ts';
import { Held } from './held.ts';
import { type Ask, type InjectorSettings, plainCapabilities, plainFault, plainPlan } from './messages.ts';
import type { Output } from './output.ts';
import { type Decision, decide, follow } from './planner.ts';
import { Registration } from './registration.ts';
import type { Who } from './who.ts';

/** What an injector is made of; others in tests. */
export interface InjectorParts {
  /** @param debug null: nobody wants to know */
  openEngine(settings: InjectorSettings, debug: ((text: string) => void) | null): Promise<FaultEngine>;
  openWho(settings: InjectorSettings, debug: ((text: string) => void) | null): Promise<Who>;
}

export interface InjectorOptions {
  readonly settings: InjectorSettings;
  readonly parts: InjectorParts;
  readonly output: Output;
  readonly who: AuditWho;
}

/** How much later than the kernel's own deadline a fault is ended that did not say it was over, milliseconds. */
const OVERDUE_MS = 300;
/** Targets are looked after every so many polls. */
const FOLLOW_POLLS = 5;
const INJECTED_POLLS = 5;

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, '; ');

/** What is thrown further on: ChaosErrors as they are, anything else as failed. */
const failure = (error: unknown): ChaosError => (error instanceof ChaosError ? error : new ChaosError('failed', messageOf(error), { cause: error }));

export class Injector {
  readonly #settings: InjectorSettings;
  readonly #parts: InjectorParts;
  readonly #output: Output;
  readonly #who: AuditWho;
  readonly #debug: ((text: string) => void) | null;
  readonly #held = new Map<number, Held>();
  #engine: Promise<FaultEngine> | null = null;
  /** The same, once it is there: what must not wait uses it. */
  #opened: FaultEngine | null = null;
  #names: Promise<Who> | null = null;
  #openedWho: Who | null = null;
  #audit: Promise<AuditFile> | null = null;
  #registration: Registration | null = null;
  /** In the audit, but not in the kernel yet. */
  #pending: AuditArmed | null = null;
  /** One rule is armed after the other. */
  #arming: Promise<unknown> = Promise.resolve();
  #closed = false;
  #lastId = 0;
  #polls = 0;
  #injectedHits = -1;
  /** Set by whoever runs it: something failed after which nothing is sure. */
  onBroken: (error: unknown) => void = () => {};

  constructor({ settings, parts, output, who }: InjectorOptions) {
    this.#settings = settings;
    this.#parts = parts;
    this.#output = output;
    this.#who = who;
    this.#debug = settings.debug ? (text) => { if (!output.full) output.send({ t: 'debug', text }); } : null;
  }

  /** @returns the answer as it travels @throws ChaosError */
  async ask(ask: Ask): Promise<unknown> {
    if (this.#closed) throw new ChaosError('failed', 'the injector is ending');
    try {
      switch (ask.what) {
        case 'capabilities': return plainCapabilities(await (await this.#getEngine()).capabilities());
        case 'plan': return plainPlan((await this.#decide(ask)).plan);
        case 'arm': return plainFault(await this.#inTurn(() => this.#arm(ask)));
        case 'disarm': {
          const held = this.#held.get(ask.fault);
          if (held !== undefined) await this.#end(held, ask.reason, null);
          return null;
        }
        case 'stopAll':
          await Promise.all([...this.#held.values()].map((held) => this.#end(held, ask.reason, null)));
          return null;
      }
    } catch (error) {
      throw failure(error);
    }
  }

  #getEngine(): Promise<FaultEngine> {
    this.#engine ??= this.#parts.openEngine(this.#settings, this.#debug).then((engine) => {
      if (this.#closed) engine.close();
      return (this.#opened = engine);
    }).catch((error: unknown) => {
      this.#engine = null;
      throw error instanceof ChaosError ? error : new ChaosError('impossible', messageOf(error), { cause: error });
    });
    return this.#engine;
  }

  #getWho(): Promise<Who> {
    this.#names ??= this.#parts.openWho(this.#settings, this.#debug).then((who) => {
      if (this.#closed) who.close();
      return (this.#openedWho = who);
    }).catch((error: unknown) => {
      this.#names = null;
      throw new ChaosError('impossible', `who is who on this node cannot be told: ${messageOf(error)}`, { cause: error });
    });
    return this.#names;
  }

  #getAudit(): Promise<AuditFile> {
    this.#audit ??= AuditFile.open(this.#settings.auditFile).catch((error: unknown) => {
      this.#audit = null;
      throw error;
    });
    return this.#audit;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#arming.then(work);
    this.#arming = done.catch(() => {});
    return done;
  }

  async #decide({ rule, permits }: Extract<Ask, { what: 'plan' | 'arm' }>): Promise<Decision> {
    const [engine, who] = await Promise.all([this.#getEngine(), this.#getWho()]);
    return decide(rule, permits, who, await engine.capabilities());
  }

  async #arm(ask: Extract<Ask, { what: 'arm' }>): Promise<FaultStatus> {
    const { rule, permits, dryRun, typed, who } = ask;
    const decision = await this.#decide(ask);
    const { plan, obstacle, scope } = decision;
    if (obstacle !== null) throw obstacle;
    const { confirmation } = plan;
    // A dry run only counts: there is nothing to confirm.
    if (confirmation !== null && !dryRun && typed !== confirmation.text) throw new ChaosError('refused', `${typed === null ? '' : `"${typed}" is not what was to be typed: `}"${confirmation.text}" must be typed to confirm it (${confirmation.reasons.join('; ')})`);
    this.#registration ??= Registration.make(this.#settings.runDirectory);
    const engine = await this.#getEngine();
    const audit = await this.#getAudit();
    const armed = this.#record(decision, dryRun, who ?? this.#who);
    this.#pending = armed;
    try {
      await audit.append(armed);
      if (this.#closed) throw new ChaosError('failed', 'the injector is ending');
      this.#registration.tell([...this.#sentences(), explainRule(rule, dryRun)]);
      const fault = await engine.arm(rule, plan.selections, scope, dryRun);
      const held = new Held(fault, {
        id: ++this.#lastId, rule, text: explainRule(rule, dryRun), targetName: decision.targetName, cgroups: scope.map(({ key }) => key), dryRun, pin: decision.pin, roots: decision.roots, permits, armed,
      });
      this.#held.set(held.status.id, held);
      this.#tell(held);
      return held.status;
    } catch (error) {
      await this.#note(armed, 'error', messageOf(error), { matched: 0, hits: 0 }).catch(() => {});
      this.#announce();
      throw error;
    } finally {
      this.#pending = null;
    }
  }

  #record({ plan, places }: Decision, dryRun: boolean, who: AuditWho): AuditArmed {
    const backends = [...new Set(plan.selections.map(({ attachment }) => attachment?.backend).filter((name): name is BackendName => name !== undefined))];
    const subject = { id: randomUUID(), node: this.#settings.node, kernel: release(), who };
    return auditArmed(subject, plan.rule, { dryRun, backends, cgroups: places.map(({ key, info }) => ({ id: key, path: info.cgroup })) }, new Date());
  }

  async #note(armed: AuditArmed, reason: AuditReason, detail: string | null, counted: Pick<FaultStatus, 'matched' | 'hits'> | null): Promise<void> {
    const { matched, hits } = counted ?? { matched: null, hits: null };
    await (await this.#getAudit()).append(auditEnded(armed, { reason, detail, matched, hits }, new Date()));
  }

  #sentences(): string[] {
    return [...this.#held.values()].map(({ status }) => status.text);
  }

  /** For `kbtop chaos stop`, which works without it: a full disk costs sentences only. */
  #announce(): void {
    try {
      this.#registration?.tell(this.#sentences());
    } catch {
      // the old ones stay
    }
  }

  #tell(held: Held): void {
    const { id, node, kernel, who, start } = held.armed;
    held.dirty = false;
    this.#output.send({ t: 'fault', fault: held.status, audit: { id, node, kernel, who, start } });
  }

  #end(held: Held, reason: AuditReason, detail: string | null): Promise<void> {
    held.ending ??= this.#doEnd(held, reason, detail);
    return held.ending;
  }

  async #doEnd(held: Held, reason: AuditReason, detail: string | null): Promise<void> {
    const engine = this.#opened;
    if (engine === null) return;
    let last;
    try {
      last = await engine.disarm(held.engineId);
      // Hits that came until now belong to it.
      if (!this.#closed) this.#drain(engine);
    } catch (error) {
      // It may still be in the kernel: everything must end.
      this.onBroken(error);
      throw error;
    }
    if (last !== null) held.count(last);
    held.end(reason, detail);
    this.#held.delete(held.status.id);
    this.#announce();
    try {
      await this.#note(held.armed, reason, detail, last === null ? null : held.status);
    } catch (error) {
      held.status = { ...held.status, endDetail: [detail, messageOf(error)].filter((part) => part !== null).join('; ') };
    }
    this.#tell(held);
  }

  #drain(engine: FaultEngine): ReturnType<FaultEngine['poll']>['faults'] {
    const { faults, hits } = engine.poll();
    const byEngine = new Map([...this.#held.values()].map((held) => [held.engineId, held]));
    for (const { fault, hit } of hits) {
      const held = byEngine.get(fault);
      if (held === undefined) continue;
      if (this.#output.full) held.drop();
      else this.#output.send({ t: 'hit', fault: held.status.id, hit });
    }
    for (const fault of faults) byEngine.get(fault.id)?.count(fault);
    return faults;
  }

  /** To be called ten times a second. @throws BpfError, after which nothing is sure and everything must end */
  poll(): void {
    const engine = this.#opened;
    if (engine === null || this.#closed || this.#held.size === 0) return;
    const faults = new Map(this.#drain(engine).map((fault) => [fault.id, fault]));
    for (const held of this.#held.values()) {
      const over = faults.get(held.engineId)?.over ?? (Date.now() > held.status.deadline + OVERDUE_MS ? 'duration' : null);
      const trouble = faults.get(held.engineId)?.trouble ?? null;
      if (trouble !== null) void this.#end(held, 'error', trouble).catch(this.onBroken);
      else if (over !== null) void this.#end(held, over, null).catch(this.onBroken);
    }
    if (++this.#polls % FOLLOW_POLLS === 0) this.#follow(engine);
    if (this.#output.full) return;
    for (const held of this.#held.values()) if (held.dirty) this.#tell(held);
    if (this.#polls % INJECTED_POLLS === 0) this.#tellInjected(engine);
  }

  #follow(engine: FaultEngine): void {
    const who = this.#openedWho;
    const held = [...this.#held.values()].filter(({ ending }) => ending === null);
    if (who === null || held.length === 0) return;
    const places = who.below([...new Set(held.flatMap(({ known, roots }) => [...roots, ...known]))]);
    for (const one of held) {
      const next = follow(one.pin, one.known, one.permits, who, places);
      if ('end' in next) void this.#end(one, next.end, next.detail).catch(this.onBroken);
      else if (one.move(next.places.map(({ key }) => key))) void engine.rescope(one.engineId, next.scope).catch(this.onBroken);
    }
  }

  #tellInjected(engine: FaultEngine): void {
    const { injected } = engine;
    const hits = injected.reduce((sum, [, , , count]) => sum + count, 0);
    if (hits === this.#injectedHits) return;
    this.#injectedHits = hits;
    this.#output.send({ t: 'injected', injected });
  }

  /** Out of the kernel at once; then the audit's last lines, as far as they can be written in time. Never rejects. */
  async end(reason: AuditReason, detail: string | null): Promise<void> {
    if (this.#closed) return;
    const engine = this.#opened;
    let counted = false;
    try {
      engine?.clear();
      if (engine !== null) this.#drain(engine);
      counted = engine !== null;
    } catch {
      // closing takes out what is left
    }
    this.#closed = true;
    const all = [...this.#held.values()];
    try {
      if (engine !== null) this.#tellInjected(engine);
      engine?.close();
    } catch {
      // the end of the process does it
    }
    const notes = all.map(async (held) => {
      // What was about to end may have lost its engine on the way.
      await held.ending?.catch(() => {});
      if (held.status.state === 'ended') return;
      held.end(reason, detail);
      await this.#note(held.armed, reason, detail, counted ? held.status : null).catch(() => {});
      this.#tell(held);
    });
    if (this.#pending !== null) notes.push(this.#note(this.#pending, reason, detail, null).catch(() => {}));
    await Promise.all(notes);
    try {
      this.#openedWho?.close();
      this.#registration?.end();
    } catch {
      // the end of the process does it; a file left behind names a process that is gone
    }
    await (await this.#audit?.catch(() => null))?.close();
  }
}
