/** A directory that stays the same whatever becomes of the path it was found by: everything in it is reached through one descriptor. */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SessionError } from '../error.ts';

/** A server takes its place in milliseconds, but for those that wait for a dying one. */
const LOCK_MS = 15_000;
const LOOK_AGAIN_MS = 20;
const OTHERS_WRITE = 0o022;
const OTHERS_ENTER = 0o011;
const STICKY = 0o1000;

export interface DirectoryOptions {
  /** Others than its owner are to reach what is in it. */
  readonly shared: boolean;
  /** It is kbtop's own: it may be opened for others, so that they can enter but not list it. */
  readonly own: boolean;
}

export class HeldDirectory {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * Made when it is missing, but not its parents. Nobody but this user and root may be able to put things in place of what
   * is in it. @throws SessionError, or the system's errors
   */
  static async open(path: string, { shared, own }: DirectoryOptions): Promise<HeldDirectory> {
    let made = true;
    await mkdir(path, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      made = false;
    });
    const handle = await open(await realpath(path), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const about = await handle.stat();
      if (about.uid !== 0 && about.uid !== process.geteuid?.()) throw new SessionError('failed', `${path} belongs to user ${about.uid}: choose a directory of your own with --socket`);
      if ((about.mode & OTHERS_WRITE) !== 0 && (about.mode & STICKY) === 0) throw new SessionError('failed', `others may write to ${path} and put a socket of theirs in place of this one: choose another place with --socket`);
      if (shared && (about.mode & OTHERS_ENTER) === 0) {
        if (!made && !own) throw new SessionError('failed', `others may not enter ${path}, so the socket's mode would let in nobody: chmod 711 ${path}, or choose another place with --socket`);
        await handle.chmod(0o711);
      }
      return new HeldDirectory(handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Path of something in it, for as long as it is held. */
  at(name: string): string {
    return join('/proc/self/fd', String(this.#handle.fd), name);
  }

  /**
   * Work that nobody else does meanwhile who does it like this. After a while it is begun in any case, since whoever may
   * read the directory can lock it. @param tryLock of a descriptor
   */
  async alone<T>(tryLock: (descriptor: number) => boolean, work: () => Promise<T>): Promise<T> {
    // Of its own: the lock goes with it.
    const handle = await open(this.at('.'), constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      const until = performance.now() + LOCK_MS;
      while (!tryLock(handle.fd) && performance.now() < until) await sleep(LOOK_AGAIN_MS);
      return await work();
    } finally {
      await handle.close();
    }
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}
