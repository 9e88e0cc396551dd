/**
 * The terminal as Ink sees it: a stream whose size changes only when we say so, and whose end never throws.
 * Ink redraws the moment its stdout says `resize`; the new screen must be ready before.
 */
import { EventEmitter } from 'node:events';
import type { Size } from '../model.ts';

/** What a terminal is taken for until it tells its size, as at the start of `kubectl exec`. */
const UNKNOWN: Size = { width: 80, height: 24 };
/** Larger than any screen: what reports more is wrong. */
const MAX_CELLS = 2000;

/** The part of tty.WriteStream that is used. */
export interface TtyOut {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly writable?: boolean;
  readonly destroyed?: boolean;
  readonly writableEnded?: boolean;
  readonly writableNeedDrain?: boolean;
  write(data: string, callback?: (error?: Error | null) => void): boolean;
  on(event: string, listener: (...args: any[]) => void): unknown;
  off(event: string, listener: (...args: any[]) => void): unknown;
  getColorDepth?(env?: object): number;
}

/** Size of a terminal; what it does not know is taken to be usual. */
export function sizeOf(tty: TtyOut): Size {
  const known = (n: number | undefined, other: number): number => (n !== undefined && n > 0 ? Math.min(n, MAX_CELLS) : other);
  return { width: known(tty.columns, UNKNOWN.width), height: known(tty.rows, UNKNOWN.height) };
}

export class ScreenOutput extends EventEmitter {
  readonly isTTY = true;
  columns: number;
  rows: number;
  readonly #tty: TtyOut;
  /** Bound here, because stray writes of others are diverted later (hold.ts). */
  readonly #write: TtyOut['write'];
  #dead = false;

  constructor(tty: TtyOut) {
    super();
    this.#tty = tty;
    this.#write = tty.write.bind(tty);
    const { width, height } = sizeOf(tty);
    this.columns = width;
    this.rows = height;
  }

  get writable(): boolean {
    return !this.#dead && this.#tty.writable !== false;
  }

  get destroyed(): boolean {
    return this.#dead || this.#tty.destroyed === true;
  }

  get writableEnded(): boolean {
    return this.#dead || this.#tty.writableEnded === true;
  }

  /** The terminal has not taken yet what was written: nothing more should be drawn before it has. */
  get busy(): boolean {
    return this.#tty.writableNeedDrain === true;
  }

  /** Nothing is written any more: the terminal is gone. */
  die(): void {
    this.#dead = true;
  }

  write(data: string, callback?: (error?: Error | null) => void): boolean {
    if (this.destroyed) {
      if (callback) setImmediate(callback);
      return true;
    }
    return this.#write(data, callback);
  }

  /** Wait until the terminal has taken everything, at most so long. */
  flush(ms: number): Promise<void> {
    if (this.destroyed) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.write('', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** From now on the size is this; say so with emit('resize'). */
  setSize(size: Size): void {
    this.columns = size.width;
    this.rows = size.height;
  }
}
