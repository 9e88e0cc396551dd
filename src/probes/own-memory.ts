/**
 * Memory of each cgroup's own tasks. The kernel's charge of a memory cgroup includes all those below it, and several
 * rows may share one: who gets which charge, less which others, is planned once and holds until the topology changes.
 */
import type { CgroupUse } from '../identity/kernel.ts';
import type { CgroupKey } from '../identity/key.ts';

export interface MemoryShare {
  readonly use: CgroupUse;
  /** Rows next below, whose charges are taken off. */
  readonly below: CgroupUse[];
}

/** The nearest directory above `path` that is in the map. */
function nearestAbove<T>(path: string, shares: ReadonlyMap<string, T>): T | undefined {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const above = shares.get(path.slice(0, end));
    if (above !== undefined) return above;
  }
  return undefined;
}

/**
 * One share per memory cgroup that has an owner: the only row charged to it, or the row that is it. Rows that share
 * one which is none of theirs have no memory to be told.
 * @param pathOf path of a memory cgroup in its hierarchy
 */
export function planMemory(uses: Iterable<CgroupUse>, pathOf: (key: CgroupKey) => string | null): Map<CgroupKey, MemoryShare> {
  const sharersOf = new Map<CgroupKey, CgroupUse[]>();
  for (const use of uses) {
    if (use.memoryKey === null || use.memoryBytes === null) continue;
    const sharers = sharersOf.get(use.memoryKey);
    if (sharers) sharers.push(use);
    else sharersOf.set(use.memoryKey, [use]);
  }
  const shares = new Map<CgroupKey, MemoryShare>();
  const byPath = new Map<string, { share: MemoryShare | null; any: CgroupUse }>();
  for (const [memoryKey, sharers] of sharersOf) {
    const [any] = sharers;
    if (!any) continue;
    const owner = sharers.length === 1 ? any : sharers.find((use) => use.key === memoryKey);
    const share = owner ? { use: owner, below: [] } : null;
    if (share) shares.set(share.use.key, share);
    const path = pathOf(memoryKey);
    if (path !== null) byPath.set(path, { share, any });
  }
  for (const [path, { any }] of byPath) nearestAbove(path, byPath)?.share?.below.push(any);
  return shares;
}

/** A share's bytes, now. */
export function memoryOf({ use, below }: MemoryShare): number | null {
  if (use.memoryBytes === null) return null;
  let bytes = use.memoryBytes;
  for (const other of below) bytes -= other.memoryBytes ?? 0;
  return Math.max(0, bytes);
}
