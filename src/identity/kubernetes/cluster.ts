/** The API server: one connection kept alive, credentials as fresh as they need be. */
import { Buffer } from 'node:buffer';
import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Clock } from './clock.ts';
import { Credentials, type Pass } from './credentials.ts';
import { Failure, networkFailure } from './failure.ts';
import { get, type Limits, readJson, refusal } from './http.ts';
import { choose, type Chosen, type Overrides, stampOf } from './kubeconfig.ts';
import type { Place } from './places.ts';

/** Wait for an answer to begin or go on, milliseconds. */
const SILENCE_MS = 15_000;
/** A page of 500 pods is a few MB; bytes. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

/** A request beyond GET. */
export interface Request {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: object;
  readonly accept?: string;
}

export interface ClusterOptions {
  readonly overrides?: Overrides;
  /** Wait for an answer to begin or go on, milliseconds. Default: 15 s. */
  readonly silenceMs?: number;
}

export class Cluster {
  readonly #place: Place;
  readonly #context: string | null;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #overrides: Overrides;
  readonly #silenceMs: number;
  #chosen: Chosen | null = null;
  #credentials: Credentials | null = null;
  #agent: HttpAgent | null = null;
  #agentStamp: string | null = null;

  constructor(place: Place, context: string | null, clock: Clock, signal: AbortSignal, { overrides = {}, silenceMs = SILENCE_MS }: ClusterOptions = {}) {
    this.#overrides = overrides;
    this.#silenceMs = silenceMs;
    this.#place = place;
    this.#context = context;
    this.#clock = clock;
    this.#signal = signal;
  }

  /** Who is asked, for people: the URL and where it comes from; null before the first request. */
  get label(): string | null {
    return this.#chosen && `${this.#chosen.server} (${this.#chosen.label})`;
  }

  get host(): string {
    return this.#chosen ? new URL(this.#chosen.server).hostname : 'the API server';
  }

  get limits(): Limits {
    return { clock: this.#clock, signal: this.#signal, silenceMs: this.#silenceMs };
  }

  /** Reads the configuration anew where its files have changed. */
  async #ready(): Promise<{ readonly chosen: Chosen; readonly credentials: Credentials }> {
    if (this.#chosen && this.#credentials) {
      if (this.#place.kind !== 'files' || (await stampOf(this.#place.files)) === this.#chosen.stamp) return { chosen: this.#chosen, credentials: this.#credentials };
    }
    const chosen = await choose(this.#place, this.#context, this.#overrides);
    this.#credentials?.close();
    this.#chosen = chosen;
    this.#credentials = new Credentials(chosen, this.#clock);
    return { chosen, credentials: this.#credentials };
  }

  /** URL of the server; another one when the configuration has changed. @throws Failure of kind configuration */
  async server(): Promise<string> {
    return (await this.#ready()).chosen.server;
  }

  /** The namespace that the context, or the pod's service account, is in. @throws Failure of kind configuration */
  async namespace(): Promise<string> {
    return (await this.#ready()).chosen.namespace;
  }

  /** What to send and how to trust. @throws Failure of kind configuration */
  async pass(): Promise<Pass> {
    const { credentials } = await this.#ready();
    return await credentials.pass();
  }

  /** Forget credentials that were refused: the next request has what files and plugins say then. */
  renew(): void {
    this.#credentials?.renew();
  }

  #agentFor({ tls, tlsStamp, proxyAgent }: Pass, server: string): HttpAgent {
    const stamp = `${server} ${tlsStamp}`;
    if (this.#agent && this.#agentStamp === stamp) return this.#agent;
    this.#agent?.destroy();
    try {
      this.#agent = proxyAgent ?? (server.startsWith('http:') ? new HttpAgent({ keepAlive: true }) : new HttpsAgent({ ...tls, keepAlive: true }));
    } catch (error) {
      throw networkFailure(error, this.host);
    }
    this.#agentStamp = stamp;
    return this.#agent;
  }

  async #send(path: string, { method = 'GET', body, accept = 'application/json' }: Request): Promise<IncomingMessage> {
    const { chosen, credentials } = await this.#ready();
    const pass = await credentials.pass();
    if (this.#signal.aborted) throw new Failure('network', 'closed');
    const agent = this.#agentFor(pass, chosen.server);
    const text = body === undefined ? null : JSON.stringify(body);
    return await get(new URL(chosen.server + path), {
      agent, method, headers: { Accept: accept, ...(text !== null && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }), 'User-Agent': 'kbtop', ...pass.headers }, ...(pass.auth !== null && { auth: pass.auth }),
    }, this.limits, text);
  }

  /**
   * GET a path, or what else is asked for. On a connection that had been closed it is sent again.
   * @returns an answer with a status from 200 to 299, its body not read
   * @throws Failure
   */
  async open(path: string, request: Request = {}): Promise<IncomingMessage> {
    let response = await this.#send(path, request);
    if (response.statusCode === 401) {
      // The token may have been replaced, or ended before its time: once with what is there now.
      await refusal(response, this.limits, this.host);
      this.renew();
      response = await this.#send(path, request);
    }
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    throw await refusal(response, this.limits, this.host);
  }

  async json(path: string, request: Request = {}): Promise<unknown> {
    return await readJson(await this.open(path, request), this.limits, this.host, LARGEST_ANSWER);
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = null;
    this.#credentials?.close();
  }
}
