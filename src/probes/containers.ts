/**
 * The containers pane: one row per cgroup that holds tasks itself, so that no number is counted twice. CPU time is
 * that of its own tasks (identity's walk: exact, no cgroup file needed). Memory is the charge of its memory cgroup
 * without what is charged to other rows' cgroups below; null where it shares that cgroup with another row.
 */
import type { BpfObject, ProgramResult } from '../bpf/addon.ts';
import type { ContainerRow } from '../frame/frame.ts';
import type { Identity } from '../identity/identity.ts';
import type { CgroupUse } from '../identity/kernel.ts';
import type { CgroupKey } from '../identity/key.ts';
import { LossCounter } from './loss.ts';
import type { Interval, Probe, ProbeContext, ProbeTick } from './probe.ts';

/** What the pane needs of Identity. */
export type Usage = Pick<Identity, 'start' | 'walk' | 'uses' | 'path' | 'object' | 'results' | 'degraded' | 'takeEvents'>;

/** The nearest directory above `path` that is in the set. */
function nearestAbove(path: string, has: ReadonlyMap<string, unknown>): string | null {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
    const above = path.slice(0, end);
    if (has.has(above)) return above;
  }
  return null;
}

/**
 * Memory of each cgroup's own tasks, bytes. A cgroup that is not in the result has none to be told.
 * @param pathOf path of a memory cgroup in its hierarchy
 */
export function ownMemory(uses: Iterable<CgroupUse>, pathOf: (key: CgroupKey) => string | null): Map<CgroupKey, number> {
  const users = new Map<CgroupKey, CgroupUse[]>();
  for (const use of uses) {
    if (use.memoryKey === null || use.memoryBytes === null) continue;
    const sharers = users.get(use.memoryKey);
    if (sharers) sharers.push(use);
    else users.set(use.memoryKey, [use]);
  }
  const byPath = new Map<string, { owner: CgroupUse | null; bytes: number }>();
  const result = new Map<CgroupKey, number>();
  for (const [memoryKey, sharers] of users) {
    const owner = sharers.length === 1 ? sharers[0] ?? null : sharers.find((use) => use.key === memoryKey) ?? null;
    const bytes = sharers[0]?.memoryBytes ?? 0;
    const path = pathOf(memoryKey);
    if (path !== null) byPath.set(path, { owner, bytes });
    if (owner) result.set(owner.key, bytes);
  }
  for (const [path, { bytes }] of byPath) {
    const above = nearestAbove(path, byPath);
    const owner = above === null ? null : byPath.get(above)?.owner;
    if (owner) result.set(owner.key, Math.max(0, (result.get(owner.key) ?? 0) - bytes));
  }
  return result;
}

/** A row of which nothing is known but that another pane refers to it. */
function bareRow(container: CgroupKey, tasks: number | null): ContainerRow {
  return {
    container, cpuPct: null, memoryBytes: null, syscallsPerSec: null, errorsPerSec: null, runqueueP99Us: null,
    opensPerSec: null, connectsPerSec: null, tasks,
  };
}

export class ContainersProbe implements Probe<'containers'> {
  readonly pane = 'containers';
  readonly #identity: Usage;
  readonly #loss = new LossCounter();
  #cpuNs = new Map<CgroupKey, number>();
  #walkedAt = 0;

  constructor(identity: Usage) {
    this.#identity = identity;
  }

  async start(context: ProbeContext): Promise<void> {
    await this.#identity.start(context.addon);
    this.#remember();
  }

  get results(): readonly ProgramResult[] {
    return this.#identity.results;
  }

  /** Null: the object is identity's, which counts its cost. */
  get object(): BpfObject | null {
    return null;
  }

  tick(_interval: Interval): ProbeTick<'containers'> {
    const before = this.#cpuNs;
    const start = this.#walkedAt;
    this.#identity.walk();
    this.#remember();
    const elapsedNs = Math.max(1, this.#walkedAt - start) * 1e6;
    const memory = ownMemory(this.#identity.uses.values(), (key) => this.#identity.path(key));
    const rows: ContainerRow[] = [];
    for (const use of this.#identity.uses.values()) {
      const last = before.get(use.key) ?? 0;
      // Less than before: the kernel dropped the idle cgroup's sum and began anew.
      const usedNs = use.cpuNs >= last ? use.cpuNs - last : use.cpuNs;
      if (use.tasks === 0 && usedNs === 0) continue;
      rows.push({ ...bareRow(use.key, use.tasks), cpuPct: (usedNs / elapsedNs) * 100, memoryBytes: memory.get(use.key) ?? null });
    }
    const { object } = this.#identity;
    const kept = this.#identity.takeEvents();
    const loss = object ? this.#loss.since(object, kept) : { seen: kept, kept, lostRing: 0, lostMap: 0, lostFault: 0, unattributed: 0, overBudget: 0 };
    return { state: { status: 'ok', reason: this.#identity.degraded, level: null }, loss, rows };
  }

  #remember(): void {
    this.#walkedAt = performance.now();
    this.#cpuNs = new Map(Array.from(this.#identity.uses.values(), (use) => [use.key, use.cpuNs]));
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
 * @param perSecond one over each pane's interval, in seconds
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
  return [...rows, ...Array.from(others, (key) => bareRow(key, 0))].map((row) => ({
    ...row,
    syscallsPerSec: calls && (calls.get(row.container) ?? 0),
    errorsPerSec: errors && (errors.get(row.container) ?? 0) / seconds.syscalls,
    runqueueP99Us: waits?.get(row.container) ?? null,
    opensPerSec: opened && (opened.get(row.container) ?? 0) / seconds.opens,
    connectsPerSec: connected && (connected.get(row.container) ?? 0) / seconds.tcp,
  }));
}
