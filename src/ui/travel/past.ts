/**
 * Any Frame of a timeline with the history that a screen had when it was the newest. Charts grow backwards from the
 * Frame that is shown, and sums are carried from where they stand to it, both a Frame at a time (see `work`): what is
 * shown is right at every moment, and complete soon.
 */
import type { Frame } from '../../frame/frame.ts';
import type { Timeline } from '../../frame/timeline.ts';
import { CHART_TICKS, History } from '../history/history.ts';
import type { Shown } from '../model.ts';

/** Frames that charts keep after the one that is shown, and reach back farther than they are drawn: so many single steps cost nothing. */
const SLACK = 120;
/** How far back charts are made, Frames: farther than they are drawn, and all of it at once, since a timeline reads neighbours together. */
const REACH = CHART_TICKS + SLACK / 2;
/** A step forward may take this long to take in what lies between; what is farther is a jump. Milliseconds. */
const CATCH_UP_MS = 40;
/** Sums that nobody looks at are carried no farther than this, Frames. */
const CARRY = 1000;

/** The live screen's own: the newest Frame that it took in, by its index, and all it knows. */
export interface Live {
  readonly index: number;
  readonly history: History;
}

export class Past {
  readonly #timeline: Timeline;
  readonly #live: () => Live | null;
  #history: History;
  /** Tick of the history less the Frame's index. */
  readonly #offset: number;
  #index: number;
  #frame: Frame;
  /** The last Frame that is added up, and the first: null when it was let go of long ago. */
  #summed: number;
  #counted: number | null;
  #growing = true;
  /** What cannot be read is not tried again before the next move. */
  #stuck = false;

  /** @param live null: there is none, as in a recording @throws what the timeline throws */
  constructor(timeline: Timeline, index: number, live: () => Live | null) {
    this.#timeline = timeline;
    this.#live = live;
    const now = live();
    this.#index = now?.index ?? index;
    this.#frame = timeline.frame(this.#index);
    this.#history = now?.history.fork(SLACK) ?? new History(SLACK);
    this.#summed = now?.index ?? timeline.first - 1;
    if (now === null) this.#history.append(this.#frame);
    this.#offset = this.#history.window.last - this.#index;
    this.#counted = now === null ? timeline.first : this.#history.counted - this.#offset;
    this.show(index);
  }

  get index(): number {
    return this.#index;
  }

  get frame(): Frame {
    return this.#frame;
  }

  get shown(): Shown {
    return { frame: this.#frame, history: this.#history };
  }

  /** Sums are those up to the Frame that is shown. */
  get settled(): boolean {
    return this.#summed === this.#target;
  }

  /** Nothing that is on screen lacks anything. */
  get whole(): boolean {
    return this.settled && this.#history.window.first - this.#offset <= Math.max(this.#timeline.first, this.#index - CHART_TICKS + SLACK / 4);
  }

  /** Where sums have to be carried. */
  get #target(): number {
    return this.#counted === null ? this.#index : Math.max(this.#index, this.#counted - 1);
  }

  /** Show another Frame. @throws what the timeline throws; then nothing has changed */
  show(index: number): void {
    const frame = index === this.#index ? this.#frame : this.#timeline.frame(index);
    const before = this.#frame;
    if (!this.#reach(index, frame)) {
      this.#history = this.#history.fresh(index + this.#offset);
      this.#history.append(frame);
    }
    if (this.#summed === index + 1 && this.#index === index + 1) this.#back(before);
    else if (this.#summed === index - 1) this.#add(frame);
    this.#index = index;
    this.#frame = frame;
    this.#stuck = false;
  }

  /** Look at a Frame from the window that there is, or from one that grows a little forward. */
  #reach(index: number, frame: Frame): boolean {
    const tick = index + this.#offset;
    const { first, last } = this.#history.window;
    if (tick >= first && tick <= last) {
      this.#history.seek(tick);
      return true;
    }
    if (tick < first) return false;
    const until = performance.now() + CATCH_UP_MS;
    for (let next = last + 1 - this.#offset; next <= index; next++) {
      if (next < index && (next < this.#timeline.first || performance.now() > until)) return false;
      const one = next === index ? frame : this.#held(next);
      if (one === null) return false;
      this.#history.append(one);
      if (this.#summed === next - 1 && next < index) this.#add(one);
    }
    return true;
  }

  /** Null: it cannot be read. */
  #held(index: number): Frame | null {
    try {
      return this.#timeline.frame(index);
    } catch {
      return null;
    }
  }

  #add(frame: Frame): void {
    this.#summed += 1;
    this.#history.sums.add(frame, this.#summed + this.#offset);
  }

  #back(frame: Frame): void {
    this.#history.sums.back(frame, this.#summed + this.#offset);
    this.#summed -= 1;
  }

  /** Count from here on. */
  reset(): void {
    this.#history.sums.clear();
    this.#summed = this.#index;
    this.#counted = this.#index + 1;
  }

  /**
   * Do one Frame's worth of what is left to do.
   * @param sums somebody looks at sums: carry them however far it is @returns whether there is more
   */
  work(sums: boolean): boolean {
    if (this.#stuck) return false;
    try {
      return this.#grow() || this.#carry(sums);
    } catch {
      // Let go of in this moment, or damaged: what is there is right.
      this.#stuck = true;
      return false;
    }
  }

  #grow(): boolean {
    const first = this.#history.window.first - this.#offset;
    if (first > this.#index - CHART_TICKS + 1) this.#growing = true;
    if (first <= Math.max(this.#timeline.first, this.#index - REACH + 1)) this.#growing = false;
    if (!this.#growing) return false;
    this.#history.prepend(this.#timeline.frame(first - 1));
    return true;
  }

  #carry(sums: boolean): boolean {
    if (this.settled) return false;
    this.#restart();
    const target = this.#target;
    if (this.settled || (!sums && Math.abs(target - this.#summed) > CARRY)) return false;
    if (this.#summed > target) this.#back(this.#timeline.frame(this.#summed));
    else this.#add(this.#timeline.frame(this.#summed + 1));
    return !this.settled;
  }

  /** Carry sums from another place where that is shorter, or where the Frames between are gone. */
  #restart(): void {
    const target = this.#target;
    const gone = this.#summed + 1 < this.#timeline.first;
    const way = gone ? Infinity : Math.abs(target - this.#summed);
    const live = gone ? this.#live() : null;
    const fromStart = this.#counted !== null && this.#counted >= this.#timeline.first ? target - this.#counted + 1 : Infinity;
    if (fromStart < way) {
      this.#history.sums.clear();
      this.#summed = (this.#counted as number) - 1;
    } else if (live !== null) {
      this.#history.sums = live.history.sums.clone();
      this.#summed = live.index;
    }
  }
}
