/** Prints lines one after the other, without holding up anything else; when the reader is too slow, some are left out and counted. */
import { printOut } from '../output.ts';

const MAX_WAITING = 10_000;

export class Printer {
  readonly #print: (text: string) => Promise<void>;
  readonly #failed = Promise.withResolvers<never>();
  #waiting: string[] = [];
  #running: Promise<void> | null = null;
  #leftOut = 0;

  constructor(print: (text: string) => Promise<void> = printOut) {
    this.#print = print;
    // Whoever waits for it hears of it; nobody has to.
    this.#failed.promise.catch(() => {});
  }

  /** Rejects when nothing can be printed any more. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Lines that were left out. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** @param must it is printed whatever waits already */
  line(text: string, must = true): void {
    if (!must && this.#waiting.length >= MAX_WAITING) {
      this.#leftOut++;
      return;
    }
    this.#waiting.push(`${text}\n`);
    this.#running ??= this.#drain();
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#print(this.#waiting.splice(0).join(''));
    } catch (error) {
      this.#failed.reject(error);
      this.#waiting = [];
      return;
    }
    this.#running = null;
  }

  /** Resolves when everything is printed, or nothing can be. */
  async flush(): Promise<void> {
    await this.#running;
  }
}
