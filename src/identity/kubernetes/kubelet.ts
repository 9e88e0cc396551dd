/** Names from this node's own kubelet, which knows its pods when the API server is out of reach. */
import type { SourceOptions } from '../options.ts';
import type { Changed, Names, NameSource, SourceState, Subject } from '../source.ts';
import { type Surroundings, theWorld } from './api.ts';
import { Backoff } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import type { Pass } from './credentials.ts';
import { Failure, oneLine } from './failure.ts';
import { findPlace } from './places.ts';
import { PodStore } from './pod-store.ts';
import { counted, type PodRecord, readPod } from './pod.ts';
import { list, object } from './shape.ts';

/** Milliseconds. */
const POLL_MS = 10_000;
/** Between two polls, however many containers start. */
const LEAST_POLL_MS = 1_000;
/** How often to see whether it is needed. */
const WATCH_NEED_MS = 1_000;
/** The kubelet keeps a refusal for 30 s; and as much again at random. */
const LONG_PAUSE_MS = 60_000;
const SILENCE_MS = 8_000;
const START_MS = 5_000;
/** Bytes. */
const LARGEST_ANSWER = 64 * 1024 * 1024;
/** A container's id comes into its pod's status about a second after it was made; sandboxes never do. */
const MOST_LOOKS = 4;
const MOST_WANTED = 1_000;

const WHO = /user=([^,)\s]+)/;

/** What grants the right, as a command to copy. */
function grant(message: string): string {
  const user = WHO.exec(message)?.[1] ?? 'NAME';
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  const subject = account ? `--serviceaccount=${account[1]}:${account[2]}` : `--user=${user}`;
  return `allow get of nodes/pods (before Kubernetes 1.33: of nodes/proxy): kubectl create clusterrole kbtop-kubelet --verb=get --resource=nodes/pods && kubectl create clusterrolebinding kbtop-kubelet --clusterrole=kbtop-kubelet ${subject}`;
}

export interface KubeletNeed {
  /** Whether its answers are wanted; asked again and again. */
  readonly needed: () => boolean;
}

const OFF: SourceState = { status: 'off', reason: 'not asked: the API server answers, or no pod was seen here', fix: null };

class KubeletSource implements NameSource {
  readonly id = 'kubelet';
  readonly late = true;
  state: SourceState = { status: 'starting', reason: 'not answered yet', fix: null };
  readonly #options: SourceOptions;
  readonly #needed: () => boolean;
  readonly #around: Surroundings;
  readonly #store: PodStore;
  readonly #backoff: Backoff;
  readonly #closing = new AbortController();
  /** Ids that were noticed and not found: how often was looked since. */
  readonly #wanted = new Map<string, { readonly subject: Subject; looks: number }>();
  #changed: Changed = () => {};
  /** Null: there is no way into the cluster; undefined: not looked for yet. */
  #cluster: Cluster | null | undefined;
  #stopTimer = (): void => {};
  #dueAt = 0;
  #lastPollAt = Number.NEGATIVE_INFINITY;
  /** Nothing makes it be asked before; 0: nothing to wait for. */
  #notBefore = 0;
  #polling = false;

  constructor(options: SourceOptions, { needed }: KubeletNeed, around: Surroundings) {
    this.#options = options;
    this.#needed = needed;
    this.#around = around;
    this.#store = new PodStore(() => around.clock.now());
    this.#backoff = new Backoff(around.clock);
  }

  onChange(changed: Changed): void {
    this.#changed = changed;
  }

  start(): Promise<void> {
    if (!this.#needed()) {
      this.state = OFF;
      this.#wait(WATCH_NEED_MS);
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const stop = this.#around.clock.after(START_MS, resolve);
      this.#closing.signal.addEventListener('abort', () => resolve());
      const first = (): void => {
        stop();
        resolve();
      };
      this.#poll().then(first, first);
    });
  }

  #wait(ms: number): void {
    this.#stopTimer();
    if (this.#closing.signal.aborted) return;
    this.#dueAt = this.#around.clock.now() + ms;
    this.#stopTimer = this.#around.clock.after(ms, () => void this.#poll());
  }

  /** Never rejects. */
  async #poll(): Promise<void> {
    const { clock } = this.#around;
    if (this.#polling || this.#closing.signal.aborted) return;
    if (!this.#needed()) {
      this.#tell(OFF);
      this.#wanted.clear();
      this.#wait(WATCH_NEED_MS);
      return;
    }
    if (this.state.status === 'off') this.#tell({ status: 'starting', reason: 'not answered yet', fix: null });
    this.#polling = true;
    this.#lastPollAt = clock.now();
    let pauseMs = POLL_MS;
    try {
      await this.#ask();
      this.#backoff.reset();
      this.#notBefore = 0;
      if (this.#stillWanted()) pauseMs = LEAST_POLL_MS;
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure('server', oneLine(String(error)));
      const long = failure.kind === 'unauthorized' || failure.kind === 'forbidden';
      pauseMs = Math.max(long ? LONG_PAUSE_MS * (1 + clock.random()) : this.#backoff.next(), failure.retryAfterMs);
      this.#notBefore = clock.now() + pauseMs;
      this.#options.debug(`kubelet: ${failure.message}; again in ${Math.round(pauseMs)} ms`);
    } finally {
      this.#polling = false;
    }
    this.#wait(pauseMs);
  }

  /** Looks once more for what was noticed; gives up what is not found in time. */
  #stillWanted(): boolean {
    for (const [id, wanted] of this.#wanted) {
      wanted.looks++;
      if (wanted.looks >= MOST_LOOKS || this.#store.knows(wanted.subject)) this.#wanted.delete(id);
    }
    return this.#wanted.size > 0;
  }

  /** @throws Failure, after state tells of it */
  async #ask(): Promise<void> {
    const { machine, clock } = this.#around;
    const { hostRoot } = this.#options;
    const { signal } = this.#closing;
    // Loaded once it is needed: the package, HTTP and TLS.
    const [{ findKubelet, kubeletTrust }, { askKubelet }, { readJson, refusal }] = await Promise.all([import('./kubelet-place.ts'), import('./kubelet-request.ts'), import('./http.ts')]);
    const limits = { clock, signal, silenceMs: SILENCE_MS };
    let at = 'the kubelet';
    let configured = true;
    try {
      const place = await findKubelet(hostRoot, machine.env);
      at = `the kubelet at ${place.url.origin}`;
      configured = place.configured;
      const secure = place.url.protocol === 'https:';
      const { pass, why } = secure ? await this.#pass() : { pass: null, why: null };
      const { response, unverified } = await askKubelet(place, secure ? await kubeletTrust(hostRoot, authoritiesOf(pass)) : { ca: [], pins: [] }, pass, limits);
      const without = unverified !== null ? `asked without credentials, since it cannot be verified: ${unverified}` : why !== null ? `asked without credentials: ${why}` : null;
      if (response.statusCode !== 200) throw withNote(await refusal(response, limits, place.url.hostname), without);
      const answer = object(await readJson(response, limits, place.url.hostname, LARGEST_ANSWER));
      if (!('items' in answer)) throw new Failure('server', 'its answer is no list of pods');
      const pods = list(answer['items']).map(readPod).filter((pod): pod is PodRecord => pod !== null);
      const ids = this.#store.replace(pods);
      this.#tell({ status: 'ok', reason: `${at}: ${counted(pods.length)}${without === null ? '' : `, ${without}`}`, fix: null });
      this.#learn(ids);
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure('server', oneLine(String(error)));
      // Nothing at the usual port, and nothing on disk: this is no node.
      const status = !configured && failure.message === 'connection refused' ? 'absent' : 'failing';
      this.#tell({ status, reason: `${at}: ${failure.message}`, fix: fixOf(failure, status) });
      throw failure;
    }
  }

  #learn(ids: readonly string[]): void {
    if (ids.length === 0 || this.#closing.signal.aborted) return;
    try {
      this.#changed(ids);
    } catch (error) {
      this.#options.debug(`kubelet: ${String(error)}`);
    }
  }

  /** Credentials, or why there are none. */
  async #pass(): Promise<{ readonly pass: Pass | null; readonly why: string | null }> {
    const { machine, clock } = this.#around;
    if (this.#cluster === undefined) {
      const { place } = await findPlace(this.#options, machine);
      if (place === null) this.#cluster = null;
      else {
        const { Cluster } = await import('./cluster.ts');
        this.#cluster = new Cluster(place, this.#options.context, clock, this.#closing.signal);
      }
    }
    if (this.#cluster === null) return { pass: null, why: 'there is no kubeconfig and no service account' };
    try {
      return { pass: await this.#cluster.pass(), why: null };
    } catch (error) {
      return { pass: null, why: error instanceof Failure ? error.message : oneLine(String(error)) };
    }
  }

  #tell(state: SourceState): void {
    if (!this.#closing.signal.aborted) this.state = state;
  }

  notice(subject: Subject): void {
    const id = subject.containerId ?? subject.podUid;
    if (id === null || this.#wanted.size >= MOST_WANTED || this.#closing.signal.aborted || !this.#needed() || this.#store.knows(subject)) return;
    this.#wanted.set(id, { subject, looks: 0 });
    if (this.#polling) return;
    const { clock } = this.#around;
    const at = Math.max(this.#lastPollAt + LEAST_POLL_MS, this.#notBefore, clock.now());
    if (at < this.#dueAt) this.#wait(Math.max(0, at - clock.now()));
  }

  lookup(subject: Subject): Names | null {
    return this.#store.find(subject);
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#stopTimer();
    this.#cluster?.close();
  }
}

/** The cluster's authorities, as the credentials name them. */
const authoritiesOf = (pass: Pass | null): string[] => [pass?.tls.ca ?? []].flat().map(String);

const withNote = (failure: Failure, note: string | null): Failure =>
  (note === null ? failure : new Failure(failure.kind, `${failure.message} (${note})`, { fix: failure.fix, retryAfterMs: failure.retryAfterMs, ...(failure.status !== null && { status: failure.status }) }));

function fixOf(failure: Failure, status: SourceState['status']): string | null {
  if (status === 'absent') return 'on a node whose kubelet listens elsewhere, set KBTOP_KUBELET=https://HOST:PORT';
  if (failure.kind === 'forbidden') return grant(failure.message);
  if (failure.kind === 'unauthorized') return failure.fix ?? 'give credentials that the kubelet accepts by --kubeconfig';
  return failure.fix;
}

/** Names from the kubelet of this node, which is asked only while `needed` says so. Loads what it needs only then. */
export function createKubeletSource(options: SourceOptions, need: KubeletNeed, around: Surroundings = theWorld): NameSource {
  return new KubeletSource(options, need, around);
}
