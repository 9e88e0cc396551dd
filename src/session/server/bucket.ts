/** So many at once, and so many a second in the long run. */
export class Bucket {
  readonly #size: number;
  readonly #perSecond: number;
  readonly #now: () => number;
  #left: number;
  #at: number;

  /** @param now milliseconds, never set back */
  constructor(size: number, perSecond: number, now: () => number = () => performance.now()) {
    this.#size = size;
    this.#perSecond = perSecond;
    this.#now = now;
    this.#left = size;
    this.#at = now();
  }

  #refill(): void {
    const now = this.#now();
    this.#left = Math.min(this.#size, this.#left + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
  }

  /** False: too many. */
  take(): boolean {
    this.#refill();
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  get full(): boolean {
    this.#refill();
    return this.#left >= this.#size;
  }
}
