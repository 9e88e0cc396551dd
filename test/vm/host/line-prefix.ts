/** Marks each line with where it comes from: two guests speak at once. */
export class LinePrefix {
  readonly #prefix: string;
  readonly #to: { write(text: string): unknown };
  readonly #decoder = new TextDecoder();
  #rest = '';

  constructor(prefix: string, to: { write(text: string): unknown }) {
    this.#prefix = prefix;
    this.#to = to;
  }

  write(bytes: Uint8Array): void {
    this.#print(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Print what stands without a newline. */
  end(): void {
    this.#print(this.#decoder.decode());
    if (this.#rest !== '') this.#to.write(`${this.#prefix}${this.#rest}\n`);
    this.#rest = '';
  }

  #print(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#to.write(`${this.#prefix}${line.replace(/\r$/, '')}\n`);
  }
}
