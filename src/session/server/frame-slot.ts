/**
 * The Frames of one viewer: one is under way, the latest waits, those between are left out and counted. What a Frame that
 * was left out told of containers goes before the next one.
 */
import type { Frame } from '../../frame/frame.ts';
import { packJson } from '../protocol/frames.ts';
import { writeToClient } from '../protocol/messages.ts';
import type { Packer } from './packer.ts';

export class FrameSlot {
  readonly #packer: Packer;
  readonly #send: (bytes: Buffer) => void;
  #waiting: Frame | null = null;
  #learned: Record<string, Frame['learned'][string]> = {};
  /** A Frame is being packed, or was sent and is not taken yet. */
  #state: 'idle' | 'packing' | 'sent' = 'idle';
  /** When the Frame under way was sent, performance.now(). */
  #sentAt = 0;
  #skipped = 0;
  #over = false;

  constructor(packer: Packer, send: (bytes: Buffer) => void) {
    this.#packer = packer;
    this.#send = send;
  }

  /** Frames that were left out. */
  get skipped(): number {
    return this.#skipped;
  }

  /** How long the Frame under way has not been taken, milliseconds; 0: there is none. */
  stuckMs(now: number): number {
    return this.#state === 'sent' ? now - this.#sentAt : 0;
  }

  offer(frame: Frame): void {
    if (this.#over) return;
    if (this.#state === 'idle') return void this.#go(frame);
    if (this.#waiting !== null) this.#leaveOut(this.#waiting);
    this.#waiting = frame;
  }

  #leaveOut(frame: Frame): void {
    this.#skipped++;
    Object.assign(this.#learned, frame.learned);
  }

  async #go(frame: Frame): Promise<void> {
    this.#state = 'packing';
    const learned = this.#learned;
    this.#learned = {};
    const [packed, late] = await Promise.all([this.#packer.frame(frame), Object.keys(learned).length === 0 ? null : packJson(learned).catch(() => null)]);
    if (this.#over) return;
    if (packed === null) {
      this.#leaveOut(frame);
      // What was learned goes with the next one.
      this.#learned = { ...learned, ...this.#learned };
      return this.#next();
    }
    if (late !== null) this.#send(writeToClient({ kind: 'learned', packed: late }));
    this.#state = 'sent';
    this.#sentAt = performance.now();
    this.#send(packed);
  }

  /** The viewer has the Frame that was under way. False: none was. */
  took(): boolean {
    if (this.#state !== 'sent') return false;
    this.#next();
    return true;
  }

  #next(): void {
    this.#state = 'idle';
    const next = this.#waiting;
    this.#waiting = null;
    if (next !== null) void this.#go(next);
  }

  end(): void {
    this.#over = true;
    this.#waiting = null;
    this.#learned = {};
  }
}
