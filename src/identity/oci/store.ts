/** What is known of containers by id and of pods by uid: bounded, the least asked for forgotten first. */
import type { Names } from '../source.ts';
import type { Reading } from './names.ts';

const MAX_CONTAINERS = 20_000;
/** How long a container is remembered whose directory has changed after it was known: mostly that is its end. */
const GONE_MS = 10 * 60_000;

interface Container {
  /** Null: looked for, and not found. */
  reading: Reading | null;
  goneAt: number | null;
}

interface Pod {
  readonly names: Pick<Names, 'namespace' | 'pod' | 'podUid'>;
  labels: Names['labels'];
  readonly containers: Set<string>;
}

export class Store {
  readonly #forgotten: (id: string) => void;
  /** The least recently asked for first. */
  readonly #containers = new Map<string, Container>();
  readonly #pods = new Map<string, Pod>();

  /** @param forgotten called with each id that is dropped */
  constructor(forgotten: (id: string) => void) {
    this.#forgotten = forgotten;
  }

  /** Somebody asked for it: keep it. True when it is known. */
  touch(id: string): boolean {
    const container = this.#containers.get(id);
    if (!container) return false;
    this.#containers.delete(id);
    this.#containers.set(id, container);
    return container.reading !== null;
  }

  /** It is looked for, or was in vain. */
  isUnknown(id: string): boolean {
    return this.#containers.get(id)?.reading === null;
  }

  unknown(): string[] {
    return [...this.#containers].filter(([, { reading }]) => reading === null).map(([id]) => id);
  }

  looking(id: string): void {
    if (!this.#containers.has(id)) this.#add(id, { reading: null, goneAt: null });
  }

  /** Returns the ids and uids whose answers are others now. */
  learn(id: string, reading: Reading): string[] {
    this.#drop(id);
    this.#add(id, { reading, goneAt: null });
    return [id, ...this.#learnPod(id, reading)];
  }

  #learnPod(id: string, { names }: Reading): string[] {
    const { podUid, namespace, pod } = names;
    if (podUid === undefined || pod === undefined) return [];
    const labels = names.kind === 'sandbox' ? names.labels : undefined;
    const known = this.#pods.get(podUid);
    if (!known) {
      this.#pods.set(podUid, { names: { ...(namespace !== undefined && { namespace }), pod, podUid }, labels, containers: new Set([id]) });
      return [podUid];
    }
    known.containers.add(id);
    if (labels === undefined || known.labels !== undefined) return [];
    known.labels = labels;
    return [podUid];
  }

  /** What is known of a container, else of its pod. */
  names(containerId: string | null, podUid: string | null): Names | null {
    const names = containerId === null ? undefined : this.#containers.get(containerId)?.reading?.names;
    const pod = this.#pods.get(names?.podUid ?? podUid ?? '');
    const labels = names?.labels ?? (names === undefined || names.pod !== undefined ? pod?.labels : undefined);
    const told = names ?? pod?.names ?? null;
    return told === null || labels === undefined ? told : { ...told, labels };
  }

  /** Its directory has changed. True when it is known: then it has most likely ended. */
  mayBeGone(id: string): boolean {
    const container = this.#containers.get(id);
    if (!container || container.reading === null) return false;
    container.goneAt = performance.now();
    return true;
  }

  /** Forget what has been gone for long. */
  sweep(): void {
    const before = performance.now() - GONE_MS;
    for (const [id, { goneAt }] of this.#containers) if (goneAt !== null && goneAt < before) this.#forget(id);
  }

  #add(id: string, container: Container): void {
    this.#containers.set(id, container);
    const [oldest] = this.#containers.keys();
    if (this.#containers.size > MAX_CONTAINERS && oldest !== undefined) this.#forget(oldest);
  }

  #forget(id: string): void {
    this.#drop(id);
    this.#forgotten(id);
  }

  #drop(id: string): void {
    const podUid = this.#containers.get(id)?.reading?.names.podUid;
    this.#containers.delete(id);
    const pod = podUid === undefined ? undefined : this.#pods.get(podUid);
    pod?.containers.delete(id);
    if (podUid !== undefined && pod?.containers.size === 0) this.#pods.delete(podUid);
  }
}
