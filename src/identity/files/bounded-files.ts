/**
 * Reading files that others write, on file systems that may hang: few at a time, small, regular, and never waited for
 * longer than a moment. libuv has four threads for all file access and name look-ups of the process; whoever takes the
 * last one stops it all.
 */
import fs, { constants, type Stats } from 'node:fs';

/** What came of it: a value, or the errno's name; ETIMEDOUT also for what was not tried because its neighbours hang. */
export type Outcome<T> = { readonly value: T; readonly code: null } | { readonly value: null; readonly code: string };

/** The calls of node:fs that are used, for tests. */
export type FsCalls = Pick<typeof fs, 'open' | 'fstat' | 'fstatSync' | 'read' | 'close' | 'closeSync' | 'readdir' | 'stat' | 'readlink'>;

export interface BoundedFilesOptions {
  /** Accesses under way at once. */
  readonly concurrency: number;
  /** Milliseconds until an access is taken to hang. */
  readonly timeoutMs?: number;
  readonly calls?: FsCalls;
}

export interface FileStat {
  readonly directory: boolean;
  /** Another one when the path leads to another file or directory than before. */
  readonly identity: string;
  readonly size: number;
  readonly mtimeMs: number;
}

export interface AccessOptions {
  /** Decides who its neighbours are: the path on the host, where the one to open is another. */
  readonly hostPath?: string;
  /** Before those that wait. */
  readonly urgent?: boolean;
}

type Done<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

interface Access {
  readonly start: () => void;
  readonly abandon: (code: string) => void;
}

/** Read at once when a file is no longer; buffers of this size are kept for the next file. */
const BUFFER_BYTES = 64 * 1024;
const DEFAULT_TIMEOUT_MS = 2_000;
/** A FIFO or device must not block, a symbolic link in place of the file is not followed. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;

/**
 * In memory on every host, so it does not hang: it may have every access, others leave one to the rest. fstat and close
 * of an open file wait for nothing there, and are not worth two trips to another thread.
 */
const MEMORY = '/run';

/** What shares a file system, most likely: /run is one, /var another. */
const neighbourhoodOf = (path: string): string => /^\/[^/]*/.exec(path)?.[0] ?? '/';

export class BoundedFiles {
  readonly #concurrency: number;
  readonly #timeoutMs: number;
  readonly #calls: FsCalls;
  /** Waiting accesses by neighbourhood, and neighbourhoods in the order in which they get their turn. */
  readonly #waiting = new Map<string, Access[]>();
  readonly #activeIn = new Map<string, number>();
  readonly #hung = new Map<string, number>();
  readonly #buffers: Buffer[] = [];
  #active = 0;
  #closed = false;

  constructor({ concurrency, timeoutMs = DEFAULT_TIMEOUT_MS, calls = fs }: BoundedFilesOptions) {
    this.#concurrency = concurrency;
    this.#timeoutMs = timeoutMs;
    this.#calls = calls;
  }

  /** Neighbourhoods with an access that has not come back in time; nothing new is begun there until it does. */
  get hung(): readonly string[] {
    return [...this.#hung.keys()];
  }

  /**
   * A whole regular file, as `parse` takes it from its bytes, which are another file's afterwards; it must not throw.
   * EFTYPE: not a regular file. EFBIG: longer than maxBytes. Else as open(2), fstat(2) and read(2) have it.
   */
  read<T>(path: string, maxBytes: number, parse: (bytes: Buffer) => T, options?: AccessOptions): Promise<Outcome<T>> {
    const inMemory = neighbourhoodOf(options?.hostPath ?? path) === MEMORY;
    return this.#access(path, options, (done: Done<T>) => this.#read(path, maxBytes, parse, inMemory, done));
  }

  /** Names in a directory, in no order. */
  list(path: string, options?: AccessOptions): Promise<Outcome<string[]>> {
    return this.#access(path, options, (done: Done<string[]>) => this.#calls.readdir(path, done));
  }

  stat(path: string, options?: AccessOptions): Promise<Outcome<FileStat>> {
    return this.#access(path, options, (done: Done<FileStat>) => this.#calls.stat(path, { bigint: true }, (error, found) => {
      if (error) done(error);
      else done(null, { directory: found.isDirectory(), identity: `${found.dev}:${found.ino}`, size: Number(found.size), mtimeMs: Number(found.mtimeNs) / 1e6 });
    }));
  }

  /** What a symbolic link holds. EINVAL: it is none. */
  readLink(path: string, options?: AccessOptions): Promise<Outcome<string>> {
    return this.#access(path, options, (done: Done<string>) => this.#calls.readlink(path, done));
  }

  #access<T>(path: string, options: AccessOptions | undefined, start: (done: Done<T>) => void): Promise<Outcome<T>> {
    const neighbourhood = neighbourhoodOf(options?.hostPath ?? path);
    return new Promise((resolve) => {
      const abandon = (code: string): void => resolve({ value: null, code });
      if (this.#closed) return abandon('ECANCELED');
      if (this.#hung.has(neighbourhood)) return abandon('ETIMEDOUT');
      const access = { abandon, start: () => this.#start(neighbourhood, start, resolve) };
      const waiting = this.#waiting.get(neighbourhood);
      if (waiting) waiting[options?.urgent === true ? 'unshift' : 'push'](access);
      else this.#waiting.set(neighbourhood, [access]);
      this.#next();
    });
  }

  #mayStart(neighbourhood: string): boolean {
    const limit = neighbourhood === MEMORY ? this.#concurrency : Math.max(1, this.#concurrency - 1);
    return (this.#activeIn.get(neighbourhood) ?? 0) < limit;
  }

  #next(): void {
    for (let access = this.#take(); access !== null; access = this.#take()) access.start();
  }

  /** In turns, so that a slow disk does not keep what lies in memory waiting. */
  #take(): Access | null {
    if (this.#active >= this.#concurrency) return null;
    for (const [neighbourhood, accesses] of this.#waiting) {
      if (!this.#mayStart(neighbourhood)) continue;
      const access = accesses.shift();
      this.#waiting.delete(neighbourhood);
      if (accesses.length > 0) this.#waiting.set(neighbourhood, accesses);
      if (access) return access;
    }
    return null;
  }

  #start<T>(neighbourhood: string, start: (done: Done<T>) => void, resolve: (outcome: Outcome<T>) => void): void {
    this.#active += 1;
    this.#activeIn.set(neighbourhood, (this.#activeIn.get(neighbourhood) ?? 0) + 1);
    let [ended, late] = [false, false];
    // After this process was stopped itself, the answer may lie there: look at what has come in before giving up.
    const timer = setTimeout(() => setImmediate(() => {
      if (ended) return;
      late = true;
      this.#hang(neighbourhood);
      resolve({ value: null, code: 'ETIMEDOUT' });
    }), this.#timeoutMs).unref();
    const done: Done<T> = (error, value) => {
      ended = true;
      clearTimeout(timer);
      this.#active -= 1;
      this.#activeIn.set(neighbourhood, (this.#activeIn.get(neighbourhood) ?? 1) - 1);
      if (late) this.#recover(neighbourhood);
      else resolve(error || value === undefined ? { value: null, code: error?.code ?? 'EIO' } : { value, code: null });
      this.#next();
    };
    try {
      start(done);
    } catch (error) {
      // A path that no file can have, with a zero byte in it.
      done(error as NodeJS.ErrnoException);
    }
  }

  #hang(neighbourhood: string): void {
    this.#hung.set(neighbourhood, (this.#hung.get(neighbourhood) ?? 0) + 1);
    const waiting = this.#waiting.get(neighbourhood) ?? [];
    this.#waiting.delete(neighbourhood);
    for (const access of waiting) access.abandon('ETIMEDOUT');
  }

  #recover(neighbourhood: string): void {
    const left = (this.#hung.get(neighbourhood) ?? 1) - 1;
    if (left > 0) this.#hung.set(neighbourhood, left);
    else this.#hung.delete(neighbourhood);
  }

  #read<T>(path: string, maxBytes: number, parse: (bytes: Buffer) => T, inMemory: boolean, done: Done<T>): void {
    const calls = this.#calls;
    calls.open(path, READ_FLAGS, (openError, fd) => {
      if (openError) return done(openError);
      const end = (error: NodeJS.ErrnoException | null, value?: T): void => {
        if (!inMemory) return calls.close(fd, () => done(error, value));
        calls.closeSync(fd);
        done(error, value);
      };
      const readStat = (statError: NodeJS.ErrnoException | null, found: Stats | undefined): void => {
        if (statError || !found) return end(statError);
        if (!found.isFile()) return end(failure('EFTYPE'));
        if (found.size > maxBytes) return end(failure('EFBIG'));
        this.#readBytes(fd, found.size, (error, bytes) => end(error, bytes && parse(bytes)));
      };
      if (inMemory) readStat(null, calls.fstatSync(fd));
      else calls.fstat(fd, readStat);
    });
  }

  /** @param done gets bytes that are good until it returns */
  #readBytes(fd: number, size: number, done: Done<Buffer>): void {
    const buffer = size < BUFFER_BYTES ? this.#buffers.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES) : Buffer.allocUnsafeSlow(size + 1);
    const readOn = (length: number): void => this.#calls.read(fd, buffer, length, buffer.length - length, length, (error, count) => {
      const total = length + count;
      // A file that is being written may grow past its first size: whoever parses it sees that it is cut.
      if (!error && count > 0 && total < size) return readOn(total);
      if (error) done(error);
      else done(null, buffer.subarray(0, total));
      if (buffer.length === BUFFER_BYTES && this.#buffers.length < this.#concurrency) this.#buffers.push(buffer);
    });
    readOn(0);
  }

  /** What waits is answered with ECANCELED; what is under way ends by itself. */
  close(): void {
    this.#closed = true;
    for (const accesses of this.#waiting.values()) for (const access of accesses) access.abandon('ECANCELED');
    this.#waiting.clear();
  }
}

function failure(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code });
}
