/** A maximum that can be taken back: with the ticks at which it rose. */

/** Rises kept; older ones are forgotten, the newest never is. */
const KEPT = 64;

export class Highest {
  /** Ascending in both. */
  #rises: { readonly tick: number; readonly value: number }[] = [];

  /** Null when nothing was seen, or when it is not known any more. */
  get value(): number | null {
    return this.#rises.at(-1)?.value ?? null;
  }

  add(tick: number, value: number): void {
    if (value <= (this.value ?? -Infinity)) return;
    this.#rises.push({ tick, value });
    if (this.#rises.length > KEPT) this.#rises.splice(0, KEPT / 2);
  }

  /** As it was before this tick. */
  back(tick: number): void {
    while ((this.#rises.at(-1)?.tick ?? -Infinity) >= tick) this.#rises.pop();
  }

  clone(): Highest {
    const copy = new Highest();
    copy.#rises = [...this.#rises];
    return copy;
  }
}
