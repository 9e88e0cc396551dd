/**
 * A binary arithmetic coder with adaptive probabilities. One code path serves both directions: `bit()` writes the bit it
 * is given and returns it, or reads one and returns that, so what describes data to the encoder reads it in the decoder.
 *
 * A model is one number of a Uint32Array: the probability of a one in the upper 16 bits, how often it was used below. A
 * fresh one learns fast, an old one is steady.
 */

/** What a block's bytes cannot be if kbtop wrote them. */
export class DamagedError extends Error {
  override readonly name = 'DamagedError';
}

/** Uses after which a model's rate of learning stays. */
const STEADY = 60;
/** A probability never gets so close to 0 or 1 that being wrong costs more than 12 bits. */
const MIN = 16, MAX = 65_536 - MIN;
const RATE = Uint32Array.from({ length: STEADY + 1 }, (_, n) => Math.floor(65_536 / (n + 1.6)) - (n === 0 ? 8192 : 0));

export type Models = Uint32Array;

export const newModels = (count: number): Models => new Uint32Array(count).fill(0x8000_0000);

/** The model after it saw `bit`. */
function learned(model: number, bit: number): number {
  const p = model >>> 16, uses = model & 0xffff;
  const target = bit === 1 ? 65_535 : 0;
  let next = p + (((target - p) * (RATE[uses] as number)) >> 16);
  if (next < MIN) next = MIN;
  else if (next > MAX) next = MAX;
  return ((next << 16) | (uses < STEADY ? uses + 1 : uses)) >>> 0;
}

/** Where in the range [low, high] ones end. */
const split = (low: number, high: number, p: number): number => {
  const range = (high - low) >>> 0;
  return (low + (range >>> 16) * p + (((range & 0xffff) * p) >>> 16)) >>> 0;
};

export interface Coder {
  readonly encoding: boolean;
  /** Bits of one model each. */
  bit(models: Models, at: number, bit: number): number;
  /** Bits that nothing is known of. @param count up to 31 */
  raw(value: number, count: number): number;
}

export class Encoder implements Coder {
  readonly encoding = true;
  #bytes = new Uint8Array(65_536);
  #length = 0;
  #low = 0;
  #high = 0xffff_ffff;

  bit(models: Models, at: number, bit: number): number {
    const model = models[at] as number;
    const middle = split(this.#low, this.#high, model >>> 16);
    if (bit === 1) this.#high = middle;
    else this.#low = (middle + 1) >>> 0;
    models[at] = learned(model, bit);
    this.#shift();
    return bit;
  }

  raw(value: number, count: number): number {
    for (let i = count - 1; i >= 0; i--) {
      const middle = split(this.#low, this.#high, 32_768);
      if (((value >>> i) & 1) === 1) this.#high = middle;
      else this.#low = (middle + 1) >>> 0;
      this.#shift();
    }
    return value;
  }

  #shift(): void {
    while (((this.#low ^ this.#high) & 0xff00_0000) === 0) {
      this.#push(this.#high >>> 24);
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 0xff) >>> 0;
    }
  }

  #push(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length++] = byte;
  }

  /** All bits since the last call, as whole bytes of their own. */
  take(): Uint8Array {
    // The decoder reads ones past the end: with these the value is at least `low`, and its first byte is below that of `high`.
    this.#push(this.#low >>> 24);
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    this.#low = 0;
    this.#high = 0xffff_ffff;
    // A buffer for a rare giant must not stay.
    if (this.#bytes.length > 1 << 20) this.#bytes = new Uint8Array(65_536);
    return bytes;
  }
}

/** Bytes that may be missing at the end of good data: the decoder looks ahead. */
const AHEAD = 3;

export class Decoder implements Coder {
  readonly encoding = false;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #low = 0;
  #high = 0xffff_ffff;
  #value = 0;

  /** Read what one take() gave. */
  use(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
    this.#low = 0;
    this.#high = 0xffff_ffff;
    this.#value = 0;
    for (let i = 0; i < 4; i++) this.#value = ((this.#value << 8) | this.#next()) >>> 0;
  }

  #next(): number {
    const at = this.#at++;
    if (at < this.#bytes.length) return this.#bytes[at] as number;
    if (at >= this.#bytes.length + AHEAD) throw new DamagedError('it ends too early');
    return 0xff;
  }

  bit(models: Models, at: number): number {
    const model = models[at] as number;
    const middle = split(this.#low, this.#high, model >>> 16);
    const bit = this.#value <= middle ? 1 : 0;
    if (bit === 1) this.#high = middle;
    else this.#low = (middle + 1) >>> 0;
    models[at] = learned(model, bit);
    this.#shift();
    return bit;
  }

  raw(_value: number, count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) {
      const middle = split(this.#low, this.#high, 32_768);
      const bit = this.#value <= middle ? 1 : 0;
      if (bit === 1) this.#high = middle;
      else this.#low = (middle + 1) >>> 0;
      value = (value << 1) | bit;
      this.#shift();
    }
    return value;
  }

  #shift(): void {
    while (((this.#low ^ this.#high) & 0xff00_0000) === 0) {
      this.#low = (this.#low << 8) >>> 0;
      this.#high = ((this.#high << 8) | 0xff) >>> 0;
      this.#value = ((this.#value << 8) | this.#next()) >>> 0;
    }
  }
}

/** A number of `bits` bits, most significant first, each bit's model chosen by those before it: uses 2^bits models from `at` on. */
export function symbol(coder: Coder, models: Models, at: number, bits: number, value: number): number {
  let node = 1;
  for (let i = bits - 1; i >= 0; i--) node = (node << 1) | coder.bit(models, at + node, (value >>> i) & 1);
  return node - (1 << bits);
}
