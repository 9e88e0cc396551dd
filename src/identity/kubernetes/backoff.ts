/** Pauses between attempts: each about twice the last, with jitter, so that the nodes of a cluster do not come back all at once. */
import type { Clock } from './clock.ts';

/** Milliseconds. */
export interface Steps {
  readonly firstMs: number;
  readonly longestMs: number;
}

const STEPS: Steps = { firstMs: 1000, longestMs: 60_000 };

export class Backoff {
  readonly #clock: Pick<Clock, 'random'>;
  readonly #about: Steps;
  #steps = 0;

  constructor(clock: Pick<Clock, 'random'>, about: Steps = STEPS) {
    this.#clock = clock;
    this.#about = about;
  }

  /** The next pause, milliseconds: between the half and the whole of a step. */
  next(): number {
    const { firstMs, longestMs } = this.#about;
    const step = Math.min(firstMs * 2 ** this.#steps, longestMs);
    if (step < longestMs) this.#steps++;
    return step / 2 + (this.#clock.random() * step) / 2;
  }

  reset(): void {
    this.#steps = 0;
  }
}
