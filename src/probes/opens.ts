/**
 * Probe of the opens pane: every open, openat, openat2 and creat on the node (bpf/opens.bpf.c). Totals are exact,
 * rows come under a budget.
 */
import type { BpfObject, ProgramResult } from '../bpf/addon.ts';
import { objectPath } from '../bpf/objects.ts';
import type { RecordReader } from '../bpf/records.ts';
import { errnoName } from '../frame/errno.ts';
import type { Level, OpenRow, PaneState } from '../frame/frame.ts';
import { openFlagNames } from './open-flags.ts';
import { ignoreOptions } from './ignored.ts';
import type { Interval, Probe, ProbeContext, ProbeTick } from './probe.ts';
import { KernelClock, RowStream, STREAM_DEFAULTS, totalsByContainer } from './stream.ts';
import type { StreamOptions } from './stream.ts';

export interface OpensOptions extends StreamOptions {
  /**
   * When to watch 32-bit calls, which costs every system call on the node about 100 ns: `auto` from the moment a
   * 32-bit program is found running. Default auto.
   */
  readonly compat?: 'auto' | 'always' | 'never';
  /** Hook every system call even where the tracepoints of opens alone can be had. Default false. */
  readonly everyCall?: boolean;
}

/** Byte offsets in `struct open_row`. */
const ROW = {
  time: 0, latency: 8, cgroup: 16, pid: 24, nsPid: 28, comm: 32, tid: 48, result: 52, flags: 56, pathBytes: 68, path: 72,
} as const;
const COMM_BYTES = 16;
const UNREADABLE = 0xffff_ffff;
/** A u64 of all ones, read as a number. */
const UNKNOWN_NS = 2 ** 64;

const CALLS = ['openat', 'openat2', 'open', 'creat'];
const NATIVE = CALLS.flatMap((name) => [`exit_${name}`, `enter_${name}`]);
/** On every system call: for 32-bit ones, and for all where NATIVE cannot be attached. */
const EVERY = ['every_exit', 'every_enter'];
const COMPAT_WATCH = ['compat_exec', 'compat_tasks'];

export class OpensProbe implements Probe<'opens'> {
  readonly pane = 'opens';
  readonly #options: Required<OpensOptions>;
  readonly #flagNames = openFlagNames();
  #object: BpfObject | null = null;
  #stream: RowStream | null = null;
  #clock = new KernelClock(() => 0);
  #results: ProgramResult[] = [];
  #compat: 'waiting' | 'on' | 'off' = 'off';
  /** What is attached while the pane is on. */
  #hooks = NATIVE;
  #reason: string | null = null;
  #on = true;

  constructor(options: OpensOptions = {}) {
    this.#options = { ...STREAM_DEFAULTS, compat: 'auto', everyCall: false, ...options };
  }

  get object(): BpfObject | null {
    return this.#object;
  }

  get results(): readonly ProgramResult[] {
    return this.#results;
  }

  async start(context: ProbeContext): Promise<void> {
    const ignore = ignoreOptions(context.filtered ?? false);
    const object = context.addon.open(objectPath('opens'), {
      globals: { cgroup_v1_fallback: context.cgroupV1Fallback, rows_per_second: this.#options.rowsPerSecond, ...ignore.globals },
      maxEntries: { rows: this.#options.ringBytes, ...ignore.maxEntries },
    });
    this.#object = object;
    this.#clock = new KernelClock(() => context.clockOffsetMs);
    try {
      for (const result of await object.load()) context.debug(result.log);
      this.#stream = new RowStream(object, this.#options, [...CALLS.map((name) => `exit_${name}`), 'every_exit']);
      const watch = this.#options.compat === 'never' ? [] : COMPAT_WATCH;
      this.#results = await object.attachAsync([...(this.#options.everyCall ? [] : NATIVE), ...watch]);
      if (!this.#isAttached('exit_openat')) await this.#hookEveryCall(object);
      // Calls that this kernel does not have are no loss: arm64 has no open and creat, Linux before 5.6 no openat2.
      const missing = this.#results.find((result) => NATIVE.includes(result.program) && !result.ok && result.code !== 'ENOENT');
      if (missing) this.#reason ??= `${missing.program.replace('_', ' of ')} is not seen: ${missing.reason}`;
      this.#startCompat(object);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #isAttached(program: string): boolean {
    return this.#results.some((result) => result.program === program && result.ok);
  }

  /** The classic tracepoints need perf events and CONFIG_FTRACE_SYSCALLS; these need neither, but cost more. */
  async #hookEveryCall(object: BpfObject): Promise<void> {
    const why = this.#results.find((result) => result.program === 'exit_openat')?.reason ?? 'asked for';
    await object.detachAsync(NATIVE);
    object.setGlobal('every_native', true);
    this.#results = [...this.#results, ...await object.attachAsync(EVERY)];
    const failed = this.#results.find((result) => result.program === 'every_exit' && !result.ok);
    if (failed) throw new Error(`cannot watch opens: ${why}; nor through all system calls: ${failed.reason}`);
    this.#hooks = EVERY;
    this.#compat = 'on';
    this.#reason = `every system call on the node pays about 0.1 us more than it should: ${why}`;
  }

  /** Look for 32-bit programs that run already; new ones raise compat_seen by themselves. */
  #startCompat(object: BpfObject): void {
    if (this.#compat === 'on' || this.#options.compat === 'never') return;
    this.#compat = 'waiting';
    if (this.#options.compat === 'always') object.setGlobal('compat_seen', true);
    else if (this.#isAttached('compat_tasks')) object.iterate('compat_tasks');
    this.#followCompat();
  }

  #followCompat(): void {
    if (this.#compat !== 'waiting' || !this.#on || !this.#object || this.#object.getGlobal('compat_seen') === 0n) return;
    this.#compat = 'on';
    this.#hooks = [...NATIVE, ...EVERY];
    this.#object.detach(COMPAT_WATCH);
    this.#results = [...this.#results, ...this.#object.attach(EVERY)];
  }

  /** Another row budget, at once. */
  setRowsPerSecond(rows: number): void {
    this.#object?.setGlobal('rows_per_second', rows);
  }

  setLevel(level: Level | 'off'): void {
    const on = level !== 'off';
    if (!this.#object || on === this.#on) return;
    this.#on = on;
    if (on) this.#object.attach(this.#hooks);
    else this.#object.detach(this.#hooks);
  }

  drain(): void {
    this.#followCompat();
    this.#stream?.drain();
  }

  tick(_interval: Interval): ProbeTick<'opens'> {
    const stream = this.#stream;
    if (!stream) throw new Error('the opens probe is not started');
    this.#followCompat();
    const rows: OpenRow[] = [];
    stream.take((reader, at) => rows.push(this.#row(reader, at)));
    return { state: this.#state(), loss: stream.losses(rows.length), rows, totals: totalsByContainer(stream.totals(), errnoName) };
  }

  #state(): PaneState {
    return this.#on ? { status: 'ok', reason: this.#reason, level: null } : { status: 'off', reason: 'switched off', level: null };
  }

  #row(reader: RecordReader, at: number): OpenRow {
    const result = reader.i32(at + ROW.result);
    const latencyNs = reader.u64(at + ROW.latency);
    const pathBytes = reader.u32(at + ROW.pathBytes);
    return {
      time: this.#clock.iso(reader.u64(at + ROW.time)),
      container: reader.id(at + ROW.cgroup),
      pid: reader.u32(at + ROW.pid),
      tid: reader.u32(at + ROW.tid),
      nsPid: reader.u32(at + ROW.nsPid) || null,
      comm: reader.text(at + ROW.comm, COMM_BYTES),
      path: pathBytes === UNREADABLE ? null : reader.text(at + ROW.path, pathBytes),
      flags: this.#flagNames(reader.u64(at + ROW.flags)),
      fd: result < 0 ? null : result,
      error: result < 0 ? errnoName(-result) : null,
      latencyUs: latencyNs >= UNKNOWN_NS ? null : latencyNs / 1000,
    };
  }

  close(): void {
    this.#object?.close();
    this.#object = null;
    this.#stream = null;
  }
}
