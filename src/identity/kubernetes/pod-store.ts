/** Pods by uid and container id, as they were last told; what is gone stays known for a while, since events come late. */
import type { Names, Subject } from '../source.ts';
import type { PodContainer, PodRecord } from './pod.ts';

/** How long a pod that is gone is still answered for, milliseconds. */
const KEEP_GONE_MS = 600_000;
/** Pods that are gone, at most: a node that starts jobs all the time must not fill the memory. */
const LONGEST_GONE = 1_000;
/** Containers of one pod, at most: one that crashes all the time has a new one every few minutes. */
const MOST_CONTAINERS = 64;

interface Held {
  record: PodRecord;
  /** Also those that its statuses no longer tell of; in the order they came up. */
  readonly containers: Map<string, PodContainer>;
  /** By container id, '' for the pod itself. */
  readonly names: Map<string, Names>;
  goneAt: number | null;
}

/** The uid that tells one pod from every other: a static pod's mirror may be made anew under the same hash. */
const keyOf = ({ uids }: PodRecord): string => uids.at(-1) ?? uids[0];

export class PodStore {
  readonly #now: () => number;
  readonly #pods = new Map<string, Held>();
  readonly #gone = new Set<Held>();
  readonly #byUid = new Map<string, Held>();
  readonly #byContainer = new Map<string, Held>();

  /** @param now milliseconds; never goes back */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Pods that are there now. */
  get size(): number {
    return this.#pods.size - this.#gone.size;
  }

  /** @returns the ids whose answers are others than before */
  put(record: PodRecord): string[] {
    this.#purge();
    const key = keyOf(record);
    const known = this.#pods.get(key);
    const held: Held = known ?? { record, containers: new Map(), names: new Map(), goneAt: null };
    held.goneAt = null;
    this.#gone.delete(held);
    this.#pods.set(key, held);
    if (known && JSON.stringify(known.record) === JSON.stringify(record)) return [];
    held.record = record;
    held.names.clear();
    for (const container of record.containers) {
      held.containers.delete(container.id);
      held.containers.set(container.id, container);
      this.#byContainer.set(container.id, held);
    }
    for (const [id] of held.containers) {
      if (held.containers.size <= Math.max(MOST_CONTAINERS, record.containers.length)) break;
      this.#unlink(this.#byContainer, id, held);
      held.containers.delete(id);
    }
    for (const uid of record.uids) this.#byUid.set(uid, held);
    return [...record.uids, ...held.containers.keys()];
  }

  /** The pod is no more; its names stay for a while. */
  remove(record: PodRecord): void {
    const held = this.#pods.get(keyOf(record));
    if (held) this.#lose(held);
    this.#purge();
  }

  /**
   * These are all the pods there are.
   * @returns the ids whose answers are others than before
   */
  replace(records: readonly PodRecord[]): string[] {
    const present = new Set(records.map(keyOf));
    for (const [key, held] of this.#pods) if (!present.has(key)) this.#lose(held);
    this.#purge();
    return records.flatMap((record) => this.put(record));
  }

  /** Whether a look would find the container, or the pod when no container is asked for. */
  knows({ podUid, containerId }: Subject): boolean {
    return containerId === null ? podUid !== null && this.#byUid.has(podUid) : this.#byContainer.has(containerId);
  }

  /** The same object as long as nothing changed. A container that the statuses do not tell of yet has its pod's names. */
  find({ podUid, containerId }: Subject): Names | null {
    const held = (containerId !== null && this.#byContainer.get(containerId)) || (podUid !== null && this.#byUid.get(podUid)) || null;
    if (held === null) return null;
    const container = containerId === null ? undefined : held.containers.get(containerId);
    const key = container?.id ?? '';
    const known = held.names.get(key);
    if (known) return known;
    const names = namesOf(held.record, container);
    held.names.set(key, names);
    return names;
  }

  #lose(held: Held): void {
    if (held.goneAt !== null) return;
    held.goneAt = this.#now();
    this.#gone.add(held);
  }

  /** Longest gone first, which is the order of the set. */
  #purge(): void {
    for (const held of this.#gone) {
      if (this.#gone.size <= LONGEST_GONE && (held.goneAt ?? 0) > this.#now() - KEEP_GONE_MS) return;
      this.#gone.delete(held);
      this.#pods.delete(keyOf(held.record));
      for (const uid of held.record.uids) this.#unlink(this.#byUid, uid, held);
      for (const id of held.containers.keys()) this.#unlink(this.#byContainer, id, held);
    }
  }

  /** Another pod may have come under the same id. */
  #unlink(index: Map<string, Held>, id: string, held: Held): void {
    if (index.get(id) === held) index.delete(id);
  }
}

function namesOf(record: PodRecord, container: PodContainer | undefined): Names {
  return {
    namespace: record.namespace, pod: record.name, podUid: record.uids[0], labels: record.labels, podStatus: record.status,
    ...(record.owner && { owner: record.owner }), ...(record.qos && { qos: record.qos }),
    ...(container && { container: container.name, containerId: container.id, ...(container.image !== null && { image: container.image }) }),
  };
}
