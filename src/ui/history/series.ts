/** Values over the last ticks, per key: what sparklines, charts and heat maps are drawn from. */

/** Keys that have been silent for this many ticks are forgotten. */
const FORGET_AFTER = 120;

interface Entry {
  readonly values: Float32Array;
  /** Tick of the newest value. */
  tick: number;
}

/**
 * Per key a ring of the last ticks' values, `lanes` numbers each. Ticks at which a key was silent count as zero;
 * before its first value nothing is known (NaN).
 */
export class SeriesMap {
  readonly #capacity: number;
  readonly #lanes: number;
  readonly #entries = new Map<string, Entry>();

  /** @param capacity ticks kept @param lanes numbers per tick */
  constructor(capacity: number, lanes = 1) {
    this.#capacity = capacity;
    this.#lanes = lanes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The numbers of `key` at `tick`, zero at first, to be written to. Ticks only go up. */
  at(key: string, tick: number): Float32Array {
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { values: new Float32Array(this.#capacity * this.#lanes).fill(Number.NaN), tick: tick - 1 };
      this.#entries.set(key, entry);
    }
    // Silent ticks between the last value and this one.
    for (let t = Math.max(entry.tick + 1, tick - this.#capacity + 1); t <= tick; t++) this.#slot(entry, t).fill(0);
    entry.tick = Math.max(entry.tick, tick);
    return this.#slot(entry, tick);
  }

  /** Add up the last `samples` ticks up to `tick` of all these keys, oldest first. NaN where none of them is known. */
  sum(keys: Iterable<string>, tick: number, samples: number, lane = 0): Float64Array {
    const out = new Float64Array(samples).fill(Number.NaN);
    for (const key of keys) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      // Ticks older than the ring reaches are not known; those after the last value were silent.
      const first = tick - samples + 1;
      const known = Math.max(first, 1, tick - this.#capacity + 1, entry.tick - this.#capacity + 1);
      for (let t = known; t <= tick; t++) {
        const value = t > entry.tick ? 0 : (entry.values[(t % this.#capacity) * this.#lanes + lane] as number);
        const i = t - first, before = out[i] as number;
        // NaN is the one number that is not itself.
        if (value === value) out[i] = before === before ? before + value : value;
      }
    }
    return out;
  }

  /** Mean of the last `samples` known values of these keys added up; null when nothing is known. */
  mean(keys: Iterable<string>, tick: number, samples: number): number | null {
    let sum = 0, n = 0;
    for (const value of this.sum(keys, tick, samples)) {
      if (Number.isNaN(value)) continue;
      sum += value;
      n += 1;
    }
    return n === 0 ? null : sum / n;
  }

  /** Drop what has been silent for long. */
  forget(tick: number): void {
    for (const [key, entry] of this.#entries) if (tick - entry.tick > FORGET_AFTER) this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  clone(): SeriesMap {
    const copy = new SeriesMap(this.#capacity, this.#lanes);
    for (const [key, entry] of this.#entries) copy.#entries.set(key, { values: entry.values.slice(), tick: entry.tick });
    return copy;
  }

  #slot(entry: Entry, tick: number): Float32Array {
    const at = (tick % this.#capacity) * this.#lanes;
    return entry.values.subarray(at, at + this.#lanes);
  }
}
