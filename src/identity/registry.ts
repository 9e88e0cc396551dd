/** Cgroup key -> ContainerInfo: asks the sources in order, keeps every answer for the whole run, says why a name is missing. */
import type { ContainerInfo, ContainerKind, NameSource as SourceId } from '../frame/frame.ts';
import { parseCgroupPath, type PathContainer, type PathIdentity } from './cgroup-path.ts';
import { type CgroupKey, cgroupIdOf } from './key.ts';
import { ownerFromLabels } from './kubernetes/owner.ts';
import type { Names, NameSource, Subject } from './source.ts';

/** What the kernel tells about a cgroup. */
export interface Facts {
  /** Null: not known, maybe gone before it could be read. */
  readonly path: string | null;
  readonly pidNs: number | null;
  readonly nodename: string | null;
}

/** All that is known of one cgroup. */
interface Entry {
  info: ContainerInfo;
  /** Its path, read; null as long as there is none. */
  parsed: PathIdentity | null;
  /** What the sources have told so far: what was known once stays known. */
  names: Names;
  nameSource: SourceId | null;
  labelSource: SourceId | null;
  /** A source may know more by now. */
  stale: boolean;
}

const NO_NAMES: Names = {};
/** Who tells labels as they are now; a runtime keeps those that the pod was made with. */
const LIVE = new Set<SourceId>(['api', 'kubelet']);

type Draft = { -readonly [K in keyof Names]: Names[K] };

/** Take over what is not known yet. */
function fill(names: Draft, told: Names): void {
  for (const [field, value] of Object.entries(told)) if (value !== undefined && names[field as keyof Names] === undefined) Object.assign(names, { [field]: value });
}

/** Runtimes tell a pod's labels, but not its owner. Whoever tells a pod's status has seen that nobody owns it. */
function ownerByLabels({ labels, pod, podStatus }: Names): ContainerInfo['owner'] {
  return labels === undefined || pod === undefined || podStatus !== undefined ? null : ownerFromLabels(labels, pod);
}

/** A source's answer; a broken source costs its own names, nobody else's. */
function ask(source: NameSource, subject: Subject): Names | null {
  try {
    return source.lookup(subject);
  } catch {
    return null;
  }
}

const subjectOf = ({ podUid, containerId }: { readonly podUid: string | null; readonly containerId: string | null }): Subject => ({ podUid, containerId });

const isAsked = ({ podUid, containerId }: Subject): boolean => podUid !== null || containerId !== null;

export class Registry {
  readonly #sources: readonly NameSource[];
  readonly #entries = new Map<CgroupKey, Entry>();
  /** Container id or pod uid -> keys of the cgroups that it stands in the paths of. */
  readonly #byId = new Map<string, Set<CgroupKey>>();
  readonly #noticed = new Set<string>();
  /** Some cgroup was a pod's. */
  podsSeen = false;
  /** Keys that were asked for and whose answer may have changed since. */
  readonly #stale = new Set<CgroupKey>();

  /** @param sources best first */
  constructor(sources: readonly NameSource[] = []) {
    this.#sources = sources;
    for (const source of sources) source.onChange((ids) => this.#changed(ids));
  }

  #changed(ids?: Iterable<string>): void {
    if (ids === undefined) for (const key of this.#entries.keys()) this.#spoil(key);
    else for (const id of ids) for (const key of this.#byId.get(id) ?? []) this.#spoil(key);
  }

  #spoil(key: CgroupKey): void {
    const entry = this.#entries.get(key);
    // Only what has ids can be told more of.
    if (entry?.parsed == null || entry.parsed.chain.length === 0) return;
    entry.stale = true;
    this.#stale.add(key);
  }

  /** A cgroup's path became known: sources that must be quick are told at once, each container once. */
  notice(path: string): void {
    // Cheap enough for every cgroup of a node: most hold neither.
    if (!/[0-9a-f]{32}|pod/.test(path)) return;
    for (const { podUid, containerId } of parseCgroupPath(path).chain) {
      if (podUid !== null) this.podsSeen = true;
      const id = containerId ?? podUid;
      if (id === null || this.#noticed.has(id)) continue;
      this.#noticed.add(id);
      for (const source of this.#sources) source.notice?.({ podUid, containerId });
    }
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
    if (entry && old && !entry.stale && old.cgroup === path && old.pidNs === pidNs && old.nodename === nodename) return old;
    return this.#renew(key, entry ?? this.#add(key), { path, pidNs, nodename });
  }

  #add(key: CgroupKey): Entry {
    const entry: Entry = { info: nobody(key, null, null), parsed: null, names: NO_NAMES, nameSource: null, labelSource: null, stale: false };
    this.#entries.set(key, entry);
    return entry;
  }

  #renew(key: CgroupKey, entry: Entry, { path, pidNs, nodename }: Facts): ContainerInfo {
    entry.stale = false;
    this.#stale.delete(key);
    if (path === null) return (entry.info = nobody(key, pidNs, nodename));
    if (entry.parsed === null || path !== entry.info.cgroup) {
      entry.parsed = parseCgroupPath(path);
      this.#index(key, entry.parsed);
    }
    const info = this.#ask(key, entry, entry.parsed, { path, pidNs, nodename });
    // A source that changed something else need not wake whoever compares objects.
    return (entry.info = same(info, entry.info) ? entry.info : info);
  }

  #index(key: CgroupKey, { chain }: PathIdentity): void {
    for (const { podUid, containerId } of chain) {
      for (const id of [podUid, containerId]) {
        if (id === null) continue;
        const keys = this.#byId.get(id);
        if (keys) keys.add(key);
        else this.#byId.set(id, new Set([key]));
      }
    }
  }

  /**
   * Of the pods on a path, the outermost that somebody knows: a cluster inside a pod is that pod's to this node. Where
   * nobody knows any, the innermost, so that the pods of a node in a container stay apart.
   */
  #choose(parsed: PathIdentity): PathContainer | null {
    const pods = parsed.chain.filter((one) => one.podUid !== null);
    if (pods.length < 2) return null;
    return pods.find((pod) => this.#sources.some((source) => ask(source, subjectOf(pod))?.pod !== undefined)) ?? null;
  }

  #ask(key: CgroupKey, entry: Entry, parsed: PathIdentity, { path, pidNs, nodename }: Facts): ContainerInfo {
    const chosen = this.#choose(parsed);
    const { podUid, containerId, qos } = chosen ?? parsed;
    const kind: ContainerKind = chosen === null ? parsed.kind : chosen.monitor ? 'sandbox' : 'pod';
    const subject = { podUid, containerId };
    const names: Draft = {};
    let nameSource: SourceId | null = null, labelSource: SourceId | null = null;
    if (isAsked(subject)) {
      for (const source of this.#sources) {
        const told = ask(source, subject);
        if (told === null) continue;
        if (nameSource === null && (told.pod ?? told.container) !== undefined) nameSource = source.id;
        if (told.labels !== undefined && (labelSource === null || (LIVE.has(source.id) && !LIVE.has(labelSource)))) {
          names.labels = told.labels;
          labelSource = source.id;
        }
        fill(names, told);
      }
    }
    fill(names, entry.names);
    entry.names = names;
    entry.nameSource = nameSource ?? entry.nameSource;
    entry.labelSource = labelSource ?? entry.labelSource;
    const own = parsed.name ?? undefined;
    return {
      kind: kind === 'pod' || kind === 'container' ? names.kind ?? kind : kind,
      cgroupId: cgroupIdOf(key), cgroup: path, namespace: names.namespace ?? null, pod: names.pod ?? null,
      podUid: podUid ?? names.podUid ?? null, container: names.container ?? own ?? null, containerId: containerId ?? names.containerId ?? null,
      image: names.image ?? null, labels: names.labels ?? {}, labelSource: entry.labelSource, owner: names.owner ?? ownerByLabels(names), qos: names.qos ?? qos, podStatus: names.podStatus ?? null,
      pidNs, nodename, nameSource: entry.nameSource ?? (isAsked(subject) || own !== undefined ? 'cgroup' : null),
      unresolved: this.#unresolved(subject, kind, names),
    };
  }

  /** Why names are missing; null when none is. */
  #unresolved({ podUid, containerId }: Subject, kind: ContainerKind, names: Names): string | null {
    if (podUid !== null && names.pod === undefined) return `pod and container names: ${this.#why()}`;
    // A pod's own cgroup, its sandbox and a monitor have no container name.
    if (containerId === null || kind === 'sandbox' || names.kind === 'sandbox') return null;
    return names.container === undefined ? `container name: ${this.#why()}` : null;
  }

  /** What came of asking each source. */
  #why(): string {
    const asked = this.#sources.filter(({ state }) => state.status !== 'off');
    const answering = asked.filter(({ state }) => state.status === 'ok').map(({ id }) => id);
    const others = asked.filter(({ state }) => state.status !== 'ok').map(({ id, state }) => `${id}: ${state.status === 'starting' ? 'not answered yet' : state.reason}`);
    const parts = [...(answering.length > 0 ? [`not known to ${answering.join(', ')}`] : []), ...others];
    return parts.length > 0 ? parts.join('; ') : 'the cgroup path holds only ids, and nothing else was asked';
  }

  /** Keys that were asked for before and about which something may have been learned since; each until its next info(). */
  get stale(): ReadonlySet<CgroupKey> {
    return this.#stale;
  }

  /** The last answer of info(). */
  known(key: CgroupKey): ContainerInfo | undefined {
    return this.#entries.get(key)?.info;
  }

  /** Drop what is known of a cgroup that is long gone. */
  forget(key: CgroupKey): void {
    for (const { podUid, containerId } of this.#entries.get(key)?.parsed?.chain ?? []) {
      for (const id of [podUid, containerId]) {
        if (id === null) continue;
        const keys = this.#byId.get(id);
        keys?.delete(key);
        if (keys?.size === 0) {
          this.#byId.delete(id);
          this.#noticed.delete(id);
        }
      }
    }
    this.#entries.delete(key);
    this.#stale.delete(key);
  }

  close(): void {
    for (const source of this.#sources) source.close();
  }
}

/** Sources make new objects of what they told before. */
function same(a: ContainerInfo, b: ContainerInfo): boolean {
  return (Object.keys(a) as (keyof ContainerInfo)[]).every((field) => a[field] === b[field] || (typeof a[field] === 'object' && JSON.stringify(a[field]) === JSON.stringify(b[field])));
}

function nobody(key: CgroupKey, pidNs: number | null, nodename: string | null): ContainerInfo {
  return {
    kind: 'unknown', cgroupId: cgroupIdOf(key), cgroup: null, namespace: null, pod: null, podUid: null, container: null, containerId: null,
    image: null, labels: {}, labelSource: null, owner: null, qos: null, podStatus: null, pidNs, nodename, nameSource: null,
    unresolved: 'its cgroup was gone before its path could be read',
  };
}
