/** One connection to a session, over any stream of bytes: signs on, keeps it alive, and hears what comes. Does not come back when it ends. */
import type { Duplex } from 'node:stream';
import { BEAT_MS, HANDSHAKE_MS, PROTOCOL, SERVER_SILENCE_MS } from '../protocol/limits.ts';
import { CLIENT_LIMITS, SERVER_LIMITS, type ByeReason, type ToClient, type ToServer, type Welcome, fits, readToClient, writeToServer } from '../protocol/messages.ts';
import { WireReader } from '../protocol/wire.ts';
import { SessionError } from '../error.ts';

/** Who signs on. */
export interface Visitor {
  /** Of this kbtop. */
  readonly version: string;
  /** Where the screen is, for the others; null: not told. */
  readonly terminal: string | null;
}

/** Everything but the first and the last word. */
export type Heard = Exclude<ToClient, { readonly kind: 'welcome' | 'bye' }>;

export interface LinkEvents {
  readonly heard: (message: Heard) => void;
  /** Called once, after a welcome only: the connection is over. */
  readonly lost: (error: SessionError) => void;
}

/** More than so many bytes unsent: what is worth nothing later is left out. */
const FULL_BYTES = 256 * 1024;
/** A stream that does not end politely in this time is cut off, milliseconds. */
const POLITE_MS = 500;
const GONE = new Set(['EPIPE', 'ECONNRESET']);

const KINDS: Readonly<Record<ByeReason, SessionError['kind']>> = { version: 'refused', refused: 'refused', full: 'failed', malformed: 'failed', slow: 'failed', ending: 'absent' };

export class SessionLink {
  readonly #stream: Duplex;
  readonly #events: LinkEvents;
  readonly #reader = new WireReader(CLIENT_LIMITS);
  readonly #welcomed = Promise.withResolvers<Welcome>();
  readonly #beat: NodeJS.Timeout;
  readonly #handshake: NodeJS.Timeout;
  #welcome: Welcome | null = null;
  #heardAt = performance.now();
  #over = false;

  private constructor(stream: Duplex, visitor: Visitor, events: LinkEvents) {
    this.#stream = stream;
    this.#events = events;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', (error: NodeJS.ErrnoException) => this.#lose(new SessionError('absent', GONE.has(error.code ?? '') ? 'the session is gone' : `the connection to the session broke: ${error.message}`, { cause: error })));
    stream.on('end', () => this.#lose(new SessionError('absent', 'the session is gone')));
    stream.on('close', () => this.#lose(new SessionError('absent', 'the session is gone')));
    this.#handshake = setTimeout(() => this.#lose(new SessionError('failed', `the session did not answer for ${HANDSHAKE_MS / 1000} s: is it kbtop serve, and does it run?`)), HANDSHAKE_MS);
    this.#beat = setInterval(() => this.#pulse(), BEAT_MS);
    this.send({ kind: 'hello', protocol: PROTOCOL, ...visitor });
  }

  /** Sign on; the stream is the link's from now on. @throws SessionError */
  static async open(stream: Duplex, visitor: Visitor, events: LinkEvents): Promise<SessionLink> {
    const link = new SessionLink(stream, visitor, events);
    await link.#welcomed.promise;
    return link;
  }

  /** What the session said it is, and allows. */
  get welcome(): Welcome {
    if (this.#welcome === null) throw new Error('not welcomed yet');
    return this.#welcome;
  }

  get over(): boolean {
    return this.#over;
  }

  /** False: it is larger than the session takes, or the connection is over. */
  send(message: ToServer): boolean {
    const bytes = writeToServer(message);
    if (this.#over || !this.#stream.writable || !fits(bytes, SERVER_LIMITS)) return false;
    this.#stream.write(bytes);
    return true;
  }

  #pulse(): void {
    if (this.#stream.writableLength < FULL_BYTES && this.#welcome !== null) this.send({ kind: 'beat' });
    // After a stall of our own, what came meanwhile is read before the next turn.
    if (this.#isSilent()) setImmediate(() => setImmediate(() => { if (this.#isSilent()) this.#lose(new SessionError('absent', `the session gave no sign of life for ${SERVER_SILENCE_MS / 1000} s`)); }));
  }

  #isSilent(): boolean {
    return performance.now() - this.#heardAt >= SERVER_SILENCE_MS;
  }

  #take(chunk: Buffer): void {
    this.#heardAt = performance.now();
    for (const piece of this.#reader.push(chunk)) {
      if (this.#over) return;
      const message = readToClient(piece);
      if (message === null) return this.#lose(new SessionError('failed', 'the session says what this kbtop does not understand: is it of another version?'));
      this.#hear(message);
    }
    const { problem } = this.#reader;
    if (problem !== null) this.#lose(new SessionError('failed', `what answers is no session of this kbtop: ${problem}`));
  }

  #hear(message: ToClient): void {
    if (message.kind === 'bye') return this.#lose(new SessionError(KINDS[message.reason], message.message));
    if (message.kind !== 'welcome') {
      if (this.#welcome !== null) this.#events.heard(message);
      return;
    }
    if (this.#welcome !== null) return;
    clearTimeout(this.#handshake);
    this.#welcome = message.welcome;
    this.#welcomed.resolve(message.welcome);
  }

  #lose(error: SessionError): void {
    if (this.#over) return;
    const welcomed = this.#welcome !== null;
    this.#end();
    if (welcomed) this.#events.lost(error);
    else this.#welcomed.reject(error);
  }

  #end(): void {
    this.#over = true;
    clearTimeout(this.#handshake);
    clearInterval(this.#beat);
    if (this.#stream.destroyed) return;
    const cut = setTimeout(() => this.#stream.destroy(), POLITE_MS);
    this.#stream.once('close', () => clearTimeout(cut));
    this.#stream.end();
    // What still comes is nobody's.
    this.#stream.resume();
  }

  /** Sign off. Resolves when the stream is closed; `lost` is not called. */
  async close(): Promise<void> {
    if (!this.#over) {
      this.#end();
      this.#welcomed.reject(new SessionError('absent', 'kbtop is ending'));
      this.#welcomed.promise.catch(() => {});
    }
    if (!this.#stream.destroyed) await new Promise<void>((resolve) => { this.#stream.once('close', () => resolve()); });
  }
}
