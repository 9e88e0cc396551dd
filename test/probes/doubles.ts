/** Stand-ins for probes, so that tests of those who use them need neither root nor BPF. */
import type { Addon, BpfObject, ProgramResult } from '../../src/bpf/addon.ts';
import { NO_LOSS, type Level, type PaneId, type PaneState } from '../../src/frame/frame.ts';
import { Identity } from '../../src/identity/identity.ts';
import type { Changed, Names, NameSource, SourceState, Subject } from '../../src/identity/source.ts';
import type { ProbeFactories } from '../../src/probes/index.ts';
import type { Interval, Probe, ProbeContext, ProbeTick } from '../../src/probes/probe.ts';

const OK: PaneState = { status: 'ok', reason: null, level: null };

/** A probe whose numbers and failures the test decides. */
export class ProbeDouble<P extends PaneId = PaneId> implements Probe<P> {
  readonly pane: P;
  readonly object: BpfObject | null = null;
  readonly results: readonly ProgramResult[] = [];
  readonly ticks: Interval[] = [];
  levels: (Level | 'off')[] = [];
  closed = 0;
  drained = 0;
  context: ProbeContext | null = null;
  /** What start() waits for. */
  starting: Promise<void> = Promise.resolve();
  next: (interval: Interval) => Partial<ProbeTick<P>> = () => ({});

  #stop: () => void = () => {};

  constructor(pane: P) {
    this.pane = pane;
  }

  async start(context: ProbeContext): Promise<void> {
    this.context = context;
    // As with the addon: closing ends a load.
    await Promise.race([this.starting, new Promise<void>((resolve) => { this.#stop = resolve; })]);
    if (this.closed > 0) throw new Error('closed');
  }

  drain(): void {
    this.drained++;
  }

  tick(interval: Interval): ProbeTick<P> {
    this.ticks.push(interval);
    return { state: OK, loss: NO_LOSS, rows: [], totals: [], ...this.next(interval) };
  }

  setLevel(level: Level | 'off'): void {
    this.levels.push(level);
  }

  close(): void {
    this.closed++;
    this.#stop();
  }
}

export type Doubles = { readonly [P in PaneId]: ProbeDouble<P> };

export function probeDoubles(): { readonly doubles: Doubles; readonly probes: ProbeFactories } {
  const doubles: Doubles = {
    syscalls: new ProbeDouble('syscalls'), runqueue: new ProbeDouble('runqueue'), opens: new ProbeDouble('opens'),
    tcp: new ProbeDouble('tcp'), containers: new ProbeDouble('containers'), processes: new ProbeDouble('processes'),
  };
  const probes: ProbeFactories = {
    syscalls: () => doubles.syscalls, runqueue: () => doubles.runqueue, opens: () => doubles.opens, tcp: () => doubles.tcp, containers: () => doubles.containers,
    processes: () => doubles.processes,
  };
  return { doubles, probes };
}

/** An addon that can load nothing. */
export const addonDouble: Addon = {
  open: () => { throw new Error('no BPF in this test'); },
  enableStats: () => { throw new Error('no BPF stats in this test'); },
  possibleCpus: () => 2,
  monotonicNs: () => process.hrtime.bigint(),
  readUnmounted: () => { throw new Error('no kernel file systems in this test'); },
  socketPeer: () => { throw new Error('no sockets in this test'); },
  tryLock: () => { throw new Error('no locks in this test'); },
  kernelIds: () => ({ links: [], programs: [], maps: [] }),
  libbpfVersion: '0.0',
};

/** Identity that knows the given paths, without BPF. */
export class IdentityDouble extends Identity {
  readonly #known: Readonly<Record<string, string>>;

  constructor(known: Readonly<Record<string, string>> = {}, sources: readonly NameSource[] = []) {
    super({ sources });
    this.#known = known;
  }

  override start(): Promise<void> {
    return Promise.resolve();
  }

  override resolve(): void {}

  /** The kernel told these paths. */
  override path(key: string): string | null {
    return this.#known[key] ?? null;
  }
}

/** A source of names under the test's hand. */
export class SourceDouble implements NameSource {
  readonly id;
  readonly late: boolean;
  state: SourceState = { status: 'ok', reason: 'it answers', fix: null };
  readonly noticed: Subject[] = [];
  changed: Changed = () => {};
  lookup: (subject: Subject) => Names | null;
  /** What start() waits for. */
  starting: Promise<void> = Promise.resolve();
  started = 0;
  closed = 0;

  constructor(id: NameSource['id'], lookup: (subject: Subject) => Names | null = () => null, late = false) {
    this.id = id;
    this.lookup = lookup;
    this.late = late;
  }

  start(): Promise<void> {
    this.started++;
    return this.starting;
  }

  notice(subject: Subject): void { this.noticed.push(subject); }
  onChange(changed: Changed): void { this.changed = changed; }
  close(): void { this.closed++; }
}
