/** Timelines for tests: Frames in an array, of which the oldest can be let go. */
import type { Frame } from '../../../src/frame/frame.ts';
import type { Timeline } from '../../../src/frame/timeline.ts';

export class ArrayTimeline implements Timeline {
  readonly #frames: Frame[] = [];
  /** Indices that cannot be read. */
  readonly damaged = new Set<number>();
  first = 0;
  /** Frames that were asked for. */
  reads = 0;

  constructor(frames: Iterable<Frame> = []) {
    for (const frame of frames) this.push(frame);
  }

  get end(): number {
    return this.#frames.length;
  }

  push(frame: Frame): void {
    this.#frames.push(frame);
  }

  #held(index: number): Frame {
    const frame = this.#frames[index];
    if (index < this.first || frame === undefined) throw new RangeError(`Frame ${index} is not held`);
    return frame;
  }

  time(index: number): number {
    return Date.parse(this.#held(index).time);
  }

  frame(index: number): Frame {
    this.reads += 1;
    if (this.damaged.has(index)) throw new Error('its block is damaged');
    return this.#held(index);
  }

  indexAt(time: number): number {
    let index = this.end - 1;
    while (index > this.first && this.time(index) > time) index -= 1;
    return Math.min(index, this.end);
  }
}
