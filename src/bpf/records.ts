/**
 * Reading fixed-size records out of reused buffers: a ring's drain or a map's keys. Typed-array views are kept
 * from one buffer to the next, and a u64 is a number, exact up to 2^53: no BigInt on hot paths.
 */
const TWO_32 = 2 ** 32;
const EMPTY = new ArrayBuffer(0);
/** Ids are few and come again and again; past this many the cache starts anew. */
const MAX_CACHED_IDS = 4096;

/** Decodes bytes as UTF-8, invalid ones as U+FFFD, up to the first NUL or the end. */
export function textOf(bytes: Uint8Array): string {
  return bufferText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.byteLength);
}

function bufferText(bytes: Buffer, from: number, to: number): string {
  let end = from;
  let ascii = true;
  while (end < to) {
    const byte = bytes[end] ?? 0;
    if (byte === 0) break;
    if (byte > 0x7f) ascii = false;
    end++;
  }
  return end === from ? '' : bytes.toString(ascii ? 'latin1' : 'utf8', from, end);
}

/**
 * Cursorless reader: every offset is absolute in the buffer, in bytes, and must be aligned to what is read there
 * (records are 8-byte aligned). Offsets past the end read as 0.
 */
export class RecordReader {
  #buffer: ArrayBufferLike = EMPTY;
  #bytes: Buffer = Buffer.from(EMPTY);
  #u16: Uint16Array = new Uint16Array(EMPTY);
  #u32: Uint32Array = new Uint32Array(EMPTY);
  #i32: Int32Array = new Int32Array(EMPTY);
  #ids = new Map<number, Map<number, string>>();
  #idCount = 0;

  /** Read this buffer from now on. Cheap when it is the same as before, as with a ring's drains. */
  use(buffer: ArrayBufferLike): this {
    // A buffer that was transferred away is another one, of no bytes, under the same identity.
    if (buffer === this.#buffer && buffer.byteLength === this.#bytes.byteLength) return this;
    this.#buffer = buffer;
    this.#bytes = Buffer.from(buffer);
    this.#u16 = new Uint16Array(buffer, 0, buffer.byteLength >>> 1);
    this.#u32 = new Uint32Array(buffer, 0, buffer.byteLength >>> 2);
    this.#i32 = new Int32Array(buffer, 0, buffer.byteLength >>> 2);
    return this;
  }

  u8(at: number): number {
    return this.#bytes[at] ?? 0;
  }

  u16(at: number): number {
    return this.#u16[at >>> 1] ?? 0;
  }

  u32(at: number): number {
    return this.#u32[at >>> 2] ?? 0;
  }

  i32(at: number): number {
    return this.#i32[at >>> 2] ?? 0;
  }

  /** Exact up to 2^53. */
  u64(at: number): number {
    const i = at >>> 2;
    return (this.#u32[i + 1] ?? 0) * TWO_32 + (this.#u32[i] ?? 0);
  }

  /** Exact from -2^53 to 2^53. */
  i64(at: number): number {
    const i = at >>> 2;
    return (this.#i32[i + 1] ?? 0) * TWO_32 + (this.#u32[i] ?? 0);
  }

  /** All 64 bits in decimal, e.g. a cgroup key; each distinct value is converted once. */
  id(at: number): string {
    const i = at >>> 2;
    const low = this.#u32[i] ?? 0;
    const high = this.#u32[i + 1] ?? 0;
    const cached = this.#ids.get(high)?.get(low);
    if (cached !== undefined) return cached;
    if (this.#idCount >= MAX_CACHED_IDS) {
      this.#ids = new Map();
      this.#idCount = 0;
    }
    const text = high < 2 ** 21 ? String(high * TWO_32 + low) : String((BigInt(high) << 32n) | BigInt(low));
    let row = this.#ids.get(high);
    if (!row) this.#ids.set(high, (row = new Map()));
    row.set(low, text);
    this.#idCount++;
    return text;
  }

  /** Text of a char[size], up to its NUL; UTF-8, invalid bytes as U+FFFD. */
  text(at: number, size: number): string {
    return bufferText(this.#bytes, at, Math.min(at + size, this.#bytes.byteLength));
  }

  /** A view, not a copy: gone with the next drain. */
  bytes(at: number, size: number): Uint8Array {
    return this.#bytes.subarray(at, at + size);
  }
}
