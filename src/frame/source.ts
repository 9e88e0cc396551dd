/**
 * Where Frames come from: the live manager, a recorded file, a shared session. Whoever shows or
 * writes Frames knows only this.
 */
import type { Frame, Level, PaneId } from './frame.ts';

/** The three small messages that go back down. A source that cannot follow one ignores it and lists nothing in `can`. */
export interface SourceControls {
  /** Ask for another tick length, milliseconds; takes effect at the next tick. */
  setInterval(ms: number): void;
  /** Ask for another measuring level of a pane. */
  setLevel(pane: PaneId, level: Level | 'off'): void;
}

export interface FrameSource extends SourceControls {
  /** What this source can be told; a recorded file can be told nothing. */
  readonly can: { readonly setInterval: boolean; readonly setLevel: boolean };
  /** Tick length at the moment, milliseconds, of a source whose others may change it, too. Absent: what was asked for last. */
  readonly intervalMs?: number;
  /**
   * Call `onFrame` with each Frame, the latest first if there is one. A slow listener never delays the
   * source. Returns the unsubscribe function.
   */
  subscribe(onFrame: (frame: Frame) => void): () => void;
  /**
   * A source that may stand still and go on again, such as a shared session, tells so: why in one line, null when Frames
   * come again. Absent: it does neither. Returns the unsubscribe function.
   */
  readonly onTrouble?: (listener: (reason: string | null) => void) => () => void;
  /** Resolves when the source has ended by itself (a file's end), rejects when it failed for good. */
  readonly done: Promise<void>;
  /** Stop and let go of everything; safe to call twice. */
  close(): Promise<void>;
}

/** A source was closed while somebody waited for its Frames. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError';
  constructor() {
    super('the capture was closed');
  }
}
