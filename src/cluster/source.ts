/**
 * The whole cluster as a source of Frames: at each tick the latest of every node's agent, put together. Ticks come by the
 * clock here and wait for nobody; a node that is slow, late or gone costs its own rows alone.
 */
import type { Frame } from '../frame/frame.ts';
import type { FrameSource } from '../frame/source.ts';
import { type Clock, systemClock } from '../identity/kubernetes/clock.ts';
import type { Failure } from '../identity/kubernetes/failure.ts';
import { AGENT_LABELS, type Agent, type AgentWatch } from './agents.ts';
import type { Now } from './feed.ts';
import { Gate } from './gate.ts';
import { Member, type OpenSession } from './member.ts';
import { mergeFrames } from './merge.ts';

export interface ClusterSourceOptions {
  /** What the cluster is called, for people. */
  readonly name: string;
  /** Where the agents are looked for, for the message that there are none. */
  readonly namespace: string;
  readonly intervalMs: number;
  readonly agents: AgentWatch;
  readonly open: OpenSession;
  readonly clock?: Clock;
  readonly now?: () => Now;
}

/** No pod of an agent is there; the message is one line. */
export class NoAgents extends Error {
  override readonly name = 'NoAgents';
}

/** Streams that are being opened at once: the API server has others to serve. */
const OPENING = 16;
/** The first tick: some agents have answered by then. Milliseconds. */
const FIRST_TICK_MS = 250;

export class ClusterSource implements FrameSource {
  readonly can = { setInterval: true, setLevel: false } as const;
  readonly done: Promise<void>;
  readonly #options: ClusterSourceOptions;
  readonly #clock: Clock;
  readonly #now: () => Now;
  readonly #gate = new Gate(OPENING);
  readonly #members = new Map<string, Member>();
  /** Of nodes that are no more. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #listeners = new Set<(frame: Frame) => void>();
  readonly #troubled = new Set<(reason: string | null) => void>();
  readonly #end = Promise.withResolvers<void>();
  #intervalMs: number;
  #seq = 0;
  #latest: Frame | null = null;
  #lastTick: number | null = null;
  #nextTick: () => void = () => {};
  #trouble: string | null = null;
  #closing: Promise<void> | null = null;

  private constructor(options: ClusterSourceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#now = options.now ?? (() => ({ mono: performance.now(), wall: Date.now() }));
    this.#intervalMs = options.intervalMs;
    this.done = this.#end.promise;
  }

  /** Resolves when it is known which agents there are. @throws NoAgents, or the Failure of the API server */
  static async open(options: ClusterSourceOptions): Promise<ClusterSource> {
    const source = new ClusterSource(options);
    try {
      await source.#find();
    } catch (error) {
      await source.close();
      throw error;
    }
    source.#schedule(FIRST_TICK_MS);
    return source;
  }

  #find(): Promise<void> {
    const { agents, namespace } = this.#options;
    let known = false;
    return new Promise((resolve, reject) => {
      agents.start({
        found: (all) => {
          if (this.#closing !== null) return;
          if (!known && all.length === 0) return reject(new NoAgents(`no agents in namespace ${namespace} (pods with ${AGENT_LABELS}): install them with kubectl apply -k deploy/base, or give their namespace with --agents-namespace`));
          known = true;
          this.#update(all);
          resolve();
        },
        trouble: (failure: Failure | null) => {
          if (!known && failure !== null) return reject(failure);
          this.#setTrouble(failure === null ? null : `the list of agents is not fresh: ${failure.message}`);
        },
      });
    });
  }

  #update(agents: readonly Agent[]): void {
    const around = { clock: this.#clock, now: this.#now, open: this.#options.open, turn: this.#gate.through };
    const nodes = new Set(agents.map(({ node }) => node));
    for (const [node, member] of this.#members) {
      if (nodes.has(node)) continue;
      this.#members.delete(node);
      const left = member.close().finally(() => this.#leaving.delete(left));
      this.#leaving.add(left);
    }
    for (const agent of agents) {
      const member = this.#members.get(agent.node);
      if (member === undefined) this.#members.set(agent.node, new Member(agent, around));
      else member.update(agent);
    }
  }

  #schedule(ms: number): void {
    this.#nextTick();
    this.#nextTick = this.#clock.after(ms, () => this.#tick());
  }

  /**
   * What putting together and showing took is part of the interval. Where it takes most of it, because there are more nodes
   * than this machine can show that often, ticks come less often: half of the time is left for keys and for what comes in.
   */
  #scheduleAfter(began: number): void {
    setImmediate(() => setImmediate(() => {
      if (this.#closing !== null) return;
      const busy = this.#now().mono - began;
      this.#schedule(Math.max(this.#intervalMs - busy, busy, 0));
    }));
  }

  #tick(): void {
    const { mono, wall } = this.#now();
    const elapsed = this.#lastTick === null ? this.#intervalMs : Math.max(1, Math.round(mono - this.#lastTick));
    this.#lastTick = mono;
    this.#seq += 1;
    this.#latest = mergeFrames(Array.from(this.#members.values(), (member) => member.take()), { name: this.#options.name, seq: this.#seq, time: new Date(wall), intervalMs: elapsed });
    for (const listener of this.#listeners) this.#deliver(listener, this.#latest);
    this.#scheduleAfter(mono);
  }

  #deliver(listener: (frame: Frame) => void, frame: Frame): void {
    setImmediate(() => { if (this.#listeners.has(listener)) listener(frame); });
  }

  subscribe(onFrame: (frame: Frame) => void): () => void {
    const listener = (frame: Frame): void => onFrame(frame);
    this.#listeners.add(listener);
    if (this.#latest !== null) this.#deliver(listener, this.#latest);
    return () => { this.#listeners.delete(listener); };
  }

  #setTrouble(reason: string | null): void {
    if (this.#trouble === reason) return;
    this.#trouble = reason;
    for (const listener of this.#troubled) listener(reason);
  }

  /** Why nodes that come or go may not be seen; null: all is well. */
  get trouble(): string | null {
    return this.#trouble;
  }

  onTrouble(listener: (reason: string | null) => void): () => void {
    const own = (reason: string | null): void => listener(reason);
    this.#troubled.add(own);
    if (this.#trouble !== null) own(this.#trouble);
    return () => { this.#troubled.delete(own); };
  }

  /** Of this view alone: agents serve others, too, and keep theirs. */
  setInterval(ms: number): void {
    if (this.#closing !== null || ms === this.#intervalMs) return;
    this.#intervalMs = ms;
    this.#schedule(ms);
  }

  /** Levels are those of each node's capture. */
  setLevel(): void {}

  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#nextTick();
      this.#options.agents.close();
      this.#listeners.clear();
      this.#troubled.clear();
      await Promise.all([...Array.from(this.#members.values(), (member) => member.close()), ...this.#leaving]);
      this.#members.clear();
      this.#end.resolve();
    })();
    return this.#closing;
  }
}
