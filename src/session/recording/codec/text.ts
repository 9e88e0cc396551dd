/**
 * Strings: known ones by number, new ones spelled out, with what repeats of older ones (ids in paths, paths in
 * paths) copied. By UTF-16 units, so that any string comes back as it was.
 */
import { type Coder, DamagedError, type Models, newModels, symbol } from './coder.ts';
import { IntegerModel } from './integers.ts';

/** Units of new strings that a block may hold. */
export const MAX_TEXT = 1 << 22;
/** Shorter repeats are cheaper spelled out. */
const MIN_COPY = 5;
const HASH_BITS = 15;

export class Texts {
  readonly #ids = new Map<string, number>();
  readonly #strings: string[] = [];
  readonly #isNew: Models = newModels(1);
  readonly #id = new IntegerModel();
  readonly #size = new IntegerModel();
  readonly #distance = new IntegerModel();
  readonly #copied = new IntegerModel();
  /** After a literal, after a copy. */
  readonly #isCopy: Models = newModels(2);
  readonly #wide: Models = newModels(256);
  /** By the unit before. */
  readonly #literals: Models = newModels(256 * 256);
  #history = new Uint16Array(1 << 14);
  #used = 0;
  readonly #places = new Int32Array(1 << HASH_BITS).fill(-1);

  /** Units of all strings. */
  get size(): number {
    return this.#used;
  }

  code(coder: Coder, value: string): string {
    const known = coder.encoding ? this.#ids.get(value) : undefined;
    if (coder.bit(this.#isNew, 0, known === undefined ? 1 : 0) === 1) {
      const text = this.#spell(coder, value);
      // Only hostile data spells out what is known.
      this.#ids.set(text, this.#strings.length);
      this.#strings.push(text);
      return text;
    }
    const back = this.#id.unsigned(coder, this.#strings.length - 1 - (known ?? 0), 0);
    const text = this.#strings[this.#strings.length - 1 - back];
    if (text === undefined) throw new DamagedError('it refers to a text that is not there');
    return text;
  }

  #spell(coder: Coder, value: string): string {
    const size = this.#size.unsigned(coder, coder.encoding ? value.length : 0, 0);
    if (size > MAX_TEXT - this.#used) throw new DamagedError('its texts are too large');
    this.#reserve(size);
    const history = this.#history, start = this.#used, end = start + size;
    if (coder.encoding) for (let i = 0; i < size; i++) history[start + i] = value.charCodeAt(i);
    let afterCopy = 0;
    for (let at = start; at < end;) {
      const from = coder.encoding ? this.#findCopy(at, end) : -1;
      if (coder.bit(this.#isCopy, afterCopy, from >= 0 ? 1 : 0) === 1) {
        at += this.#copy(coder, at, end, from);
        afterCopy = 1;
      } else {
        const before = at > start ? (history[at - 1] as number) & 0xff : 0;
        history[at] = this.#literal(coder, history[at] as number, before);
        at++;
        afterCopy = 0;
      }
    }
    this.#used = end;
    if (coder.encoding) {
      this.#remember(start, end);
      return value;
    }
    let text = '';
    for (let at = start; at < end; at += 4096) text += String.fromCharCode(...history.subarray(at, Math.min(end, at + 4096)));
    return text;
  }

  #literal(coder: Coder, unit: number, before: number): number {
    const wide = coder.bit(this.#wide, 0, unit > 255 ? 1 : 0);
    const upper = wide === 1 ? symbol(coder, this.#wide, 0, 7, unit >>> 9) * 2 + coder.raw((unit >>> 8) & 1, 1) : 0;
    return (upper << 8) | symbol(coder, this.#literals, before << 8, 8, unit & 0xff);
  }

  #copy(coder: Coder, at: number, end: number, from: number): number {
    const history = this.#history;
    const distance = this.#distance.unsigned(coder, at - from - 1, 0) + 1;
    let length = 0;
    if (coder.encoding) while (at + length < end && history[from + length] === history[at + length]) length++;
    length = this.#copied.unsigned(coder, length - MIN_COPY, 0) + MIN_COPY;
    if (distance > at || at + length > end) throw new DamagedError('it copies a text that is not there');
    for (let i = 0; i < length; i++) history[at + i] = history[at + i - distance] as number;
    return length;
  }

  /** Where in older strings the units from `at` on stand; -1 for too few of them. */
  #findCopy(at: number, end: number): number {
    if (end - at < MIN_COPY) return -1;
    const from = this.#places[this.#hash(at)] as number;
    if (from < 0) return -1;
    for (let i = 0; i < MIN_COPY; i++) if (this.#history[from + i] !== this.#history[at + i]) return -1;
    return from;
  }

  #hash(at: number): number {
    let hash = 0;
    for (let i = 0; i < MIN_COPY; i++) hash = Math.imul(hash, 0x01000193) ^ (this.#history[at + i] as number);
    return Math.imul(hash, 0x9e3779b1) >>> (32 - HASH_BITS);
  }

  #remember(start: number, end: number): void {
    for (let at = start; at + MIN_COPY <= end; at++) this.#places[this.#hash(at)] = at;
  }

  #reserve(size: number): void {
    if (this.#used + size <= this.#history.length) return;
    const larger = new Uint16Array(Math.max(2 * this.#history.length, this.#used + size));
    larger.set(this.#history.subarray(0, this.#used));
    this.#history = larger;
  }
}
