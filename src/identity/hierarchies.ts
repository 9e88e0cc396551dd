/**
 * Which cgroup hierarchies this host has, where they are mounted, and where a cgroup's files lie. Reads
 * /proc/self/{mountinfo,cgroup} once; everything else is pure.
 */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { NodeInfo } from '../frame/frame.ts';

export interface CgroupMount {
  readonly mountPoint: string;
  /** Directory of the hierarchy that is mounted, as this process's cgroup namespace names it. */
  readonly root: string;
  /** Controllers (and name=...) of a v1 hierarchy; null for cgroup v2. */
  readonly controllers: readonly string[] | null;
}

/** One line of /proc/PID/cgroup. */
export interface CgroupLine {
  readonly hierarchy: number;
  readonly controllers: readonly string[];
  readonly path: string;
}

/** mountinfo writes space, tab, newline and backslash as octal. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/** The cgroup mounts of a /proc/PID/mountinfo. */
export function parseMountinfo(text: string): CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of text.split('\n')) {
    const [before, after] = line.split(' - ');
    const fields = before?.split(' ') ?? [];
    const [type, , options] = after?.split(' ') ?? [];
    const [root, mountPoint] = [fields[3], fields[4]];
    if (root === undefined || mountPoint === undefined) continue;
    if (type === 'cgroup2') mounts.push({ mountPoint: unescapeOctal(mountPoint), root: unescapeOctal(root), controllers: null });
    if (type === 'cgroup') {
      // Mount options stand beside the controllers; a hierarchy is recognised by the names that it has among them.
      mounts.push({ mountPoint: unescapeOctal(mountPoint), root: unescapeOctal(root), controllers: (options ?? '').split(',') });
    }
  }
  return mounts;
}

/** A /proc/PID/cgroup. Paths may hold colons: only the first two of a line separate. */
export function parseProcCgroup(text: string): CgroupLine[] {
  const lines: CgroupLine[] = [];
  for (const line of text.split('\n')) {
    const match = /^(\d+):([^:]*):(.*)$/.exec(line);
    if (match) lines.push({ hierarchy: Number(match[1]), controllers: (match[2] ?? '').split(',').filter(Boolean), path: match[3] ?? '' });
  }
  return lines;
}

/** Controllers whose v1 cgroup stands in for the v2 one, in the order of bpf/cgroup.h. */
const FALLBACK = ['memory', 'pids', 'cpu'];

export class Hierarchies {
  readonly mode: NodeInfo['cgroupMode'];
  /** Some v1 hierarchy may hold tasks that are in the v2 root: value for the BPF variable cgroup_v1_fallback. */
  readonly v1Fallback: boolean;
  /** Hierarchy ids that a key, or a file that a probe reads, can belong to. */
  readonly wanted: readonly number[];
  readonly #mounts = new Map<number, CgroupMount[]>();
  readonly #lines: readonly CgroupLine[];

  constructor(mounts: readonly CgroupMount[], lines: readonly CgroupLine[]) {
    this.#lines = lines;
    const v1 = lines.filter((line) => line.hierarchy !== 0 && line.controllers.some((name) => !name.startsWith('name=')));
    const v2 = lines.some((line) => line.hierarchy === 0) || mounts.some((mount) => mount.controllers === null);
    this.mode = v1.length === 0 ? 'v2' : v2 ? 'hybrid' : 'v1';
    const fallback = v1.filter((line) => line.controllers.some((name) => FALLBACK.includes(name)));
    this.v1Fallback = fallback.length > 0;
    this.wanted = [0, ...fallback.map((line) => line.hierarchy)];
    for (const mount of mounts) {
      const hierarchy = mount.controllers === null ? 0
        : lines.find((line) => line.hierarchy !== 0 && line.controllers.every((name) => mount.controllers?.includes(name)))?.hierarchy;
      if (hierarchy !== undefined) this.#mounts.set(hierarchy, [...(this.#mounts.get(hierarchy) ?? []), mount]);
    }
  }

  /** @param procSelf directory to read, for tests @throws Error when /proc is not mounted */
  static read(procSelf = '/proc/self'): Hierarchies {
    return new Hierarchies(
      parseMountinfo(readFileSync(posix.join(procSelf, 'mountinfo'), 'utf8')),
      parseProcCgroup(readFileSync(posix.join(procSelf, 'cgroup'), 'utf8')),
    );
  }

  /** This process's own cgroup in a hierarchy, as its cgroup namespace names it. */
  ownPath(hierarchy: number): string | null {
    return this.#lines.find((line) => line.hierarchy === hierarchy)?.path ?? null;
  }

  /** Mounts of a hierarchy. */
  mounts(hierarchy: number): readonly CgroupMount[] {
    return this.#mounts.get(hierarchy) ?? [];
  }

  /**
   * Where a cgroup's files lie, or null when no mount shows it.
   * @param path from the hierarchy's real root, as the kernel knows it
   * @param namespaceRoot real path of this process's cgroup namespace root ('/' on the host)
   */
  directory(hierarchy: number, path: string, namespaceRoot = '/'): string | null {
    for (const mount of this.mounts(hierarchy)) {
      const root = posix.join('/', namespaceRoot, mount.root);
      const below = posix.relative(root, path);
      if (below !== '..' && !below.startsWith('../')) return posix.join(mount.mountPoint, below);
    }
    return null;
  }
}

/** Real path of the cgroup namespace's root: what this process's own real path has more than the one it is shown. */
export function namespaceRoot(realPath: string, shownPath: string): string {
  const shown = shownPath === '/' ? '' : shownPath;
  return realPath.endsWith(shown) ? realPath.slice(0, realPath.length - shown.length) || '/' : '/';
}
