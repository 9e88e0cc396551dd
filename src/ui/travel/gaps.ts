/** Where a timeline has no Frames though it could: kbtop was not there, was late, or what it wrote is damaged. */
import type { Timeline } from '../../frame/timeline.ts';

/** Neighbours apart by less than this are none, milliseconds. */
const LEAST_MS = 3000;
/** Times the usual distance of the Frames around it. */
const TIMES = 3;
/** Neighbours on either side that say what is usual. */
const AROUND = 2;
/** Gaps kept; of more, the newest. */
const KEPT = 200;

export interface Gap {
  /** The first Frame after it. */
  readonly index: number;
  /** From the Frame before to that one, milliseconds. */
  readonly ms: number;
}

const stepBefore = (timeline: Timeline, index: number): number => timeline.time(index) - timeline.time(index - 1);

/** The gap before a Frame; null when there is none. Another interval is none: what is usual is what the Frames around it keep. */
export function gapBefore(timeline: Timeline, index: number): Gap | null {
  const { first, end } = timeline;
  if (index <= first || index >= end) return null;
  const ms = stepBefore(timeline, index);
  if (ms < LEAST_MS) return null;
  const around: number[] = [];
  for (let i = Math.max(first + 1, index - AROUND); i <= Math.min(end - 1, index + AROUND); i++) around.push(stepBefore(timeline, i));
  const usual = around.toSorted((a, b) => a - b)[Math.floor((around.length - 1) / 2)] ?? ms;
  return ms > TIMES * usual ? { index, ms } : null;
}

/** The gaps of a timeline that grows: each Frame is looked at once. */
export class Gaps {
  readonly #timeline: Timeline;
  #gaps: readonly Gap[] = [];
  #next: number;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
    this.#next = timeline.first + 1;
  }

  /** Oldest first; the same array while nothing has changed. */
  get(): readonly Gap[] {
    const { first, end } = this.#timeline;
    const found: Gap[] = [];
    // What is usual is known when Frames have followed.
    for (let index = Math.max(this.#next, first + 1); index < end; index++) {
      const gap = gapBefore(this.#timeline, index);
      if (gap !== null) found.push(gap);
    }
    this.#next = Math.max(this.#next, end);
    if (found.length > 0 || (this.#gaps[0]?.index ?? Infinity) <= first) this.#gaps = [...this.#gaps.filter((gap) => gap.index > first), ...found].slice(-KEPT);
    return this.#gaps;
  }
}
