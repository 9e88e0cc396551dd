/** A stream of bytes as lines. Bytes and not text are split, so that a character may lie across two chunks. */
import { Buffer } from 'node:buffer';

const NEWLINE = 0x0a;

export class LineTooLong extends Error {
  constructor(longest: number) {
    super(`a line is longer than ${longest} bytes`);
  }
}

export class Lines {
  readonly #longest: number;
  /** The unfinished line, as it came. */
  #open: Buffer[] = [];
  #openBytes = 0;

  /** @param longest bytes of a line; a longer one throws LineTooLong */
  constructor(longest: number) {
    this.#longest = longest;
  }

  /** The lines that this chunk completes, without their newlines; empty ones are left out. */
  push(chunk: Buffer): string[] {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#add(chunk.subarray(start, end));
      const line = Buffer.concat(this.#open, this.#openBytes).toString('utf8');
      if (line !== '') lines.push(line);
      this.#open = [];
      this.#openBytes = 0;
      start = end + 1;
    }
    this.#add(chunk.subarray(start));
    return lines;
  }

  #add(part: Buffer): void {
    if (part.length === 0) return;
    this.#openBytes += part.length;
    if (this.#openBytes > this.#longest) throw new LineTooLong(this.#longest);
    this.#open.push(part);
  }
}
