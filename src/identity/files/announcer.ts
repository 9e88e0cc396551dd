/** Gathers what a source has learned, so that a thousand names are a few calls. */
import type { Changed } from '../source.ts';

/** As long as more is coming in, milliseconds between calls. */
const GATHER_MS = 20;

export class Announcer {
  readonly #more: () => boolean;
  readonly #ids = new Set<string>();
  #changed: Changed = () => {};
  #immediate: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  /** @param more whether the source is about to learn more */
  constructor(more: () => boolean) {
    this.#more = more;
  }

  onChange(changed: Changed): void {
    this.#changed = changed;
  }

  /** These ids have another answer now. */
  add(...ids: readonly string[]): void {
    if (this.#closed) return;
    for (const id of ids) this.#ids.add(id);
    this.#immediate ??= setImmediate(() => {
      this.#immediate = null;
      if (!this.#more()) this.flush();
      else this.#timer ??= setTimeout(() => this.flush(), GATHER_MS).unref();
    });
  }

  /** Tell what was gathered, now. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#closed || this.#ids.size === 0) return;
    const ids = [...this.#ids];
    this.#ids.clear();
    this.#changed(ids);
  }

  close(): void {
    this.#closed = true;
    if (this.#immediate) clearImmediate(this.#immediate);
    if (this.#timer) clearTimeout(this.#timer);
    this.#ids.clear();
  }
}
