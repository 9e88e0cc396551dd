/** Opens a recording by what stands in the file. */
import { closeSync, openSync, statSync } from 'node:fs';
import { beginsAsRecording, RecordingFile } from './file.ts';
import { openNdjson } from './ndjson.ts';
import type { Recording } from './recording.ts';

/**
 * @param path a recording, or Frames as NDJSON; `-` is stdin, NDJSON only
 * @throws RecordingError when it is neither, or holds no Frame at all; the system's error with its code when it cannot be read
 */
export async function openRecording(path: string): Promise<Recording> {
  // Whatever comes through a pipe comes once.
  if (path === '-' || !statSync(path).isFile()) return await openNdjson(path);
  const fd = openSync(path, 'r');
  try {
    if (!beginsAsRecording(fd)) return await openNdjson(path);
  } finally {
    closeSync(fd);
  }
  return RecordingFile.open(path);
}
