import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, read as readCallback, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KbtopError, OutputClosed } from '../../src/cli/errors.ts';
import { writeFully } from '../../src/cli/output.ts';

const read = promisify(readCallback);
const { O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;

describe('writeFully', () => {
  let dir: string, fifo: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'kbtop-output-'));
    fifo = join(dir, 'fifo');
    execFileSync('mkfifo', [fifo]);
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it('waits for a full non-blocking pipe, and loses nothing', async () => {
    const reader = openSync(fifo, O_RDONLY | O_NONBLOCK), writer = openSync(fifo, O_WRONLY | O_NONBLOCK);
    try {
      // More than a pipe holds, with characters that chunks cut apart.
      const text = 'kbtop µs … '.repeat(40_000);
      let done = false;
      const writing = writeFully(writer, text, 'pipe').then(() => { done = true; });
      const chunks: Buffer[] = [];
      const doneAtReads: boolean[] = [];
      const wanted = Buffer.byteLength(text);
      for (let size = 0; size < wanted;) {
        const buffer = Buffer.alloc(7001);
        const { bytesRead } = await read(reader, buffer, 0, buffer.length, null).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EAGAIN') throw error;
          return { bytesRead: 0 };
        });
        doneAtReads.push(done);
        size += bytesRead;
        chunks.push(buffer.subarray(0, bytesRead));
      }
      await writing;
      expect(doneAtReads[0]).toBe(false);
      expect(Buffer.concat(chunks).toString('utf8') === text).toBe(true);
    } finally {
      closeSync(reader);
      closeSync(writer);
    }
  });

  it('says that the reader has gone', async () => {
    const reader = openSync(fifo, O_RDONLY | O_NONBLOCK), writer = openSync(fifo, O_WRONLY);
    closeSync(reader);
    await expect(writeFully(writer, 'x', 'pipe')).rejects.toBeInstanceOf(OutputClosed);
    closeSync(writer);
  });

  it('says why a write failed', async () => {
    const full = openSync('/dev/full', 'w');
    await expect(writeFully(full, 'x', 'stdout')).rejects.toThrow(new KbtopError(1, 'cannot write to stdout: no space left on device; free some, or write elsewhere'));
    await writeFully(full, '', 'stdout');
    closeSync(full);
    const readOnly = openSync('/dev/null', 'r');
    await expect(writeFully(readOnly, 'x', 'stdout')).rejects.toThrow(/^cannot write to stdout: it is not open/);
    closeSync(readOnly);
  });
});
