/**
 * Where a test's container runtime lives: one temporary directory that holds all of it. `host` in it looks like a
 * host's root directory; inside the runtime's mount namespace its parts lie over the real ones.
 */
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Directories below `host` that stand for the real ones inside the mount namespace. */
export const COVERED = ['run', 'var/lib', 'var/log'] as const;

export interface Place {
  readonly directory: string;
  readonly hostRoot: string;
  /** Lists the cgroup of every pod, one path a line: what has to go when all else is forgotten. */
  readonly cgroups: string;
}

export function placeIn(directory: string): Place {
  return { directory, hostRoot: join(directory, 'host'), cgroups: join(directory, 'cgroups') };
}

export function makePlace(): Place {
  // Short: a Unix socket's path has to fit into 107 bytes.
  const place = placeIn(mkdtempSync(join(tmpdir(), 'kbtop-cri-')));
  for (const path of [...COVERED, 'run/containerd', 'var/lib/containerd', 'var/log/pods', 'var/log/containers', 'etc/cni/net.d', 'opt/cni/bin']) {
    mkdirSync(join(place.hostRoot, path), { recursive: true, mode: 0o755 });
  }
  return place;
}

/** Note a pod's cgroup before anything is made in it. */
export const noteCgroup = (place: Place, path: string): void => appendFileSync(place.cgroups, `${path}\n`);

export function notedCgroups(place: Place): string[] {
  try {
    return readFileSync(place.cgroups, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
