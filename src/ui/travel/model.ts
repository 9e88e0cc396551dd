/** What the screen knows of the time that it shows. */
import type { Gap } from './gaps.ts';
import type { Moment } from './moment.ts';

/** Which Frames there are to go back to: none, the last minutes of a live source, or a recording and nothing else. */
export type Reach = 'none' | 'memory' | 'recording';

/** The screen shows one Frame of the past, and not whatever is newest. */
export interface Travel {
  /** Of the Frame that is shown, and those that there are: `first` up to one before `end`. */
  readonly index: number;
  readonly first: number;
  readonly end: number;
  /** Ends of these Frames, milliseconds since the epoch. */
  readonly time: number;
  readonly firstTime: number;
  readonly lastTime: number;
  readonly playing: boolean;
  /** 1 is as it was. */
  readonly speed: number;
  readonly gaps: readonly Gap[];
  /** Sums and losses are those up to the Frame that is shown; otherwise they are still being added up. */
  readonly settled: boolean;
}

/** Frames after the one that is shown. */
export const newer = ({ index, end }: Travel): number => end - 1 - index;

/** What a key, a prompt or another viewer asks for. */
export type Go =
  /** Hold what is shown. */
  | { readonly kind: 'pause' }
  /** Go on from what is shown, in time. */
  | { readonly kind: 'play' }
  /** To the newest, and with what comes; in a recording to its end. */
  | { readonly kind: 'live' }
  | { readonly kind: 'oldest' }
  /** So many Frames on; negative: back. */
  | { readonly kind: 'frames'; readonly by: number }
  | { readonly kind: 'moment'; readonly moment: Moment }
  | { readonly kind: 'speed'; readonly by: 1 | -1 }
  /** What another viewer looks at: the Frame that ended then. */
  | { readonly kind: 'time'; readonly ms: number }
  /** Somebody looks at sums now: carry them to what is shown. */
  | { readonly kind: 'settle' };

/** The line in which a time is being typed. */
export interface Jump {
  readonly text: string;
  /** UTF-16 index that the cursor stands before. */
  readonly cursor: number;
  readonly error: string | null;
}
