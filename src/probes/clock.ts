/** A timer on a fixed grid: a late beat does not delay the next, and beats missed in a stall are left out. */
export class BeatClock {
  readonly #beat: () => void;
  readonly #now: () => number;
  #periodMs: number;
  #last = 0;
  #next = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param now for tests */
  constructor(periodMs: number, beat: () => void, now: () => number = () => performance.now()) {
    this.#periodMs = periodMs;
    this.#beat = beat;
    this.#now = now;
  }

  /** First beat after `delayMs`. */
  start(delayMs = this.#periodMs): void {
    this.#last = this.#now();
    this.#arm(this.#last + delayMs);
  }

  /** Another period, counted from the last beat. */
  setPeriod(ms: number): void {
    this.#periodMs = ms;
    if (this.#timer) this.#arm(this.#last + ms);
  }

  /** Have a beat in `ms` at the latest; the grid starts anew there. */
  hurry(ms: number): void {
    if (this.#timer && this.#next - this.#now() > ms) this.#arm(this.#now() + ms);
  }

  #arm(next: number): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#next = next;
    this.#timer = setTimeout(() => this.#fire(), Math.max(0, next - this.#now()));
  }

  #fire(): void {
    const now = this.#now();
    this.#last = now;
    const missed = Math.floor(Math.max(0, now - this.#next) / this.#periodMs);
    this.#arm(this.#next + (missed + 1) * this.#periodMs);
    this.#beat();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
