/**
 * Loads the probes, ticks them and emits Frames. Nothing here waits for a probe: the first Frame comes at once with
 * every pane loading, a pane is ok from the tick after its probe came up, and a probe that fails costs its own pane.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Addon, BpfObject, ProgramResult } from '../bpf/addon.ts';
import type { Frame, Level, NodeInfo, PaneId } from '../frame/frame.ts';
import { keysOf } from '../frame/references.ts';
import { ClosedError, type FrameSource } from '../frame/source.ts';
import { Identity } from '../identity/identity.ts';
import { assemble, joined, type PaneMs, type Ticks } from './assemble.ts';
import { type ChaosFeed, InjectedCounter } from './chaos-feed.ts';
import { BeatClock } from './clock.ts';
import { IgnoreLists, type Judge } from './ignored.ts';
import { PROBES, type ProbeFactories } from './index.ts';
import { readNode } from './node.ts';
import type { ProbeContext } from './probe.ts';
import { SelfMeter } from './self.ts';
import { reasonOf, Slot } from './slot.ts';

const PANE_IDS: readonly PaneId[] = ['syscalls', 'runqueue', 'opens', 'tcp', 'containers', 'processes'];

/** First numbers after start, and after a probe came up, milliseconds: long enough for rates to mean something. */
const FIRST_TICK_MS = 250;
/** Ring buffers are emptied this often while events come, and this often otherwise, milliseconds. */
const BUSY_DRAIN_MS = 40;
const IDLE_DRAIN_MS = 250;
/** How often new cgroups are looked for: a container may live for 50 ms, and whoever names it must ask before. Milliseconds. */
const CGROUP_DRAIN_MS = 25;
/** How long samples wait for names before they begin to count, unless told otherwise, milliseconds. */
const NAMES_MS = 300;
/** How often the node's own facts are read again, milliseconds. */
const NODE_MS = 10_000;
/** Streamed events per second from which on a ring counts as busy. */
const BUSY_EVENTS = 20;

export interface ManagerOptions {
  readonly addon: Addon;
  /** Default 1000. */
  readonly intervalMs?: number;
  /** Panes to load; the others stay off. Default: all. */
  readonly panes?: readonly PaneId[];
  /** Levels to begin with. */
  readonly levels?: Partial<Readonly<Record<PaneId, Level>>>;
  /** Have the kernel time BPF programs for self.bpfCpuPct. Default: no, since every run then costs more. */
  readonly bpfCost?: boolean;
  /** Receives libbpf and verifier logs and errors of listeners. */
  readonly debug?: (text: string) => void;
  readonly identity?: Identity;
  /** Only what this judges to be meant is asked for; the kernel need not tell the rest. */
  readonly target?: Judge | null;
  /** Faults, for the Frames to tell of. */
  readonly chaos?: ChaosFeed | null;
  /** Name of this node in Kubernetes; default: NODE_NAME, else the hostname. */
  readonly nodeName?: string;
  /** How long samples() waits for the sources of names at the most, milliseconds. */
  readonly namesMs?: number;
  readonly probes?: ProbeFactories;
}

export class Manager implements FrameSource {
  readonly can = { setInterval: true, setLevel: true } as const;
  readonly done: Promise<void>;
  readonly identity: Identity;
  readonly #options: ManagerOptions;
  readonly #debug: (text: string) => void;
  readonly #slots: { readonly [P in PaneId]: Slot<P> };
  readonly #context: ProbeContext;
  readonly #self = new SelfMeter();
  readonly #listeners = new Set<(frame: Frame) => void>();
  readonly #clock: BeatClock;
  readonly #drainClock: BeatClock;
  readonly #cgroupClock: BeatClock;
  readonly #ignore: IgnoreLists | null;
  readonly #injected: InjectedCounter | null;
  #resolveDone: () => void = () => {};
  #identityReady: Promise<void> = Promise.resolve();
  #mode: 'new' | 'live' | 'sampling' | 'closed' = 'new';
  #loaded = false;
  #seq = 0;
  #tickedAt = performance.now();
  #latest: Frame | null = null;
  #busy = true;
  #nodeInfo: NodeInfo;
  #nodeReadAt = performance.now();
  #clockOffset: number;

  constructor(options: ManagerOptions) {
    this.#options = options;
    const { debug } = options;
    this.#debug = (text) => { if (text !== '') debug?.(text); };
    this.identity = options.identity ?? new Identity({ debug: this.#debug });
    this.#nodeInfo = readNode(this.identity.hierarchies.mode, this.#options.nodeName);
    this.done = new Promise((resolve) => { this.#resolveDone = resolve; });
    this.#clock = new BeatClock(options.intervalMs ?? 1000, () => this.#beat());
    this.#drainClock = new BeatClock(BUSY_DRAIN_MS, () => this.#drain());
    this.#cgroupClock = new BeatClock(CGROUP_DRAIN_MS, () => this.#tryIdentity(() => this.identity.drain()));
    this.#injected = options.chaos ? new InjectedCounter(options.chaos) : null;
    this.#ignore = options.target ? new IgnoreLists(options.target) : null;
    const { addon } = options;
    this.#clockOffset = readClockOffset(addon) + 0.5;
    const offset = (): number => this.#clockOffset;
    this.#context = {
      addon, cgroupV1Fallback: this.identity.hierarchies.v1Fallback, cpus: addon.possibleCpus(), debug: this.#debug, filtered: this.#ignore !== null,
      get clockOffsetMs() { return offset(); },
    };
    const probes = options.probes ?? PROBES;
    this.#slots = {
      syscalls: new Slot('syscalls', () => probes.syscalls(this.identity)),
      runqueue: new Slot('runqueue', () => probes.runqueue(this.identity)),
      opens: new Slot('opens', () => probes.opens(this.identity)),
      tcp: new Slot('tcp', () => probes.tcp(this.identity)),
      containers: new Slot('containers', () => probes.containers(this.identity)),
      processes: new Slot('processes', () => probes.processes(this.identity)),
    };
    for (const [pane, level] of Object.entries(options.levels ?? {})) this.#slots[pane as PaneId].setLevel(level);
  }

  /** Begin to capture: load everything, emit a Frame at once and then one per interval. A second call does nothing. */
  start(): void {
    if (this.#mode !== 'new') return;
    this.#mode = 'live';
    this.#load();
    this.#beat();
    this.#clock.start(FIRST_TICK_MS);
  }

  #load(): void {
    if (this.#loaded) return;
    this.#loaded = true;
    if (this.#options.bpfCost) this.#self.enableBpf(this.#context.addon, this.#debug);
    // Panes go on without names; only the containers pane is lost, and says why.
    this.#identityReady = this.identity.start(this.#context.addon).catch((error: unknown) => this.#debug(`identity: ${reasonOf(error)}`));
    const wanted = this.#options.panes ?? PANE_IDS;
    for (const pane of PANE_IDS) if (wanted.includes(pane)) this.#startSlot(pane);
    this.#drainClock.start();
    this.#cgroupClock.start();
    void this.identity.startSources(false);
  }

  #startSlot(pane: PaneId): void {
    this.#slots[pane].start(this.#context, () => {
      if (this.#mode === 'live') this.#clock.hurry(FIRST_TICK_MS);
    });
  }

  /** Resolves when every pane asked for is up or has failed. */
  async #settled(): Promise<void> {
    await Promise.all([this.#identityReady, ...PANE_IDS.map((pane) => this.#slots[pane].settled)]);
  }

  #requireOpen(): void {
    if (this.#mode === 'closed') throw new ClosedError();
  }

  #drain(): void {
    for (const pane of PANE_IDS) this.#slots[pane].drain();
  }

  /** What cannot be named now stays without a name; the numbers go on. */
  #tryIdentity(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#debug(`identity: ${reasonOf(error)}`);
    }
  }

  #beat(): void {
    this.#seq++;
    this.#emit(this.#take(performance.now()));
    // The first Frame says that panes are loading; with the second there is something on the screen.
    if (this.#seq === 2) setImmediate(() => void (this.#mode === 'live' && this.identity.startSources(true)));
  }

  /** Close one interval of every pane and make it a Frame. */
  #take(now: number): Frame {
    const time = new Date();
    const intervalMs = toMicroseconds(now - this.#tickedAt);
    this.#tickedAt = now;
    this.#clockOffset = freshClockOffset(this.#context.addon, this.#clockOffset);
    const ms: PaneMs = mapPanes((pane) => Math.min(intervalMs, toMicroseconds(this.#slots[pane].elapsed(now))));
    const tick = <P extends PaneId>(pane: P) => this.#slots[pane].tick(now, ms[pane], this.#mode === 'sampling');
    const syscalls = tick('syscalls');
    const raw: Ticks = { syscalls: this.#injected?.mark(syscalls) ?? syscalls, runqueue: tick('runqueue'), opens: tick('opens'), tcp: tick('tcp'), containers: tick('containers'), processes: tick('processes') };
    const ticks = joined(raw, ms);
    this.#tryIdentity(() => this.identity.resolve(keysOf(ticks)));
    this.#ignoreOthers();
    this.#pace(raw, intervalMs);
    return assemble({
      seq: this.#seq, time, intervalMs, node: this.#node(now), ticks, ms,
      self: this.#self.read(this.#objects()), info: (key) => this.identity.info(key), learned: this.identity.learned(),
      chaos: this.#options.chaos?.statuses() ?? [],
    });
  }

  /** Tell the kernel who is not meant. */
  #ignoreOthers(): void {
    this.#tryIdentity(() => this.#ignore?.renew(this.identity.uses.keys(), (key) => this.identity.info(key), this.#objects()));
  }

  /** CPUs may come and go and hosts be renamed, but not often. */
  #node(now: number): NodeInfo {
    if (now - this.#nodeReadAt > NODE_MS) {
      this.#nodeInfo = readNode(this.identity.hierarchies.mode, this.#options.nodeName);
      this.#nodeReadAt = now;
    }
    return this.#nodeInfo;
  }

  /** Look after the rings more or less often, as the last interval was. */
  #pace(ticks: Ticks, intervalMs: number): void {
    const events = ticks.opens.loss.seen + ticks.tcp.loss.seen;
    const busy = (events / Math.max(intervalMs, 1)) * 1000 >= BUSY_EVENTS;
    if (busy === this.#busy) return;
    this.#busy = busy;
    this.#drainClock.setPeriod(busy ? BUSY_DRAIN_MS : IDLE_DRAIN_MS);
  }

  #objects(): BpfObject[] {
    return [this.identity.object, ...PANE_IDS.map((pane) => this.#slots[pane].probe?.object ?? null)].filter((object) => object !== null);
  }

  #emit(frame: Frame): void {
    this.#latest = frame;
    for (const listener of this.#listeners) this.#deliver(listener, frame);
  }

  /** In a turn of its own: what a listener does or throws reaches neither the tick nor the next listener. */
  #deliver(listener: (frame: Frame) => void, frame: Frame): void {
    setImmediate(() => {
      if (!this.#listeners.has(listener)) return;
      try {
        listener(frame);
      } catch (error) {
        this.#debug(`a listener failed: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
      }
    });
  }

  subscribe(onFrame: (frame: Frame) => void): () => void {
    const listener = (frame: Frame): void => onFrame(frame);
    this.#listeners.add(listener);
    if (this.#latest) this.#deliver(listener, this.#latest);
    return () => { this.#listeners.delete(listener); };
  }

  setInterval(ms: number): void {
    this.#clock.setPeriod(ms);
  }

  /** A pane that was off, or not asked for, is loaded. */
  setLevel(pane: PaneId, level: Level | 'off'): void {
    if (this.#mode === 'closed') return;
    const slot = this.#slots[pane];
    slot.setLevel(level);
    if (level !== 'off' && this.#loaded && (slot.life === 'off' || slot.life === 'failed')) this.#startSlot(pane);
  }

  /** How each BPF program fared, by pane; what is not loaded is left out. */
  results(): ReadonlyMap<PaneId | 'identity', readonly ProgramResult[]> {
    const all = new Map<PaneId | 'identity', readonly ProgramResult[]>([['identity', this.identity.results]]);
    for (const pane of PANE_IDS) {
      const { probe } = this.#slots[pane];
      if (probe && pane !== 'containers' && pane !== 'processes') all.set(pane, probe.results);
    }
    return all;
  }

  /**
   * Frames that each cover `durationMs`, one after the other without a gap. Counting starts when every pane asked for
   * is up or has failed; when all have failed, there is one Frame with their reasons, at once. Not together with start().
   * @throws ClosedError when closed before the last
   */
  async *samples(durationMs: number, count: number): AsyncGenerator<Frame, void, undefined> {
    this.#requireOpen();
    if (this.#mode !== 'new') throw new Error('samples are taken by a manager of their own');
    this.#mode = 'sampling';
    this.#load();
    await Promise.all([this.#settled(), this.#named()]);
    this.#requireOpen();
    this.#ignoreOthers();
    const begin = performance.now();
    const start = this.#take(begin);
    if (PANE_IDS.every((pane) => this.#slots[pane].life !== 'up')) {
      // Waiting would not change it: the Frame says at once why.
      this.#seq++;
      yield { ...start, seq: this.#seq };
      return;
    }
    for (let i = 1; i <= count; i++) {
      await this.#until(begin + i * durationMs);
      this.#seq++;
      const frame = this.#take(performance.now());
      this.#emit(frame);
      yield frame;
    }
  }

  /** One Frame that covers `durationMs`. */
  async sample(durationMs: number): Promise<Frame> {
    for await (const frame of this.samples(durationMs, 1)) return frame;
    throw new ClosedError();
  }

  /** Resolves when the sources of names have answered, or have had the time to. */
  async #named(): Promise<void> {
    const late = new AbortController();
    await Promise.race([this.identity.startSources(true), this.done, sleep(this.#options.namesMs ?? NAMES_MS, undefined, { signal: late.signal }).catch(() => {})]);
    late.abort();
  }

  #until(time: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(resolve, Math.max(0, time - performance.now()));
      void this.done.then(() => {
        clearTimeout(timer);
        reject(new ClosedError());
      });
    });
  }

  /** Detach and free everything; twice is fine, also while probes are still loading. */
  async close(): Promise<void> {
    if (this.#mode !== 'closed') {
      this.#mode = 'closed';
      this.#clock.stop();
      this.#drainClock.stop();
      this.#cgroupClock.stop();
      this.#listeners.clear();
      for (const pane of PANE_IDS) this.#slots[pane].close();
      this.identity.close();
      this.#self.close();
      this.#resolveDone();
    }
    await Promise.all([this.#identityReady, ...PANE_IDS.map((pane) => this.#slots[pane].settled)]);
  }
}

function mapPanes<T>(value: (pane: PaneId) => T): { readonly [P in PaneId]: T } {
  return { syscalls: value('syscalls'), runqueue: value('runqueue'), opens: value('opens'), tcp: value('tcp'), containers: value('containers'), processes: value('processes') };
}

/** Milliseconds without more decimals than the clock has: the rates of a Frame are exactly counts over its interval. */
function toMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}

/** Wall clock minus CLOCK_MONOTONIC, milliseconds. */
function readClockOffset(addon: Addon): number {
  return Date.now() - Number(addon.monotonicNs()) / 1e6;
}

/** Follows the wall clock when it is set or the machine slept, but not Date.now()'s millisecond steps. */
function freshClockOffset(addon: Addon, old: number): number {
  const now = readClockOffset(addon);
  return Math.abs(now - old) > 2 ? now : old;
}
