/**
 * Names from the files that runtimes keep of each running container (OCI config.json and the like). Nothing is scanned:
 * a container is looked for when its cgroup is made or its directory appears, until its file is whole.
 */
import { BoundedFiles } from '../files/bounded-files.ts';
import { Announcer } from '../files/announcer.ts';
import { HostPath } from '../host-path.ts';
import type { SourceOptions } from '../options.ts';
import type { Changed, Names, NameSource, SourceState, Subject } from '../source.ts';
import { Discovery, type Place } from './discovery.ts';
import { dockerPlace, PLACES } from './places.ts';
import { ContainerReader, type Found } from './reader.ts';
import { describeOci, isDenied } from './state.ts';
import { Store } from './store.ts';

/** Accesses under way at once; with one more of another source, a thread of libuv's four is left. */
const CONCURRENCY = 2;
/** After the directory is there: until its file is whole, milliseconds. */
const QUICK_MS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/** For files that come late. */
const SLOW_MS = [1_000, 3_000, 9_000, 17_000];
/** Between looks for places that were not there, milliseconds: regularly, and for an unknown container. */
const REFRESH_MS = 5_000;
const EAGER_REFRESH_MS = 1_000;
/** Of a place that comes later. */
const MAX_LISTED = 10_000;
const ID = /^[0-9a-f]{64}$/;

/** A container that is looked for. */
interface Search {
  /** Attempts made, of QUICK_MS and then SLOW_MS. */
  attempt: number;
  timer: NodeJS.Timeout | null;
  running: boolean;
  /** Something happened while it ran. */
  again: boolean;
  /** Places where its directory is, but no whole file. */
  readonly hot: Set<Place>;
}

class OciSource implements NameSource {
  readonly id = 'oci';
  readonly #hostRoot: string;
  readonly #debug: (text: string) => void;
  readonly #files: BoundedFiles;
  readonly #reader: ContainerReader;
  readonly #discovery: Discovery;
  readonly #announcer = new Announcer(() => this.#running > 0);
  readonly #store = new Store((id) => this.#forgotten(id));
  readonly #searches = new Map<string, Search>();
  /** Attempts under way. */
  #running = 0;
  #started: Promise<void> | null = null;
  #ready = false;
  #closed = false;
  #refreshedAt = Number.NEGATIVE_INFINITY;
  #refreshTimer: NodeJS.Timeout | null = null;
  /** The last file that could not be read, until one can. */
  #failure: { readonly path: string; readonly code: string } | null = null;

  constructor({ hostRoot, debug }: SourceOptions, files: BoundedFiles) {
    this.#hostRoot = hostRoot;
    this.#debug = debug;
    this.#files = files;
    this.#reader = new ContainerReader(files);
    this.#discovery = new Discovery(files, new HostPath(hostRoot), PLACES, {
      changed: (place, name) => this.#changedIn(place, name),
      found: (places) => this.#foundPlaces(places),
    });
  }

  get state(): SourceState {
    return describeOci({
      ready: this.#ready, hostRoot: this.#hostRoot, places: this.#discovery.places, bases: this.#discovery.bases, refusals: this.#discovery.refusals,
      unwatched: this.#discovery.unwatched, hung: this.#files.hung, failure: this.#failure,
    });
  }

  onChange(changed: Changed): void {
    this.#announcer.onChange(changed);
  }

  start(): Promise<void> {
    this.#started ??= this.#start();
    return this.#started;
  }

  async #start(): Promise<void> {
    await this.#refresh();
    this.#ready = true;
    if (this.#closed) return;
    this.#refreshTimer = setInterval(() => void this.#tick(), REFRESH_MS).unref();
    await Promise.all([...this.#searches].map(([id, search]) => this.#attempt(id, search)));
    this.#announcer.flush();
  }

  async #tick(): Promise<void> {
    this.#store.sweep();
    this.#reader.rest();
    await this.#refresh();
  }

  #refresh(): Promise<void> {
    this.#refreshedAt = performance.now();
    return this.#discovery.refresh();
  }

  lookup({ containerId, podUid }: Subject): Names | null {
    if (containerId !== null) this.#want(containerId);
    return this.#store.names(containerId, podUid);
  }

  notice({ containerId }: Subject): void {
    if (containerId === null || this.#closed || this.#store.touch(containerId)) return;
    const search = this.#searches.get(containerId);
    if (!search) this.#want(containerId, true);
    else this.#restart(containerId, search);
  }

  /** Begin to look for a container, unless it is known, looked for, or was looked for in vain. */
  #want(id: string, noticed = false): void {
    if (this.#closed || this.#store.touch(id) || this.#searches.has(id) || (!noticed && this.#store.isUnknown(id)) || !ID.test(id)) return;
    this.#store.looking(id);
    const search: Search = { attempt: 0, timer: null, running: false, again: false, hot: new Set() };
    this.#searches.set(id, search);
    if (this.#ready) void this.#attempt(id, search);
  }

  #restart(id: string, search: Search): void {
    search.attempt = 0;
    if (search.running) search.again = true;
    else if (this.#ready) void this.#attempt(id, search);
  }

  #changedIn(place: Place, name: string): void {
    if (!ID.test(name) || this.#store.mayBeGone(name)) return;
    this.#want(name, true);
    const search = this.#searches.get(name);
    if (!search || search.hot.has(place)) return;
    search.hot.add(place);
    this.#restart(name, search);
  }

  /** A runtime has come up: whoever is not known may be now. */
  #foundPlaces(places: readonly Place[]): void {
    if (!this.#ready) return;
    for (const id of this.#store.unknown()) this.notice({ containerId: id, podUid: null });
    for (const place of places) void this.#list(place);
  }

  /** What was made in a new place before the watch was there. Never rejects. */
  async #list(place: Place): Promise<void> {
    const { value: names } = await this.#files.list(place.directory, { hostPath: place.hostPath });
    for (const name of names?.slice(0, MAX_LISTED) ?? []) if (ID.test(name) && !this.#store.touch(name)) this.#changedIn(place, name);
  }

  /** Look everywhere once, then decide when to look again. Never rejects. */
  async #attempt(id: string, search: Search): Promise<void> {
    if (search.timer) clearTimeout(search.timer);
    search.timer = null;
    if (search.running || this.#closed) return;
    search.running = true;
    this.#running += 1;
    let wanted: boolean;
    try {
      wanted = await this.#look(id, search);
    } finally {
      this.#running -= 1;
      search.running = false;
    }
    // Forgotten, or found in the meantime.
    if (this.#closed || this.#searches.get(id) !== search) return;
    if (search.again) {
      search.again = false;
      void this.#attempt(id, search);
    } else if (wanted) {
      this.#schedule(id, search);
    } else {
      this.#searches.delete(id);
    }
  }

  #schedule(id: string, search: Search): void {
    // The watch tells of a directory that is made; only a file in one comes without notice.
    if (search.attempt < QUICK_MS.length && !this.#discovery.places.some((place) => isQuick(place, search))) search.attempt = QUICK_MS.length;
    const pause = search.attempt < QUICK_MS.length ? QUICK_MS[search.attempt] : SLOW_MS[search.attempt - QUICK_MS.length];
    search.attempt += 1;
    if (pause === undefined) {
      this.#debug(`oci: no file names container ${id}`);
      this.#searches.delete(id);
      return;
    }
    search.timer = setTimeout(() => void this.#attempt(id, search), pause).unref();
    if (performance.now() - this.#refreshedAt > EAGER_REFRESH_MS && search.attempt === 1 + QUICK_MS.length) void this.#refresh();
  }

  /** True when another attempt may find more. */
  async #look(id: string, search: Search): Promise<boolean> {
    const all = search.attempt === 0 || search.attempt > QUICK_MS.length;
    const urgent = search.hot.size > 0;
    const places = order(this.#discovery.places, search.hot).filter((place) => all || isQuick(place, search));
    let final = false;
    let open = false;
    for (const place of places) {
      const found = await this.#reader.read(place, id, urgent);
      if (this.#closed) return false;
      switch (found.kind) {
        case 'known':
          place.hits += 1;
          this.#learn(id, found);
          return false;
        case 'nameless':
          final = true;
          search.hot.delete(place);
          break;
        case 'elsewhere':
          search.hot.delete(place);
          open = true;
          if (this.#discovery.add(dockerPlace(found.directory))) await this.#refresh();
          break;
        case 'partial':
          search.hot.add(place);
          open = true;
          break;
        case 'failed':
          this.#failure = { path: found.path, code: found.code };
          if (isDenied(found)) final = true;
          else open = true;
          break;
        case 'missing':
          if (search.hot.has(place)) open = true;
      }
    }
    // Whole files that hold no names will not hold any later, and nobody gives us rights while we run.
    return open || !final;
  }

  #learn(id: string, { reading }: Extract<Found, { kind: 'known' }>): void {
    this.#failure = null;
    this.#searches.delete(id);
    this.#announcer.add(...this.#store.learn(id, reading));
    if (reading.sandboxId !== null) this.#want(reading.sandboxId);
  }

  #forgotten(id: string): void {
    const search = this.#searches.get(id);
    if (search?.timer) clearTimeout(search.timer);
    this.#searches.delete(id);
  }

  close(): void {
    this.#closed = true;
    if (this.#refreshTimer) clearInterval(this.#refreshTimer);
    for (const { timer } of this.#searches.values()) if (timer) clearTimeout(timer);
    this.#searches.clear();
    this.#announcer.close();
    this.#discovery.close();
    this.#files.close();
  }
}

/** Its files may appear here without a watch telling. */
function isQuick(place: Place, search: Search): boolean {
  return search.hot.has(place) || (place.watch.trouble !== null && !isDenied({ code: place.watch.trouble }));
}

/** Where its directory is, then where most others were found, then where the file is late. */
function order(places: readonly Place[], hot: ReadonlySet<Place>): Place[] {
  const rank = (place: Place): number => (hot.has(place) ? 0 : place.spec.last ? 2 : 1);
  return [...places].sort((a, b) => rank(a) - rank(b) || b.hits - a.hits);
}

/** Names from the files of container runtimes below the host's root. @param files how to read, for tests */
export function createOciSource(options: SourceOptions, files: BoundedFiles = new BoundedFiles({ concurrency: CONCURRENCY })): NameSource {
  return new OciSource(options, files);
}
