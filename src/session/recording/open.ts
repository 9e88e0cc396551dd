/** Opens a recording by what stands in the file, or comes through a pipe. */
import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginsAsRecording, RecordingFile } from './file.ts';
import { isRecording } from './format.ts';
import { NdjsonRecording } from './ndjson.ts';
import { type Recording, RecordingError } from './recording.ts';

/** What is read whole, bytes. */
const MAX_BYTES = 1 << 30;

/** @throws RecordingError when it is too much */
async function readWhole(path: string, name: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of path === '-' ? process.stdin : createReadStream(path)) {
    chunks.push(chunk as Buffer);
    if ((size += (chunk as Buffer).length) > MAX_BYTES) throw new RecordingError(`${name} is more than ${MAX_BYTES >> 20} MiB, which are read whole: write it to a file with kbtop record first`);
  }
  return Buffer.concat(chunks, size);
}

/** A recording is read here and there, which a pipe cannot be: a file without a name takes its place. */
function openSpooled(bytes: Buffer, name: string): Recording {
  const directory = mkdtempSync(join(tmpdir(), 'kbtop-pipe-'));
  try {
    const path = join(directory, 'recording');
    writeFileSync(path, bytes, { mode: 0o600 });
    return RecordingFile.open(path, name);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * @param path a recording, or Frames as NDJSON; `-` is stdin
 * @throws RecordingError when it is neither, or holds no Frame at all; the system's error with its code when it cannot be read
 */
export async function openRecording(path: string): Promise<Recording> {
  const name = path === '-' ? 'stdin' : path;
  if (path !== '-' && statSync(path).isFile()) {
    const fd = openSync(path, 'r');
    try {
      if (beginsAsRecording(fd)) return RecordingFile.open(path);
    } finally {
      closeSync(fd);
    }
  }
  const bytes = await readWhole(path, name);
  return isRecording(bytes) ? openSpooled(bytes, name) : new NdjsonRecording(bytes, name);
}
