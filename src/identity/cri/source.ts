/**
 * Names from the container runtime itself, over CRI (containerd, CRI-O, cri-dockerd). Lists everything once, then asks
 * for what is noticed and not known yet, and lists again now and then.
 *
 * CRI's event stream (GetContainerEvents) is left alone on purpose: in containerd 1.7 all clients take from one queue,
 * so that each event kbtop read would be one that kubelet misses.
 */
import type { SourceOptions } from '../options.ts';
import type { Changed, Names, NameSource, SourceState, Subject } from '../source.ts';
import { Catalog } from './catalog.ts';
import { findEndpoints } from './endpoints.ts';
import { type Failure, failureOf, stateOf } from './failure.ts';
import { Nap } from './nap.ts';
import { findRuntime, listAll, type Lists, type Reached } from './reach.ts';
import { CallError, Code, type Runtime } from './runtime.ts';
import { type Tuning, TUNING } from './tuning.ts';
import { type Want, Wanted } from './wanted.ts';

/** Of the time, the share that asking for unknown ids may take: one in. More for those that were never asked for. */
const ASKING_SHARE = 20;
const URGENT_SHARE = 3;
/** Tries at which a pod is looked for in a whole list: it may lack the labels that kubelet sets, by which it is asked for otherwise. */
const WHOLE_TRIES = [2, 5];
/** Up to this many ids are asked for one by one, or more where whole lists are long. */
const MOST_SINGLES = 4;
/** A question for one id costs about as much as this many entries of a whole list. */
const SINGLE_COST = 32;
/** Images that are asked for by themselves, at a time; for more, all images are listed once. */
const IMAGES_AT_A_TIME = 8;
/** Containers that are asked for one image's name. */
const IMAGE_TRIES = 3;

/** Whether a call failed because the runtime does not answer, and not because of what was asked. */
const isLost = (error: unknown): boolean => !(error instanceof CallError) || error.code === Code.UNAVAILABLE || error.code === Code.DEADLINE_EXCEEDED;

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

class CriSource implements NameSource {
  readonly id = 'cri';
  readonly #options: SourceOptions;
  readonly #env: NodeJS.ProcessEnv;
  readonly #tuning: Tuning;
  readonly #catalog = new Catalog();
  readonly #wanted: Wanted;
  readonly #nap = new Nap();
  readonly #closing = new AbortController();
  #state: SourceState = { status: 'starting', reason: "looks for the container runtime's socket", fix: null };
  /** Set while a runtime answers. */
  #serving: { readonly name: string; readonly passedOver: readonly Failure[] } | null = null;
  /** Set when the list of images has been asked for since the last whole list of containers. */
  #imagesListed = false;
  #changed: Changed = () => {};
  #started: Promise<void> | null = null;

  constructor(options: SourceOptions, env: NodeJS.ProcessEnv, tuning: Tuning) {
    this.#options = options;
    this.#env = env;
    this.#tuning = tuning;
    this.#wanted = new Wanted(tuning.askMs, tuning.giveUpMs);
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted;
  }

  get state(): SourceState {
    if (this.#serving === null) return this.#state;
    const { name, passedOver } = this.#serving;
    const { sandboxes, containers } = this.#catalog.listed;
    const others = passedOver.map(({ path, reason }) => `; ${path} ${reason}`).join('');
    return { status: 'ok', reason: `${name}: ${plural(sandboxes, 'pod')}, ${plural(containers, 'container')}${others}`, fix: null };
  }

  onChange(changed: Changed): void {
    this.#changed = changed;
  }

  start(): Promise<void> {
    this.#started ??= new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#tuning.startMs);
      const settled = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#closing.signal.addEventListener('abort', settled);
      this.#run(settled).catch((error: unknown) => {
        this.#options.debug(`cri: ${error instanceof Error ? error.stack : String(error)}`);
        this.#serving = null;
        this.#state = { status: 'failing', reason: `stopped: ${error instanceof Error ? error.message : String(error)}`, fix: 'report it, with the output of --debug' };
        settled();
      });
    });
    return this.#started;
  }

  lookup(subject: Subject): Names | null {
    return this.#catalog.lookup(subject);
  }

  notice(subject: Subject): void {
    if (this.#closed || this.#catalog.knows(subject)) return;
    this.#wanted.add(subject, performance.now());
    if (this.#serving !== null) this.#nap.wake();
  }

  close(): void {
    this.#changed = () => {};
    this.#closing.abort();
    this.#nap.wake();
  }

  /** Connect, serve, and again when that ends. @param settled called when it is clear how the first attempt ended */
  async #run(settled: () => void): Promise<void> {
    const { retryMs, longestRetryMs, refreshMs } = this.#tuning;
    for (let pause = retryMs; !this.#closed;) {
      const { paths, given, refused } = findEndpoints(this.#options, this.#env);
      if (refused !== null) {
        this.#state = { status: 'failing', reason: refused, fix: 'give the path of a socket, as in unix:///run/containerd/containerd.sock' };
        return settled();
      }
      const { reached, failures, others } = await findRuntime(paths, this.#tuning, this.#closing.signal, this.#options.debug);
      if (reached === null) {
        this.#state = stateOf(failures, given, this.#options.hostRoot);
      } else {
        const begun = performance.now();
        const failure = await this.#serve(reached, failures, others, settled);
        // Another look round, not a failure.
        if (failure === null) continue;
        this.#state = stateOf([failure], given, this.#options.hostRoot);
        if (performance.now() - begun >= refreshMs) pause = retryMs;
      }
      if (this.#closed) break;
      settled();
      this.#settle();
      // Spread out, or a node's observers all come at once when its runtime is back.
      await this.#nap.take(pause * (0.75 + Math.random() / 2));
      pause = Math.min(pause * 2, longestRetryMs);
    }
    settled();
  }

  /** Ask a runtime until it fails. @returns how it failed; null when it has no pods and another runtime may have them */
  async #serve(reached: Reached, failures: readonly Failure[], others: boolean, settled: () => void): Promise<Failure | null> {
    const { path, version, runtime } = reached;
    const { pauseMs, refreshMs } = this.#tuning;
    this.#imagesListed = false;
    try {
      this.#serving = { name: `${version.name} ${version.version} at ${path}`, passedOver: failures.filter(({ status }) => status === 'failing') };
      this.#replace(reached.takeLists());
      settled();
      let refreshAt = performance.now() + refreshMs;
      let asked = 0, took = 0;
      // What is wanted may change during each wait.
      const askAt = (): number => Math.max(this.#wanted.next, asked + Math.max(pauseMs, took * (this.#wanted.urgent ? URGENT_SHARE : ASKING_SHARE)));
      while (!this.#closed) {
        const begun = performance.now();
        if (begun >= refreshAt) {
          if (others && this.#catalog.listed.sandboxes === 0) return null;
          this.#catalog.forgetNamelessImages();
          this.#imagesListed = false;
          await this.#list(runtime);
          refreshAt = performance.now() + refreshMs;
        } else if (begun >= askAt()) {
          await this.#ask(runtime);
          asked = performance.now();
          took = asked - begun;
        } else if (!await this.#nameImages(runtime)) {
          await this.#nap.take(Math.min(refreshAt, askAt()) - performance.now());
        }
      }
      return null;
    } catch (error) {
      return failureOf(path, error);
    } finally {
      this.#state = this.state;
      this.#serving = null;
      reached.close();
    }
  }

  /** Let go of ids that are known by now, or were wanted long enough. */
  #settle(): void {
    this.#wanted.settle((subject) => this.#catalog.knows(subject), performance.now());
  }

  /** Tell of what was learned. */
  #tell(ids: ReadonlySet<string>): void {
    this.#settle();
    if (ids.size > 0 && !this.#closed) this.#changed(ids);
  }

  #replace({ sandboxes, containers }: Lists): void {
    this.#tell(this.#catalog.replace(sandboxes, containers, performance.now()));
  }

  async #list(runtime: Runtime): Promise<void> {
    this.#replace(await listAll(runtime, this.#tuning.listMs));
  }

  /** Ask for the ids that are due: one by one when they are few, else by a whole list. */
  async #ask(runtime: Runtime): Promise<void> {
    const due = this.#wanted.due(performance.now());
    const { sandboxes, containers } = this.#catalog.listed;
    const most = Math.max(MOST_SINGLES, Math.floor((sandboxes + containers) / SINGLE_COST));
    const whole = due.length > most || due.some(({ subject, tries }) => subject.podUid !== null && WHOLE_TRIES.includes(tries));
    this.#wanted.asked(due, performance.now());
    if (whole) await this.#list(runtime);
    else await Promise.all(due.map((want) => this.#askFor(runtime, want)));
  }

  /**
   * A pod's members come by its label, others by their id. (CRI-O writes a line into its log for every id that it does
   * not know, which a sandbox's is when asked for as a container.)
   */
  async #askFor(runtime: Runtime, { subject: { podUid, containerId } }: Want): Promise<void> {
    const { callMs } = this.#tuning;
    const filter = podUid === null ? { id: containerId ?? '' } : { podUid };
    const [sandboxes, containers] = await Promise.all([runtime.sandboxes(filter, callMs), runtime.containers(filter, callMs)]);
    const missing = new Set(containers.map(({ sandboxId }) => sandboxId).filter((id) => id !== '' && !this.#catalog.hasSandbox(id)));
    for (const { id } of sandboxes) missing.delete(id);
    const more = await Promise.all([...missing].map((id) => runtime.sandboxes({ id }, callMs)));
    this.#tell(this.#catalog.add([...sandboxes, ...more.flat()], containers, performance.now()));
  }

  /** Ask for some names of images that were listed by id. @returns whether there were any */
  async #nameImages(runtime: Runtime): Promise<boolean> {
    const unnamed = this.#catalog.unnamedImages();
    const named = unnamed.size > IMAGES_AT_A_TIME && !this.#imagesListed ? await this.#listImages(runtime, unnamed.keys()) : await this.#askForImages(runtime, unnamed);
    this.#tell(new Set(named.flatMap((ids) => [...ids])));
    return unnamed.size > 0;
  }

  async #listImages(runtime: Runtime, unnamed: Iterable<string>): Promise<ReadonlySet<string>[]> {
    this.#imagesListed = true;
    try {
      const images = await runtime.images(this.#tuning.listMs);
      return [...unnamed].flatMap((id) => {
        const image = images.get(id);
        return image === undefined ? [] : [this.#catalog.nameImage(id, image)];
      });
    } catch (error) {
      // Images may be somebody else's business (kubelet's imageServiceEndpoint): then containers tell.
      if (isLost(error)) throw error;
      return [];
    }
  }

  #askForImages(runtime: Runtime, unnamed: ReadonlyMap<string, readonly string[]>): Promise<ReadonlySet<string>[]> {
    return Promise.all([...unnamed].slice(0, IMAGES_AT_A_TIME).map(([id, containers]) => this.#nameImage(runtime, id, containers)));
  }

  async #nameImage(runtime: Runtime, imageId: string, containers: readonly string[]): Promise<ReadonlySet<string>> {
    for (const container of containers.slice(0, IMAGE_TRIES)) {
      try {
        return this.#catalog.nameImage(imageId, await runtime.imageOf(container, this.#tuning.callMs));
      } catch (error) {
        if (isLost(error)) throw error;
        // The container is gone by now, or broken: another one may tell.
      }
    }
    return this.#catalog.nameImage(imageId, null);
  }
}

/** Names from the container runtime's CRI socket. @param env @param tuning for tests */
export function createCriSource(options: SourceOptions, env: NodeJS.ProcessEnv = process.env, tuning: Partial<Tuning> = {}): NameSource {
  return new CriSource(options, env, { ...TUNING, ...tuning });
}
