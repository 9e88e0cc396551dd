/**
 * A BPF map whose values only grow, read as differences. The first word of a value must grow with every event.
 * Entries leave the map only when nobody can add to them any more, so that no count is lost to a race.
 *
 * Made for thousands of 116-word histograms per tick: what was last read is kept in columns like the map's own, rows
 * that stand where they stood need no look-up, and callbacks come only for words that changed.
 */
import type { BpfMap } from '../bpf/addon.ts';
import { RecordReader } from '../bpf/records.ts';

interface Entry<Info> {
  readonly info: Info;
  /** Index in the columns of last values. */
  readonly index: number;
  readonly key: string;
  lastChange: number;
}

/** Word `word` of an entry grew by `delta` and is now `value`. Words of an entry come in ascending order, word 0 first. */
export type Grew<Info> = (info: Info, word: number, delta: number, value: number) => void;

export class GrowingMap<Info> {
  readonly map: BpfMap;
  readonly #decode: (reader: RecordReader, at: number) => Info;
  readonly #entries = new Map<string, Entry<Info>>();
  readonly #reader = new RecordReader();
  /** Last values, one column per word. */
  readonly #last: Float64Array[];
  readonly #free: number[] = [];
  /** Entries and key bytes of the last read, row by row. */
  #rows: Entry<Info>[] = [];
  #keys = Buffer.alloc(0);
  #reads = 0;

  /** @param decode makes what the caller wants to know of a key, once per entry */
  constructor(map: BpfMap, decode: (reader: RecordReader, at: number) => Info) {
    this.map = map;
    this.#decode = decode;
    this.#last = Array.from({ length: map.valueSize / 8 }, () => new Float64Array(64));
  }

  /** Entries in the map at the last read. */
  get size(): number {
    return this.#entries.size;
  }

  /** Calls back for every word that changed since the last call. */
  read(grew: Grew<Info>): void {
    const { count, keys, words } = this.map.read();
    const [first] = words;
    const [lastFirst] = this.#last;
    if (!first || !lastFirst) return;
    this.#reads++;
    this.#match(count, keys);
    const changed: number[] = [];
    for (let row = 0; row < count; row++) {
      const entry = this.#rows[row] as Entry<Info>;
      if (this.#last[0]?.[entry.index] === first[row]) continue;
      entry.lastChange = this.#reads;
      changed.push(row);
    }
    for (let word = 0; word < words.length; word++) {
      const now = words[word] as Float64Array;
      const last = this.#last[word] as Float64Array;
      for (const row of changed) {
        const entry = this.#rows[row] as Entry<Info>;
        const value = now[row] as number;
        const delta = value - (last[entry.index] as number);
        if (delta === 0) continue;
        last[entry.index] = value;
        grew(entry.info, word, delta, value);
      }
    }
  }

  /** Find each row's entry. Most rows stand where they stood at the last read. */
  #match(count: number, keys: Uint8Array): void {
    const { keySize } = this.map;
    const bytes = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength);
    this.#reader.use(keys.buffer);
    const same = Math.min(count, this.#rows.length);
    const unchanged = same > 0 && bytes.compare(this.#keys, 0, same * keySize, 0, same * keySize) === 0;
    this.#rows.length = unchanged ? same : 0;
    for (let row = this.#rows.length; row < count; row++) {
      const key = bytes.toString('latin1', row * keySize, (row + 1) * keySize);
      this.#rows.push(this.#entries.get(key) ?? this.#add(key, keys.byteOffset + row * keySize));
    }
    if (unchanged && same === count && this.#keys.length === bytes.length) return;
    this.#keys = Buffer.from(bytes);
  }

  #add(key: string, at: number): Entry<Info> {
    const index = this.#free.pop() ?? this.#entries.size;
    if (index >= (this.#last[0]?.length ?? 0)) this.#grow();
    const entry = { info: this.#decode(this.#reader, at), index, key, lastChange: 0 };
    this.#entries.set(key, entry);
    return entry;
  }

  #grow(): void {
    for (const [word, old] of this.#last.entries()) {
      const wider = new Float64Array(old.length * 2);
      wider.set(old);
      this.#last[word] = wider;
    }
  }

  /**
   * Delete entries that did not grow for `idleReads` reads and of which `isOver` says that they never will.
   * @returns number of deleted entries
   */
  expire(idleReads: number, isOver: (info: Info) => boolean): number {
    let deleted = 0;
    for (const [key, entry] of this.#entries) {
      if (this.#reads - entry.lastChange < idleReads || !isOver(entry.info)) continue;
      this.map.delete(Buffer.from(key, 'latin1'));
      this.#entries.delete(key);
      for (const column of this.#last) column[entry.index] = 0;
      this.#free.push(entry.index);
      deleted++;
    }
    // A deleted entry may come back as a new one.
    if (deleted > 0) this.#rows = [];
    return deleted;
  }
}
