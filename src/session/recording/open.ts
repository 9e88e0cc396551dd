/** Opens a recording by what stands in the file. */
import { openNdjson } from './ndjson.ts';
import type { Recording } from './recording.ts';

/**
 * @param path a recording, or Frames as NDJSON; `-` is stdin
 * @throws RecordingError when it is neither, or holds no Frame at all; the system's error with its code when it cannot be read
 */
export async function openRecording(path: string): Promise<Recording> {
  return await openNdjson(path);
}
