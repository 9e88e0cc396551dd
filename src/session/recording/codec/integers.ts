/** Whole numbers up to 2^53: their length in bits, then their upper bits, each with models; the rest as it is. */
import { type Coder, type Models, newModels, symbol } from './coder.ts';

/** Contexts that a number may be coded in, e.g. by how large its predecessor was. */
export const CONTEXTS = 8;
const LENGTH_BITS = 6, LENGTHS = 1 << LENGTH_BITS;
/** Bits below the leading one that have models. */
const TOP_BITS = 3, TOPS = 1 << TOP_BITS;
const ZERO = 0, LENGTH = CONTEXTS, SIGN = LENGTH + CONTEXTS * LENGTHS, TOP = SIGN + LENGTHS, SIZE = TOP + LENGTHS * TOPS;

/** Bits of a number without its sign. */
export function lengthOf(value: number): number {
  const positive = Math.abs(value);
  if (positive < 0x1_0000_0000) return 32 - Math.clz32(positive);
  return 64 - Math.clz32(Math.floor(positive / 0x1_0000_0000));
}

const CONTEXT_OF = Uint8Array.from({ length: 64 }, (_, length) => (length < 4 ? length : length < 6 ? 4 : length < 9 ? 5 : length < 13 ? 6 : 7));
/** The context for a number that is expected to be as large as `value`. */
export const contextOf = (value: number): number => CONTEXT_OF[lengthOf(value)] as number;

export class IntegerModel {
  readonly #models: Models = newModels(SIZE);

  unsigned(coder: Coder, value: number, context: number): number {
    const models = this.#models;
    if (coder.bit(models, ZERO + context, value === 0 ? 1 : 0) === 1) return 0;
    const length = symbol(coder, models, LENGTH + context * LENGTHS, LENGTH_BITS, coder.encoding ? lengthOf(value) : 0);
    return this.#rest(coder, value, length);
  }

  signed(coder: Coder, value: number, context: number): number {
    const models = this.#models;
    if (coder.bit(models, ZERO + context, value === 0 ? 1 : 0) === 1) return 0;
    const length = symbol(coder, models, LENGTH + context * LENGTHS, LENGTH_BITS, coder.encoding ? lengthOf(value) : 0);
    const negative = coder.bit(models, SIGN + length, value < 0 ? 1 : 0);
    const rest = this.#rest(coder, Math.abs(value), length);
    return negative === 1 ? -rest : rest;
  }

  /** What follows the leading one. */
  #rest(coder: Coder, value: number, length: number): number {
    let below = length - 1;
    if (below <= 0) return length;
    const top = Math.min(TOP_BITS, below);
    below -= top;
    if (length <= 31) {
      const upper = (1 << top) | symbol(coder, this.#models, TOP + length * TOPS, top, (value >>> below) & ((1 << top) - 1));
      return (upper << below) | coder.raw(value & ((1 << below) - 1), below);
    }
    const scale = 2 ** below;
    const upper = Math.floor(value / scale);
    const known = (1 << top) | symbol(coder, this.#models, TOP + length * TOPS, top, upper & ((1 << top) - 1));
    return known * scale + rawWide(coder, value - upper * scale, below);
  }
}

/** Bits that nothing is known of, more than 31 perhaps. */
export function rawWide(coder: Coder, value: number, count: number): number {
  let result = 0;
  for (let left = count; left > 0;) {
    const step = Math.min(left, 24);
    left -= step;
    const scale = 2 ** left;
    result = result * 2 ** step + coder.raw(Math.floor(value / scale) % 2 ** step, step);
  }
  return result;
}
