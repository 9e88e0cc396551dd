/** The injector's way to kbtop: never waits for a reader that is stuck, and holds little for it. */
import type { Writable } from 'node:stream';
import { type ToKbtop, writeToKbtop } from './messages.ts';

/** More than so many bytes unread: hits are dropped. */
const FULL_BYTES = 256 * 1024;

export interface Output {
  /** Nobody reads: what can wait or be left out should. */
  readonly full: boolean;
  send(message: ToKbtop): void;
}

export class StreamOutput implements Output {
  readonly #stream: Writable;
  readonly #fullBytes: number;

  constructor(stream: Writable, fullBytes = FULL_BYTES) {
    this.#stream = stream;
    this.#fullBytes = fullBytes;
  }

  get full(): boolean {
    return this.#stream.destroyed || this.#stream.writableLength > this.#fullBytes;
  }

  send(message: ToKbtop): void {
    if (!this.#stream.destroyed && !this.#stream.writableEnded) this.#stream.write(writeToKbtop(message));
  }
}
