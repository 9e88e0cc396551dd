/** Values over the last ticks, per key: what sparklines, charts and heat maps are drawn from. */

/** Keys that have been silent for this many ticks are forgotten. */
const FORGET_AFTER = 120;

interface Entry {
  readonly values: Float32Array;
  /** Oldest and newest tick with a value; what lies outside the window is no longer there. */
  from: number;
  to: number;
  /** The opening in which it was last written to. */
  opening: number;
}

const slotOf = (tick: number, room: number): number => ((tick % room) + room) % room;

/**
 * Per key a ring of neighbouring ticks' values, `lanes` numbers each: a window that grows at either end and lets go of
 * the other one. Ticks at which a key was silent count as zero; before its first value nothing is known (NaN).
 */
export class SeriesMap {
  readonly #capacity: number;
  readonly #lanes: number;
  /** Ticks that a ring holds: those that can be seen at once, and those that a look from another tick needs. */
  readonly #room: number;
  readonly #entries = new Map<string, Entry>();
  /** The window, with the tick that is open; empty while last < first. */
  #first = 0;
  #last = -1;
  #now = Number.NaN;
  #openings = 0;

  /** @param capacity ticks that can be seen at once @param lanes numbers per tick @param slack ticks that are kept beyond them */
  constructor(capacity: number, lanes = 1, slack = 0) {
    this.#capacity = capacity;
    this.#lanes = lanes;
    this.#room = capacity + slack;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Begin a tick, after the newest one or before the oldest. */
  open(tick: number): void {
    if (tick === this.#now) return;
    this.#now = tick;
    this.#openings += 1;
    if (this.#last < this.#first) this.#first = this.#last = tick;
    else if (tick > this.#last) {
      this.#last = tick;
      this.#first = Math.max(this.#first, tick - this.#room + 1);
    } else if (tick < this.#first) {
      this.#first = tick;
      this.#last = Math.min(this.#last, tick + this.#room - 1);
    }
  }

  /** The numbers of `key` at `tick`, zero at first, to be written to. */
  at(key: string, tick: number): Float32Array {
    this.open(tick);
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { values: new Float32Array(this.#room * this.#lanes), from: tick, to: tick, opening: this.#openings };
      this.#entries.set(key, entry);
    } else if (entry.opening !== this.#openings) {
      entry.opening = this.#openings;
      if (tick === this.#last) this.#append(entry, tick);
      else this.#prepend(entry, tick);
    }
    return this.#slot(entry, tick);
  }

  /** Silent ticks between the last value and this one are zero. */
  #append(entry: Entry, tick: number): void {
    if (entry.from >= tick) entry.from = entry.to = tick;
    const from = Math.max(entry.from, this.#first);
    const to = Math.max(Math.min(entry.to, tick - 1), from - 1);
    for (let t = to + 1; t <= tick; t++) this.#slot(entry, t).fill(0);
    entry.from = from;
    entry.to = tick;
  }

  #prepend(entry: Entry, tick: number): void {
    // What it has is older than the window, or newer: nothing that could stay.
    const empty = entry.to <= tick || entry.from > this.#last;
    const from = empty ? tick + 1 : Math.max(entry.from, tick + 1);
    for (let t = tick; t < from; t++) this.#slot(entry, t).fill(0);
    entry.from = tick;
    entry.to = empty ? tick : Math.min(entry.to, this.#last);
  }

  /** Add up the last `samples` ticks up to `tick` of all these keys, oldest first. NaN where none of them is known. */
  sum(keys: Iterable<string>, tick: number, samples: number, lane = 0): Float64Array {
    const out = new Float64Array(samples).fill(Number.NaN);
    const first = tick - samples + 1;
    const known = Math.max(first, tick - this.#capacity + 1, this.#first);
    for (const key of keys) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      // What is older than the window is not known; those after the last value were silent.
      const to = Math.min(entry.to, this.#last);
      for (let t = Math.max(known, entry.from); t <= tick; t++) {
        const value = t > to ? 0 : (entry.values[slotOf(t, this.#room) * this.#lanes + lane] as number);
        const i = t - first, before = out[i] as number;
        // NaN is the one number that is not itself.
        out[i] = before === before ? before + value : value;
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

  /** Drop what has been silent for long, and what lies outside the window. */
  forget(tick: number): void {
    for (const [key, entry] of this.#entries) if (tick - entry.to > FORGET_AFTER || entry.from > this.#last) this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#first = 0;
    this.#last = -1;
    this.#now = Number.NaN;
  }

  /** A copy that stays as it is while this one goes on. @param slack of the copy */
  clone(slack = 0): SeriesMap {
    const copy = new SeriesMap(this.#capacity, this.#lanes, slack);
    copy.#last = this.#last;
    copy.#first = Math.max(this.#first, this.#last - copy.#room + 1);
    copy.#now = this.#now;
    for (const [key, entry] of this.#entries) {
      const from = Math.max(entry.from, copy.#first), to = Math.min(entry.to, copy.#last);
      if (entry.from > copy.#last) continue;
      const twin = { values: new Float32Array(copy.#room * this.#lanes), from, to, opening: copy.#openings };
      for (let t = from; t <= to;) t = this.#copyRun(entry, copy, twin, t, to);
      copy.#entries.set(key, twin);
    }
    return copy;
  }

  /** Copy neighbours up to the end of either ring. @returns the tick after them */
  #copyRun(entry: Entry, copy: SeriesMap, twin: Entry, tick: number, to: number): number {
    const here = slotOf(tick, this.#room), there = slotOf(tick, copy.#room);
    const run = Math.min(to - tick + 1, this.#room - here, copy.#room - there);
    twin.values.set(entry.values.subarray(here * this.#lanes, (here + run) * this.#lanes), there * this.#lanes);
    return tick + run;
  }

  #slot(entry: Entry, tick: number): Float32Array {
    const at = slotOf(tick, this.#room) * this.#lanes;
    return entry.values.subarray(at, at + this.#lanes);
  }
}
