/** A shared session as a source of Frames: over any stream of bytes, and back again when the connection was lost. */
import type { Duplex } from 'node:stream';
import type { ChaosDoor } from '../../chaos/door.ts';
import type { Company } from '../../frame/company.ts';
import type { Frame, Level, PaneId } from '../../frame/frame.ts';
import type { FrameSource } from '../../frame/source.ts';
import { Backoff, type Steps } from '../../identity/kubernetes/backoff.ts';
import { unpackFrame, unpackLearned } from '../protocol/frames.ts';
import type { Welcome } from '../protocol/messages.ts';
import { AttachCompany } from './company.ts';
import { AttachDoor } from './door.ts';
import { SessionError } from '../error.ts';
import { type Heard, SessionLink, type Visitor } from './link.ts';

export interface AttachOptions extends Visitor {
  /** A new stream to the session; called again after each loss. Rejects with SessionError, or anything else, which is tried again, too. */
  readonly dial: () => Promise<Duplex>;
  /** Pauses between attempts; default: from half a second to ten. */
  readonly steps?: Steps;
}

const STEPS: Steps = { firstMs: 500, longestMs: 10_000 };
/** A connection that lasted so long was a good one: pauses begin anew. Milliseconds. */
const GOOD_MS = 5000;
/** Names that wait for the next Frame; a session tells of no more than its node has. */
const MAX_LEARNED = 100_000;

export class AttachSource implements FrameSource {
  readonly done: Promise<void>;
  readonly #options: AttachOptions;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<(frame: Frame) => void>();
  readonly #troubled = new Set<(reason: string | null) => void>();
  readonly #company = new AttachCompany();
  readonly #door = new AttachDoor();
  readonly #end = Promise.withResolvers<void>();
  #link: SessionLink | null = null;
  #welcome: Welcome;
  #latest: Frame | null = null;
  #learned: Frame['learned'] = {};
  #goodSince = 0;
  #trouble: string | null = null;
  #retry: NodeJS.Timeout | undefined;
  #closing: Promise<void> | null = null;

  private constructor(options: AttachOptions) {
    this.#options = options;
    this.#backoff = new Backoff({ random: Math.random }, options.steps ?? STEPS);
    this.done = this.#end.promise;
    // Whoever does not wait for it is told by onTrouble.
    this.done.catch(() => {});
    this.#welcome = { version: '', viewer: 0, node: '', intervalMs: 0, control: false, chaos: false, scope: null, permits: { expert: false, allowSystem: false } };
  }

  /** Connect for the first time; later losses are mended by itself. @throws SessionError */
  static async open(options: AttachOptions): Promise<AttachSource> {
    const source = new AttachSource(options);
    await source.#connect();
    return source;
  }

  /** What the session said last that it is, and allows. */
  get welcome(): Welcome {
    return this.#welcome;
  }

  get can(): FrameSource['can'] {
    const { control } = this.#welcome;
    return { setInterval: control, setLevel: control };
  }

  get intervalMs(): number {
    return this.#welcome.intervalMs;
  }

  get company(): Company {
    return this.#company;
  }

  /** Null: this viewer may not arm faults. */
  get chaos(): ChaosDoor | null {
    return this.#welcome.chaos ? this.#door : null;
  }

  /** Why Frames do not come at the moment; null: they do. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** @throws SessionError, or what dial rejects with */
  async #connect(): Promise<void> {
    const stream = await this.#options.dial();
    let own: SessionLink | null = null;
    // What comes before the link is known stands in the same turn of the loop as the welcome, at the earliest.
    const early: Heard[] = [];
    const { version, terminal } = this.#options;
    const link = await SessionLink.open(stream, { version, terminal }, {
      heard: (message) => { if (own === null) early.push(message); else this.#heard(own, message); },
      lost: (error) => this.#lost(error),
    });
    own = link;
    if (this.#closing !== null) return void link.close();
    this.#link = link;
    this.#welcome = link.welcome;
    this.#goodSince = performance.now();
    this.#company.connected(link);
    this.#door.connected(link);
    for (const message of early) this.#heard(link, message);
    // Lost between its welcome and now.
    if (link.over) this.#lost(new SessionError('absent', 'the session is gone'));
    else this.#setTrouble(null);
  }

  #heard(link: SessionLink, message: Heard): void {
    switch (message.kind) {
      case 'beat': return;
      case 'frame': return this.#takeFrame(link, message.packed);
      case 'learned': {
        const learned = unpackLearned(message.packed);
        if (learned !== null) this.#learned = Object.keys(this.#learned).length > MAX_LEARNED ? learned : { ...this.#learned, ...learned };
        return;
      }
      case 'interval':
        this.#welcome = { ...this.#welcome, intervalMs: message.ms };
        return;
      case 'company': case 'view': return this.#company.heard(message);
      case 'chaos': return this.#door.heard(message.told);
    }
  }

  #takeFrame(link: SessionLink, packed: Buffer): void {
    const frame = unpackFrame(packed);
    if (frame === null) return void this.#fail(new SessionError('failed', `a Frame of the session is not understood: it is kbtop ${this.#welcome.version}, this one is ${this.#options.version}: use the same on both sides`));
    const late = this.#learned;
    this.#learned = {};
    this.#latest = Object.keys(late).length === 0 ? frame : { ...frame, learned: { ...late, ...frame.learned } };
    for (const listener of this.#listeners) this.#deliver(listener, this.#latest);
    // After the listeners had it: a screen that is busy is not given the next one.
    setImmediate(() => link.send({ kind: 'took' }));
  }

  #deliver(listener: (frame: Frame) => void, frame: Frame): void {
    setImmediate(() => { if (this.#listeners.has(listener)) listener(frame); });
  }

  #lost(error: SessionError): void {
    if (this.#link === null || this.#closing !== null) return;
    this.#link = null;
    this.#company.lost();
    this.#door.lost(error.message);
    if (error.kind === 'refused') return void this.#fail(error);
    if (performance.now() - this.#goodSince >= GOOD_MS) this.#backoff.reset();
    this.#again(error.message);
  }

  #again(reason: string): void {
    const pause = this.#backoff.next();
    this.#setTrouble(reason);
    this.#retry = setTimeout(() => {
      this.#connect().catch((error: unknown) => {
        if (this.#closing !== null) return;
        if (error instanceof SessionError && error.kind === 'refused') void this.#fail(error);
        else this.#again(error instanceof Error ? error.message : String(error));
      });
    }, pause);
  }

  #setTrouble(reason: string | null): void {
    if (this.#trouble === reason) return;
    this.#trouble = reason;
    for (const listener of this.#troubled) listener(reason);
  }

  /** For good. */
  async #fail(error: SessionError): Promise<void> {
    this.#end.reject(error);
    await this.close();
  }

  subscribe(onFrame: (frame: Frame) => void): () => void {
    const listener = (frame: Frame): void => onFrame(frame);
    this.#listeners.add(listener);
    if (this.#latest !== null) this.#deliver(listener, this.#latest);
    return () => { this.#listeners.delete(listener); };
  }

  onTrouble(listener: (reason: string | null) => void): () => void {
    const own = (reason: string | null): void => listener(reason);
    this.#troubled.add(own);
    if (this.#trouble !== null) own(this.#trouble);
    return () => { this.#troubled.delete(own); };
  }

  setInterval(ms: number): void {
    if (this.#welcome.control) this.#link?.send({ kind: 'interval', ms });
  }

  setLevel(pane: PaneId, level: Level | 'off'): void {
    if (this.#welcome.control) this.#link?.send({ kind: 'level', pane, level });
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      clearTimeout(this.#retry);
      this.#listeners.clear();
      this.#troubled.clear();
      this.#company.close();
      const link = this.#link;
      this.#link = null;
      await link?.close();
      this.#end.resolve();
    })();
    return this.#closing;
  }
}
