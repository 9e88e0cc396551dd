/** Pauses between attempts: each about twice the last, with jitter, so that the nodes of a cluster do not come back all at once. */
import type { Clock } from './clock.ts';

const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

export class Backoff {
  readonly #clock: Clock;
  #steps = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The next pause, milliseconds: between the half and the whole of a step. */
  next(): number {
    const step = Math.min(FIRST_MS * 2 ** this.#steps, LONGEST_MS);
    if (step < LONGEST_MS) this.#steps++;
    return step / 2 + (this.#clock.random() * step) / 2;
  }

  reset(): void {
    this.#steps = 0;
  }
}
