/**
 * What panes share whose rows are single events (bpf/stream.h): records taken from the ring and kept until the
 * tick, exact totals as differences of monotonic counters, and losses that add up.
 */
import type { BpfObject } from '../bpf/addon.ts';
import { RecordReader } from '../bpf/records.ts';
import type { Loss, StreamTotal } from '../frame/frame.ts';
import { LossCounter } from './loss.ts';

/** Options that every stream probe takes. */
export interface StreamOptions {
  /** Rows per second that the kernel may send; the rest is counted only. Default 2000. */
  readonly rowsPerSecond?: number;
  /** Rows kept for one tick; more are counted as over budget. Default 20,000. */
  readonly maxRows?: number;
  /** Size of the ring buffer, bytes: a power of two and a multiple of the page size. Default 8 MiB. */
  readonly ringBytes?: number;
}

export const STREAM_DEFAULTS: Required<StreamOptions> = { rowsPerSecond: 2000, maxRows: 20_000, ringBytes: 8 << 20 };

/** One drain's records, copied: the addon reuses its buffer. */
interface Chunk {
  readonly buffer: ArrayBuffer;
  readonly offsets: Uint32Array;
}

/** Byte offsets in `struct total_key`. */
const KEY = { cgroup: 0, error: 8, kind: 12, bytes: 16 } as const;
/** Totals that have not moved for so many ticks may go when the map gets full: their cgroup is most likely gone. */
const IDLE_TICKS = 120;

interface Total {
  count: number;
  movedAt: number;
}

/** How much one (cgroup, errno, kind) grew since the last tick. */
export interface TotalDelta {
  readonly cgroup: string;
  /** Positive errno, 0 for success. */
  readonly error: number;
  readonly kind: number;
  readonly count: number;
}

/** Drains the ring `rows`, reads `totals` and `loss` of one object. */
export class RowStream {
  readonly #object: BpfObject;
  readonly #maxRows: number;
  readonly #losses = new LossCounter();
  readonly #reader = new RecordReader();
  readonly #totals = new Map<string, Total>();
  #chunks: Chunk[] = [];
  #kept = 0;
  #dropped = 0;
  #ticks = 0;

  readonly #isRow: (reader: RecordReader, at: number) => boolean;

  /** @param isRow false for records that only amend a row: they are not counted when they are dropped */
  constructor(object: BpfObject, maxRows: number, isRow: (reader: RecordReader, at: number) => boolean = () => true) {
    this.#object = object;
    this.#maxRows = maxRows;
    this.#isRow = isRow;
  }

  /** Empty the ring into memory. Stops after a few MiB so that a flood cannot hold the caller. */
  drain(): void {
    const ring = this.#object.ring('rows');
    let budget = 2 * ring.size;
    for (let more = true; more && budget > 0; ) {
      const drained = ring.drain();
      more = drained.more;
      if (drained.count === 0) return;
      const room = Math.max(0, Math.min(drained.count, this.#maxRows - this.#kept));
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
    const dropped = this.#dropped;
    this.#dropped = 0;
    return { ...loss, seen: loss.seen + dropped, overBudget: loss.overBudget + dropped };
  }

  /** Growth of the exact totals since the last call. */
  totals(): TotalDelta[] {
    const map = this.#object.map('totals');
    const { count, keys, words } = map.read();
    const reader = new RecordReader().use(keys.buffer);
    const deltas: TotalDelta[] = [];
    const tick = ++this.#ticks;
    for (let i = 0; i < count; i++) {
      const at = keys.byteOffset + i * KEY.bytes;
      const cgroup = reader.id(at + KEY.cgroup);
      const error = reader.u32(at + KEY.error), kind = reader.u32(at + KEY.kind);
      const name = `${cgroup} ${error} ${kind}`;
      const now = words[0]?.[i] ?? 0;
      const last = this.#totals.get(name);
      if (!last) this.#totals.set(name, { count: now, movedAt: tick });
      const grown = now - (last?.count ?? 0);
      if (grown > 0) {
        deltas.push({ cgroup, error, kind, count: grown });
        if (last) Object.assign(last, { count: now, movedAt: tick });
      } else if (last && count > map.maxEntries * 0.75 && tick - last.movedAt > IDLE_TICKS) {
        map.delete(keys.slice(i * KEY.bytes, (i + 1) * KEY.bytes));
        this.#totals.delete(name);
      }
    }
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
  readonly #offsetMs: number;
  #second = Number.NaN;
  #prefix = '';

  /** @param offsetMs wall clock minus CLOCK_MONOTONIC, milliseconds */
  constructor(offsetMs: number) {
    this.#offsetMs = offsetMs;
  }

  /** @param ns CLOCK_MONOTONIC, nanoseconds */
  iso(ns: number): string {
    const us = Math.floor((ns / 1e6 + this.#offsetMs) * 1000);
    const second = Math.floor(us / 1e6);
    if (second !== this.#second) {
      this.#second = second;
      this.#prefix = new Date(second * 1000).toISOString().slice(0, 20);
    }
    return `${this.#prefix}${String(us - second * 1e6).padStart(6, '0')}Z`;
  }
}
