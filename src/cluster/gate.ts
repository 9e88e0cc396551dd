/** So many at once and no more: the others wait for their turn, in the order they came. */
export class Gate {
  readonly #most: number;
  #inside = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#most = most;
  }

  /** Rejects as `run` does. */
  readonly through = async <T>(run: () => Promise<T>): Promise<T> => {
    if (this.#inside >= this.#most) await new Promise<void>((resolve) => { this.#waiting.push(resolve); });
    else this.#inside += 1;
    try {
      return await run();
    } finally {
      // Whoever waits takes the place over.
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    }
  };
}
