/** Lines on stderr that nobody waits for: in order, and no more of them than somebody reads. */
import { escapeForTerminal } from '../../frame/escape.ts';
import { printError } from '../output.ts';

/** Lines that wait for a reader of stderr. */
const MAX_WAITING = 256;

export class LineLog {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #leftOut = 0;

  /** @param text raw */
  line(text: string): void {
    if (this.#waiting >= MAX_WAITING) {
      this.#leftOut++;
      return;
    }
    this.#waiting++;
    this.#last = this.#last.then(() => this.#print(text));
  }

  async #print(text: string): Promise<void> {
    if (this.#leftOut > 0) {
      const count = this.#leftOut;
      this.#leftOut = 0;
      await printError(`${count} lines were left out: nobody read them`);
    }
    await printError(escapeForTerminal(text));
    this.#waiting--;
  }

  /** Resolves when all of it is written. */
  flush(): Promise<void> {
    return this.#last;
  }
}
