/** Frames that a command takes one after the other, wherever they come from. */
import type { Frame } from '../frame/frame.ts';
import type { NameSource } from '../identity/source.ts';

export interface Taking {
  /** As many as were asked for. Throws ClosedError when closed before the last. */
  readonly frames: AsyncIterable<Frame>;
  /** How long each takes to come, milliseconds. */
  readonly everyMs: number;
  /** They are of the past. */
  readonly recorded: boolean;
  /** Who names containers here; none where somebody else does. */
  readonly sources: readonly Pick<NameSource, 'id' | 'state'>[];
  close(): Promise<void>;
}
