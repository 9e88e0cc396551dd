/** A pod's cgroup in every hierarchy of this machine: the container runtime makes one in each. */
import { readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseMountinfo } from '../../src/identity/hierarchies.ts';

/** Where the hierarchies are mounted; one mounted twice is told once. */
function mountPoints(): string[] {
  const mounts = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8')).filter((mount) => mount.root === '/');
  return [...new Map(mounts.map((mount) => [mount.controllers?.join() ?? '', mount.mountPoint])).values()];
}

/** This directory and all below it, deepest first; none when it is gone. */
function tree(directory: string): string[] {
  let names: string[];
  try {
    names = readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
  return [...names.flatMap((name) => tree(posix.join(directory, name))), directory];
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return ''; // removed meanwhile
  }
}

/** Directories of a cgroup path, and of all below it, in every hierarchy; deepest first. */
export const cgroupDirectories = (path: string): string[] => mountPoints().flatMap((mount) => tree(posix.join(mount, path)));

/** Processes in a cgroup and below it, in whichever hierarchy. */
export function pidsBelow(path: string): number[] {
  const pids = cgroupDirectories(path).flatMap((directory) => read(posix.join(directory, 'cgroup.procs')).trim().split('\n').filter(Boolean).map(Number));
  // 0: of another pid namespace, not ours to see.
  return [...new Set(pids)].filter((pid) => pid > 0);
}

function remove(directory: string): boolean {
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT';
  }
}

/** Remove a cgroup without processes, all below it, and every parent that is left empty. @throws Error when it cannot be removed within two seconds */
export async function removeCgroup(path: string): Promise<void> {
  const deadline = performance.now() + 2_000;
  // The last process may not have been reaped yet.
  for (let left = cgroupDirectories(path); left.length > 0; left = cgroupDirectories(path)) {
    left.forEach(remove);
    if (performance.now() > deadline) throw new Error(`cannot remove the cgroup ${path}: ${left.join(', ')}`);
    if (cgroupDirectories(path).length > 0) await sleep(5);
  }
  for (let parent = posix.dirname(path); parent !== '/'; parent = posix.dirname(parent)) {
    for (const mount of mountPoints()) remove(posix.join(mount, parent));
  }
}
