/** What is being waited for, in one line that is gone when it is over. Only for people: a pipe is told nothing. */
import { writeSync } from 'node:fs';
import { escapeForTerminal } from '../../frame/escape.ts';

const CLEAR = '\r\x1b[K';

export class Progress {
  readonly #shown: boolean;
  readonly #width: number;
  #dirty = false;

  constructor(stderr: { readonly isTTY?: boolean; readonly columns?: number } = process.stderr) {
    this.#shown = stderr.isTTY === true;
    this.#width = stderr.columns || 80;
  }

  #write(text: string): void {
    try {
      writeSync(2, text);
    } catch {
      // Nobody is there to see it.
    }
  }

  tell(text: string): void {
    if (!this.#shown) return;
    const line = escapeForTerminal(text);
    this.#write(`${CLEAR}${line.length < this.#width ? line : `${line.slice(0, this.#width - 2)}…`}`);
    this.#dirty = true;
  }

  clear(): void {
    if (this.#dirty) this.#write(CLEAR);
    this.#dirty = false;
  }
}
