/** Cgroup key -> ContainerInfo: asks the sources in order, keeps every answer for the whole run, says why a name is missing. */
import type { ContainerInfo } from '../frame/frame.ts';
import { parseCgroupPath, type PathIdentity } from './cgroup-path.ts';
import { type CgroupKey, cgroupIdOf } from './key.ts';
import { type Names, type NameSource, PATH_SOURCE } from './source.ts';

/** What the kernel tells about a cgroup. */
export interface Facts {
  /** Null: not known, maybe gone before it could be read. */
  readonly path: string | null;
  readonly pidNs: number | null;
  readonly nodename: string | null;
}

interface Entry {
  readonly info: ContainerInfo;
  readonly generation: number;
}

/** Why names are missing; null when none is. */
function unresolved(parsed: PathIdentity, names: Names, sources: readonly NameSource[]): string | null {
  const asked = sources.map((source) => source.id).filter((id) => id !== 'cgroup');
  const tried = asked.length === 0 ? 'the cgroup path holds only ids, and nothing else was asked' : `not known to ${asked.join(', ')}`;
  if (parsed.podUid !== null && names.pod === undefined) return `pod and container names: ${tried}`;
  if (parsed.containerId !== null && (names.container === undefined || names.container === parsed.containerId.slice(0, 12))) return `container name: ${tried}`;
  return null;
}

export class Registry {
  readonly #sources: readonly NameSource[];
  readonly #entries = new Map<CgroupKey, Entry>();
  #generation = 0;

  /** @param sources best first; the path's own source is added at the end */
  constructor(sources: readonly NameSource[] = []) {
    this.#sources = [...sources, PATH_SOURCE];
    for (const source of this.#sources) source.onChange?.(() => { this.#generation++; });
  }

  /**
   * Who a cgroup is. The same object as long as nothing new was learned; what was known once stays known.
   * Never throws and never waits.
   */
  info(key: CgroupKey, facts: Facts): ContainerInfo {
    const entry = this.#entries.get(key);
    const old = entry?.info;
    const path = facts.path ?? old?.cgroup ?? null;
    const pidNs = facts.pidNs ?? old?.pidNs ?? null;
    const nodename = facts.nodename ?? old?.nodename ?? null;
    const same = old && old.cgroup === path && old.pidNs === pidNs && old.nodename === nodename;
    if (same && entry.generation === this.#generation) return old;
    const info = path === null ? nobody(key, pidNs, nodename) : this.#ask(key, path, pidNs, nodename);
    this.#entries.set(key, { info, generation: this.#generation });
    return info;
  }

  #ask(key: CgroupKey, path: string, pidNs: number | null, nodename: string | null): ContainerInfo {
    const parsed = parseCgroupPath(path);
    const names: { -readonly [K in keyof Names]: Names[K] } = {};
    let nameSource: ContainerInfo['nameSource'] = null;
    for (const source of this.#sources) {
      const told = lookup(source, { key, path, parsed });
      if (!told) continue;
      if (nameSource === null && (told.pod ?? told.container ?? told.podUid ?? told.containerId) !== undefined) nameSource = source.id;
      Object.assign(names, { ...told, ...names });
    }
    return {
      kind: names.kind ?? 'unknown', cgroupId: cgroupIdOf(key), cgroup: path, namespace: names.namespace ?? null, pod: names.pod ?? null,
      podUid: names.podUid ?? null, container: names.container ?? null, containerId: names.containerId ?? null, image: names.image ?? null,
      labels: names.labels ?? {}, owner: names.owner ?? null, qos: names.qos ?? null, pidNs, nodename, nameSource,
      unresolved: unresolved(parsed, names, this.#sources),
    };
  }

  /** Drop what is known of a cgroup that is long gone. */
  forget(key: CgroupKey): void {
    this.#entries.delete(key);
  }

  close(): void {
    for (const source of this.#sources) source.close?.();
  }
}

function lookup(source: NameSource, subject: Parameters<NameSource['lookup']>[0]): Names | null {
  try {
    return source.lookup(subject);
  } catch {
    // A broken source costs its own names, nobody else's.
    return null;
  }
}

function nobody(key: CgroupKey, pidNs: number | null, nodename: string | null): ContainerInfo {
  return {
    kind: 'unknown', cgroupId: cgroupIdOf(key), cgroup: null, namespace: null, pod: null, podUid: null, container: null, containerId: null,
    image: null, labels: {}, owner: null, qos: null, pidNs, nodename, nameSource: null,
    unresolved: 'its cgroup was gone before its path could be read',
  };
}
