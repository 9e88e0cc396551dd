/** One viewer's stream: what comes is checked and bounded, what goes is bounded, and it ends in every case. Knows no session. */
import type { Duplex } from 'node:stream';
import { MAX_FRAME_BYTES, PATIENCE, type Patience } from '../protocol/limits.ts';
import { CLIENT_LIMITS, SERVER_LIMITS, type ByeReason, type ToClient, type ToServer, fits, readToServer, writeToClient } from '../protocol/messages.ts';
import { WireReader } from '../protocol/wire.ts';
import { Bucket } from './bucket.ts';

export interface ConnectionEvents {
  readonly heard: (message: ToServer) => void;
  /** Called once: nothing more is sent or heard. @param reason null: the other side went by itself */
  readonly gone: (reason: ByeReason | null, detail: string) => void;
}

/** Messages at once, and a second: a screen sends some twenty a second at the most. */
const BURST = 500;
const PER_SECOND = 100;
/** More than so many bytes unread: what can wait or be left out does. */
const FULL_BYTES = 256 * 1024;
/** More than so many bytes unread: it is let go. A Frame under way, and one answer. */
const MAX_UNREAD = 2 * MAX_FRAME_BYTES;
/** For the last word to be read, milliseconds, and what is read for nobody meanwhile, bytes. */
const LAST_WORD_MS = 1000;
const MAX_IGNORED = 1024 * 1024;
/** What the other end of a stream that is closed looks like to who writes, or had something to read. */
const GONE = new Set(['EPIPE', 'ECONNRESET']);

export class Connection {
  readonly #stream: Duplex;
  readonly #events: ConnectionEvents;
  readonly #patience: Patience;
  readonly #reader = new WireReader(SERVER_LIMITS);
  readonly #bucket = new Bucket(BURST, PER_SECOND);
  /** Since when a message is incomplete, performance.now(); null: none is. */
  #partialSince: number | null = null;
  #heardAt = performance.now();
  #saidAt = performance.now();
  #greeted = false;
  #over = false;
  /** Called when the stream has taken what was written. */
  onDrain: () => void = () => {};

  constructor(stream: Duplex, events: ConnectionEvents, patience: Patience = PATIENCE) {
    this.#stream = stream;
    this.#events = events;
    this.#patience = patience;
    stream.on('data', (chunk: Buffer) => this.#take(chunk));
    stream.on('error', (error: NodeJS.ErrnoException) => this.#lose(GONE.has(error.code ?? '') ? 'it left' : `its connection broke: ${error.message}`));
    stream.on('end', () => this.#lose('it left'));
    stream.on('close', () => this.#lose('it left'));
    stream.on('drain', () => this.onDrain());
  }

  get over(): boolean {
    return this.#over;
  }

  /** It does not read: what can wait should. */
  get full(): boolean {
    return this.#over || this.#stream.writableLength > FULL_BYTES;
  }

  /** Since it last said anything, milliseconds. */
  silentMs(now: number): number {
    return now - this.#heardAt;
  }

  /** Since it was last told anything, milliseconds. */
  quietMs(now: number): number {
    return now - this.#saidAt;
  }

  /** Called every now and then. @param grace this process itself was held up: nobody else is to blame */
  check(now: number, grace: boolean): void {
    const { messageMs, silenceMs } = this.#patience;
    if (grace) {
      this.#heardAt = now;
      if (this.#partialSince !== null) this.#partialSince = now;
    } else if (!this.#greeted && this.silentMs(now) > messageMs) this.close('malformed', 'it did not sign on');
    else if (this.#partialSince !== null && now - this.#partialSince > messageMs) this.close('malformed', `it did not end a message in ${messageMs / 1000} s`);
    else if (this.silentMs(now) > silenceMs) this.close('slow', `it gave no sign of life for ${silenceMs / 1000} s`);
  }

  #take(chunk: Buffer): void {
    if (this.#over) return;
    for (const piece of this.#reader.push(chunk)) {
      this.#partialSince = null;
      if (!this.#bucket.take()) return this.close('malformed', 'it sends too many messages');
      const message = readToServer(piece);
      if (message === null) return this.close('malformed', 'it sent a message that is not understood');
      if ((message.kind === 'hello') === this.#greeted) return this.close('malformed', this.#greeted ? 'it signed on twice' : 'it did not sign on first');
      this.#greeted = true;
      this.#heardAt = performance.now();
      this.#events.heard(message);
      if (this.#over) return;
    }
    const { problem, partial } = this.#reader;
    if (problem !== null) return this.close('malformed', problem.startsWith('a ') ? `it sent ${problem}` : problem);
    // A message is older than the chunk that goes on with it.
    this.#partialSince = partial ? (this.#partialSince ?? performance.now()) : null;
  }

  /** False: it cannot be sent any more, or is larger than a viewer takes. */
  send(message: ToClient): boolean {
    const bytes = writeToClient(message);
    return fits(bytes, CLIENT_LIMITS) && this.write(bytes);
  }

  /** A written message. */
  write(bytes: Buffer): boolean {
    if (this.#over || !this.#stream.writable) return false;
    this.#saidAt = performance.now();
    this.#stream.write(bytes);
    if (this.#stream.writableLength > MAX_UNREAD) this.close('slow', 'it does not read what it asked for');
    return true;
  }

  /** Say why, and end it. */
  close(reason: ByeReason, detail: string, message = detail): void {
    if (this.#over) return;
    this.send({ kind: 'bye', reason, message });
    this.#end();
    this.#events.gone(reason, detail);
  }

  #lose(detail: string): void {
    if (this.#over) return;
    this.#end();
    this.#events.gone(null, detail);
  }

  #end(): void {
    this.#over = true;
    const stream = this.#stream;
    if (stream.destroyed) return;
    stream.removeAllListeners('data');
    // Who is let go may not have noticed: a little is read for nobody, so that it comes to its last word.
    let ignored = 0;
    stream.on('data', (chunk: Buffer) => {
      ignored += chunk.length;
      if (ignored > MAX_IGNORED) stream.pause();
    });
    const cut = setTimeout(() => stream.destroy(), LAST_WORD_MS);
    stream.once('close', () => clearTimeout(cut));
    stream.end();
  }
}
