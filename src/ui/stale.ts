/** Whether Frames still come: a source may stall, and old numbers look like new ones. */
import { formatAge } from '../frame/age.ts';
import type { LinePiece } from './draw/line.ts';
import { linePiece } from './draw/line.ts';
import type { State } from './model.ts';

/** How much later than its interval a Frame may be, milliseconds. */
const LATE_MS = 2000;
const SECOND_MS = 1000;

/** Costs one timer that each Frame winds up again; ticks only while none come. Keeps no process alive. */
export class StaleClock {
  readonly #tell: (silentMs: number) => void;
  #heardAt = 0;
  #waitMs = 0;
  #waiting: NodeJS.Timeout | undefined;
  #ticking: NodeJS.Timeout | undefined;

  /** @param tell is called with the milliseconds since the last Frame once it is late, then every second */
  constructor(tell: (silentMs: number) => void) {
    this.#tell = tell;
  }

  /** A Frame has come; the next one is due in so many milliseconds. */
  heard(intervalMs: number): void {
    this.#heardAt = performance.now();
    clearInterval(this.#ticking);
    this.#ticking = undefined;
    const waitMs = intervalMs + Math.max(LATE_MS, intervalMs / 2);
    if (this.#waiting !== undefined && waitMs === this.#waitMs) {
      this.#waiting.refresh();
      return;
    }
    clearTimeout(this.#waiting);
    this.#waitMs = waitMs;
    this.#waiting = setTimeout(() => this.#late(), waitMs).unref();
  }

  stop(): void {
    clearTimeout(this.#waiting);
    clearInterval(this.#ticking);
    this.#waiting = this.#ticking = undefined;
  }

  #late(): void {
    const say = (): void => this.#tell(performance.now() - this.#heardAt);
    this.#ticking = setInterval(say, SECOND_MS).unref();
    say();
  }
}

/** A screen that stands still, or has seen the end, waits for no Frame. */
const waits = (state: State): boolean => state.travel === null && state.ended === null;

/** "no data for 12s", while it is so. */
export const stalePieces = (state: State): LinePiece[] => (state.silentMs === null || !waits(state) ? [] : [linePiece(` no data for ${formatAge(state.silentMs)} `, 'banner', 0)]);
