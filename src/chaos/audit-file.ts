/** Where the audit is kept: a file that only grows, on disk before anything is armed. */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type AuditRecord, auditLine } from './audit.ts';

export const DEFAULT_AUDIT_FILE = '/var/log/kbtop/chaos.jsonl';

/** The audit cannot be kept, so nothing may be armed. One line. */
export class AuditError extends Error {
  override readonly name = 'AuditError';
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full', EDQUOT: 'the disk quota is used up', EROFS: 'the file system is read-only', EACCES: 'permission denied', EPERM: 'not permitted', EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory', ELOOP: 'it is a symbolic link', ENXIO: 'it is a pipe or socket', ENOENT: 'there is no such directory', EIO: 'the device failed',
};

function auditError(path: string, error: unknown): AuditError {
  const { code = '', message = String(error) } = error as NodeJS.ErrnoException;
  return new AuditError(`cannot keep the audit in ${path}: ${REASONS[code] ?? message}; nothing is armed without it: free the place or choose another one with --audit FILE`, { cause: error });
}

/** Last byte of the file, if it has any. */
async function endsOpen(file: FileHandle, size: number): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return bytesRead === 1 && buffer[0] !== 0x0a;
}

/** mkdir -p. Node's own goes round for ever where a directory can neither be found nor made, as in /proc. */
async function makeDirectory(path: string, retry = true): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || !retry || dirname(path) === path) throw error;
    await makeDirectory(dirname(path));
    await makeDirectory(path, false);
  }
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  await directory.sync();
}

export class AuditFile {
  readonly path: string;
  readonly #file: FileHandle;
  /** The file ends within a line, which a full disk or a crash cut off: the next one begins on its own. */
  #open: boolean;
  /** Lines are written one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(path: string, file: FileHandle, open: boolean) {
    this.path = path;
    this.#file = file;
    this.#open = open;
  }

  /**
   * Makes the file and its directory, readable for root only. Not through a symbolic link, and nothing but a plain file.
   * @throws AuditError
   */
  static async open(path: string = DEFAULT_AUDIT_FILE): Promise<AuditFile> {
    let file: FileHandle | undefined;
    try {
      await makeDirectory(dirname(path));
      // Not blocking: a pipe without a reader would hold us up for ever.
      file = await open(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY, 0o600);
      const about = await file.stat();
      if (!about.isFile()) throw new Error('it is not a plain file');
      // A new file is only there after a crash when its directory is on disk, too.
      if (about.size === 0) await syncDirectory(dirname(path));
      return new AuditFile(path, file, about.size > 0 && await endsOpen(file, about.size));
    } catch (error) {
      await file?.close().catch(() => {});
      throw auditError(path, error);
    }
  }

  /**
   * Resolves when the record is on disk: only then may what it tells of be armed. Rejects when it is not, then part of
   * it may be in the file; the next record begins on a new line.
   * @throws AuditError
   */
  append(record: AuditRecord): Promise<void> {
    const written = this.#last.then(() => this.#write(auditLine(record)));
    this.#last = written.catch(() => {});
    return written;
  }

  async #write(line: string): Promise<void> {
    try {
      const bytes = Buffer.from(this.#open ? `\n${line}` : line);
      const { bytesWritten } = await this.#file.write(bytes);
      this.#open = bytesWritten !== bytes.length;
      if (this.#open) throw Object.assign(new Error('the line was cut off'), { code: 'ENOSPC' });
      await this.#file.datasync();
    } catch (error) {
      throw auditError(this.path, error);
    }
  }

  /** Waits for what is being written. Never rejects. */
  async close(): Promise<void> {
    await this.#last;
    await this.#file.close().catch(() => {});
  }
}
