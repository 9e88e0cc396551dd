/** JSON lines out of a stream of bytes: bounded, and nothing that comes in can throw. */

/** Longest line, bytes: an answer with every call's selection is some hundred KiB. */
export const MAX_LINE_BYTES = 4 * 1024 * 1024;

export type Line = { readonly value: unknown } | { readonly problem: string };

export class LineReader {
  readonly #max: number;
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Within a line that is too long: the rest of it is left out. */
  #skipping = false;

  constructor(max = MAX_LINE_BYTES) {
    this.#max = max;
  }

  /** Lines that the chunk completes. What is no JSON is a problem; an empty line is nothing. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let at = chunk.indexOf(0x0a, from); at >= 0; at = chunk.indexOf(0x0a, from)) {
      this.#keep(chunk.subarray(from, at), lines);
      this.#end(lines);
      from = at + 1;
    }
    this.#keep(chunk.subarray(from), lines);
    return lines;
  }

  #keep(part: Buffer, lines: Line[]): void {
    if (this.#skipping || part.length === 0) return;
    this.#bytes += part.length;
    if (this.#bytes <= this.#max) {
      this.#parts.push(Buffer.from(part));
      return;
    }
    this.#skipping = true;
    this.#parts = [];
    lines.push({ problem: `a line is longer than ${this.#max} bytes` });
  }

  #end(lines: Line[]): void {
    const text = Buffer.concat(this.#parts).toString('utf8');
    const skipped = this.#skipping;
    this.#parts = [];
    this.#bytes = 0;
    this.#skipping = false;
    if (skipped || text.trim() === '') return;
    try {
      lines.push({ value: JSON.parse(text) as unknown });
    } catch {
      lines.push({ problem: 'a line is no JSON' });
    }
  }
}
