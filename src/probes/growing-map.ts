/**
 * A BPF map whose values only grow, read as differences. The first word of a value must grow with every event.
 * Entries leave the map only when nobody can add to them any more, so that no count is lost to a race.
 */
import type { BpfMap } from '../bpf/addon.ts';
import { RecordReader } from '../bpf/records.ts';

interface Entry<Info> {
  readonly info: Info;
  readonly last: Float64Array;
  lastChange: number;
}

export class GrowingMap<Info> {
  readonly map: BpfMap;
  #decode: (reader: RecordReader, at: number) => Info;
  #entries = new Map<string, Entry<Info>>();
  #reader = new RecordReader();
  #delta: Float64Array;
  #reads = 0;

  /** @param decode makes what the caller wants to know of a key, once per entry */
  constructor(map: BpfMap, decode: (reader: RecordReader, at: number) => Info) {
    this.map = map;
    this.#decode = decode;
    this.#delta = new Float64Array(map.valueSize / 8);
  }

  /** Entries in the map at the last read. */
  get size(): number {
    return this.#entries.size;
  }

  /** Calls back for every entry that grew since the last call. The arrays are reused: copy to keep. */
  read(grew: (info: Info, delta: Float64Array, now: Float64Array) => void): void {
    const { count, keys, words } = this.map.read();
    const { keySize } = this.map;
    const bytes = Buffer.from(keys.buffer, keys.byteOffset, keys.byteLength);
    this.#reader.use(keys.buffer);
    const first = words[0];
    const now = new Float64Array(words.length);
    this.#reads++;
    for (let i = 0; i < count; i++) {
      const key = bytes.toString('latin1', i * keySize, (i + 1) * keySize);
      let entry = this.#entries.get(key);
      if (entry?.last[0] === first?.[i]) continue;
      if (!entry) {
        entry = { info: this.#decode(this.#reader, keys.byteOffset + i * keySize), last: new Float64Array(words.length), lastChange: 0 };
        this.#entries.set(key, entry);
      }
      for (let w = 0; w < words.length; w++) {
        const value = words[w]?.[i] ?? 0;
        now[w] = value;
        this.#delta[w] = value - (entry.last[w] ?? 0);
      }
      entry.last.set(now);
      entry.lastChange = this.#reads;
      grew(entry.info, this.#delta, now);
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
      deleted++;
    }
    return deleted;
  }
}
