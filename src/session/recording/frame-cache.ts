/** The last Frames that were asked for: a screen asks for the same one again and again. */
import type { Frame } from '../../frame/frame.ts';

/** Enough for what a screen compares; a large Frame takes megabytes as objects. */
const KEPT = 8;

export class FrameCache {
  readonly #frames = new Map<number, Frame>();

  get(index: number, make: () => Frame): Frame {
    const frame = this.#frames.get(index) ?? make();
    // The youngest stand last.
    this.#frames.delete(index);
    this.#frames.set(index, frame);
    if (this.#frames.size > KEPT) for (const oldest of this.#frames.keys()) {
      this.#frames.delete(oldest);
      break;
    }
    return frame;
  }

  clear(): void {
    this.#frames.clear();
  }
}
