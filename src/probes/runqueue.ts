/** Run queue latency per container: bpf/runqueue.bpf.c keeps histograms and preemption pairs, this side subtracts. */
import { readFileSync } from 'node:fs';
import type { BpfObject, OpenOptions, ProgramResult } from '../bpf/addon.ts';
import { objectPath } from '../bpf/objects.ts';
import type { Level, RunqueueRow } from '../frame/frame.ts';
import { NO_LOSS } from '../frame/frame.ts';
import { GrowingMap } from './growing-map.ts';
import { HistogramSum } from './histogram-sum.ts';
import { requireTaskStorage, shardsFor } from './kernel-limits.ts';
import { LossCounter } from './loss.ts';
import type { CgroupKey, Interval, Probe, ProbeContext, ProbeTick } from './probe.ts';
import { ThrottleReader } from './throttle.ts';
import type { PathsOf } from './throttle.ts';

/** How waits are known, see bpf/runqueue.bpf.c. */
export type WaitSource = 'sched_info' | 'timestamps';

export interface RunqueueOptions {
  /** Where a cgroup's CPU quota can be read; without it throttledPct is null. */
  readonly pathsOf?: PathsOf;
  /** Every cgroup with tasks, so that the throttling of those there at the start is known from the first interval on. */
  readonly cgroups?: () => Iterable<CgroupKey>;
  /** True when a cgroup is gone for good, so that its entries may leave the maps. */
  readonly isGone?: (cgroup: CgroupKey) => boolean;
  /** Default: sched_info where the kernel has it. */
  readonly source?: WaitSource;
  /** Sizes of the maps `waits` and `preemptions`, in entries. */
  readonly maxEntries?: Readonly<Record<string, number>>;
}

const PROGRAMS: Readonly<Record<WaitSource, readonly string[]>> = {
  sched_info: ['switch_sched_info'],
  timestamps: ['wakeup_timestamps', 'wakeup_new_timestamps', 'switch_timestamps'],
};
/** Containers with tasks of their own on a crowded node: a 928-byte histogram for each, per shard. */
const CGROUPS = 1024;
const TOP_PREEMPTORS = 5;
const IDLE_READS = 60;
const IDLE_READS_UNDER_PRESSURE = 300;

/** Whether the scheduler keeps its account: before v5.14 a kernel could have it compiled in and switched off. */
function schedInfoRuns(): boolean {
  try {
    return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[2]) > 0;
  } catch {
    return false;
  }
}

class Waits {
  readonly cgroup: CgroupKey;
  readonly hist = new HistogramSum();
  readonly preemptedBy = new Map<CgroupKey, number>();
  seq = 0;

  constructor(cgroup: CgroupKey) {
    this.cgroup = cgroup;
  }

  row(intervalMs: number, throttledPct: number | null): RunqueueRow {
    const by = [...this.preemptedBy].map(([container, count]) => ({ container, count }));
    const { count } = this.hist;
    return {
      container: this.cgroup, count, ratePerSec: (count * 1000) / intervalMs, latency: this.hist.latency(1),
      throttledPct, preemptedBy: by.sort((a, b) => b.count - a.count).slice(0, TOP_PREEMPTORS),
    };
  }
}

export class RunqueueProbe implements Probe<'runqueue'> {
  readonly pane = 'runqueue';
  results: ProgramResult[] = [];
  object: BpfObject | null = null;
  #options: RunqueueOptions;
  #on = true;
  #source: WaitSource = 'sched_info';
  #running = false;
  #generation = 1n;
  #epoch = 1;
  #primed = false;
  #waits = new Map<CgroupKey, Waits>();
  #maps: { waits: GrowingMap<Waits>; preemptions: GrowingMap<{ victim: Waits; by: CgroupKey }> } | null = null;
  #throttle: ThrottleReader | null;
  #loss = new LossCounter();
  #dropped = 0;

  constructor(options: RunqueueOptions = {}) {
    this.#options = options;
    this.#throttle = options.pathsOf ? new ThrottleReader(options.pathsOf) : null;
  }

  async start(context: ProbeContext): Promise<void> {
    requireTaskStorage();
    const object = context.addon.open(objectPath('runqueue'), this.#openOptions(context));
    this.object = object;
    this.results = await object.load();
    for (const { log } of this.results) if (log) context.debug(log);
    const usable = (source: WaitSource): boolean => PROGRAMS[source].every((name) => this.results.some((result) => result.program === name && result.ok));
    this.#source = this.#options.source ?? (usable('sched_info') && schedInfoRuns() ? 'sched_info' : 'timestamps');
    if (!usable(this.#source)) {
      const failed = this.results.find((result) => !result.ok && PROGRAMS[this.#source].includes(result.program));
      throw new Error(`cannot follow the run queue: ${failed?.reason ?? 'the kernel refused the program'}`);
    }
    this.#maps = {
      waits: new GrowingMap(object.map('waits'), (key, at) => this.#of(key.id(at))),
      preemptions: new GrowingMap(object.map('preemptions'), (key, at) => ({ victim: this.#of(key.id(at)), by: key.id(at + 8) })),
    };
    if (this.#on) this.#run();
  }

  #openOptions(context: ProbeContext): OpenOptions {
    const shards = shardsFor(context.cpus);
    return {
      globals: { cgroup_v1_fallback: context.cgroupV1Fallback, shard_mask: shards - 1, shards_shared: context.cpus > shards },
      // Preallocated: a new container's first wait must not fail for want of memory under the run queue's lock.
      maxEntries: { waits: CGROUPS * shards, ...this.#options.maxEntries },
    };
  }

  /** What waits are known from. */
  get source(): WaitSource {
    return this.#source;
  }

  setLevel(level: Level | 'off'): void {
    this.#on = level !== 'off';
    if (!this.object || !this.#maps) return;
    if (this.#on) this.#run();
    else {
      this.object.detach(PROGRAMS[this.#source]);
      this.#running = false;
    }
  }

  #run(): void {
    if (this.#running || !this.object) return;
    this.object.setGlobal('generation', ++this.#generation);
    const attached = this.object.attach(PROGRAMS[this.#source]);
    const failed = attached.find((result) => !result.ok);
    if (failed) throw new Error(`cannot follow the run queue: ${failed.reason ?? failed.code ?? 'attaching failed'}`);
    this.#running = true;
  }

  tick(interval: Interval): ProbeTick<'runqueue'> {
    const { object } = this;
    if (!object || !this.#maps) return { state: { status: 'off', reason: 'not started', level: null }, loss: NO_LOSS, rows: [] };
    const epoch = this.#epoch++;
    object.setGlobal('hist_epoch', this.#epoch);
    const touched: Waits[] = [];
    const begin = (waits: Waits): Waits => {
      if (waits.seq !== interval.seq) {
        waits.seq = interval.seq;
        waits.hist.clear();
        waits.preemptedBy.clear();
        touched.push(waits);
      }
      return waits;
    };
    this.#maps.waits.read((waits, word, delta, value) => begin(waits).hist.add(word, delta, value, epoch));
    this.#maps.preemptions.read(({ victim, by }, _word, count) => begin(victim).preemptedBy.set(by, count));
    this.#expire(interval.seq);

    this.#throttle?.begin();
    this.#prime(interval.ms);
    const rows = touched.map((waits) => waits.row(interval.ms, this.#throttle?.pct(waits.cgroup, interval.ms) ?? null));
    const kept = rows.reduce((sum, row) => sum + row.count, 0);
    const loss = this.#loss.since(object, kept);
    if (!this.#running) return { state: { status: 'off', reason: 'switched off', level: null }, loss, rows };
    return { state: { status: 'ok', reason: this.#dropReason(object), level: 'latency' }, loss, rows };
  }

  #prime(intervalMs: number): void {
    if (this.#primed || !this.#throttle) return;
    for (const cgroup of this.#options.cgroups?.() ?? []) {
      this.#throttle.pct(cgroup, intervalMs);
      this.#primed = true;
    }
  }

  #dropReason(object: BpfObject): string | null {
    const dropped = Number(object.getGlobal('preemptions_dropped'));
    const now = dropped - this.#dropped;
    this.#dropped = dropped;
    return now > 0 ? `map full: who ran instead is not known of ${now} preemptions` : null;
  }

  #of(cgroup: CgroupKey): Waits {
    let waits = this.#waits.get(cgroup);
    if (!waits) this.#waits.set(cgroup, (waits = new Waits(cgroup)));
    return waits;
  }

  #expire(seq: number): void {
    const maps = this.#maps;
    if (!maps) return;
    const isGone = this.#options.isGone ?? (() => false);
    maps.waits.expire(IDLE_READS, ({ cgroup }) => isGone(cgroup));
    maps.preemptions.expire(IDLE_READS, ({ victim, by }) => isGone(victim.cgroup) || isGone(by));
    for (const map of [maps.waits, maps.preemptions]) {
      if (map.size * 2 > map.map.maxEntries) map.expire(IDLE_READS_UNDER_PRESSURE, () => true);
    }
    for (const [cgroup, waits] of this.#waits) if (seq - waits.seq > IDLE_READS && isGone(cgroup)) this.#waits.delete(cgroup);
  }

  close(): void {
    this.object?.close();
    this.object = null;
    this.#maps = null;
    this.#running = false;
  }
}
