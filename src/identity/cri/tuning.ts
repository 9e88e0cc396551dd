/** How long the CRI source waits for what; milliseconds. */
export interface Tuning {
  /** Longest time that start() takes, whatever happens. */
  readonly startMs: number;
  /** For a call to be answered. */
  readonly callMs: number;
  /** For a whole list to be answered. */
  readonly listMs: number;
  /** Between whole lists when nothing is wanted. */
  readonly refreshMs: number;
  /** At least between questions about unknown ids. Short, since a container may be removed as soon as it has ended. */
  readonly pauseMs: number;
  /** Before an id is asked for again; doubles. */
  readonly askMs: number;
  /** After this an id that the runtime does not know is given up. */
  readonly giveUpMs: number;
  /** Before the next attempt when there is no runtime or it does not answer; doubles up to the longest. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
}

export const TUNING: Tuning = { startMs: 5_000, callMs: 2_000, listMs: 5_000, refreshMs: 30_000, pauseMs: 20, askMs: 100, giveUpMs: 10_000, retryMs: 1_000, longestRetryMs: 30_000 };
