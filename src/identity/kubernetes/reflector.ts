/**
 * List and watch of pods, for as long as it takes.
 *
 * Why not the informer of @kubernetes/client-node: it stops for good at the first error, a failing exec plugin ends the
 * whole process by an unhandled rejection, it opens a TLS connection per request, and without bookmarks its resource
 * version ages until the server has forgotten it.
 */
import { Backoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import type { Cluster } from './cluster.ts';
import { Failure, oneLine, Silence } from './failure.ts';
import { chunksOf } from './http.ts';
import { Lines, LineTooLong } from './lines.ts';
import { type PodRecord, readPod } from './pod.ts';
import { integer, list, object, text } from './shape.ts';

const PAGE = 500;
/** An object in etcd is at most 1.5 MB; bytes. */
const LONGEST_LINE = 16 * 1024 * 1024;
/** The server ends a watch after this many seconds and up to a fifth more, so that they do not all end together. */
const WATCH_SECONDS = 280;
/** Bookmarks come every minute: longer without a byte, and nobody is there any more. Milliseconds. */
const SILENCE_MS = 75_000;
/** A watch that ends earlier is not followed by another at once. Milliseconds. */
const SHORT_WATCH_MS = 5_000;
/** Pause where only somebody else can put it right; and as much again at random. Milliseconds. */
const LONG_PAUSE_MS = 60_000;

/** Which pods: where they are listed, and what narrows that. */
export interface PodQuery {
  readonly path: string;
  /** As it stands in a URL. */
  readonly selector: string;
}

export const podsOnNode = (name: string): PodQuery => ({ path: '/api/v1/pods', selector: `fieldSelector=${encodeURIComponent(`spec.nodeName=${name}`)}` });

export const podsWithLabels = (namespace: string, labels: string): PodQuery => ({
  path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`, selector: `labelSelector=${encodeURIComponent(labels)}`,
});

export interface Reflection {
  /** The whole set; what is not in it is gone. May go on asking before the watch begins. */
  listed(pods: readonly PodRecord[]): Promise<void> | void;
  /** One chunk's worth of changes, in order. */
  changed(changes: readonly Change[]): void;
  /** It answers. */
  answered(): void;
  /** It does not; it is tried again in `pauseMs` milliseconds. */
  failed(failure: Failure, pauseMs: number): void;
}

export interface Change {
  readonly pod: PodRecord;
  readonly gone: boolean;
}

export class Reflector {
  readonly #cluster: Cluster;
  readonly #query: PodQuery;
  readonly #reflection: Reflection;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #backoff: Backoff;
  /** Where the next watch begins; null: with a new list. */
  #version: string | null = null;
  /** Whose version that is. */
  #server: string | null = null;

  constructor(cluster: Cluster, query: PodQuery, reflection: Reflection, clock: Clock, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#query = query;
    this.#reflection = reflection;
    this.#clock = clock;
    this.#signal = signal;
    this.#backoff = new Backoff(clock);
  }

  /** Resolves when the signal is given, and not before. Never rejects. */
  async run(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        const server = await this.#cluster.server();
        if (server !== this.#server) this.#version = null;
        this.#server = server;
        if (this.#version === null) await this.#list();
        if (this.#signal.aborted) return;
        const began = this.#clock.now();
        try {
          await this.#watch(this.#version ?? '');
        } finally {
          if (this.#clock.now() - began >= SHORT_WATCH_MS) this.#backoff.reset();
        }
        if (this.#clock.now() - began < SHORT_WATCH_MS) await pause(this.#clock, this.#backoff.next(), this.#signal);
      } catch (error) {
        if (this.#signal.aborted) return;
        await this.#recover(error instanceof Failure ? error : new Failure('server', oneLine(String(error))));
      }
    }
  }

  async #recover(failure: Failure): Promise<void> {
    // What the server says no to may come of where the watch begins: a restored cluster knows no such version.
    if (failure.kind === 'server' || failure.kind === 'expired') this.#version = null;
    if (failure.kind === 'expired') {
      // The ordinary end of an old version, and no trouble: but not hot, should every version be too old.
      await pause(this.#clock, this.#backoff.next(), this.#signal);
      return;
    }
    const long = failure.kind === 'unauthorized' || failure.kind === 'forbidden';
    const pauseMs = Math.max(long ? LONG_PAUSE_MS * (1 + this.#clock.random()) : this.#backoff.next(), failure.retryAfterMs);
    this.#reflection.failed(failure, pauseMs);
    await pause(this.#clock, pauseMs, this.#signal);
  }

  async #list(): Promise<void> {
    const pods: PodRecord[] = [];
    let next: string | null = '';
    let version: string | null = null;
    while (next !== null) {
      const page = object(await this.#cluster.json(`${this.#query.path}?${this.#query.selector}&limit=${PAGE}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`));
      const metadata = object(page['metadata']);
      version = text(metadata['resourceVersion']);
      if (page['kind'] !== 'PodList' || version === null) throw new Failure('server', 'its answer is no list of pods', { fix: 'check the server of the cluster in the kubeconfig' });
      for (const item of list(page['items'])) {
        const pod = readPod(item);
        if (pod) pods.push(pod);
      }
      next = text(metadata['continue']);
    }
    this.#version = version;
    this.#reflection.answered();
    await this.#reflection.listed(pods);
  }

  /** Resolves when the watch came to a good end, or fell silent: then the next begins where this one was. */
  async #watch(version: string): Promise<void> {
    const seconds = Math.round(WATCH_SECONDS * (1 + this.#clock.random() / 5));
    const response = await this.#cluster.open(`${this.#query.path}?watch=true&allowWatchBookmarks=true&${this.#query.selector}&resourceVersion=${encodeURIComponent(version)}&timeoutSeconds=${seconds}`);
    this.#reflection.answered();
    const lines = new Lines(LONGEST_LINE);
    const limits = { ...this.#cluster.limits, silenceMs: SILENCE_MS };
    try {
      for await (const chunk of chunksOf(response, limits, this.#cluster.host)) {
        this.#take(lines.push(chunk));
      }
    } catch (error) {
      if (error instanceof LineTooLong) {
        this.#version = null;
        throw new Failure('server', error.message);
      }
      // Its connection went with it.
      if (!(error instanceof Silence)) throw error;
    }
  }

  #take(lines: readonly string[]): void {
    const changes: Change[] = [];
    try {
      for (const line of lines) {
        const change = this.#read(line);
        if (change) changes.push(change);
      }
    } finally {
      // What came before a broken line is true all the same.
      if (changes.length > 0) this.#reflection.changed(changes);
    }
  }

  #read(line: string): Change | null {
    let event: unknown;
    try {
      event = JSON.parse(line);
    } catch {
      throw new Failure('server', 'a line of its watch is no JSON');
    }
    const type = text(object(event)['type']);
    const body = object(object(event)['object']);
    if (type === 'ERROR') {
      const code = integer(body['code']);
      const message = `ended the watch with ${code === 0 ? 'an error' : code}: ${text(body['message']) ?? text(body['reason']) ?? 'no reason'}`;
      throw new Failure(code === 410 || body['reason'] === 'Expired' || body['reason'] === 'Gone' ? 'expired' : code === 401 ? 'unauthorized' : code === 403 ? 'forbidden' : 'server', message, { status: code });
    }
    this.#backoff.reset();
    this.#version = text(object(body['metadata'])['resourceVersion']) ?? this.#version;
    if (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED') return null;
    const pod = readPod(body);
    return pod && { pod, gone: type === 'DELETED' };
  }
}
