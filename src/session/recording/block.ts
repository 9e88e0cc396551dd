/** Frames of one block: written one after the other, read from the first on. */
import type { Frame } from '../../frame/frame.ts';
import { Decoder, DamagedError, Encoder } from './codec/coder.ts';
import { FrameCodec, MAX_VALUES } from './codec/codec.ts';
import { complete } from './complete.ts';

/** Frames after which a new block begins. Whoever jumps into one reads it from its first: twice as many would save a tenth of the bytes. */
export const BLOCK_FRAMES = 30;
/** Values of all its Frames after which it does: so many take a tenth of a second or two to read. */
const VALUES = 800_000;

export class BlockEncoder {
  readonly #coder = new Encoder();
  readonly #codec = new FrameCodec(this.#coder);
  #frames = 0;
  #values = 0;

  get full(): boolean {
    return this.#frames >= BLOCK_FRAMES || this.#values >= VALUES || this.#codec.full;
  }

  /** @throws NotJsonError, TooLargeError; the block takes no more Frames then */
  add(frame: Frame): Uint8Array {
    this.#codec.code(frame);
    this.#frames++;
    this.#values += this.#codec.values;
    return this.#coder.take();
  }
}

export class BlockDecoder {
  readonly #coder = new Decoder();
  readonly #codec = new FrameCodec(this.#coder);
  /** Number of the Frame that is read next. */
  next = 0;
  /** Values of the last one. */
  values = 0;
  #total = 0;

  /** The block's next Frame from the bytes that add() gave for it. @throws DamagedError; the block gives no more Frames then */
  read(bytes: Uint8Array): Frame {
    this.#coder.use(bytes);
    const frame = complete(this.#codec.code(undefined));
    if (frame === null) throw new DamagedError('it holds something that is no Frame');
    this.values = this.#codec.values;
    // The writer would have begun another block: bytes that unfold like this are made up.
    if ((this.#total += this.values) > VALUES + MAX_VALUES) throw new DamagedError('its block has too many values');
    this.next++;
    return frame;
  }
}

/** Decoded Frames that are kept, in values: a screen that steps wants the neighbours, and one that jumps comes back. */
const KEPT_VALUES = 1_500_000;

/** Frames of encoded blocks, decoded when they are asked for. */
export class BlockReader {
  #block = -1;
  #decoder: BlockDecoder | null = null;
  readonly #frames = new Map<string, { readonly frame: Frame; readonly values: number }>();
  #values = 0;

  /**
   * @param block its number, never that of another @param place of the Frame in it
   * @param bytes of the block's Frames from the first to this one @throws DamagedError
   */
  frame(block: number, place: number, bytes: (place: number) => Uint8Array): Frame {
    const known = this.#frames.get(`${block} ${place}`);
    if (known) return known.frame;
    if (this.#decoder === null || this.#block !== block || this.#decoder.next > place) {
      this.#decoder = new BlockDecoder();
      this.#block = block;
    }
    const decoder = this.#decoder;
    try {
      for (;;) {
        const at = decoder.next;
        const frame = decoder.read(bytes(at));
        this.#keep(`${block} ${at}`, frame, decoder.values);
        if (at === place) return frame;
      }
    } catch (error) {
      this.#decoder = null;
      throw error;
    }
  }

  #keep(name: string, frame: Frame, values: number): void {
    const old = this.#frames.get(name);
    if (old) this.#values -= old.values;
    this.#frames.delete(name);
    this.#frames.set(name, { frame, values });
    this.#values += values;
    for (const [oldest, { values: freed }] of this.#frames) {
      if (this.#values <= KEPT_VALUES || oldest === name) break;
      this.#frames.delete(oldest);
      this.#values -= freed;
    }
  }

  clear(): void {
    this.#frames.clear();
    this.#values = 0;
    this.#decoder = null;
  }
}
