/** Which cgroups there are and who they are, for the injector: Identity, and the directories of cgroup v2. */
import { readdirSync, statSync } from 'node:fs';
import { posix } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Addon } from '../../bpf/addon.ts';
import type { NodeInfo } from '../../frame/frame.ts';
import type { Identity } from '../../identity/identity.ts';
import { type CgroupKey, cgroupKey, hierarchyOf } from '../../identity/key.ts';
import type { ScopeCgroup } from '../engine/engine.ts';
import type { OwnFacts, TargetTask } from '../refused-targets.ts';
import { ownPids, tasksIn } from './processes.ts';
import type { Place } from './targets.ts';

/** What the injector asks about the node's cgroups. */
export interface Who {
  readonly cgroupMode: NodeInfo['cgroupMode'];
  /** Resolves when names are there, or will not come soon. Never rejects. */
  ready(): Promise<void>;
  /** Every cgroup that is there. @throws BpfError */
  all(): readonly Place[];
  /** Those below the directories of these, and all that hold tasks: enough to see how a target goes on. @throws BpfError */
  below(keys: readonly CgroupKey[]): readonly Place[];
  tasks(key: CgroupKey): readonly TargetTask[];
  scope(key: CgroupKey): ScopeCgroup;
  own(): OwnFacts;
  /** Why some containers have no names; null when all have. */
  unnamed(places: readonly Place[]): string | null;
  close(): void;
}

/** Longest wait for names. */
const NAMES_MS = 3000;
/** A node has some thousand. */
const MAX_DIRECTORIES = 100_000;

interface Found {
  readonly directory: string;
  readonly path: string;
}

function inode(directory: string): bigint | null {
  try {
    return statSync(directory, { bigint: true }).ino;
  } catch {
    return null;
  }
}

function childrenOf({ directory, path }: Found): Found[] {
  try {
    return readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => ({ directory: posix.join(directory, name), path: posix.join(path, name) }));
  } catch {
    return []; // removed meanwhile
  }
}

export class IdentityWho implements Who {
  readonly #identity: Identity;
  #named: Promise<void> | null = null;

  private constructor(identity: Identity) {
    this.#identity = identity;
  }

  /** @throws BpfError, Error: without knowing who is who nothing is armed */
  static async open(identity: Identity, addon: Addon): Promise<IdentityWho> {
    try {
      await identity.start(addon);
      return new IdentityWho(identity);
    } catch (error) {
      identity.close();
      throw error;
    }
  }

  get cgroupMode(): NodeInfo['cgroupMode'] {
    return this.#identity.hierarchies.mode;
  }

  ready(): Promise<void> {
    this.#named ??= Promise.race([this.#identity.startSources(true), sleep(NAMES_MS, undefined, { ref: false })]).then(() => {});
    return this.#named;
  }

  all(): readonly Place[] {
    const mount = this.#identity.hierarchies.mounts(0)[0];
    return this.#places(mount === undefined ? [] : [{ directory: mount.mountPoint, path: posix.join('/', this.#identity.namespaceRoot(0), mount.root) }]);
  }

  below(keys: readonly CgroupKey[]): readonly Place[] {
    const roots = keys.flatMap((key): Found[] => {
      const path = this.#identity.path(key);
      const directory = path === null || hierarchyOf(key) !== 0 ? null : this.#identity.directory(key);
      return path === null || directory === null ? [] : [{ directory, path }];
    });
    return this.#places(roots);
  }

  #places(roots: readonly Found[]): Place[] {
    this.#identity.walk();
    const keys = new Set<CgroupKey>();
    const open = [...roots];
    for (let found = open.pop(); found && keys.size < MAX_DIRECTORIES; found = open.pop()) {
      const id = inode(found.directory);
      if (id === null) continue;
      const key = cgroupKey(0, id);
      this.#identity.found(key, found.path);
      if (keys.has(key)) continue;
      keys.add(key);
      open.push(...childrenOf(found));
    }
    for (const { key, tasks } of this.#identity.uses.values()) if (tasks > 0 && !this.#identity.removed(key)) keys.add(key);
    return [...keys].map((key) => ({ key, info: this.#identity.info(key) }));
  }

  tasks(key: CgroupKey): readonly TargetTask[] {
    const directory = this.#identity.directory(key);
    return directory === null ? [] : tasksIn(directory);
  }

  scope(key: CgroupKey): ScopeCgroup {
    return { key, directory: hierarchyOf(key) === 0 ? this.#identity.directory(key) : null };
  }

  own(): OwnFacts {
    const shown = this.#identity.hierarchies.ownPath(0);
    const directory = shown === null ? null : this.#identity.hierarchies.directory(0, shown);
    const id = directory === null ? null : inode(directory);
    return { pids: ownPids(), cgroup: (id === null ? null : this.#identity.path(cgroupKey(0, id))) ?? shown };
  }

  unnamed(places: readonly Place[]): string | null {
    return places.find(({ info }) => info.unresolved !== null && (info.podUid !== null || info.containerId !== null))?.info.unresolved ?? null;
  }

  close(): void {
    this.#identity.close();
  }
}
