/** One pane's place in the manager: its probe's life from loading to closed, and what may be said about it meanwhile. */
import { type Level, NO_LOSS, type PaneId, type PaneState } from '../frame/frame.ts';
import type { Probe, ProbeContext, ProbeTick } from './probe.ts';

export type Life = 'off' | 'loading' | 'up' | 'failed';

/** One line of an error, for a pane's reason. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0]?.trim() || 'unknown error';
}

export class Slot<P extends PaneId = PaneId> {
  readonly pane: P;
  readonly #create: () => Probe<P>;
  #probe: Probe<P> | null = null;
  #life: Life = 'off';
  #reason: string | null = 'not asked for';
  /** Level asked for while the probe is not up. */
  #wanted: Level | 'off' | null = null;
  /** When its present interval began, milliseconds of performance.now(). */
  #since = 0;
  #ticks = 0;
  #settled: Promise<void> = Promise.resolve();

  constructor(pane: P, create: () => Probe<P>) {
    this.pane = pane;
    this.#create = create;
  }

  get life(): Life {
    return this.#life;
  }

  get probe(): Probe<P> | null {
    return this.#probe;
  }

  /** Resolves, never rejects, when the probe is up or has failed. */
  get settled(): Promise<void> {
    return this.#settled;
  }

  /** Load the probe unless that was done already. @param changed called when it is up or has failed */
  start(context: ProbeContext, changed: () => void): void {
    if (this.#life === 'loading' || this.#life === 'up') return;
    this.#life = 'loading';
    this.#reason = null;
    this.#settled = this.#load(context).then(changed);
  }

  async #load(context: ProbeContext): Promise<void> {
    let probe: Probe<P> | null = null;
    try {
      probe = this.#create();
      this.#probe = probe;
      await probe.start(context);
      if (this.#probe !== probe) return; // closed meanwhile
      this.#life = 'up';
      if (this.#wanted !== null) this.setLevel(this.#wanted);
      // Its counters began somewhere inside start(): the first interval begins here, exactly.
      this.tick(performance.now(), 1);
    } catch (error) {
      if (this.#probe === probe) this.#fail(reasonOf(error));
    }
  }

  #fail(reason: string): void {
    if (this.#life === 'off') return;
    this.#probe?.close();
    this.#probe = null;
    this.#life = 'failed';
    this.#reason = reason;
  }

  drain(): void {
    if (this.#life !== 'up') return;
    try {
      this.#probe?.drain?.();
    } catch (error) {
      this.#fail(`reading its events failed: ${reasonOf(error)}`);
    }
  }

  /** Milliseconds of the interval that the next tick would close. */
  elapsed(now: number): number {
    return now - this.#since;
  }

  /** The numbers since the last tick; without rows when there is no probe to ask. @param ms what the interval is taken to be @param exact see Interval */
  tick(now: number, ms: number, exact = false): ProbeTick<P> {
    if (this.#life === 'up' && this.#probe) {
      this.#since = now;
      try {
        return this.#probe.tick({ seq: ++this.#ticks, ms, at: now, exact });
      } catch (error) {
        this.#fail(`reading its counters failed: ${reasonOf(error)}`);
      }
    }
    return { state: this.#state(), loss: NO_LOSS, rows: [], totals: [] };
  }

  #state(): PaneState {
    const status = this.#life === 'failed' ? 'error' : this.#life === 'up' ? 'ok' : this.#life;
    return { status, reason: this.#reason, level: null };
  }

  /** Pass a level on, now or as soon as the probe is up. A probe without levels is on or off. */
  setLevel(level: Level | 'off'): void {
    this.#wanted = level;
    if (this.#life !== 'up' || !this.#probe) return;
    if (this.#probe.setLevel) {
      try {
        this.#probe.setLevel(level);
      } catch (error) {
        this.#fail(`changing its level to ${level} failed: ${reasonOf(error)}`);
      }
    } else if (level === 'off') {
      this.close('turned off');
    }
  }

  close(reason = 'closed'): void {
    this.#life = 'off';
    this.#reason = reason;
    this.#probe?.close();
    this.#probe = null;
  }
}
