/**
 * Last resort for a cgroup that no event and no walk of the tasks named: look for its inode below the mounted
 * hierarchies, a few milliseconds at a time, and less and less often.
 */
import { readdirSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PathRecord } from './cgroup-tree.ts';
import type { Hierarchies } from './hierarchies.ts';
import { type CgroupKey, cgroupKey, hierarchyOf } from './key.ts';

/** Longest stretch of one look, milliseconds. */
const SLICE_MS = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

interface Place {
  readonly directory: string;
  readonly path: string;
}

function below(place: Place): Place[] {
  try {
    return readdirSync(place.directory, { withFileTypes: true }).filter((entry) => entry.isDirectory())
      .map((entry) => ({ directory: posix.join(place.directory, entry.name), path: posix.join(place.path, entry.name) }));
  } catch {
    return []; // removed while we looked
  }
}

function inode(directory: string): bigint | null {
  try {
    return statSync(directory, { bigint: true }).ino;
  } catch {
    return null;
  }
}

export class CgroupSearch {
  readonly #hierarchies: Hierarchies;
  readonly #found: (record: PathRecord) => void;
  readonly #namespaceRoot: (hierarchy: number) => string;
  #pauseMs = FIRST_PAUSE_MS;
  #notBefore = 0;
  #running: Promise<void> | null = null;
  #closed = false;

  constructor(hierarchies: Hierarchies, namespaceRoot: (hierarchy: number) => string, found: (record: PathRecord) => void) {
    this.#hierarchies = hierarchies;
    this.#namespaceRoot = namespaceRoot;
    this.#found = found;
  }

  /** Start a look for these keys, unless one is under way or the last was too short ago. Returns at once. */
  want(keys: ReadonlySet<CgroupKey>): void {
    if (keys.size === 0 || this.#running || this.#closed || performance.now() < this.#notBefore) return;
    this.#running = this.#look(new Set(keys)).finally(() => {
      this.#running = null;
      this.#notBefore = performance.now() + this.#pauseMs;
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
    });
  }

  /** The look under way, for tests. */
  get idle(): Promise<void> {
    return this.#running ?? Promise.resolve();
  }

  async #look(keys: Set<CgroupKey>): Promise<void> {
    for (const hierarchy of new Set([...keys].map(hierarchyOf))) {
      const mount = this.#hierarchies.mounts(hierarchy)[0];
      if (!mount) continue;
      const open: Place[] = [{ directory: mount.mountPoint, path: posix.join('/', this.#namespaceRoot(hierarchy), mount.root) }];
      let sliceEnds = performance.now() + SLICE_MS;
      for (let place = open.pop(); place && keys.size > 0; place = open.pop()) {
        const id = inode(place.directory);
        if (id !== null) {
          const key = cgroupKey(hierarchy, id);
          this.#found({ change: 'seen', key, path: place.path });
          keys.delete(key);
        }
        open.push(...below(place));
        if (performance.now() > sliceEnds) {
          await nextTurn();
          if (this.#closed) return;
          sliceEnds = performance.now() + SLICE_MS;
        }
      }
    }
  }

  close(): void {
    this.#closed = true;
  }
}
