/** Between the store and the door of chaos: the only one who touches it. Nothing here waits for it: answers come back as actions. */
import type { ChaosDoor, ChaosEvent, Permits } from '../../chaos/door.ts';
import type { Rule } from '../../chaos/rule.ts';
import type { Effect } from '../effects.ts';
import type { Action } from '../update.ts';
import type { ToldHit } from './model.ts';

/** A form is asked about when nobody has changed it for so long, milliseconds. */
const PLAN_AFTER_MS = 250;
/** News of faults are told together, milliseconds. */
const TELL_EVERY_MS = 100;
/** Hits that are kept until they are told. */
const MAX_WAITING = 2000;
const SECOND_MS = 1000;

export type ChaosEffect = Extract<Effect, { readonly kind: `chaos${string}` }>;

/** The first line of what went wrong. */
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).split('\n', 1)[0] ?? '';

export class ChaosDriver {
  readonly #door: ChaosDoor;
  readonly #permits: Permits;
  readonly #dispatch: (action: Action) => void;
  #unsubscribe: () => void = () => {};
  #on = false;
  #asking = false;
  #hits: ToldHit[] = [];
  #telling: NodeJS.Timeout | undefined;
  #planning: NodeJS.Timeout | undefined;
  #clock: NodeJS.Timeout | undefined;

  constructor(door: ChaosDoor, permits: Permits, dispatch: (action: Action) => void) {
    this.#door = door;
    this.#permits = permits;
    this.#dispatch = dispatch;
  }

  /** Begin to hear of faults, also of those that are armed already. */
  connect(): void {
    this.#on = true;
    this.#unsubscribe = this.#door.subscribe((event) => this.#heard(event));
    if (this.#door.faults.length > 0) this.#tell();
  }

  disconnect(): void {
    this.#on = false;
    this.#unsubscribe();
    for (const timer of [this.#telling, this.#planning]) clearTimeout(timer);
    clearInterval(this.#clock);
  }

  #say(action: Action): void {
    if (this.#on) this.#dispatch(action);
  }

  #heard(event: ChaosEvent): void {
    if (!this.#on) return;
    if (event.kind === 'gone') {
      // Before the news that nothing is armed any more: what was is told with it.
      this.#say({ type: 'chaosGone', reason: event.reason, now: Date.now() });
      this.#tell();
      return;
    }
    if (event.kind === 'hit') {
      this.#hits.push({ fault: event.fault, hit: event.hit });
      if (this.#hits.length > 2 * MAX_WAITING) this.#hits = this.#hits.slice(-MAX_WAITING);
    }
    // One screen for many hits.
    this.#telling ??= setTimeout(() => this.#tell(), TELL_EVERY_MS).unref();
  }

  #tell(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    if (!this.#on) return;
    const hits = this.#hits;
    this.#hits = [];
    const { faults } = this.#door;
    this.#say({ type: 'chaosTold', faults, hits, now: Date.now() });
    this.#keepTime(faults.some(({ state }) => state === 'armed'));
  }

  /** Times that are left go on between Frames. */
  #keepTime(on: boolean): void {
    if (!on) {
      clearInterval(this.#clock);
      this.#clock = undefined;
    } else this.#clock ??= setInterval(() => this.#say({ type: 'chaosClock', now: Date.now() }), SECOND_MS).unref();
  }

  perform(effect: ChaosEffect): void {
    switch (effect.kind) {
      case 'chaosCapabilities': return void this.#capabilities();
      case 'chaosPlan': {
        clearTimeout(this.#planning);
        const { rule, serial } = effect;
        this.#planning = rule === null ? undefined : setTimeout(() => void this.#plan(rule, serial), PLAN_AFTER_MS).unref();
        return;
      }
      case 'chaosDryRun': return void this.#dryRun(effect.rule, effect.serial);
      case 'chaosArm': return void this.#arm(effect);
      case 'chaosEnd': return void this.#try(`fault ${effect.id} was not ended`, () => this.#door.disarm(effect.id));
      case 'chaosStopAll': return void this.#try('not stopped', () => this.#door.stopAll('panic-key'));
    }
  }

  /** The screen is left: what is armed ends with it. Whoever opened the door waits for that. */
  leave(interrupted: boolean): void {
    if (!this.#door.faults.some(({ state }) => state === 'armed')) return;
    void this.#try('not stopped', () => this.#door.stopAll(interrupted ? 'interrupted' : 'stopped'));
  }

  async #try(what: string, ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      this.#say({ type: 'message', text: `${what}: ${messageOf(error)}`, role: 'bad', now: Date.now() });
    }
    this.#tell();
  }

  async #capabilities(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      this.#say({ type: 'chaosCapabilities', answer: { capabilities: await this.#door.capabilities() } });
    } catch (error) {
      this.#say({ type: 'chaosCapabilities', answer: { error: messageOf(error) } });
    } finally {
      this.#asking = false;
    }
  }

  async #plan(rule: Rule, serial: number): Promise<void> {
    try {
      this.#say({ type: 'chaosPlanned', serial, answer: { plan: await this.#door.plan(rule, this.#permits) } });
    } catch (error) {
      this.#say({ type: 'chaosPlanned', serial, answer: { error: messageOf(error) } });
    }
  }

  async #dryRun(rule: Rule, serial: number): Promise<void> {
    let plan = null;
    try {
      plan = await this.#door.plan(rule, this.#permits);
      const [refusal] = plan.refusals;
      if (refusal !== undefined) {
        this.#say({ type: 'chaosDryRun', serial, answer: { plan, error: `refused: ${refusal.reason}` } });
        return;
      }
      const fault = await this.#door.arm(rule, this.#permits, { dryRun: true, typed: null });
      if (!this.#on) return this.#tooLate(fault.id);
      this.#tell();
      this.#say({ type: 'chaosDryRun', serial, answer: { plan, fault } });
    } catch (error) {
      this.#say({ type: 'chaosDryRun', serial, answer: { plan, error: messageOf(error) } });
    }
  }

  async #arm({ rule, dryRun, typed, serial }: Extract<ChaosEffect, { kind: 'chaosArm' }>): Promise<void> {
    // It may have ended by itself.
    await this.#door.disarm(dryRun).catch(() => {});
    try {
      const fault = await this.#door.arm(rule, this.#permits, { dryRun: false, typed });
      if (!this.#on) return this.#tooLate(fault.id);
      this.#tell();
      this.#say({ type: 'chaosArmed', serial, answer: { fault } });
    } catch (error) {
      this.#say({ type: 'chaosArmed', serial, answer: { error: messageOf(error) } });
    }
  }

  /** Armed when the screen had been left already. */
  #tooLate(id: number): void {
    this.#door.disarm(id, 'stopped').catch(() => {});
  }
}
