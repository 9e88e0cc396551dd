/** Notices that kbtop is gone or stuck: faults must not outlive whoever watches over them. */
import { SILENCE_MS } from './messages.ts';

const CHECK_MS = 250;

export interface WatchdogOptions {
  /** Called once, with what was noticed. */
  readonly alarm: (detail: string) => void;
  readonly silenceMs?: number;
  /** Who started this process. */
  readonly parent?: () => number;
  /** Milliseconds, never set back. */
  readonly now?: () => number;
}

export class Watchdog implements Disposable {
  readonly #alarm: (detail: string) => void;
  readonly #silenceMs: number;
  readonly #parent: () => number;
  readonly #now: () => number;
  readonly #first: number;
  readonly #timer: NodeJS.Timeout;
  #heard: number;
  #ended = false;

  constructor({ alarm, silenceMs = SILENCE_MS, parent = () => process.ppid, now = () => performance.now() }: WatchdogOptions) {
    this.#alarm = alarm;
    this.#silenceMs = silenceMs;
    this.#parent = parent;
    this.#now = now;
    this.#first = parent();
    this.#heard = now();
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
  }

  /** A sign of life. */
  heard(): void {
    this.#heard = this.#now();
  }

  #check(): void {
    if (this.#parent() !== this.#first) this.#raise('kbtop ended without taking its faults back');
    // After a stall of our own, signs of life may wait to be read: they are read before the next turn.
    else if (this.#isSilent()) setImmediate(() => setImmediate(() => { if (this.#isSilent()) this.#raise(`kbtop gave no sign of life for ${this.#silenceMs / 1000} s: it hangs or was stopped`); }));
  }

  #isSilent(): boolean {
    return this.#now() - this.#heard >= this.#silenceMs;
  }

  #raise(detail: string): void {
    if (this.#ended) return;
    this[Symbol.dispose]();
    this.#alarm(detail);
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearInterval(this.#timer);
  }
}
