/** The API server: one connection kept alive, credentials as fresh as they need be. */
import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Clock } from './clock.ts';
import { Credentials, type Pass } from './credentials.ts';
import { Failure, networkFailure } from './failure.ts';
import { get, type Limits, readJson, refusal } from './http.ts';
import { choose, type Chosen, stampOf } from './kubeconfig.ts';
import type { Place } from './places.ts';

/** Wait for an answer to begin or go on, milliseconds. */
const SILENCE_MS = 15_000;
/** A page of 500 pods is a few MB; bytes. */
const LARGEST_ANSWER = 64 * 1024 * 1024;

export class Cluster {
  readonly #place: Place;
  readonly #context: string | null;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  #chosen: Chosen | null = null;
  #credentials: Credentials | null = null;
  #agent: HttpAgent | null = null;
  #agentStamp: string | null = null;

  constructor(place: Place, context: string | null, clock: Clock, signal: AbortSignal) {
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
    return { clock: this.#clock, signal: this.#signal, silenceMs: SILENCE_MS };
  }

  /** Reads the configuration anew where its files have changed. */
  async #ready(): Promise<{ readonly chosen: Chosen; readonly credentials: Credentials }> {
    if (this.#chosen && this.#credentials) {
      if (this.#place.kind !== 'files' || (await stampOf(this.#place.files)) === this.#chosen.stamp) return { chosen: this.#chosen, credentials: this.#credentials };
    }
    const chosen = await choose(this.#place, this.#context);
    this.#credentials?.close();
    this.#chosen = chosen;
    this.#credentials = new Credentials(chosen, this.#clock);
    return { chosen, credentials: this.#credentials };
  }

  /** URL of the server; another one when the configuration has changed. @throws Failure of kind configuration */
  async server(): Promise<string> {
    return (await this.#ready()).chosen.server;
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

  async #send(path: string): Promise<IncomingMessage> {
    const { chosen, credentials } = await this.#ready();
    const pass = await credentials.pass();
    if (this.#signal.aborted) throw new Failure('network', 'closed');
    const agent = this.#agentFor(pass, chosen.server);
    return await get(new URL(chosen.server + path), {
      agent, headers: { Accept: 'application/json', 'User-Agent': 'kbtop', ...pass.headers }, ...(pass.auth !== null && { auth: pass.auth }),
    }, this.limits);
  }

  /**
   * GET a path.
   * @returns an answer with status 200, its body not read
   * @throws Failure
   */
  async open(path: string): Promise<IncomingMessage> {
    let response = await this.#send(path);
    if (response.statusCode === 401) {
      // The token may have been replaced, or ended before its time: once with what is there now.
      await refusal(response, this.limits, this.host);
      this.renew();
      response = await this.#send(path);
    }
    if (response.statusCode === 200) return response;
    throw await refusal(response, this.limits, this.host);
  }

  async json(path: string): Promise<unknown> {
    return await readJson(await this.open(path), this.limits, this.host, LARGEST_ANSWER);
  }

  close(): void {
    this.#agent?.destroy();
    this.#agent = null;
    this.#credentials?.close();
  }
}
