/**
 * System calls per container: bpf/syscalls.bpf.c counts, this side subtracts, names, chooses the level, and gives
 * busy calls their fast slots.
 */
import type { BpfObject, OpenOptions, ProgramResult } from '../bpf/addon.ts';
import { objectPath } from '../bpf/objects.ts';
import type { Level, PaneState, SyscallRow } from '../frame/frame.ts';
import { CostMeter } from './cost-meter.ts';
import { GrowingMap } from './growing-map.ts';
import { ignoreOptions } from './ignored.ts';
import { LevelPolicy } from './level-policy.ts';
import type { CallCost, Step } from './level-policy.ts';
import { kernelAtLeast, requireTaskStorage, shardsFor } from './kernel-limits.ts';
import { LossCounter } from './loss.ts';
import type { CgroupKey, Interval, Probe, ProbeContext, ProbeTick } from './probe.ts';
import { SyscallSlots } from './syscall-slots.ts';
import { ErrorSum, SyscallSum } from './syscall-rows.ts';
import type { Counted } from './syscall-rows.ts';

export interface SyscallsOptions {
  /** What to measure when the budget allows it. Default: latency. */
  readonly level?: Level | 'off';
  /** Percent of one CPU that the probe may take before it falls to a cheaper level. Default: 3. */
  readonly budgetPct?: number;
  /** Nanoseconds per call that the budget is reckoned with. */
  readonly cost?: CallCost;
  /** True when a cgroup is gone for good, so that its entries may leave the maps. */
  readonly isGone?: (cgroup: CgroupKey) => boolean;
  /** Sizes of the maps `calls`, `errors`, `latency`, in entries. */
  readonly maxEntries?: Readonly<Record<string, number>>;
}

/** Measured by bench/syscalls.ts on a 2.6 GHz server CPU with mitigations on. */
const DEFAULT_COST: CallCost = { count: 100, hook: 85, timing: 100 };
const BPF_F_NO_PREALLOC = 1;
/** Reads after which an entry may go that its cgroup's end has not yet freed. */
const IDLE_READS = 60;
const IDLE_READS_UNDER_PRESSURE = 300;
/** A rate over less than this says nothing about the load. */
const MIN_RATE_MS = 100;
/** The share of the budget from which on the cost is worth being measured. */
const WORTH_MEASURING = 0.3;

export class SyscallsProbe implements Probe<'syscalls'> {
  readonly pane = 'syscalls';
  results: ProgramResult[] = [];
  object: BpfObject | null = null;
  #options: SyscallsOptions;
  #policy: LevelPolicy;
  #asked: Level | 'off';
  /** What is attached now; null: nothing. */
  #running: Step | null = null;
  /** The coarsest sampling since the last tick. */
  #coarsest = 0;
  #context: ProbeContext | null = null;
  #sums = new Map<CgroupKey, Map<number, SyscallSum>>();
  #maps: { calls: GrowingMap<SyscallSum>; errors: GrowingMap<ErrorSum>; latency: GrowingMap<SyscallSum> } | null = null;
  #slots: SyscallSlots<Counted> | null = null;
  #loss = new LossCounter();
  #dropped = { errors: 0, latencies: 0 };
  #epoch = 1;
  #meter: CostMeter | null = null;

  constructor(options: SyscallsOptions = {}) {
    this.#options = options;
    this.#asked = options.level ?? 'latency';
    this.#policy = new LevelPolicy(options.budgetPct ?? 3, options.cost ?? DEFAULT_COST);
    if (this.#asked !== 'off') this.#policy.ask(this.#asked);
  }

  async start(context: ProbeContext): Promise<void> {
    requireTaskStorage();
    this.#context = context;
    const object = context.addon.open(objectPath('syscalls'), this.#openOptions(context));
    this.object = object;
    this.results = await object.load();
    for (const { log } of this.results) if (log) context.debug(log);
    const failed = this.results.find((result) => result.program === 'call_returns' && !result.ok);
    if (failed) throw new Error(`cannot count system calls: ${failed.reason ?? 'the kernel refused the program'}`);

    const sum = (cgroup: CgroupKey, call: number): SyscallSum => this.#sum(cgroup, call);
    this.#maps = {
      calls: new GrowingMap(object.map('calls'), (key, at) => sum(key.id(at), key.u32(at + 8))),
      errors: new GrowingMap(object.map('errors'), (key, at) => new ErrorSum(sum(key.id(at), key.u32(at + 8)), key.u32(at + 12))),
      latency: new GrowingMap(object.map('latency'), (key, at) => sum(key.id(at), key.u32(at + 8))),
    };
    this.#slots = new SyscallSlots(object.map('slot_owners'), object.map('slot_counts'));
    this.#meter = new CostMeter(context.addon, object);
    if (this.#asked !== 'off') this.#run(this.#policy.step);
  }

  #openOptions(context: ProbeContext): OpenOptions {
    const roomy = kernelAtLeast(6, 1);
    const shards = shardsFor(context.cpus);
    const ignore = ignoreOptions(context.filtered ?? false);
    return {
      globals: { cgroup_v1_fallback: context.cgroupV1Fallback, shard_mask: shards - 1, shards_shared: context.cpus > shards, ...ignore.globals },
      maxEntries: { latency: roomy ? 32768 : 16384, ...ignore.maxEntries, ...this.#options.maxEntries },
      mapFlags: roomy ? { latency: BPF_F_NO_PREALLOC } : {},
    };
  }

  setLevel(level: Level | 'off'): void {
    this.#asked = level;
    if (level !== 'off') this.#policy.ask(level);
    if (this.object) this.#run(level === 'off' ? null : this.#policy.step);
  }

  /**
   * Switch what is attached. sys_exit counts at every level, and calls that are timed are counted in their
   * histogram, so whatever is in flight during the switch is counted once.
   */
  #run(step: Step | null): void {
    const { object } = this;
    if (!object) return;
    const timing = step !== null && step.oneIn > 0;
    if (timing) {
      object.setGlobal('sample_mask', step.oneIn - 1);
      this.#coarsest = Math.max(this.#coarsest, step.oneIn);
      if (!this.#running || this.#running.oneIn === 0) {
        object.setGlobal('timing_since', this.#context?.addon.monotonicNs() ?? 0n);
        object.setGlobal('timing', true);
        this.#note(object.attach(['call_enters']));
      }
    } else {
      object.detach(['call_enters']);
      object.setGlobal('timing', false);
    }
    if (step && !this.#running) this.#note(object.attach(['call_returns', 'task_exits', 'task_renamed']));
    if (!step) object.detach(['call_returns', 'task_exits', 'task_renamed']);
    if (step !== this.#running) this.#meter?.invalidate();
    this.#running = step;
  }

  #note(attached: readonly ProgramResult[]): void {
    for (const result of attached) {
      this.results = [...this.results.filter((old) => old.program !== result.program), result];
      if (!result.ok && result.program === 'call_returns') throw new Error(`cannot count system calls: ${result.reason ?? 'sys_exit cannot be attached'}`);
    }
  }

  tick(interval: Interval): ProbeTick<'syscalls'> {
    const { object } = this;
    if (!object || !this.#maps || !this.#slots) {
      return { state: { status: 'off', reason: 'not started', level: null }, loss: this.#noLoss(), rows: [] };
    }
    const epoch = this.#epoch++;
    object.setGlobal('hist_epoch', this.#epoch);
    const touched: SyscallSum[] = [];
    const begin = (sum: SyscallSum): SyscallSum => {
      if (sum.begin(interval.seq)) touched.push(sum);
      return sum;
    };
    const slow: Counted[] = [];
    const addSlow = (counted: Counted, count: number): void => {
      begin(counted.sum);
      counted.add(count);
      counted.slow = count;
      slow.push(counted);
    };
    this.#slots.read((counted, count) => {
      begin(counted.sum);
      counted.add(count);
    });
    this.#maps.calls.read((sum, _word, count) => addSlow(sum, count));
    this.#maps.errors.read((error, _word, count) => addSlow(error, count));
    this.#maps.latency.read((sum, word, delta, value) => begin(sum).addLatency(word, delta, value, epoch));
    this.#slots.assign(slow);
    this.#expire(interval.seq);

    const sampled = this.#coarsest;
    const rows: SyscallRow[] = [];
    let kept = 0;
    for (const sum of touched) {
      if (sum.count === 0) continue;
      rows.push(sum.row(interval.ms, sampled));
      kept += sum.count;
    }
    const state = this.#state(object, kept, interval.ms);
    return { state, loss: this.#loss.since(object, kept), rows };
  }

  /** State of the interval that has just ended; then the level for the next one. */
  #state(object: BpfObject, calls: number, ms: number): PaneState {
    const ratePerSec = (calls * 1000) / ms;
    const step = this.#running;
    this.#coarsest = step?.oneIn ?? 0;
    if (!step) return { status: 'off', reason: 'switched off', level: null };
    const reasons = [this.#fallReason(step, ratePerSec), this.#dropReason(object), this.#programReason()];
    if (ms >= MIN_RATE_MS) this.#keepBudget(step, ratePerSec);
    return { status: 'ok', reason: reasons.filter((reason) => reason !== null).join('; ') || null, level: step.level };
  }

  #keepBudget(step: Step, ratePerSec: number): void {
    if (this.#policy.observe(ratePerSec)) return this.#run(this.#policy.step);
    if (this.#policy.pct(ratePerSec) < this.#policy.budgetPct * WORTH_MEASURING) return;
    const runsPerCall = step.oneIn > 0 ? 2 : 1;
    this.#meter?.measure((nsPerRun) => this.#policy.calibrate(nsPerRun * runsPerCall), (text) => this.#context?.debug(text));
  }

  #fallReason(step: Step, ratePerSec: number): string | null {
    if (!this.#policy.fallen) return null;
    const what = step.oneIn > 0 ? `one call in ${step.oneIn} timed` : 'calls counted, not timed';
    return `${what}: more would take ${this.#policy.pct(ratePerSec).toFixed(1)} % of a CPU, budget ${this.#policy.budgetPct} %`;
  }

  #dropReason(object: BpfObject): string | null {
    const errors = Number(object.getGlobal('errors_dropped'));
    const latencies = Number(object.getGlobal('latencies_dropped'));
    const now = { errors: errors - this.#dropped.errors, latencies: latencies - this.#dropped.latencies };
    this.#dropped = { errors, latencies };
    if (now.errors === 0 && now.latencies === 0) return null;
    return `maps full: ${now.errors} errors and ${now.latencies} latencies of counted calls were not kept`;
  }

  #programReason(): string | null {
    const failed = this.results.filter((result) => !result.ok);
    return failed.length === 0 ? null : failed.map((result) => `${result.program}: ${result.reason ?? result.code ?? 'failed'}`).join('; ');
  }

  #noLoss(): ProbeTick<'syscalls'>['loss'] {
    return { seen: 0, kept: 0, lostRing: 0, lostMap: 0, lostFault: 0, unattributed: 0, overBudget: 0 };
  }

  #sum(cgroup: CgroupKey, call: number): SyscallSum {
    let calls = this.#sums.get(cgroup);
    if (!calls) this.#sums.set(cgroup, (calls = new Map()));
    let sum = calls.get(call);
    if (!sum) calls.set(call, (sum = new SyscallSum(cgroup, call)));
    return sum;
  }

  #expire(seq: number): void {
    const maps = this.#maps;
    if (!maps) return;
    const isGone = this.#options.isGone ?? (() => false);
    const each = <Info>(map: GrowingMap<Info>, cgroupOf: (info: Info) => CgroupKey): void => {
      map.expire(IDLE_READS, (info) => isGone(cgroupOf(info)));
      if (map.size * 2 > map.map.maxEntries) map.expire(IDLE_READS_UNDER_PRESSURE, () => true);
    };
    each(maps.calls, (sum) => sum.cgroup);
    each(maps.errors, (error) => error.cgroup);
    each(maps.latency, (sum) => sum.cgroup);
    for (const [cgroup, calls] of this.#sums) {
      if (isGone(cgroup) && [...calls.values()].every((sum) => seq - sum.seq > IDLE_READS)) this.#sums.delete(cgroup);
    }
  }

  close(): void {
    this.#meter?.close();
    this.#meter = null;
    this.object?.close();
    this.object = null;
    this.#maps = null;
    this.#slots = null;
    this.#running = null;
  }
}
