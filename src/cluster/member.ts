/** One node of the cluster's view: its agent, the session with it as long as there is one, and what came of it. */
import type { Frame } from '../frame/frame.ts';
import { Backoff } from '../identity/kubernetes/backoff.ts';
import { type Clock, pause } from '../identity/kubernetes/clock.ts';
import { oneLine } from '../identity/kubernetes/failure.ts';
import type { Agent } from './agents.ts';
import { Feed, type Now } from './feed.ts';
import type { NodePart } from './merge.ts';

/** A session with an agent, which finds back by itself when its stream is lost. */
export interface AgentSession {
  subscribe(onFrame: (frame: Frame) => void): () => void;
  /** Why Frames do not come at the moment; null: they do. */
  onTrouble(listener: (reason: string | null) => void): () => void;
  /** Rejects when it is over for good: another kbtop, or one that does not let this one look. */
  readonly done: Promise<void>;
  close(): Promise<void>;
}

/** Limits how many streams are being opened at once. */
export type Turn = <T>(open: () => Promise<T>) => Promise<T>;

/** A first session with an agent; each stream is opened in its turn. An error's `kind` 'refused' says that trying again at once is in vain. */
export type OpenSession = (agent: Agent, turn: Turn) => Promise<AgentSession>;

/** Who refuses is asked again after so long, and as much again at random; milliseconds. */
const REFUSED_MS = 60_000;

const textOf = (error: unknown): string => oneLine(error instanceof Error ? error.message : String(error));

/** A session that was over for good. */
class Over extends Error {
  readonly kind = 'refused';
}

const isRefusal = (error: unknown): boolean => (error as { readonly kind?: unknown } | null)?.kind === 'refused';

export interface Surroundings {
  readonly clock: Clock;
  readonly now: () => Now;
  readonly open: OpenSession;
  readonly turn: Turn;
}

export class Member {
  readonly #feed: Feed;
  readonly #around: Surroundings;
  #agent: Agent;
  /** Ends the attempts, or the session, with the present pod. */
  #life: AbortController | null = null;
  #session: AgentSession | null = null;
  #closing: Promise<unknown> = Promise.resolve();

  constructor(agent: Agent, around: Surroundings) {
    this.#agent = agent;
    this.#around = around;
    this.#feed = new Feed(agent.node);
    this.#begin();
  }

  /** What is known of its pod now. Another pod, or one that runs again, is a new session. */
  update(agent: Agent): void {
    const before = this.#agent;
    this.#agent = agent;
    if (agent.uid === before.uid && agent.pod === before.pod && agent.running === before.running) {
      if (!agent.running) this.#wait();
      return;
    }
    this.#end();
    this.#begin();
  }

  /** What the cluster's Frame takes of it now. */
  take(): NodePart {
    return this.#feed.take(this.#around.now());
  }

  #wait(): void {
    this.#feed.connecting(`its pod ${this.#agent.pod} is ${this.#agent.status}`);
  }

  #begin(): void {
    if (!this.#agent.running) return this.#wait();
    this.#feed.connecting(null);
    this.#life = new AbortController();
    void this.#run(this.#agent, this.#life.signal);
  }

  /** Tries until a session stands, and again when it is over for good. Never rejects. */
  async #run(agent: Agent, signal: AbortSignal): Promise<void> {
    const { clock, open, turn } = this.#around;
    const backoff = new Backoff(clock);
    while (!signal.aborted) {
      let ms: number;
      try {
        const session = await open(agent, turn);
        if (signal.aborted) return void session.close().catch(() => {});
        backoff.reset();
        await this.#follow(session, signal);
        ms = backoff.next();
      } catch (error) {
        if (signal.aborted) return;
        if (isRefusal(error)) this.#feed.refused(textOf(error));
        else this.#feed.lost(textOf(error));
        ms = isRefusal(error) ? REFUSED_MS * (1 + clock.random()) : backoff.next();
      }
      await pause(clock, ms, signal);
    }
  }

  /** Resolves when the session has ended by itself, rejects when it is over for good; either way it is closed. */
  async #follow(session: AgentSession, signal: AbortSignal): Promise<void> {
    this.#session = session;
    const mine = (run: () => void): void => { if (!signal.aborted) run(); };
    const undo = [
      session.subscribe((frame) => mine(() => this.#feed.push(frame, this.#around.now()))),
      session.onTrouble((reason) => mine(() => (reason === null ? this.#feed.open() : this.#feed.lost(oneLine(reason))))),
    ];
    try {
      await session.done.catch((error: unknown) => { throw new Over(textOf(error)); });
      mine(() => this.#feed.lost('the session has ended'));
    } finally {
      for (const one of undo) one();
      // Else it has been shut already.
      if (this.#session === session) {
        this.#session = null;
        this.#shut(session);
      }
    }
  }

  #shut(session: AgentSession): void {
    this.#closing = Promise.allSettled([this.#closing, session.close()]);
  }

  #end(): void {
    this.#life?.abort();
    this.#life = null;
    const session = this.#session;
    this.#session = null;
    if (session !== null) this.#shut(session);
  }

  /** Resolves when its streams are closed. */
  async close(): Promise<void> {
    this.#end();
    await this.#closing;
  }
}
