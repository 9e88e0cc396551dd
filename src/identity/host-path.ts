/**
 * Paths of the host, seen from elsewhere: below another root, an absolute symbolic link means that root's /, not ours.
 * They are followed here one by one, as chroot would have the kernel do.
 */
import { readlinkSync } from 'node:fs';
import { posix } from 'node:path';

/** As many as the kernel follows (MAXSYMLINKS). */
const MAX_LINKS = 40;

/** What a symbolic link holds; null when something else is at this path, undefined when nothing is. */
export type ReadLink = (path: string) => Promise<string | null | undefined>;

export class HostPath {
  readonly root: string;

  /** @param root absolute directory that stands for the host's / */
  constructor(root: string) {
    this.root = posix.resolve('/', root);
  }

  /** Where a path of the host stands, links not followed. Never outside the root: what is above / is /. */
  join(path: string): string {
    return posix.resolve(this.root, `.${posix.resolve('/', path)}`);
  }

  /** Where a path of the host leads, all links in it followed; null when they go in circles. What is missing stays as it is. */
  async resolve(path: string, readLink: ReadLink): Promise<string | null> {
    const way = this.#follow(path);
    let step = way.next();
    while (!step.done) step = way.next(await readLink(step.value));
    return step.value;
  }

  /** The same at once, for the few paths that are looked up before anything else goes on. Never throws. */
  resolveNow(path: string): string | null {
    const way = this.#follow(path);
    let step = way.next();
    while (!step.done) step = way.next(linkAt(step.value));
    return step.value;
  }

  /** Yields each place at which a link may be, and is told what it holds. */
  *#follow(path: string): Generator<string, string | null, string | null | undefined> {
    // The kernel does it best where the root is ours.
    if (this.root === '/') return posix.resolve('/', path);
    const open = path.split('/');
    let done = '/';
    let links = 0;
    for (let part = open.shift(); part !== undefined; part = open.shift()) {
      if (part === '' || part === '.') continue;
      const next = part === '..' ? posix.dirname(done) : posix.join(done, part);
      const target = part === '..' ? null : yield this.join(next);
      // Nothing is below what is not there.
      if (target === undefined) return this.join(posix.join(next, ...open));
      if (target === null) {
        done = next;
        continue;
      }
      links += 1;
      if (links > MAX_LINKS) return null;
      if (target.startsWith('/')) done = '/';
      open.unshift(...target.split('/'));
    }
    return this.join(done);
  }
}

function linkAt(path: string): string | null | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? undefined : null;
  }
}
