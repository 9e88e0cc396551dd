/**
 * What panes share whose rows are single events (bpf/stream.h): records taken from the ring and kept until the
 * tick, exact totals as differences of monotonic counters, and losses that add up.
 */
import type { BpfObject } from '../bpf/addon.ts';
import { RecordReader } from '../bpf/records.ts';
import type { Loss, StreamTotal } from '../frame/frame.ts';
import { GrowingMap } from './growing-map.ts';
import { LossCounter } from './loss.ts';
import type { CgroupKey } from './probe.ts';

/** Options that every stream probe takes. */
export interface StreamOptions {
  /** Rows per second that the kernel may send; the rest is counted only. Default 2000. */
  readonly rowsPerSecond?: number;
  /** Rows kept for one tick; more are counted as over budget. Default 20,000. */
  readonly maxRows?: number;
  /** Size of the ring buffer, bytes: a power of two and a multiple of the page size. Default 8 MiB, for tcp 1 MiB. */
  readonly ringBytes?: number;
  /** Whether a cgroup has been removed, so that its totals cannot grow any more. Default: never. */
  readonly isGone?: (key: CgroupKey) => boolean;
}

export const STREAM_DEFAULTS: Required<StreamOptions> = { rowsPerSecond: 2000, maxRows: 20_000, ringBytes: 8 << 20, isGone: () => false };

/** One drain's records, copied: the addon reuses its buffer. */
interface Chunk {
  readonly buffer: ArrayBuffer;
  readonly offsets: Uint32Array;
}

/** Byte offsets in `struct total_key`. */
const KEY = { cgroup: 0, error: 8, kind: 12 } as const;
/** Totals of a removed cgroup leave the map after so many ticks without growth. */
const IDLE_READS = 5;

/** How much one (cgroup, errno, kind) grew since the last tick. */
export interface TotalDelta {
  readonly cgroup: CgroupKey;
  /** Positive errno, 0 for success. */
  readonly error: number;
  readonly kind: number;
  readonly count: number;
}

/** Drains the ring `rows`, reads `totals` and `loss` of one loaded object. */
export class RowStream {
  readonly #object: BpfObject;
  readonly #options: Required<StreamOptions>;
  readonly #isRow: (reader: RecordReader, at: number) => boolean;
  readonly #losses = new LossCounter();
  readonly #reader = new RecordReader();
  readonly #totals: GrowingMap<Omit<TotalDelta, 'count'>>;
  readonly #counters: readonly string[];
  #chunks: Chunk[] = [];
  #kept = 0;
  #dropped = 0;
  #missed: number;

  /**
   * @param counters programs of which every run that the kernel skips is an event lost
   * @param isRow false for records that only amend a row: they are not counted when they are dropped
   */
  constructor(object: BpfObject, options: Required<StreamOptions>, counters: readonly string[] = [], isRow: (reader: RecordReader, at: number) => boolean = () => true) {
    this.#object = object;
    this.#counters = counters;
    this.#missed = this.#missedRuns();
    this.#options = options;
    this.#isRow = isRow;
    this.#totals = new GrowingMap(object.map('totals'), (key, at) => ({
      cgroup: key.id(at + KEY.cgroup), error: key.u32(at + KEY.error), kind: key.u32(at + KEY.kind),
    }));
  }

  /** Empty the ring into memory. Stops after a few MiB so that a flood cannot hold the caller. */
  drain(): void {
    const ring = this.#object.ring('rows');
    let budget = 2 * ring.size;
    for (let more = true; more && budget > 0; ) {
      const drained = ring.drain();
      more = drained.more;
      if (drained.count === 0) return;
      const room = Math.max(0, Math.min(drained.count, this.#options.maxRows - this.#kept));
      const used = (drained.offsets[drained.count - 1] ?? 0) + (drained.lengths[drained.count - 1] ?? 0);
      budget -= used;
      if (room < drained.count) {
        this.#reader.use(drained.buffer);
        for (let i = room; i < drained.count; i++) if (this.#isRow(this.#reader, drained.offsets[i] ?? 0)) this.#dropped++;
      }
      if (room === 0) continue;
      // Padded: the last record's words may be read past its end.
      const end = ((drained.offsets[room - 1] ?? 0) + (drained.lengths[room - 1] ?? 0) + 7) & ~7;
      this.#chunks.push({ buffer: drained.buffer.slice(0, end), offsets: drained.offsets.slice(0, room) });
      this.#kept += room;
    }
  }

  /** Decode and give up the records kept since the last call. @param decode reads the record at an offset */
  take(decode: (reader: RecordReader, at: number) => void): void {
    this.drain();
    for (const { buffer, offsets } of this.#chunks) {
      this.#reader.use(buffer);
      for (const at of offsets) decode(this.#reader, at);
    }
    this.#chunks = [];
    this.#kept = 0;
    this.#reader.use(new ArrayBuffer(0));
  }

  /** Losses since the last call. @param kept rows given out for them */
  losses(kept: number): Loss {
    const loss = this.#losses.since(this.#object, kept);
    const dropped = this.#dropped, missedBefore = this.#missed;
    this.#dropped = 0;
    this.#missed = this.#missedRuns();
    const missed = this.#missed - missedBefore;
    return { ...loss, seen: loss.seen + dropped + missed, overBudget: loss.overBudget + dropped, lostMap: loss.lostMap + missed };
  }

  #missedRuns(): number {
    return this.#counters.length === 0 ? 0 : this.#object.missedRuns(this.#counters);
  }

  /** Growth of the exact totals since the last call. */
  totals(): TotalDelta[] {
    const deltas: TotalDelta[] = [];
    this.#totals.read((info, word, count) => { if (word === 0) deltas.push({ ...info, count }); });
    this.#totals.expire(IDLE_READS, (info) => this.#options.isGone(info.cgroup));
    return deltas;
  }
}

/**
 * Totals per container. @param counts whether a delta is an event of its own (or only an error of one counted before)
 * @param errno name of a positive errno
 */
export function totalsByContainer(deltas: readonly TotalDelta[], errno: (error: number) => string, counts: (delta: TotalDelta) => boolean = () => true): StreamTotal[] {
  const by = new Map<string, { count: number; errors: Record<string, number> }>();
  for (const delta of deltas) {
    let total = by.get(delta.cgroup);
    if (!total) by.set(delta.cgroup, (total = { count: 0, errors: {} }));
    if (counts(delta)) total.count += delta.count;
    if (delta.error === 0) continue;
    const name = errno(delta.error);
    total.errors[name] = (total.errors[name] ?? 0) + delta.count;
  }
  return [...by].map(([container, { count, errors }]) => ({ container, count, errors }));
}

/** Dates kernel timestamps: ISO 8601 UTC with microseconds. */
export class KernelClock {
  readonly #offsetMs: () => number;
  #second = Number.NaN;
  #prefix = '';

  /** @param offsetMs wall clock minus CLOCK_MONOTONIC now, milliseconds */
  constructor(offsetMs: () => number) {
    this.#offsetMs = offsetMs;
  }

  /** @param ns CLOCK_MONOTONIC, nanoseconds */
  iso(ns: number): string {
    const us = Math.floor(ns / 1000) + Math.round(this.#offsetMs() * 1000);
    const second = Math.floor(us / 1e6);
    if (second !== this.#second) {
      this.#second = second;
      this.#prefix = new Date(second * 1000).toISOString().slice(0, 20);
    }
    return `${this.#prefix}${String(us - second * 1e6).padStart(6, '0')}Z`;
  }
}
