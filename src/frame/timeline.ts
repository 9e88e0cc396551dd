/** Frames that have been: the last minutes in memory, or a recording. What shows them knows only this. */
import type { Frame } from './frame.ts';

export interface Timeline {
  /** Index of the oldest Frame that is still held; rises when old ones are let go. Indices are never given anew. */
  readonly first: number;
  /** One past the newest; equals `first` when there is none. */
  readonly end: number;
  /** End of the Frame's interval, milliseconds since the epoch; never falls from one index to the next. @throws RangeError when it is not held */
  time(index: number): number;
  /** Takes milliseconds, not more: a block of neighbours is decoded at once. @throws RangeError when it is not held */
  frame(index: number): Frame;
  /** The last Frame that ended at or before `time`, milliseconds since the epoch; the first one when none did. `end` when nothing is held. */
  indexAt(time: number): number;
}
