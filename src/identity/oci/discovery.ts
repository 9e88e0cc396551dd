/** Which of the known places exist on this host, now and later, and what is made in them. */
import { posix } from 'node:path';
import type { BoundedFiles } from '../files/bounded-files.ts';
import { DirectoryWatch } from '../files/directory-watch.ts';
import { resolveHostPath } from '../files/resolve.ts';
import type { HostPath } from '../host-path.ts';
import type { PlaceSpec } from './places.ts';
import type { PlaceDirectory } from './reader.ts';

export interface Place extends PlaceDirectory {
  readonly watch: DirectoryWatch;
  /** Containers that it named: asks the busiest place first. */
  hits: number;
}

interface Held {
  readonly identity: string;
  readonly place: Place;
}

interface Base {
  readonly identity: string;
  readonly watch: DirectoryWatch;
}

/** A directory that may not be looked into. */
export interface Refusal {
  readonly path: string;
  readonly code: string;
}

/** More than any host has; a directory with more is none of a runtime's. */
const MAX_BELOW = 64;
const MAX_SPECS = 32;

export interface DiscoveryEvents {
  /** Something of this name was made or removed in a place. */
  readonly changed: (place: Place, name: string) => void;
  /** These places were not there before. */
  readonly found: (places: readonly Place[]) => void;
}

export class Discovery {
  readonly #files: BoundedFiles;
  readonly #host: HostPath;
  readonly #events: DiscoveryEvents;
  readonly #specs: PlaceSpec[];
  readonly #held = new Map<string, Held>();
  readonly #bases = new Map<string, Base>();
  #places: readonly Place[] = [];
  #refusals: readonly Refusal[] = [];
  #running: Promise<void> | null = null;
  #again = false;
  #closed = false;

  constructor(files: BoundedFiles, host: HostPath, specs: readonly PlaceSpec[], events: DiscoveryEvents) {
    this.#files = files;
    this.#host = host;
    this.#specs = [...specs];
    this.#events = events;
  }

  /** Best first. */
  get places(): readonly Place[] {
    return this.#places;
  }

  get refusals(): readonly Refusal[] {
    return this.#refusals;
  }

  /** Errno's name by path of the places that cannot be watched. */
  get unwatched(): readonly Refusal[] {
    return this.#places.flatMap(({ directory, watch }) => (watch.trouble === null ? [] : [{ path: directory, code: watch.trouble }]));
  }

  /** Where it looks, paths on the host. */
  get bases(): readonly string[] {
    return [...new Set(this.#specs.map(({ base }) => base))];
  }

  /** One more place to look at, from the next refresh() on. False when it is among them already. */
  add(spec: PlaceSpec): boolean {
    if (this.#specs.some(({ base, format }) => base === spec.base && format === spec.format) || this.#specs.length >= MAX_SPECS) return false;
    this.#specs.push(spec);
    return true;
  }

  /** Look again; one look at a time: called meanwhile, it looks once more. Never rejects. */
  refresh(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#refresh().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #refresh(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      await this.#look();
    }
  }

  async #look(): Promise<void> {
    const refusals: Refusal[] = [];
    const found: Place[] = [];
    const before = new Set(this.#places);
    const directories = new Map<string, { path: string; names: readonly string[] | null } | null>();
    for (const spec of this.#specs) {
      if (this.#closed) return;
      let base = directories.get(spec.base);
      if (base === undefined) directories.set(spec.base, base = await this.#base(spec, refusals));
      if (base === null) continue;
      const below = spec.below;
      if (below === null) await this.#hold(spec, base.path, spec.base, found);
      else for (const name of base.names?.filter((one) => below.test(one)) ?? []) await this.#hold(spec, posix.join(base.path, name), posix.join(spec.base, name), found);
    }
    if (this.#closed) return;
    this.#drop(found);
    this.#places = found;
    this.#refusals = refusals;
    const more = found.filter((place) => !before.has(place));
    if (more.length > 0) this.#events.found(more);
  }

  /** The directory of a place or of several; null when there is none. */
  async #base(spec: PlaceSpec, refusals: Refusal[]): Promise<{ path: string; names: readonly string[] | null } | null> {
    const options = { hostPath: spec.base };
    const path = await resolveHostPath(this.#host, this.#files, spec.base);
    if (path === null || this.#closed) return null;
    const found = await this.#files.stat(path, options);
    const refuse = (code: string): null => {
      if (code !== 'ENOENT' && code !== 'ENOTDIR') refusals.push({ path, code });
      return null;
    };
    if (found.value === null) return refuse(found.code);
    if (!found.value.directory) return null;
    if (spec.below === null) return { path, names: null };
    this.#watchBase(path, found.value.identity);
    const names = await this.#files.list(path, options);
    return names.value === null ? refuse(names.code) : { path, names: names.value.slice(0, MAX_BELOW) };
  }

  /** The first container of a namespace makes the namespace's directory. */
  #watchBase(path: string, identity: string): void {
    const base = this.#bases.get(path);
    if (this.#closed || (base?.identity === identity && !base.watch.ended)) return;
    base?.watch.close();
    this.#bases.set(path, { identity, watch: new DirectoryWatch(path, () => {
      if (!this.#closed) void this.refresh();
    }) });
  }

  async #hold(spec: PlaceSpec, directory: string, hostPath: string, found: Place[]): Promise<void> {
    const { value } = await this.#files.stat(directory, { hostPath });
    if (value === null || !value.directory || this.#closed) return;
    const held = this.#held.get(directory);
    // Another directory under the same name is not the one that is watched.
    if (held?.identity === value.identity && !held.place.watch.ended) {
      found.push(held.place);
      return;
    }
    held?.place.watch.close();
    const place: Place = {
      spec, directory, hostPath, hits: 0,
      watch: new DirectoryWatch(directory, (name) => {
        if (this.#closed) return;
        if (name === null) void this.refresh();
        else this.#events.changed(place, name);
      }),
    };
    this.#held.set(directory, { identity: value.identity, place });
    found.push(place);
  }

  #drop(found: readonly Place[]): void {
    const kept = new Set(found);
    for (const [directory, { place }] of this.#held) {
      if (kept.has(place)) continue;
      place.watch.close();
      this.#held.delete(directory);
    }
  }

  close(): void {
    this.#closed = true;
    for (const { place } of this.#held.values()) place.watch.close();
    for (const { watch } of this.#bases.values()) watch.close();
    this.#held.clear();
    this.#bases.clear();
    this.#places = [];
  }
}
