/**
 * A session: one source of Frames, and all who look at it. Whoever comes is judged by what the kernel says of it; whatever
 * it does, neither the source nor the others wait for it.
 */
import type { Duplex } from 'node:stream';
import type { SocketPeer } from '../../bpf/addon.ts';
import type { ChaosDoor, Permits } from '../../chaos/door.ts';
import type { Frame } from '../../frame/frame.ts';
import type { FrameSource } from '../../frame/source.ts';
import { BEAT_MS, MAX_VIEWERS, MAX_VIEWERS_OF_ONE, PATIENCE, PROTOCOL, type Patience } from '../protocol/limits.ts';
import type { ByeReason, ToServer } from '../protocol/messages.ts';
import type { Access } from './access.ts';
import type { Accounts } from './accounts.ts';
import { Bucket } from './bucket.ts';
import { Bundler } from './bundler.ts';
import { SharedCompany } from './company.ts';
import { Connection } from './connection.ts';
import { FaultDesk } from './faults.ts';
import { Packer } from './packer.ts';
import { Viewer } from './viewer.ts';
import { type AuditSink, type Visitor, Visits, visitorOf } from './visits.ts';

export interface SessionOptions {
  readonly source: FrameSource;
  /** Null: nobody may arm faults. */
  readonly door: ChaosDoor | null;
  readonly access: Access;
  readonly accounts: Accounts;
  /** Null: no audit is kept. */
  readonly audit: AuditSink | null;
  readonly version: string;
  /** Name of the node. */
  readonly node: string;
  readonly intervalMs: number;
  /** Tick lengths that may be asked for, milliseconds. */
  readonly intervalLimits: { readonly min: number; readonly max: number };
  /** In words; null: all of the node. */
  readonly scope: string | null;
  readonly permits: Permits;
  /** Absent: PATIENCE. */
  readonly patience?: Patience;
  /** One line for whoever watches the server. Not escaped. */
  readonly log: (line: string) => void;
}

/** What has come to a session since it began. */
export interface SessionCounts {
  readonly viewers: number;
  /** Let in, all in all. */
  readonly attached: number;
  /** Not let in: no right to, no room, floods. */
  readonly refused: number;
  /** Let go for what they sent. */
  readonly malformed: number;
  /** Let go for what they did not read. */
  readonly slow: number;
  /** Frames that viewers did not get. */
  readonly skipped: number;
}

/** Streams at once, also of those that have not signed on yet or are being let go. */
const MAX_STREAMS = 2 * MAX_VIEWERS;
/** Connections of one user: at once, and per second. */
const COMING = { burst: 2 * MAX_VIEWERS_OF_ONE, perSecond: 2 };
/** Users whose connections are counted apart. */
const MAX_USERS = 256;
/** Changes of interval and levels, of one viewer. */
const CHANGES = { burst: 30, perSecond: 5 };
const CHECK_MS = 500;
/** A check that is so much too late says that this process was held up. */
const LATE_MS = 1000;
const NO_CONTROL = 'this session cannot be changed from here: kbtop serve has --allow-control for that';

interface Guest {
  readonly peer: SocketPeer;
  readonly visitor: Visitor;
  readonly connection: Connection;
  /** Null: not signed on yet. */
  viewer: Viewer | null;
  readonly changes: Bucket;
}

export class SessionServer {
  readonly #options: SessionOptions;
  readonly #patience: Patience;
  readonly #visits: Visits;
  readonly #faults: FaultDesk | null;
  readonly #company = new SharedCompany();
  readonly #packer = new Packer();
  readonly #guests = new Set<Guest>();
  readonly #streams = new Set<Duplex>();
  readonly #coming = new Map<number, Bucket>();
  readonly #log: Bundler<string>;
  readonly #unsubscribe: () => void;
  readonly #timer: NodeJS.Timeout;
  #checkedAt = performance.now();
  #intervalMs: number;
  #latest: Frame | null = null;
  #lastId = 0;
  #attached = 0;
  #skippedBefore = 0;
  #bad = { refused: 0, malformed: 0, slow: 0 };
  #auditFailed = false;
  #closing: Promise<void> | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#patience = options.patience ?? PATIENCE;
    const { source, door, audit, node, permits, log } = options;
    this.#intervalMs = options.intervalMs;
    this.#log = new Bundler((line, times) => log(times > 1 ? `${line} (${times} times more)` : line));
    this.#visits = new Visits(audit, node, (error) => this.#auditTrouble(error));
    this.#faults = door === null ? null : new FaultDesk({ door, permits, visits: this.#visits, log });
    this.#unsubscribe = source.subscribe((frame) => this.#offer(frame));
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
  }

  get counts(): SessionCounts {
    const viewers = this.#viewers();
    return { ...this.#bad, viewers: viewers.length, attached: this.#attached, skipped: viewers.reduce((sum, { frames }) => sum + frames.skipped, this.#skippedBefore) };
  }

  #viewers(): Viewer[] {
    return [...this.#guests].flatMap(({ viewer }) => viewer ?? []);
  }

  /** A line about what is not let through: the same ones are told together. */
  #say(key: string, line: string): void {
    this.#log.add(key, line);
  }

  #auditTrouble(error: unknown): void {
    if (this.#auditFailed) return;
    this.#auditFailed = true;
    this.#options.log(error instanceof Error ? error.message : String(error));
  }

  #offer(frame: Frame): void {
    this.#latest = frame;
    let skipped = false;
    for (const { frames } of this.#viewers()) {
      const before = frames.skipped;
      frames.offer(frame);
      skipped ||= frames.skipped > before;
    }
    if (skipped) this.#company.skipped();
  }

  /** Somebody connected. The stream is the session's from now on. */
  take(stream: Duplex, peer: SocketPeer): void {
    // Nobody else listens for it yet.
    stream.on('error', () => {});
    const visitor = visitorOf(peer);
    if (this.#closing !== null || this.#streams.size >= MAX_STREAMS || !this.#mayCome(peer)) {
      this.#refuse(visitor, this.#closing === null ? 'too many connections' : 'the session is ending');
      stream.destroy();
      return;
    }
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
    const connection = new Connection(stream, { heard: (message) => this.#heard(guest, message), gone: (reason, detail) => this.#gone(guest, reason, detail) }, this.#patience);
    const guest: Guest = { peer, visitor, connection, viewer: null, changes: new Bucket(CHANGES.burst, CHANGES.perSecond) };
    this.#guests.add(guest);
    if (!this.#options.access.mayLook(peer)) this.#turnAway(guest, 'refused', `${this.#options.accounts.userName(peer.uid)} may not look at this session: ask whoever runs kbtop serve for --group or --mode`);
  }

  /** Nobody may come so often that others, the log or the audit suffer. */
  #mayCome({ uid }: SocketPeer): boolean {
    for (const [user, bucket] of this.#coming) if (bucket.full) this.#coming.delete(user);
    const user = this.#coming.has(uid) || this.#coming.size < MAX_USERS ? uid : -1;
    let bucket = this.#coming.get(user);
    if (bucket === undefined) this.#coming.set(user, bucket = new Bucket(COMING.burst, COMING.perSecond));
    return bucket.take();
  }

  #refuse(visitor: Visitor, detail: string): void {
    this.#bad.refused++;
    this.#visits.note(visitor, { event: 'refused', action: 'attach', detail });
    const { uid, pid } = visitor.who;
    this.#say(`refused ${uid} ${detail}`, `refused ${this.#options.accounts.userName(uid)} (pid ${pid}): ${detail}`);
  }

  /** Say why, and let go of somebody who was not let in. */
  #turnAway(guest: Guest, reason: ByeReason, message: string): void {
    this.#refuse(guest.visitor, message);
    guest.connection.close(reason, message);
  }

  #heard(guest: Guest, message: ToServer): void {
    const { viewer, connection } = guest;
    if (message.kind === 'hello') return this.#signOn(guest, message);
    if (viewer === null) return;
    switch (message.kind) {
      case 'beat': return;
      case 'took': return void (viewer.frames.took() || connection.close('malformed', 'it took a Frame that it was not sent'));
      case 'drive': return this.#company.drive(viewer, message.on);
      case 'follow': return this.#company.follow(viewer, message.on);
      case 'share': return this.#company.share(viewer, message.view);
      case 'interval': return void this.#change(guest, viewer, `interval ${message.ms} ms`, () => this.#setInterval(message.ms));
      case 'level': return void this.#change(guest, viewer, `level ${message.pane} ${message.level}`, () => this.#options.source.setLevel(message.pane, message.level));
      case 'chaos': {
        const { ask } = message;
        if (viewer.about.control && this.#faults !== null) return void this.#faults.ask(viewer, ask);
        this.#denied(viewer, ask.t === 'ask' ? ask.ask.what : 'chaos', NO_CONTROL);
        return viewer.answer({ t: 'error', id: ask.id, kind: 'refused', message: NO_CONTROL });
      }
    }
  }

  #signOn(guest: Guest, { protocol, version, terminal }: Extract<ToServer, { kind: 'hello' }>): void {
    const { peer, visitor, connection } = guest;
    const { access, accounts, door, node, scope, permits } = this.#options;
    const all = this.#viewers();
    if (protocol !== PROTOCOL) return this.#turnAway(guest, 'version', `this session is of kbtop ${this.#options.version}, the viewer is kbtop ${version.slice(0, 32)}: use the same on both sides`);
    if (all.length >= MAX_VIEWERS) return this.#turnAway(guest, 'full', `there are ${MAX_VIEWERS} viewers on this session, and no room for more: close some`);
    const user = accounts.userName(peer.uid);
    if (all.filter(({ about }) => about.uid === peer.uid).length >= MAX_VIEWERS_OF_ONE) return this.#turnAway(guest, 'full', `${user} has ${MAX_VIEWERS_OF_ONE} viewers on this session, and no room for more: close some`);
    const control = access.mayControl(peer);
    const name = `${user} (${terminal ?? `pid ${peer.pid}`})`;
    const viewer = new Viewer({ id: ++this.#lastId, name, uid: peer.uid, control, visitor }, connection, this.#packer);
    guest.viewer = viewer;
    this.#attached++;
    this.#visits.note(visitor, { event: 'attached', detail: control ? 'may control' : null });
    this.#options.log(`${name} attached${control ? ', may control' : ''}; ${all.length + 1} on this session`);
    connection.send({ kind: 'welcome', welcome: { version: this.#options.version, viewer: viewer.about.id, node, intervalMs: this.#intervalMs, control, chaos: control && door !== null, scope, permits } });
    this.#company.join(viewer);
    if (control) this.#faults?.join(viewer);
    if (this.#latest !== null) viewer.frames.offer(this.#latest);
  }

  #gone(guest: Guest, reason: ByeReason | null, detail: string): void {
    this.#guests.delete(guest);
    const { viewer, visitor } = guest;
    if (reason === 'malformed' || reason === 'slow') this.#bad[reason]++;
    if (viewer === null) {
      // Who was turned away has been told of.
      if (reason === 'malformed') this.#refuse(visitor, detail);
      return;
    }
    viewer.end();
    this.#skippedBefore += viewer.frames.skipped;
    this.#company.leave(viewer);
    this.#faults?.leave(viewer);
    this.#visits.note(visitor, { event: 'detached', detail });
    this.#options.log(`${viewer.about.name} detached: ${detail}; ${this.#company.size} on this session`);
  }

  #denied({ about }: Viewer, action: string, detail: string): void {
    this.#visits.note(about.visitor, { event: 'refused', action, detail });
    this.#say(`denied ${about.uid} ${action}`, `refused ${about.name} ${action}: ${detail}`);
  }

  /** Interval and levels: in the audit first. */
  async #change({ changes }: Guest, viewer: Viewer, action: string, change: () => void): Promise<void> {
    if (!viewer.about.control) return this.#denied(viewer, action, NO_CONTROL);
    if (!changes.take()) return this.#denied(viewer, action, 'too many changes at once');
    try {
      await this.#visits.first(viewer.about.visitor, { event: 'asked', action });
      if (this.#closing !== null) return;
      this.#options.log(`${viewer.about.name} asked for ${action}`);
      change();
    } catch (error) {
      this.#denied(viewer, action, error instanceof Error ? error.message : String(error));
    }
  }

  #setInterval(ms: number): void {
    const { min, max } = this.#options.intervalLimits;
    if (ms < min || ms > max) throw new RangeError(`an interval is ${min} to ${max} ms`);
    this.#intervalMs = ms;
    this.#options.source.setInterval(ms);
    for (const viewer of this.#viewers()) viewer.tellInterval(ms);
  }

  #check(): void {
    const now = performance.now();
    const { silenceMs, holderMs } = this.#patience;
    const grace = now - this.#checkedAt > CHECK_MS + LATE_MS;
    this.#checkedAt = now;
    for (const { viewer, connection } of this.#guests) {
      connection.check(now, grace);
      if (viewer === null || connection.over) continue;
      if (!grace && viewer.frames.stuckMs(now) > silenceMs) connection.close('slow', `it took no Frame for ${silenceMs / 1000} s`);
      // As a screen of its own that hangs: what it armed must not outlive its sight of it.
      else if (!grace && connection.silentMs(now) > holderMs && this.#faults?.holds(viewer) === true) void this.#faults.release(viewer, 'watchdog');
      else if (connection.quietMs(now) > BEAT_MS && !connection.full) connection.send({ kind: 'beat' });
    }
  }

  /** Everybody is told; faults end. The source and the door stay whoever's they are. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    clearInterval(this.#timer);
    this.#unsubscribe();
    for (const { connection } of this.#guests) connection.close('ending', 'the session ended', 'the session ended: kbtop serve was stopped');
    await this.#faults?.close();
    this.#company.close();
    this.#visits.close();
    this.#log.flush();
    await Promise.all([...this.#streams].map((stream) => new Promise<void>((resolve) => { if (stream.closed) resolve(); else stream.once('close', () => resolve()); })));
  }
}
