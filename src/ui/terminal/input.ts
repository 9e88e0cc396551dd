/** The keyboard: raw mode, bytes into events, and what ends when the terminal goes away. */
import { StringDecoder } from 'node:string_decoder';
import type { InputEvent } from '../keys.ts';
import { KeyParser } from '../keys.ts';

/** After ESC and this long a silence it was the key. Slow links send a sequence in one piece, too. */
const ESCAPE_MS = 40;
/** After this long a silence an unfinished paste is given up. */
const PASTE_MS = 2000;

/** The part of tty.ReadStream that is used. */
export interface TtyIn {
  readonly isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
  resume(): unknown;
  pause(): unknown;
  ref?(): unknown;
  unref?(): unknown;
  on(event: string, listener: (...args: any[]) => void): unknown;
  off(event: string, listener: (...args: any[]) => void): unknown;
}

export interface InputHandler {
  events(events: readonly InputEvent[]): void;
  /** The terminal was closed. */
  closed(): void;
}

export class Input {
  readonly #tty: TtyIn;
  readonly #handler: InputHandler;
  #parser = new KeyParser();
  #decoder = new StringDecoder('utf8');
  #timer: NodeJS.Timeout | undefined;
  #on = false;

  constructor(tty: TtyIn, handler: InputHandler) {
    this.#tty = tty;
    this.#handler = handler;
    tty.on('end', this.#closed);
    tty.on('close', this.#closed);
    tty.on('error', this.#closed);
  }

  start(): void {
    if (this.#on) return;
    this.#on = true;
    this.#tty.setRawMode?.(true);
    this.#tty.on('data', this.#data);
    this.#tty.ref?.();
    this.#tty.resume();
  }

  stop(): void {
    if (!this.#on) return;
    this.#on = false;
    clearTimeout(this.#timer);
    this.#parser = new KeyParser();
    this.#decoder = new StringDecoder('utf8');
    this.#tty.off('data', this.#data);
    this.#tty.pause();
    try {
      this.#tty.setRawMode?.(false);
    } catch {
      // The terminal is gone, and its modes with it.
    }
    this.#tty.unref?.();
  }

  readonly #closed = (): void => this.#handler.closed();

  readonly #data = (chunk: Buffer | string): void => {
    clearTimeout(this.#timer);
    const text = typeof chunk === 'string' ? chunk : this.#decoder.write(chunk);
    this.#emit(this.#parser.push(text));
    if (this.#on && this.#parser.pending) this.#wait();
  };

  #wait(): void {
    this.#timer = setTimeout(() => {
      this.#emit(this.#parser.flush());
      if (this.#on && this.#parser.pending) this.#timer = setTimeout(() => { this.#parser = new KeyParser(); }, PASTE_MS);
    }, ESCAPE_MS);
  }

  #emit(events: readonly InputEvent[]): void {
    if (events.length > 0) this.#handler.events(events);
  }
}
