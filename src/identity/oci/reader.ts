/** Reads what a place holds about a container. */
import { posix } from 'node:path';
import type { BoundedFiles } from '../files/bounded-files.ts';
import { annotationsOf, dockerConfigOf, dockerDirectoryOf, stateAnnotationsOf, type StoredContainer, storedContainersOf, type Strings } from './documents.ts';
import { fromContainerd, fromCrio, fromDocker, fromPodman, isPodman, type Reading } from './names.ts';
import type { PlaceSpec } from './places.ts';

/** A directory of the host that holds a directory for each container. */
export interface PlaceDirectory {
  readonly spec: PlaceSpec;
  /** Path to open. */
  readonly directory: string;
  /** Path on the host. */
  readonly hostPath: string;
}

export type Found =
  | { readonly kind: 'known'; readonly reading: Reading }
  /** The file is whole, and holds no names. */
  | { readonly kind: 'nameless' }
  /** There is no such file. */
  | { readonly kind: 'missing' }
  /** It is being written. */
  | { readonly kind: 'partial' }
  /** Docker keeps its files in this directory of the host. */
  | { readonly kind: 'elsewhere'; readonly directory: string }
  | { readonly kind: 'failed'; readonly code: string; readonly path: string };

const MAX_FILE_BYTES = 4 * 1024 * 1024;
/** containers.json, and since containers/storage 1.42 a second one for containers that need not outlive a boot (podman run --rm). */
const STORAGE_FILES = ['containers.json', 'volatile-containers.json'];
/** How long the names of podman's containers are kept to answer for the next one, milliseconds. */
const STORED_MS = 10_000;

const MISSING: Found = { kind: 'missing' };
const NAMELESS: Found = { kind: 'nameless' };
const PARTIAL: Found = { kind: 'partial' };

interface Stored {
  readonly containers: ReadonlyMap<string, StoredContainer>;
  /** Says whether the files have changed since. */
  readonly version: string;
  readonly readAt: number;
}

const toFound = (reading: Reading | null): Found => (reading === null ? NAMELESS : { kind: 'known', reading });

interface PodmanFound {
  readonly kind: 'podman';
  readonly annotations: Strings;
}

/** What one file tells. Empty files are not JSON, so not whole. */
function interpret({ spec }: PlaceDirectory, id: string, json: Buffer): Found | PodmanFound {
  switch (spec.format) {
    case 'containerd': return annotated(annotationsOf(json), fromContainerd);
    case 'runc-containerd': return annotated(stateAnnotationsOf(json), fromContainerd);
    case 'crio': return crio(annotationsOf(json));
    case 'runc-crio': return crio(stateAnnotationsOf(json));
    case 'docker': {
      const config = dockerConfigOf(json);
      return config === null ? PARTIAL : toFound(fromDocker(config));
    }
    case 'moby': {
      const directory = dockerDirectoryOf(json, id);
      if (directory !== null) return { kind: 'elsewhere', directory };
      return annotationsOf(json) === null ? PARTIAL : NAMELESS;
    }
  }
}

function annotated(annotations: Strings | null, read: (annotations: Strings) => Reading | null): Found {
  return annotations === null ? PARTIAL : toFound(read(annotations));
}

function crio(annotations: Strings | null): Found | PodmanFound {
  if (annotations === null) return PARTIAL;
  return isPodman(annotations) ? { kind: 'podman', annotations } : toFound(fromCrio(annotations));
}

export class ContainerReader {
  readonly #files: BoundedFiles;
  readonly #stored = new Map<string, Stored>();
  readonly #storing = new Map<string, Promise<Stored>>();

  constructor(files: BoundedFiles) {
    this.#files = files;
  }

  /** Never rejects. @param urgent its files may be gone in a moment */
  async read(place: PlaceDirectory, id: string, urgent = false): Promise<Found> {
    const path = `${place.directory}/${id}/${place.spec.file}`;
    const { value, code } = await this.#files.read(path, MAX_FILE_BYTES, (bytes) => interpret(place, id, bytes), { hostPath: place.hostPath, urgent });
    if (value === null) return code === 'ENOENT' || code === 'ENOTDIR' ? MISSING : { kind: 'failed', code, path };
    return value.kind === 'podman' ? this.#podman(place, id, value.annotations) : value;
  }

  async #podman(place: PlaceDirectory, id: string, annotations: Strings): Promise<Found> {
    if (place.spec.below === null) return NAMELESS; // a runtime's own state, far from podman's
    const stored = await this.#storedName(place, id);
    // Podman writes the name first, but an older list may be at hand.
    return stored === undefined ? PARTIAL : toFound(fromPodman(annotations, stored));
  }

  async #storedName(place: PlaceDirectory, id: string): Promise<StoredContainer | undefined> {
    const known = this.#stored.get(place.directory);
    if (known && performance.now() - known.readAt < STORED_MS) {
      const stored = known.containers.get(id);
      if (stored) return stored;
    }
    let reading = this.#storing.get(place.directory);
    if (!reading) {
      reading = this.#readStored(place, known).finally(() => this.#storing.delete(place.directory));
      this.#storing.set(place.directory, reading);
    }
    const stored = await reading;
    this.#stored.set(place.directory, stored);
    return stored.containers.get(id);
  }

  async #readStored({ directory, hostPath }: PlaceDirectory, known: Stored | undefined): Promise<Stored> {
    const paths = STORAGE_FILES.map((file) => posix.join(directory, file));
    const stats = await Promise.all(paths.map((path) => this.#files.stat(path, { hostPath })));
    const version = stats.map(({ value }) => (value === null ? '' : `${value.identity} ${value.size} ${value.mtimeMs}`)).join();
    if (known?.version === version) return { ...known, readAt: performance.now() };
    const containers = new Map<string, StoredContainer>();
    let whole = true;
    for (const [i, path] of paths.entries()) {
      if (stats[i]?.value == null) continue;
      const { value: stored } = await this.#files.read(path, MAX_FILE_BYTES, storedContainersOf, { hostPath });
      if (stored === null) whole = false;
      for (const [id, container] of stored ?? []) containers.set(id, container);
    }
    return { containers, version: whole ? version : 'not whole', readAt: performance.now() };
  }

  /** Let go of what was kept for the next question. */
  rest(): void {
    for (const [directory, { readAt }] of this.#stored) if (performance.now() - readAt > STORED_MS) this.#stored.delete(directory);
  }
}
