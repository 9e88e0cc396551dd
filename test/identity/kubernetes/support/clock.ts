/** Time that passes when the test says so, and waiting for what really takes time: sockets and processes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../../../src/identity/kubernetes/clock.ts';

interface Timer {
  readonly at: number;
  readonly ms: number;
  readonly run: () => void;
}

export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Timer>();
  /** What random() gives; with it no pause is as long as a time limit. */
  readonly chance = 0.4;

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.chance;
  }

  /** Timers that were ever begun: each chunk that is read begins one. */
  begun = 0;

  after(ms: number, run: () => void): () => void {
    this.begun++;
    const timer = { at: this.#now + ms, ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Lengths of the timers that run, shortest first. */
  get pending(): number[] {
    return [...this.#timers].map(({ ms }) => ms).sort((a, b) => a - b);
  }

  /** Let milliseconds pass; everything due is run, in order. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
  }
}

/** Time limits of the sources, which are no pauses: start(), silence of a request and of a watch, credentials, plugins. Milliseconds. */
const LIMITS = [5_000, 8_000, 15_000, 75_000, 45_000, 30_000];

/** Waits until a source pauses, and lets that time pass. @returns the pause, milliseconds */
export async function passPause(clock: ManualClock): Promise<number> {
  const pauses = (): number[] => clock.pending.filter((ms) => !LIMITS.includes(ms));
  await until('a pause', () => pauses().length > 0);
  const [ms = 0] = pauses();
  clock.pass(ms);
  return ms;
}

/** Resolves once it is so. The limit only catches what hangs. */
export async function until(what: string, so: () => boolean): Promise<void> {
  const limit = performance.now() + 20_000;
  while (!so()) {
    if (performance.now() > limit) throw new Error(`never: ${what}`);
    await sleep(1);
  }
}
