/**
 * The containers pane: one row per cgroup that holds tasks itself, so that no number is counted twice. CPU time is
 * that of its own tasks (identity's walk: exact, no cgroup file needed). Memory is the charge of its memory cgroup
 * without what is charged to other rows' cgroups below; null where it shares that cgroup with another row.
 */
import type { BpfObject, ProgramResult } from '../bpf/addon.ts';
import { type ContainerRow, NO_LOSS } from '../frame/frame.ts';
import type { Identity } from '../identity/identity.ts';
import type { CgroupKey } from '../identity/key.ts';
import { LossCounter } from './loss.ts';
import { type MemoryShare, memoryOf, planMemory } from './own-memory.ts';
import { percent } from './percent.ts';
import type { Interval, Probe, ProbeContext, ProbeTick } from './probe.ts';
import { paceOf, type WalkPace } from './walk-pace.ts';

/** What the pane needs of Identity. */
export type Usage = Pick<Identity, 'start' | 'walk' | 'uses' | 'topology' | 'path' | 'object' | 'results' | 'degraded' | 'takeEvents'>;

/** A container of which only another pane knows: it has no tasks (any more). */
function bareRow(container: CgroupKey): ContainerRow {
  return {
    container, cpuPct: null, memoryBytes: null, syscallsPerSec: null, errorsPerSec: null, runqueueP99Us: null,
    opensPerSec: null, connectsPerSec: null, tasks: 0,
  };
}

export class ContainersProbe implements Probe<'containers'> {
  readonly pane = 'containers';
  readonly #identity: Usage;
  readonly #loss = new LossCounter();
  /** CPU time of each cgroup at the last walk, ns. */
  #cpuNs = new Map<CgroupKey, number>();
  readonly #pace: WalkPace;
  #walks = 0;
  #walkedAt = 0;
  #rows: readonly ContainerRow[] = [];
  #memory: ReadonlyMap<CgroupKey, MemoryShare> = new Map();
  #topology = -1;

  constructor(identity: Usage, pace = paceOf(identity)) {
    this.#identity = identity;
    this.#pace = pace;
  }

  async start(context: ProbeContext): Promise<void> {
    await this.#identity.start(context.addon);
    this.#walkedAt = performance.now();
    for (const use of this.#identity.uses.values()) this.#cpuNs.set(use.key, use.cpuNs);
  }

  get results(): readonly ProgramResult[] {
    return this.#identity.results;
  }

  /** Null: the object is identity's, which counts its cost. */
  get object(): BpfObject | null {
    return null;
  }

  tick(interval: Interval): ProbeTick<'containers'> {
    this.#pace.renew(interval);
    if (this.#pace.walks !== this.#walks) {
      this.#walks = this.#pace.walks;
      this.#renew();
    }
    const { object } = this.#identity;
    const kept = this.#identity.takeEvents();
    const loss = object ? this.#loss.since(object, kept) : { ...NO_LOSS, seen: kept, kept };
    return { state: { status: 'ok', reason: this.#reason(), level: null }, loss, rows: this.#rows };
  }

  #reason(): string | null {
    return [this.#pace.reason, this.#identity.degraded].filter((reason) => reason !== null).join('; ') || null;
  }

  #renew(): void {
    const elapsedNs = Math.max(1, this.#pace.walkedAt - this.#walkedAt) * 1e6;
    this.#walkedAt = this.#pace.walkedAt;
    this.#planMemory();
    const rows: ContainerRow[] = [];
    for (const use of this.#identity.uses.values()) {
      const lastNs = this.#cpuNs.get(use.key) ?? 0;
      this.#cpuNs.set(use.key, use.cpuNs);
      // Less than before: the kernel dropped the idle cgroup's sum and began anew.
      const usedNs = use.cpuNs >= lastNs ? use.cpuNs - lastNs : use.cpuNs;
      if (use.tasks === 0 && usedNs === 0) continue;
      const share = this.#memory.get(use.key);
      rows.push({
        container: use.key, cpuPct: percent(usedNs, elapsedNs), memoryBytes: share ? memoryOf(share) : null, syscallsPerSec: null,
        errorsPerSec: null, runqueueP99Us: null, opensPerSec: null, connectsPerSec: null, tasks: use.tasks,
      });
    }
    this.#rows = rows;
  }

  #planMemory(): void {
    const { topology, uses } = this.#identity;
    if (topology === this.#topology) return;
    this.#topology = topology;
    this.#memory = planMemory(uses.values(), (key) => this.#identity.path(key));
    for (const key of this.#cpuNs.keys()) if (!uses.has(key)) this.#cpuNs.delete(key);
  }

  /** Nothing of its own to free: identity outlives the pane. */
  close(): void {}
}

/** The other panes' numbers of the same tick; null for a pane that is off or failed. */
export interface OtherPanes {
  readonly syscalls: ProbeTick<'syscalls'> | null;
  readonly runqueue: ProbeTick<'runqueue'> | null;
  readonly opens: ProbeTick<'opens'> | null;
  readonly tcp: ProbeTick<'tcp'> | null;
}

type Totals = Map<CgroupKey, number>;

function sumBy<Row extends { readonly container: string }>(rows: readonly Row[], value: (row: Row) => number): Totals {
  const sums: Totals = new Map();
  for (const row of rows) sums.set(row.container, (sums.get(row.container) ?? 0) + value(row));
  return sums;
}

function errorsOf(row: { readonly errors: Readonly<Record<string, number>> | null }): number {
  let sum = 0;
  if (row.errors) for (const name in row.errors) sum += row.errors[name] ?? 0;
  return sum;
}

/**
 * Write the other panes' totals into the containers' rows, and add a row for every container that only they saw.
 * @param seconds each pane's interval
 */
export function joinTotals(rows: readonly ContainerRow[], panes: OtherPanes, seconds: { readonly [P in keyof OtherPanes]: number }): ContainerRow[] {
  const { syscalls, runqueue, opens, tcp } = panes;
  const calls = syscalls && sumBy(syscalls.rows, (row) => row.ratePerSec);
  const errors = syscalls && syscalls.rows.every((row) => row.errors !== null) ? sumBy(syscalls.rows, errorsOf) : null;
  const waits = runqueue && new Map(runqueue.rows.map((row) => [row.container, row.latency?.p99Us ?? null]));
  const opened = opens && sumBy(opens.totals ?? [], (total) => total.count);
  const connected = tcp && sumBy(tcp.totals ?? [], (total) => total.count);
  const known = new Set(rows.map((row) => row.container));
  const others = new Set<CgroupKey>();
  for (const seen of [calls, waits, opened, connected]) {
    if (seen) for (const key of seen.keys()) if (!known.has(key)) others.add(key);
  }
  const all = others.size === 0 ? rows : [...rows, ...Array.from(others, (key) => bareRow(key))];
  return all.map((row) => ({
    container: row.container,
    cpuPct: row.cpuPct,
    memoryBytes: row.memoryBytes,
    syscallsPerSec: calls && (calls.get(row.container) ?? 0),
    errorsPerSec: errors && (errors.get(row.container) ?? 0) / seconds.syscalls,
    runqueueP99Us: waits?.get(row.container) ?? null,
    opensPerSec: opened && (opened.get(row.container) ?? 0) / seconds.opens,
    connectsPerSec: connected && (connected.get(row.container) ?? 0) / seconds.tcp,
    tasks: row.tasks,
  }));
}
