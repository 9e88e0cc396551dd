/**
 * The processes pane: who used the CPU, process by process. Lives on identity's walk over all tasks, which charges
 * each task's CPU time since the last one; a process that did not run since is not there, nor one that began and
 * ended between two walks (its container's CPU time has it).
 */
import type { BpfObject, ProgramResult } from '../bpf/addon.ts';
import { NO_LOSS, type ProcessRow } from '../frame/frame.ts';
import type { Identity } from '../identity/identity.ts';
import type { ProcessUse } from '../identity/kernel.ts';
import { percent } from './percent.ts';
import type { Interval, Probe, ProbeContext, ProbeTick } from './probe.ts';
import { paceOf, type WalkPace } from './walk-pace.ts';

/** Rows of one Frame. The busiest stay; of each container the busiest few stay in any case. */
const MAX_ROWS = 300;
const OWN_ROWS = 3;

/** What the pane needs of Identity. */
export type ProcessUsage = Pick<Identity, 'start' | 'walk' | 'takeProcesses' | 'watchProcesses' | 'results' | 'degraded'>;

/** The rows that a Frame keeps of these, busiest first. */
export function budgeted(rows: readonly ProcessRow[], most = MAX_ROWS, own = OWN_ROWS): ProcessRow[] {
  const sorted = rows.toSorted((a, b) => b.cpuPct - a.cpuPct);
  if (sorted.length <= most) return sorted;
  const taken = new Map<string, number>();
  return sorted.filter(({ container }, i) => {
    const before = taken.get(container) ?? 0;
    taken.set(container, before + 1);
    return i < most || before < own;
  });
}

export class ProcessesProbe implements Probe<'processes'> {
  readonly pane = 'processes';
  readonly #identity: ProcessUsage;
  readonly #pace: WalkPace;
  #walks = 0;
  #walkedAt = 0;
  #rows: readonly ProcessRow[] = [];
  #seen = 0;

  constructor(identity: ProcessUsage, pace = paceOf(identity)) {
    this.#identity = identity;
    this.#pace = pace;
  }

  async start(context: ProbeContext): Promise<void> {
    await this.#identity.start(context.addon);
    this.#identity.watchProcesses(true);
    // What the tasks used before is nobody's rate.
    this.#identity.walk();
    this.#identity.takeProcesses();
    this.#walkedAt = performance.now();
  }

  get results(): readonly ProgramResult[] {
    return this.#identity.results;
  }

  /** Null: the object is identity's, which counts its cost. */
  get object(): BpfObject | null {
    return null;
  }

  tick(interval: Interval): ProbeTick<'processes'> {
    this.#pace.renew(interval);
    if (this.#pace.walks !== this.#walks) {
      this.#walks = this.#pace.walks;
      this.#renew();
    }
    const reason = [this.#pace.reason, this.#identity.degraded].filter((one) => one !== null).join('; ') || null;
    const kept = this.#rows.length;
    return { state: { status: 'ok', reason, level: null }, loss: { ...NO_LOSS, seen: this.#seen, kept, overBudget: this.#seen - kept }, rows: this.#rows };
  }

  #renew(): void {
    const elapsedNs = Math.max(1, this.#pace.walkedAt - this.#walkedAt) * 1e6;
    this.#walkedAt = this.#pace.walkedAt;
    const all = Array.from(this.#identity.takeProcesses(), (use) => rowOf(use, elapsedNs));
    this.#seen = all.length;
    this.#rows = budgeted(all);
  }

  close(): void {
    this.#identity.watchProcesses(false);
  }
}

function rowOf(use: ProcessUse, elapsedNs: number): ProcessRow {
  return { container: use.key, pid: use.pid, nsPid: use.nsPid, comm: use.comm, cpuPct: percent(use.cpuNs, elapsedNs), tasks: use.tasks };
}
