/** Paths of the host, seen from where its root is mounted. */
import { readlinkSync } from 'node:fs';
import { posix } from 'node:path';

/** As many as the kernel follows. */
const MOST_LINKS = 40;

function linkAt(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null; // no link, or not there: whoever opens the path says so
  }
}

/**
 * Where a path of the host lies below its root. Links are followed as on the host: /var/run, which points to /run on
 * most nodes, would otherwise lead back into the pod that kbtop runs in. Never leaves the root; never throws.
 */
export function underHostRoot(hostRoot: string, path: string): string {
  if (posix.resolve('/', hostRoot) === '/') return posix.resolve('/', path);
  const waiting = path.split('/').reverse();
  let [at, links] = ['/', 0];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    const next = posix.resolve(at, part);
    const target = next === at || part === '..' ? null : linkAt(posix.join(hostRoot, next));
    if (target === null || ++links > MOST_LINKS) {
      at = next;
    } else {
      if (target.startsWith('/')) at = '/';
      waiting.push(...target.split('/').reverse());
    }
  }
  return posix.join(hostRoot, at);
}
