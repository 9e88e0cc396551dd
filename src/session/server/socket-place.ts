/**
 * The name of a listening unix socket: taken without a moment in which somebody could connect who may not, never from a
 * server that lives, always from one that is dead, and given back at the end.
 */
import { chmod, chown, link, lstat, mkdtemp, rename, rm, rmdir, unlink } from 'node:fs/promises';
import { type Server, type Socket, connect } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { processStat } from '../../chaos/service/processes.ts';
import { SessionError } from '../error.ts';
import { MAX_PATH_BYTES } from '../place.ts';
import { HeldDirectory } from './directory.ts';

export interface SocketPlaceOptions {
  readonly path: string;
  /** 0600, 0660 or 0666. */
  readonly mode: number;
  /** Group that the socket belongs to; null: this process's. */
  readonly gid: number | null;
  /** The directory is kbtop's own. */
  readonly ownDirectory: boolean;
  /** Pid at the other end of a connected socket; null: not known. */
  readonly pidOf: (socket: Socket) => number | null;
  /** See HeldDirectory.lock(). */
  readonly tryLock: (descriptor: number) => boolean;
}

const OTHERS = 0o066;
/** Where others than servers of kbtop come between. */
const TRIES = 10;
/** A killed server may take a while to let go of its BPF programs, and of the socket after them; milliseconds. */
const DYING_MS = 10_000;
const LOOK_AGAIN_MS = 50;

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied', EPERM: 'not permitted', EROFS: 'the file system is read-only', ENOSPC: 'the disk is full', ENOENT: 'there is no such directory', ENOTDIR: 'a part of the path is no directory', ELOOP: 'a part of the path is a symbolic link',
};
const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? '';

function placeError(path: string, error: unknown): SessionError {
  if (error instanceof SessionError) return error;
  return new SessionError('failed', `cannot listen on ${path}: ${REASONS[codeOf(error)] ?? (error as Error).message}; choose another place with --socket PATH`, { cause: error });
}

const listen = (server: Server, path: string): Promise<void> => new Promise((done, failed) => {
  server.once('error', failed).listen(path, () => {
    server.off('error', failed);
    done();
  });
});

/** Of whom answers at a socket; undefined: nobody does. */
function answers(path: string, pidOf: SocketPlaceOptions['pidOf']): Promise<number | null | undefined> {
  return new Promise((done) => {
    const probe = connect(path);
    probe.once('connect', () => {
      let pid: number | null = null;
      try {
        pid = pidOf(probe);
      } catch {
        // it lives, whoever it is
      }
      done(pid);
      probe.destroy();
    });
    // Anything but a refusal may be a server that has no time, or that does not want us.
    probe.on('error', (error) => done(['ECONNREFUSED', 'ENOENT'].includes(codeOf(error)) ? undefined : null));
  });
}

/** Its socket still takes connections, but nobody will ever answer them. */
function isDying(pid: number | null): boolean {
  if (pid === null || pid === 0) return false;
  const stat = processStat(pid);
  return stat === null || stat.zombie || stat.exiting;
}

interface Inode {
  readonly dev: bigint;
  readonly ino: bigint;
}

const sameFile = (a: Inode, b: Inode): boolean => a.dev === b.dev && a.ino === b.ino;

async function inodeOf(path: string): Promise<(Inode & { readonly isSocket: boolean; readonly uid: bigint }) | null> {
  try {
    const about = await lstat(path, { bigint: true });
    return { dev: about.dev, ino: about.ino, isSocket: about.isSocket(), uid: about.uid };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

export class SocketPlace {
  readonly path: string;
  readonly #directory: HeldDirectory;
  readonly #name: string;
  readonly #inode: Inode;

  private constructor(path: string, directory: HeldDirectory, inode: Inode) {
    this.path = path;
    this.#directory = directory;
    this.#name = basename(path);
    this.#inode = inode;
  }

  /** The server listens there when it resolves. @throws SessionError */
  static async take(server: Server, options: SocketPlaceOptions): Promise<SocketPlace> {
    const path = resolve(options.path);
    if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new SessionError('failed', `cannot listen on ${path}: a socket's path has ${MAX_PATH_BYTES} bytes at the most; choose a shorter one with --socket PATH`);
    let directory: HeldDirectory | null = null;
    try {
      directory = await HeldDirectory.open(dirname(path), { shared: (options.mode & OTHERS) !== 0, own: options.ownDirectory });
      return new SocketPlace(path, directory, await bind(server, directory, path, options));
    } catch (error) {
      server.close();
      await directory?.close();
      throw placeError(path, error);
    }
  }

  /** Before the server is closed: as long as it answers nobody else takes the name. Never rejects. */
  async release(): Promise<void> {
    try {
      const now = await inodeOf(this.#directory.at(this.#name));
      if (now !== null && sameFile(now, this.#inode)) await unlink(this.#directory.at(this.#name));
    } catch {
      // what is left is nobody's, and the next server replaces it
    }
    await this.#directory.close().catch(() => {});
  }
}

async function bind(server: Server, directory: HeldDirectory, path: string, { mode, gid, pidOf, tryLock }: SocketPlaceOptions): Promise<Inode> {
  // Where nobody else can enter it gets its owner and mode, and only then its name.
  const hidden = await mkdtemp(directory.at('.kbtop-'));
  const made = join(hidden, 's');
  try {
    await listen(server, made);
    if (gid !== null) await chown(made, -1, gid);
    await chmod(made, mode);
    const inode = await inodeOf(made);
    if (inode === null) throw new SessionError('failed', `cannot listen on ${path}: somebody takes its socket away`);
    await directory.alone(tryLock, () => takeName({ made, hidden, name: directory.at(basename(path)), path, pidOf }));
    return inode;
  } finally {
    await rm(made, { force: true });
    await rmdir(hidden).catch(() => {});
  }
}

interface Taking {
  readonly made: string;
  readonly hidden: string;
  readonly name: string;
  readonly path: string;
  readonly pidOf: SocketPlaceOptions['pidOf'];
}

async function takeName({ made, hidden, name, path, pidOf }: Taking): Promise<void> {
  const until = performance.now() + DYING_MS;
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      // Unlike a rename it takes nobody's place.
      return await link(made, name);
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const old = await inodeOf(name);
    if (old === null) continue;
    if (!old.isSocket) throw new SessionError('failed', `cannot listen on ${path}: there is something that is no socket; remove it, or choose another place with --socket PATH`);
    const pid = await answers(name, pidOf);
    if (pid !== undefined && isDying(pid) && performance.now() < until) {
      tries--;
      await sleep(LOOK_AGAIN_MS);
      continue;
    }
    if (pid !== undefined) throw new SessionError('failed', `kbtop serve runs already on ${path}${pid === null || pid === 0 ? '' : ` (pid ${pid})`}: look with kbtop attach ${path}, or choose another place with --socket PATH`);
    await clear(name, join(hidden, 'old'), old);
  }
  throw new SessionError('failed', `cannot listen on ${path}: others take the name again and again; choose another place with --socket PATH`);
}

/** Take away the socket of a dead server, and nothing that came in its place meanwhile. */
async function clear(name: string, aside: string, judged: Inode): Promise<void> {
  try {
    await rename(name, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  const moved = await inodeOf(aside);
  if (moved !== null && !sameFile(moved, judged)) await link(aside, name).catch(() => {});
  await rm(aside, { force: true });
}
