/**
 * Identity as the rest of the house sees it: who a cgroup key is, what its tasks use, where its files lie. Puts
 * together the kernel's events and walks, the tree of paths, the search and the registry of names.
 */
import { readlinkSync, statSync } from 'node:fs';
import type { Addon, BpfObject, ProgramResult } from '../bpf/addon.ts';
import type { ContainerInfo } from '../frame/frame.ts';
import { CgroupTree, type PathRecord } from './cgroup-tree.ts';
import { Hierarchies, namespaceRoot } from './hierarchies.ts';
import { CgroupKernel, type CgroupUse, type ProcessUse } from './kernel.ts';
import { type CgroupKey, cgroupIdOf, cgroupKey, hierarchyOf } from './key.ts';
import { Registry } from './registry.ts';
import { CgroupSearch } from './search.ts';
import type { NameSource } from './source.ts';

/** The first cgroup and pid namespaces, whose inode numbers are fixed in the kernel (PROC_CGROUP_INIT_INO, PROC_PID_INIT_INO). */
const INITIAL_CGROUP_NAMESPACE = 'cgroup:[4026531835]';
const INITIAL_PID_NAMESPACE = 'pid:[4026531836]';
/** How long a directory that was not found is not looked for again, milliseconds. */
const MISSING_MS = 30_000;

export interface IdentityOptions {
  readonly hierarchies?: Hierarchies;
  /** Where names come from besides the cgroup path, best first. */
  readonly sources?: readonly NameSource[];
  readonly debug?: (text: string) => void;
}

export class Identity {
  readonly hierarchies: Hierarchies;
  readonly #kernel = new CgroupKernel();
  readonly #tree = new CgroupTree((key) => {
    this.#registry.forget(key);
    this.#directories.delete(key);
  });
  readonly #registry: Registry;
  readonly #search: CgroupSearch;
  readonly #sources: readonly NameSource[];
  readonly #debug: (text: string) => void;
  readonly #directories = new Map<CgroupKey, { path: string | null; until: number }>();
  readonly #namespaceRoots = new Map<number, string>();
  readonly #apply = (record: PathRecord): void => {
    this.#tree.apply(record);
    if (record.path !== null) this.#registry.notice(record.path);
  };
  readonly #removed = (key: CgroupKey): boolean => this.#tree.removed(key);
  /** Counted since the last call of takeEvents(). */
  #events = 0;
  readonly #blind = ownNamespace('pid') === INITIAL_PID_NAMESPACE ? null : 'only tasks of this pid namespace are seen: run on the host, or in a pod with hostPID';
  #started: Promise<void> | null = null;
  #early: Promise<void> | null = null;
  #late: Promise<void> | null = null;

  constructor(options: IdentityOptions = {}) {
    this.hierarchies = options.hierarchies ?? Hierarchies.read();
    this.#debug = options.debug ?? (() => {});
    this.#sources = options.sources ?? [];
    this.#registry = new Registry(this.#sources);
    this.#search = new CgroupSearch(this.hierarchies, (hierarchy) => this.#namespaceRoot(hierarchy), this.#apply);
  }

  /**
   * Load the programs and walk the tasks once: cgroups with tasks are known from here on. Without it, paths still
   * come from the mounted file systems. Called again, it waits for the first call. @throws BpfError or Error, one line
   */
  start(addon: Addon): Promise<void> {
    this.#started ??= this.#start(addon);
    return this.#started;
  }

  async #start(addon: Addon): Promise<void> {
    await this.#kernel.start(addon, { v1Fallback: this.hierarchies.v1Fallback, hierarchies: this.hierarchies.wanted, debug: this.#debug });
    this.walk();
  }

  /**
   * Begin to ask for names; resolves when every source has answered or is known to stay silent. Called again, it waits
   * for the first call. @param late also those that take long to load
   */
  startSources(late: boolean): Promise<void> {
    const begin = (these: readonly NameSource[]): Promise<void> => Promise.all(these.map((source) => source.start())).then(() => {});
    this.#early ??= begin(this.#sources.filter((source) => !source.late));
    if (!late) return this.#early;
    this.#late ??= begin(this.#sources.filter((source) => source.late));
    return Promise.all([this.#early, this.#late]).then(() => {});
  }

  /** Some cgroup of this node was a pod's. */
  get podsSeen(): boolean {
    return this.#registry.podsSeen;
  }

  /** How the sources fare, best first. */
  get sources(): readonly Pick<NameSource, 'id' | 'state'>[] {
    return this.#sources;
  }

  /** The BPF object, for its cost and losses; null before start and after close. */
  get object(): BpfObject | null {
    return this.#kernel.object;
  }

  get results(): readonly ProgramResult[] {
    return this.#kernel.results;
  }

  /** Why tasks, or the names of short-lived containers, may be missing; null when none are. */
  get degraded(): string | null {
    return [this.#blind, this.#kernel.degraded].filter((reason) => reason !== null).join('; ') || null;
  }

  /** Take in what happened to cgroups; cheap. @throws BpfError */
  drain(): void {
    this.#events += this.#kernel.drain(this.#apply);
  }

  /** Events taken in since the last call. */
  takeEvents(): number {
    const count = this.#events;
    this.#events = 0;
    return count;
  }

  /** Take in events, visit every task and renew `uses`. @throws BpfError */
  walk(): void {
    this.drain();
    this.#kernel.walk(this.#apply, this.#removed);
  }

  /** Have the walks tell processes, too, or not. */
  watchProcesses(wanted: boolean): void {
    this.#kernel.watchProcesses(wanted);
  }

  /** Processes that ran, and what they used, since the last call. */
  takeProcesses(): Iterable<ProcessUse> {
    return this.#kernel.takeProcesses();
  }

  /** What each cgroup's tasks use, as of the last walk. */
  get uses(): ReadonlyMap<CgroupKey, CgroupUse> {
    return this.#kernel.uses;
  }

  /** Another number when `uses` has other members, other members with tasks, other memory cgroups or other paths. */
  get topology(): number {
    return this.#kernel.topology + this.#tree.changes;
  }

  /** Path of a cgroup in its hierarchy; null when it is not known. */
  path(key: CgroupKey): string | null {
    return this.#tree.path(key) ?? null;
  }

  /** Somebody found a cgroup's directory: its path is known from here on. */
  found(key: CgroupKey, path: string): void {
    this.#apply({ change: 'seen', key, path });
  }

  /** The absolute directory with a cgroup's files; null when none is to be seen. */
  directory(key: CgroupKey): string | null {
    return this.#directory(key);
  }

  /** Path of this process's cgroup namespace's root in a hierarchy, as the kernel names it. */
  namespaceRoot(hierarchy: number): string {
    return this.#namespaceRoot(hierarchy);
  }

  /** Its directory is gone; rows may still refer to it. */
  removed(key: CgroupKey): boolean {
    return this.#tree.removed(key);
  }

  /** Learn what can be learned about these keys before they are asked for with info(). @throws BpfError */
  resolve(keys: Iterable<CgroupKey>): void {
    this.drain();
    const missing = [...keys].filter((key) => this.#tree.path(key) === undefined || !this.#kernel.uses.has(key));
    if (missing.length === 0) return;
    this.walk();
    this.#search.want(new Set(missing.filter((key) => this.#tree.path(key) === undefined)));
  }

  /** Who a cgroup is, as far as known by now. Never throws. */
  info(key: CgroupKey): ContainerInfo {
    const use = this.#kernel.uses.get(key);
    return this.#registry.info(key, { path: this.path(key), pidNs: use?.pidNs ?? null, nodename: use?.nodename ?? null });
  }

  /**
   * Containers that earlier answers of info() named, and about which something was learned since: names that came late.
   * Each is told once.
   */
  learned(): Map<CgroupKey, ContainerInfo> {
    const changed = new Map<CgroupKey, ContainerInfo>();
    for (const key of this.#registry.stale) {
      const before = this.#registry.known(key);
      const info = this.info(key);
      if (info !== before) changed.set(key, info);
    }
    return changed;
  }

  /** The absolute directory whose cpu.stat tells how a container's CPU quota holds it back; null when there is none to be seen. */
  cpuDirectory(key: CgroupKey): string | null {
    const cpuKey = this.#kernel.uses.get(key)?.cpuKey ?? null;
    return cpuKey === null ? null : this.#directory(cpuKey);
  }

  #directory(key: CgroupKey): string | null {
    const cached = this.#directories.get(key);
    if (cached && performance.now() < cached.until) return cached.path;
    const path = this.#tree.path(key);
    const hierarchy = hierarchyOf(key);
    const directory = path === undefined ? null : this.hierarchies.directory(hierarchy, path, this.#namespaceRoot(hierarchy));
    // A bind mount or namespace may show another tree under the same path: only the inode proves it.
    const found = directory !== null && inode(directory) === cgroupIdOf(key) ? directory : null;
    this.#directories.set(key, { path: found, until: found === null ? performance.now() + MISSING_MS : Number.POSITIVE_INFINITY });
    return found;
  }

  /** The root of this process's cgroup namespace, as the kernel names it. */
  #namespaceRoot(hierarchy: number): string {
    const known = this.#namespaceRoots.get(hierarchy);
    if (known !== undefined) return known;
    const root = this.#findNamespaceRoot(hierarchy);
    if (root !== null) this.#namespaceRoots.set(hierarchy, root);
    return root ?? '/';
  }

  #findNamespaceRoot(hierarchy: number): string | null {
    if ((ownNamespace('cgroup') ?? INITIAL_CGROUP_NAMESPACE) === INITIAL_CGROUP_NAMESPACE) return '/';
    const shown = this.hierarchies.ownPath(hierarchy);
    const directory = shown === null ? null : this.hierarchies.directory(hierarchy, shown);
    const id = directory === null ? null : inode(directory);
    const real = id === null ? undefined : this.#tree.path(cgroupKey(hierarchy, BigInt(id)));
    return real === undefined || shown === null ? null : namespaceRoot(real, shown);
  }

  close(): void {
    this.#search.close();
    this.#registry.close();
    this.#kernel.close();
  }
}

/** Null on a kernel without such namespaces. */
function ownNamespace(kind: 'cgroup' | 'pid'): string | null {
  try {
    return readlinkSync(`/proc/self/ns/${kind}`);
  } catch {
    return null;
  }
}

function inode(directory: string): string | null {
  try {
    return statSync(directory, { bigint: true }).ino.toString();
  } catch {
    return null;
  }
}
