/** Frames of a recording, as if they were measured now. */
import type { Frame } from '../frame/frame.ts';
import { ClosedError } from '../frame/source.ts';
import type { Recording } from '../session/recording/recording.ts';
import { parseAt } from './at.ts';
import { usageError } from './errors.ts';
import { openRecorded, recordedFailure } from './recorded.ts';
import type { Taking } from './taking.ts';

/** Index of the first Frame that is meant. @throws KbtopError */
function startOf(recording: Recording, at: string | null, count: number): number {
  if (at === null) return Math.max(recording.first, recording.end - count);
  try {
    return recording.indexAt(parseAt(at, recording));
  } catch (error) {
    throw error instanceof RangeError ? usageError(`--at ${error.message}`) : error;
  }
}

/** @param at as given; null: its end @throws KbtopError */
export async function takeFromRecording(path: string, at: string | null, count: number): Promise<Taking> {
  const recording = await openRecorded(path);
  let closed = false;
  // oxlint-disable-next-line require-await
  async function* frames(): AsyncGenerator<Frame, void, undefined> {
    try {
      const start = startOf(recording, at, count), end = Math.min(recording.end, start + count);
      for (let index = start; index < end; index++) {
        if (closed) throw new ClosedError();
        yield recording.frame(index);
      }
    } catch (error) {
      throw recordedFailure(error, path);
    }
  }
  return {
    frames: frames(), everyMs: 0, recorded: true, sources: [],
    close: async () => {
      if (!closed) recording.close();
      closed = true;
    },
  };
}
