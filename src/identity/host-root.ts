/** Where the host's / is: kbtop runs on the host itself, in a pod with the host's / mounted, or in a pod with hostPID. */
import { type BigIntStats, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The first pid namespace, whose inode number is fixed in the kernel (PROC_PID_INIT_INO). */
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';

export interface HostRootOptions {
  /** --host-root; null: look for it. */
  readonly given: string | null;
  /** Places to look at, for tests. */
  readonly own?: string;
  readonly mounted?: string;
  readonly init?: string;
  readonly pidNamespace?: string;
}

export interface HostRoot {
  /** Absolute directory, no slash at its end but for '/'. */
  readonly root: string;
  /** Why this one, in a few words. */
  readonly reason: string;
}

function stat(path: string): BigIntStats | null {
  try {
    return statSync(path, { bigint: true });
  } catch {
    return null;
  }
}

function isFilled(directory: string): boolean {
  try {
    return readdirSync(directory).length > 0;
  } catch {
    // A directory that may not be listed is no empty mount point.
    return stat(directory)?.isDirectory() === true;
  }
}

function readable(directory: string): boolean {
  try {
    readdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

/** Two of the directories that every host fills, one of them where runtimes or the kubelet write: pods often mount no more. */
function looksLikeHost(root: string): boolean {
  const [run, log, proc, etc] = ['run', 'var/log', 'proc', 'etc'].map((name) => isFilled(join(root, name)));
  return (run === true || log === true) && [run, log, proc, etc].filter(Boolean).length >= 2;
}

const sameDirectory = (a: BigIntStats, b: BigIntStats): boolean => a.dev === b.dev && a.ino === b.ino;

function given(path: string): HostRoot {
  const found = stat(path);
  if (found === null) throw new Error(`--host-root ${path}: no such directory; name the directory at which the host's / is mounted`);
  if (!found.isDirectory()) throw new Error(`--host-root ${path}: not a directory; name the directory at which the host's / is mounted`);
  return { root: join('/', path.startsWith('/') ? path : join(process.cwd(), path)).replace(/(.)\/+$/, '$1'), reason: 'as --host-root says' };
}

/** @throws Error, one line, when --host-root names no directory */
export function findHostRoot(options: HostRootOptions): HostRoot {
  const { own = '/', mounted = '/host', init = '/proc/1/root', pidNamespace = '/proc/self/ns/pid' } = options;
  if (options.given !== null) return given(options.given);
  const hostPid = linkOf(pidNamespace) === INITIAL_PID_NAMESPACE;
  // Without the slash, this would be the link itself. Null without root's privileges.
  const [ours, inits] = [stat(own), hostPid ? stat(`${init}/`) : null];
  if (ours !== null && inits !== null && sameDirectory(ours, inits)) return { root: own, reason: 'it is the root of process 1 of the host' };
  if (looksLikeHost(mounted)) return { root: mounted, reason: `the host's files are mounted at ${mounted}` };
  if (ours !== null && inits !== null && readable(`${init}/`)) return { root: init, reason: 'the root of process 1, since this is a container in the pid namespace of the host' };
  return { root: own, reason: hostPid ? 'no other root is to be seen' : `no host is mounted at ${mounted}, and this is not its pid namespace` };
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
