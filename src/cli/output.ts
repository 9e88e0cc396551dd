/** Writes to stdout and stderr that are complete when they resolve, whatever stands behind them. */
import { write as writeCallback } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { EXIT, KbtopError, OutputClosed } from './errors.ts';

const write = promisify(writeCallback);

/** How long to wait when a non-blocking pipe is full, milliseconds. */
const FULL_MS = 5;

/** Why a write failed, by the system's code. */
export const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on device; free some, or write elsewhere',
  EDQUOT: 'disk quota exceeded; free some space, or write elsewhere',
  EFBIG: 'the file would be larger than allowed (ulimit -f)',
  EIO: 'input/output error of the device or terminal',
  EBADF: 'it is not open; do not close it (>&-)',
};

function failure(error: NodeJS.ErrnoException, name: string): Error {
  if (error.code === 'EPIPE' || error.code === 'ECONNRESET') return new OutputClosed();
  return new KbtopError(EXIT.failed, `cannot write to ${name}: ${REASONS[error.code ?? ''] ?? error.message}`, { cause: error });
}

/**
 * Write all of it. Node's own stdout leaves out what a full disk takes only in part, and stops all timers and
 * signals while a pipe's reader is slow; this does neither.
 * @throws OutputClosed when the reader is gone, KbtopError otherwise
 */
export async function writeFully(fd: number, data: string | Uint8Array, name: string): Promise<void> {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'utf8') : data;
  for (let offset = 0; offset < bytes.length;) {
    try {
      const { bytesWritten } = await write(fd, bytes, offset, bytes.length - offset, null);
      offset += bytesWritten;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw failure(error as NodeJS.ErrnoException, name);
      await sleep(FULL_MS);
    }
  }
}

export const printOut = (text: string): Promise<void> => writeFully(1, text, 'stdout');

/** Text on stderr. A stderr that cannot be written to is nobody's loss. */
export async function printDetail(text: string): Promise<void> {
  try {
    await writeFully(2, `${text}\n`, 'stderr');
  } catch {
    // nowhere left to say it
  }
}

/** One line of ours on stderr. */
export const printError = (line: string): Promise<void> => printDetail(`kbtop: ${line}`);
