/** What the runtime has told so far, by container id, sandbox id and pod uid. Pure. */
import type { Names, Subject } from '../source.ts';
import { type Container, imageIdOf, type Sandbox } from './runtime.ts';

/** What has left the runtime's lists is remembered this long, milliseconds: somebody may still ask. */
const KEEP_MS = 60_000;

interface KnownSandbox {
  readonly names: Names;
  /** The same without what is the sandbox's own. */
  readonly pod: Names;
  readonly podUid: string;
  readonly ready: boolean;
  readonly attempt: number;
  readonly seen: number;
}

interface KnownContainer {
  readonly names: Names;
  /** Set when the runtime listed its image by id only. */
  readonly imageId: string | null;
  readonly seen: number;
}

/** Only what is there: an empty name is none. */
function given(names: { readonly [K in 'namespace' | 'pod' | 'podUid' | 'container' | 'image']?: string }): Names {
  return Object.fromEntries(Object.entries(names).filter(([, value]) => value !== ''));
}

function sameLabels(a: Names['labels'] = {}, b: Names['labels'] = {}): boolean {
  if (a === b) return true;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

const same = (a: Names, b: Names): boolean =>
  a.namespace === b.namespace && a.pod === b.pod && a.podUid === b.podUid && a.container === b.container && a.image === b.image && sameLabels(a.labels, b.labels);

export class Catalog {
  readonly #sandboxes = new Map<string, KnownSandbox>();
  readonly #containers = new Map<string, KnownContainer>();
  /** Pod uid -> the sandbox that speaks for it. */
  readonly #pods = new Map<string, string>();
  /** Image id -> its reference; null when the runtime has none. */
  readonly #images = new Map<string, string | null>();
  /** How many the runtime's last whole lists held. */
  #listed = { sandboxes: 0, containers: 0 };

  get listed(): { readonly sandboxes: number; readonly containers: number } {
    return this.#listed;
  }

  lookup({ podUid, containerId }: Subject): Names | null {
    if (containerId !== null) {
      const names = this.#containers.get(containerId)?.names ?? this.#sandboxes.get(containerId)?.names;
      if (names) return names;
    }
    return podUid === null ? null : this.#sandboxes.get(this.#pods.get(podUid) ?? '')?.pod ?? null;
  }

  /** Whether there is nothing more to learn about a subject. */
  knows({ podUid, containerId }: Subject): boolean {
    if (containerId !== null) return this.#containers.has(containerId) || this.#sandboxes.has(containerId);
    return podUid !== null && this.#pods.has(podUid);
  }

  hasSandbox(id: string): boolean {
    return this.#sandboxes.has(id);
  }

  /** Take in a part of the lists. @returns container and sandbox ids and pod uids about which something is new */
  add(sandboxes: readonly Sandbox[], containers: readonly Container[], now: number): Set<string> {
    const changed = new Set<string>();
    for (const sandbox of sandboxes) this.#addSandbox(sandbox, now, changed);
    for (const container of containers) this.#addContainer(container, now, changed);
    return changed;
  }

  /** Take in whole lists: what has not been in one for a minute is forgotten. @returns as add() */
  replace(sandboxes: readonly Sandbox[], containers: readonly Container[], now: number): Set<string> {
    const changed = this.add(sandboxes, containers, now);
    this.#listed = { sandboxes: sandboxes.length, containers: containers.length };
    for (const [id, { seen }] of this.#containers) if (now - seen > KEEP_MS) this.#containers.delete(id);
    for (const [id, { seen, podUid }] of this.#sandboxes) {
      if (now - seen <= KEEP_MS) continue;
      this.#sandboxes.delete(id);
      if (this.#pods.get(podUid) === id) this.#pods.delete(podUid);
    }
    const used = new Set([...this.#containers.values()].map(({ imageId }) => imageId));
    for (const id of this.#images.keys()) if (!used.has(id)) this.#images.delete(id);
    return changed;
  }

  #addSandbox({ id, namespace, pod, podUid, attempt, ready, labels }: Sandbox, now: number, changed: Set<string>): void {
    if (id === '' || (pod === '' && podUid === '')) return;
    const before = this.#sandboxes.get(id);
    const speaker = this.#sandboxes.get(this.#pods.get(podUid) ?? '');
    const told: Names = { ...given({ namespace, pod, podUid }), labels };
    // A pod's objects are shared by all its containers, and stay the same from list to list.
    const names = [before?.pod, speaker?.pod].find((old) => old !== undefined && same(old, told)) ?? told;
    const unchanged = before?.pod === names;
    this.#sandboxes.set(id, { names: unchanged ? before.names : { kind: 'sandbox', ...names }, pod: names, podUid, ready, attempt, seen: now });
    if (!unchanged) changed.add(id);
    // Of a pod's sandboxes the one that runs speaks for it, or the last.
    const speaks = !speaker || speaker === before || (ready === speaker.ready ? attempt >= speaker.attempt : ready);
    if (podUid === '' || !speaks) return;
    this.#pods.set(podUid, id);
    if (speaker?.pod !== names) changed.add(podUid);
  }

  #addContainer(container: Container, now: number, changed: Set<string>): void {
    const { id, sandboxId, name } = container;
    if (id === '') return;
    const imageId = imageIdOf(container.image);
    const image = imageId === null ? container.image : this.#images.get(imageId) ?? '';
    const pod = this.#sandboxes.get(sandboxId)?.pod ?? given({ namespace: container.namespace, pod: container.pod, podUid: container.podUid });
    const told: Names = { kind: 'pod', ...pod, ...given({ container: name, image }) };
    const before = this.#containers.get(id);
    const names = before && same(before.names, told) ? before.names : told;
    this.#containers.set(id, { names, imageId, seen: now });
    if (names !== before?.names) changed.add(id);
  }

  /** Images that are known by id only and have not been asked about, each with some of the containers that run it. */
  unnamedImages(): Map<string, string[]> {
    const unnamed = new Map<string, string[]>();
    for (const [id, { imageId }] of this.#containers) {
      if (imageId === null || this.#images.has(imageId)) continue;
      const containers = unnamed.get(imageId);
      if (containers) containers.push(id);
      else unnamed.set(imageId, [id]);
    }
    return unnamed;
  }

  /** Images that had no name may have one by now. */
  forgetNamelessImages(): void {
    for (const [id, image] of this.#images) if (image === null) this.#images.delete(id);
  }

  /** @param image null: it has no name, do not ask again for now @returns ids of the containers that run it */
  nameImage(imageId: string, image: string | null): Set<string> {
    const changed = new Set<string>();
    this.#images.set(imageId, image);
    if (image === null) return changed;
    for (const [id, known] of this.#containers) {
      if (known.imageId !== imageId) continue;
      this.#containers.set(id, { ...known, names: { ...known.names, image } });
      changed.add(id);
    }
    return changed;
  }
}
