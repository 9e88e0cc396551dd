/**
 * Probe of the tcp pane: every TCP connection made or accepted on the node, by socket (bpf/tcp.bpf.c).
 *
 * Rows are of three sorts. Outcomes: one per event, counted in `loss` and in the totals. Pending: connections that
 * still wait for an answer at the tick, again in every tick until their outcome comes (latencyUs null, time of the
 * SYN). Established connections that sent something again since the last tick: their outcome's row once more, with
 * the same time and the new number of retransmits. The last two show a state, not an event: they are not counted,
 * and whoever collects rows over ticks replaces them by (pid, addresses, ports).
 */
import type { BpfObject, ProgramResult } from '../bpf/addon.ts';
import { objectPath } from '../bpf/objects.ts';
import { RecordReader } from '../bpf/records.ts';
import { errnoName } from '../frame/errno.ts';
import type { Level, PaneState, TcpRow } from '../frame/frame.ts';
import { outcomeOf } from '../frame/tcp-outcome.ts';
import { ipv4Text, ipv6Text, isMappedIpv4 } from './ip-address.ts';
import { ignoreOptions } from './ignored.ts';
import type { Interval, Probe, ProbeContext, ProbeTick } from './probe.ts';
import { KernelClock, RowStream, STREAM_DEFAULTS, totalsByContainer } from './stream.ts';
import type { StreamOptions } from './stream.ts';

/** Records are small and few beside those of opens: this holds four seconds of a full budget. */
const RING_BYTES = 1 << 20;

/** Byte offsets in `struct tcp_row`. */
const ROW = {
  time: 0, latency: 8, socket: 16, cgroup: 24, pid: 32, nsPid: 36, comm: 40, local: 56, remote: 72,
  localPort: 88, remotePort: 90, family: 92, what: 94, direction: 95, error: 96, retransmits: 100, bytes: 104,
} as const;
const COMM_BYTES = 16;
const AF_INET6 = 10;
/** A u64 of all ones, read as a number. */
const UNKNOWN_NS = 2 ** 64;
/** `enum what` */
const WHAT = { outcome: 0, pending: 1, retransmitted: 2, acceptedBy: 3 } as const;
/** Bit of a total's kind: an error of a connection that was counted when it was made. */
const LATER = 2;

const STATE_HOOKS = ['on_state', 'on_nested_state', 'on_retransmit', 'on_synack_again'];
const CALL_HOOKS = ['connect_returns', 'accept_exit', 'accept4_exit'];
const WALKS = ['seed', 'under_way'];

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Row = Mutable<TcpRow>;

/** A socket's address in the kernel as a number: the upper 16 bits are all ones. */
const socketOf = (reader: RecordReader, at: number): number => reader.u32(at + ROW.socket) + (reader.u32(at + ROW.socket + 4) & 0xffff) * 2 ** 32;

export class TcpProbe implements Probe<'tcp'> {
  readonly pane = 'tcp';
  readonly #options: Required<StreamOptions>;
  #object: BpfObject | null = null;
  #stream: RowStream | null = null;
  #clock = new KernelClock(() => 0);
  #results: ProgramResult[] = [];
  #on = true;
  #unwatched = 0n;
  /** Retransmits last shown of established connections, by socket. */
  #shown = new Map<number, number>();

  constructor(options: StreamOptions = {}) {
    this.#options = { ...STREAM_DEFAULTS, ringBytes: RING_BYTES, ...options };
  }

  get object(): BpfObject | null {
    return this.#object;
  }

  get results(): readonly ProgramResult[] {
    return this.#results;
  }

  async start(context: ProbeContext): Promise<void> {
    const ignore = ignoreOptions(context.filtered ?? false);
    const object = context.addon.open(objectPath('tcp'), {
      globals: { cgroup_v1_fallback: context.cgroupV1Fallback, rows_per_second: this.#options.rowsPerSecond, ...ignore.globals },
      maxEntries: { rows: this.#options.ringBytes, ...ignore.maxEntries },
    });
    this.#object = object;
    this.#clock = new KernelClock(() => context.clockOffsetMs);
    try {
      for (const result of await object.load()) context.debug(result.log);
      this.#stream = new RowStream(object, this.#options, [], (reader, at) => reader.u8(at + ROW.what) === WHAT.outcome);
      this.#results = await object.attachAsync([...STATE_HOOKS, ...CALL_HOOKS, ...WALKS]);
      if (!this.#attached('on_state')) throw new Error(`cannot watch TCP connections: ${this.#result('on_state')?.reason ?? 'on_state is missing'}`);
      object.setGlobal('connect_returns_seen', this.#attached('connect_returns'));
      // Twice: the second walk knows the listening ports, and thereby which connections came in.
      if (this.#attached('seed')) for (let i = 0; i < 2; i++) object.iterate('seed');
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #result(program: string): ProgramResult | undefined {
    return this.#results.find((result) => result.program === program);
  }

  #attached(program: string): boolean {
    return this.#result(program)?.ok === true;
  }

  /** Another row budget, at once. */
  setRowsPerSecond(rows: number): void {
    this.#object?.setGlobal('rows_per_second', rows);
  }

  setLevel(level: Level | 'off'): void {
    const on = level !== 'off';
    if (!this.#object || on === this.#on) return;
    this.#on = on;
    const programs = [...STATE_HOOKS, ...CALL_HOOKS];
    if (on) this.#object.attach(programs);
    else this.#object.detach(programs);
  }

  drain(): void {
    this.#stream?.drain();
  }

  tick(_interval: Interval): ProbeTick<'tcp'> {
    const object = this.#object, stream = this.#stream;
    if (!object || !stream) throw new Error('the tcp probe is not started');
    const rows: Row[] = [];
    const latest = new Map<number, Row>();
    stream.take((reader, at) => {
      const socket = socketOf(reader, at);
      if (reader.u8(at + ROW.what) === WHAT.acceptedBy) {
        const row = latest.get(socket);
        if (row?.direction === 'accept') this.#own(row, reader, at);
        return;
      }
      const row = this.#row(reader, at);
      rows.push(row);
      latest.set(socket, row);
    });
    const loss = stream.losses(rows.length);
    this.#underWay(object, rows, latest);
    return { state: this.#state(object), loss, rows, totals: totalsByContainer(stream.totals(), errnoName, (delta) => (delta.kind & LATER) === 0) };
  }

  /** Add the rows that show a state: pending connections, and established ones with new retransmits. */
  #underWay(object: BpfObject, rows: Row[], latest: ReadonlyMap<number, Row>): void {
    if (!this.#on || !this.#attached('under_way')) return;
    const bytes = object.iterate('under_way');
    const reader = new RecordReader().use(bytes.buffer);
    const shown = new Map<number, number>();
    for (let at = bytes.byteOffset, end = at + bytes.byteLength; at + ROW.bytes <= end; at += ROW.bytes) {
      const socket = socketOf(reader, at);
      if (shown.has(socket)) continue;
      const row = this.#row(reader, at);
      shown.set(socket, row.retransmits);
      if (reader.u8(at + ROW.what) === WHAT.pending) {
        rows.push({ ...row, outcome: 'pending', error: null });
        continue;
      }
      const outcome = latest.get(socket);
      if (outcome) outcome.retransmits = Math.max(outcome.retransmits, row.retransmits);
      else if (this.#shown.get(socket) !== row.retransmits) rows.push(row);
    }
    this.#shown = shown;
  }

  #state(object: BpfObject): PaneState {
    if (!this.#on) return { status: 'off', reason: 'switched off', level: null };
    const unwatched = object.getGlobal('unwatched');
    const grew = typeof unwatched === 'bigint' && unwatched > this.#unwatched;
    if (typeof unwatched === 'bigint') this.#unwatched = unwatched;
    const missing = CALL_HOOKS.find((program) => !this.#attached(program));
    let reason: string | null = null;
    if (grew) reason = 'too many connections are pending at once to list all of them; outcomes are complete';
    else if (!this.#attached('under_way')) reason = `pending connections are not listed: ${this.#result('under_way')?.reason ?? 'no iterator'}`;
    else if (missing) reason = `connects that fail before their SYN are not seen: ${this.#result(missing)?.reason ?? missing}`;
    return { status: 'ok', reason, level: null };
  }

  #own(row: Row, reader: RecordReader, at: number): void {
    row.container = reader.id(at + ROW.cgroup);
    row.pid = reader.u32(at + ROW.pid) || null;
    row.nsPid = reader.u32(at + ROW.nsPid) || null;
    row.comm = row.pid === null ? null : reader.text(at + ROW.comm, COMM_BYTES);
  }

  #row(reader: RecordReader, at: number): Row {
    const byteOf = (field: number) => (i: number): number => reader.u8(at + field + i);
    const local = byteOf(ROW.local), remote = byteOf(ROW.remote);
    const v6 = reader.u16(at + ROW.family) === AF_INET6;
    // IPv4 in an IPv6 socket is IPv4 on the wire, and to whoever reads the row.
    const mapped = v6 && isMappedIpv4(remote);
    const text = (byte: (i: number) => number): string => (mapped ? ipv4Text((i) => byte(12 + i)) : v6 ? ipv6Text(byte) : ipv4Text(byte));
    const errno = reader.u32(at + ROW.error);
    const error = errno === 0 ? null : errnoName(errno);
    const latencyNs = reader.u64(at + ROW.latency);
    const retransmits = reader.u32(at + ROW.retransmits);
    const row: Row = {
      time: this.#clock.iso(reader.u64(at + ROW.time)),
      container: '', pid: null, nsPid: null, comm: null,
      direction: reader.u8(at + ROW.direction) === 1 ? 'accept' : 'connect',
      family: v6 && !mapped ? 6 : 4,
      localAddress: text(local), localPort: reader.u16(at + ROW.localPort),
      remoteAddress: text(remote), remotePort: reader.u16(at + ROW.remotePort),
      outcome: outcomeOf(error, retransmits), error,
      latencyUs: latencyNs >= UNKNOWN_NS ? null : latencyNs / 1000,
      retransmits,
    };
    this.#own(row, reader, at);
    return row;
  }

  close(): void {
    this.#object?.close();
    this.#object = null;
    this.#stream = null;
  }
}
