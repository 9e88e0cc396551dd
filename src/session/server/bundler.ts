/** What comes in numbers is told once at first, and then together: floods of the same must fill neither a log nor a disk. */

interface Bundle<T> {
  last: T;
  more: number;
}

/** Different things that are told apart at once; those beyond go together. */
const MAX_KEYS = 64;
const REST = '';

export class Bundler<T> {
  readonly #tell: (item: T, times: number) => void;
  readonly #windowMs: number;
  readonly #open = new Map<string, Bundle<T>>();
  #timer: NodeJS.Timeout | undefined;

  constructor(tell: (item: T, times: number) => void, windowMs = 10_000) {
    this.#tell = tell;
    this.#windowMs = windowMs;
  }

  /** @param key the same for what may be told together */
  add(key: string, item: T): void {
    const own = this.#open.has(`=${key}`) || this.#open.size < MAX_KEYS ? `=${key}` : REST;
    const bundle = this.#open.get(own);
    if (bundle !== undefined) {
      bundle.last = item;
      bundle.more++;
      return;
    }
    this.#open.set(own, { last: item, more: 0 });
    this.#timer ??= setTimeout(() => this.flush(), this.#windowMs).unref();
    this.#tell(item, 1);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const bundles = [...this.#open.values()];
    this.#open.clear();
    for (const { last, more } of bundles) if (more > 0) this.#tell(last, more);
  }
}
