/**
 * Messages in a stream of bytes. Eight bytes stand before each: "kb", the version of this header, the kind, and the length
 * of what follows as a big-endian 32-bit number. Nothing that comes in can throw, and no more is held than one message of a
 * length that its kind allows.
 */

export const HEADER_BYTES = 8;
const MAGIC = [0x6b, 0x62, 0x01] as const;

/** Longest payload by kind, bytes. A kind that is not in it does not exist. */
export type Limits = ReadonlyMap<number, number>;

export interface Piece {
  readonly kind: number;
  readonly payload: Buffer;
}

export function pack(kind: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + payload.length);
  bytes.set(MAGIC, 0);
  bytes.writeUInt8(kind, 3);
  bytes.writeUInt32BE(payload.length, 4);
  payload.copy(bytes, HEADER_BYTES);
  return bytes;
}

export class WireReader {
  readonly #limits: Limits;
  readonly #header = Buffer.alloc(HEADER_BYTES);
  /** Bytes of the header, then of the payload, that are there. */
  #have = 0;
  #kind = 0;
  /** Null: the header is not complete. */
  #payload: Buffer | null = null;
  #problem: string | null = null;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** What is wrong with the stream; nothing is read any more then. Null: nothing. */
  get problem(): string | null {
    return this.#problem;
  }

  /** A message has begun and is not complete. */
  get partial(): boolean {
    return this.#problem === null && (this.#have > 0 || this.#payload !== null);
  }

  /** Messages that the chunk completes, up to the first problem. */
  *push(chunk: Buffer): Generator<Piece, void, undefined> {
    for (let at = 0; this.#problem === null && (at < chunk.length || this.#payload?.length === 0);) {
      at += this.#payload === null ? this.#takeHeader(chunk, at) : this.#takeInto(this.#payload, chunk, at);
      const payload = this.#payload;
      if (payload === null || this.#have < payload.length) continue;
      this.#payload = null;
      this.#have = 0;
      yield { kind: this.#kind, payload };
    }
  }

  #takeInto(target: Buffer, chunk: Buffer, at: number): number {
    const taken = chunk.copy(target, this.#have, at);
    this.#have += taken;
    return taken;
  }

  #takeHeader(chunk: Buffer, at: number): number {
    const taken = this.#takeInto(this.#header, chunk, at);
    const header = this.#header;
    // Garbage is known by its first byte: nobody has to send eight of them.
    const wrong = MAGIC.findIndex((byte, i) => i < this.#have && header[i] !== byte);
    if (wrong >= 0) this.#problem = wrong === 2 ? `its messages are of version ${header[2]}, not ${MAGIC[2]}` : 'what it sends is no message of kbtop';
    else if (this.#have === HEADER_BYTES) this.#begin(header.readUInt8(3), header.readUInt32BE(4));
    return taken;
  }

  #begin(kind: number, length: number): void {
    const limit = this.#limits.get(kind);
    if (limit === undefined) this.#problem = `a message of the unknown kind ${kind}`;
    else if (length > limit) this.#problem = `a message of ${length} bytes where ${limit} are allowed`;
    else {
      this.#kind = kind;
      this.#payload = Buffer.allocUnsafe(length);
      this.#have = 0;
    }
  }
}
