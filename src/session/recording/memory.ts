/** The last Frames in memory, encoded as in a file: a quarter of an hour of a large node takes a few megabytes. */
import type { Frame } from '../../frame/frame.ts';
import type { Timeline } from '../../frame/timeline.ts';
import { BlockEncoder, BlockReader } from './block.ts';
import { lastAtOrBefore } from './search.ts';
import { timeOf } from './time.ts';

export interface MemoryOptions {
  /** Frames older than this are let go, a block at a time. Default 15 minutes. */
  readonly maxAgeMs?: number;
  /** Encoded bytes. Default 24 MiB. */
  readonly maxBytes?: number;
}

interface Block {
  readonly number: number;
  /** Index of its first Frame. */
  readonly first: number;
  readonly frames: Uint8Array[];
  readonly times: number[];
  bytes: number;
}

/** Some Frames of a block, from its first on, as they are encoded. */
export interface EncodedBlock {
  readonly first: number;
  readonly frames: readonly Uint8Array[];
  readonly times: readonly number[];
}

/** What a Frame takes besides its bytes: an array's header, its time. */
const OVERHEAD = 150;

export class MemoryTimeline implements Timeline {
  readonly #maxAgeMs: number;
  readonly #maxBytes: number;
  #blocks: Block[] = [];
  #encoder: BlockEncoder | null = null;
  readonly #reader = new BlockReader();
  #first = 0;
  #end = 0;
  #bytes = 0;
  #number = 0;
  #lost = 0;
  #latest = Number.NEGATIVE_INFINITY;
  #newest: Frame | null = null;

  constructor({ maxAgeMs = 15 * 60_000, maxBytes = 24 << 20 }: MemoryOptions = {}) {
    this.#maxAgeMs = maxAgeMs;
    this.#maxBytes = maxBytes;
  }

  get first(): number {
    return this.#first;
  }

  get end(): number {
    return this.#end;
  }

  /** Encoded bytes that are held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frames that could not be kept, being too large. */
  get lost(): number {
    return this.#lost;
  }

  /** Keep one more, and let go what is too old or too much. */
  push(frame: Frame): void {
    const given = timeOf(frame);
    const isNew = this.#encoder === null || this.#encoder.full;
    if (isNew) this.#encoder = new BlockEncoder();
    let bytes;
    try {
      bytes = given === null ? null : (this.#encoder as BlockEncoder).add(frame);
    } catch {
      bytes = null;
    }
    if (bytes === null || given === null) {
      this.#encoder = null;
      this.#lost++;
      return;
    }
    if (isNew) this.#blocks.push({ number: this.#number++, first: this.#end, frames: [], times: [], bytes: 0 });
    const block = this.#blocks.at(-1) as Block;
    block.frames.push(bytes);
    block.times.push(this.#latest = Math.max(this.#latest, given));
    block.bytes += bytes.length + OVERHEAD;
    this.#bytes += bytes.length + OVERHEAD;
    this.#newest = frame;
    this.#end++;
    this.#forget();
  }

  #forget(): void {
    for (let oldest = this.#blocks[0]; oldest && this.#blocks.length > 1; oldest = this.#blocks[0]) {
      if (this.#bytes <= this.#maxBytes && (oldest.times.at(-1) as number) >= this.#latest - this.#maxAgeMs) break;
      this.#blocks.shift();
      this.#bytes -= oldest.bytes;
    }
    this.#first = this.#blocks[0]?.first ?? this.#end;
    // A single block that is too large makes room for a new one, which takes its place.
    if (this.#bytes > this.#maxBytes) this.#encoder = null;
  }

  #block(index: number): Block {
    let low = 0, high = this.#blocks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#blocks[middle] as Block).first <= index) low = middle;
      else high = middle - 1;
    }
    const block = this.#blocks[low];
    if (block === undefined || !Number.isInteger(index) || index < this.#first || index >= this.#end) throw new RangeError(`Frame ${index} is not held: there are ${this.#first} to ${this.#end - 1}`);
    return block;
  }

  time(index: number): number {
    const { first, times } = this.#block(index);
    return times[index - first] as number;
  }

  frame(index: number): Frame {
    const { number, first, frames } = this.#block(index);
    if (index === this.#end - 1 && this.#newest) return this.#newest;
    return this.#reader.frame(number, index - first, (place) => frames[place] as Uint8Array);
  }

  indexAt(time: number): number {
    return lastAtOrBefore(this, time);
  }

  /** The blocks that hold these Frames, each from its first Frame on; the last one ends with Frame `to - 1`. */
  encoded(from: number, to: number): readonly EncodedBlock[] {
    return this.#blocks.filter(({ first, frames }) => first < to && first + frames.length > from)
      .map(({ first, frames, times }) => ({ first, frames: frames.slice(0, to - first), times: times.slice(0, to - first) }));
  }

  /** Let go of everything that is decoded, when nobody looks back any more. */
  rest(): void {
    this.#reader.clear();
  }
}
