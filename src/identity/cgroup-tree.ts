/**
 * Cgroup key -> path from the root of its hierarchy, for every cgroup seen in this run. The dead stay, since a row
 * may refer to a container long after its end; only of very many the oldest go.
 */
import { type CgroupKey, hierarchyOf } from './key.ts';

export type PathChange = 'seen' | 'mkdir' | 'rmdir' | 'rename';

export interface PathRecord {
  readonly change: PathChange;
  readonly key: CgroupKey;
  /** Null with rmdir. */
  readonly path: string | null;
}

/** Removed cgroups that are remembered: days of a busy node, some megabytes. */
const MAX_REMOVED = 20_000;

export class CgroupTree {
  readonly #paths = new Map<CgroupKey, string>();
  /** In the order of their removal. */
  readonly #removed = new Set<CgroupKey>();
  readonly #forgot: (key: CgroupKey) => void;
  readonly #maxRemoved: number;

  /** @param forgot told of each key that is forgotten */
  constructor(forgot: (key: CgroupKey) => void = () => {}, maxRemoved = MAX_REMOVED) {
    this.#forgot = forgot;
    this.#maxRemoved = maxRemoved;
  }

  /** Raised with every path learned or changed. */
  changes = 0;

  apply(record: PathRecord): void {
    if (record.change === 'rmdir') {
      this.#bury(record.key);
      return;
    }
    if (record.path === null) return;
    const old = this.#paths.get(record.key);
    if (old === record.path) return;
    this.#paths.set(record.key, record.path);
    this.changes++;
    if (record.change === 'rename' && old !== undefined) this.#move(hierarchyOf(record.key), `${old}/`, `${record.path}/`);
  }

  #bury(key: CgroupKey): void {
    this.#removed.add(key);
    if (this.#removed.size <= this.#maxRemoved) return;
    const [oldest] = this.#removed;
    if (oldest === undefined) return;
    this.#removed.delete(oldest);
    this.#paths.delete(oldest);
    this.#forgot(oldest);
  }

  /** v1 directories can be renamed, and everything below moves along. */
  #move(hierarchy: number, from: string, to: string): void {
    for (const [key, path] of this.#paths) {
      if (path.startsWith(from) && hierarchyOf(key) === hierarchy) this.#paths.set(key, to + path.slice(from.length));
    }
  }

  path(key: CgroupKey): string | undefined {
    return this.#paths.get(key);
  }

  /** The kernel said that its directory is gone. */
  removed(key: CgroupKey): boolean {
    return this.#removed.has(key);
  }

  get size(): number {
    return this.#paths.size;
  }
}
