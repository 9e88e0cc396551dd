/** Frames that somebody kept in a file: opened, whatever the file's format and state. */
import type { Timeline } from '../../frame/timeline.ts';

export interface Recording extends Timeline {
  /**
   * What of the file cannot be read and why, one line each, for people; empty when all of it can. A torn end after a crash
   * and damage in the middle are warnings: everything else is there. Raw.
   */
  readonly warnings: readonly string[];
  /** Let go of the file; frame() must not be called afterwards. Twice is fine. */
  close(): void;
}

/** The file is no recording, or of a version that this program does not know. The message is one line: what, why, what to do. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';
}
