/**
 * One node as the cluster's view sees it: what came, what is to be shown at a tick, how late it is, how far its clock is
 * off. Holds two Frames at most: ticks here and there fall together only by chance, and a Frame that comes a little early
 * or late must neither be shown twice nor left out.
 */
import { type Frame, type NodeState, type NodeStatus, SCHEMA } from '../frame/frame.ts';
import { withEventsOf } from './events.ts';
import type { NodePart } from './merge.ts';
import { type NodeFrame, onNode } from './on-node.ts';

/** A node is late when nothing came for so many of its intervals, and for this much longer; its rows go then. Milliseconds. */
export const LATE_INTERVALS = 3;
export const LATE_MS = 1000;
/** Frames may come less often than they are made: where there are more nodes than can be taken in. Milliseconds at most. */
const LONGEST_GAP_MS = 10_000;
/** Frames that are held for ticks to come. */
const HELD = 2;
/** Frames whose quickest tells the clock. */
const CLOCK_FRAMES = 16;

/** Now, by the clock that never goes back and by that on the wall; milliseconds. */
export interface Now {
  readonly mono: number;
  readonly wall: number;
}

export class Feed {
  readonly node: string;
  #way: 'connecting' | 'open' | 'lost' | 'refused' = 'connecting';
  #reason: string | null = null;
  #held: NodeFrame[] = [];
  #shown: NodeFrame | null = null;
  /** When the last Frame came; null: none did. */
  #cameAt: number | null = null;
  /** Between the last two. */
  #gapMs = 0;
  #skews: number[] = [];
  #skipped = 0;

  constructor(node: string) {
    this.node = node;
  }

  /** The way to it is being made, for whatever reason it was not there. */
  connecting(reason: string | null): void {
    this.#way = 'connecting';
    this.#reason = reason;
  }

  /** The way is there; Frames may come. */
  open(): void {
    this.#way = 'open';
    this.#reason = null;
  }

  /** The way broke. What it told stays until it is late. @param reason one line */
  lost(reason: string): void {
    this.#way = 'lost';
    this.#reason = reason;
  }

  /** It is there and cannot be shown: nothing of it is. @param reason one line */
  refused(reason: string): void {
    this.#way = 'refused';
    this.#reason = reason;
    this.#held = [];
    this.#shown = null;
  }

  /** A Frame of it. Whatever it holds, this does not throw: what is none is refused. */
  push(frame: Frame, now: Now): void {
    if (frame.schema !== SCHEMA) return this.refused(`it speaks ${String(frame.schema)}, this kbtop ${SCHEMA}: bring both to the same version`);
    let own: NodeFrame;
    try {
      own = onNode(frame, this.node);
    } catch {
      return this.refused('its Frames have another shape than this kbtop knows: bring both to the same version');
    }
    this.open();
    if (this.#cameAt !== null) this.#gapMs = Math.min(now.mono - this.#cameAt, LONGEST_GAP_MS);
    this.#cameAt = now.mono;
    this.#skews.push(Date.parse(frame.time) - now.wall);
    if (this.#skews.length > CLOCK_FRAMES) this.#skews.shift();
    this.#held.push(own);
    while (this.#held.length > HELD) {
      const [oldest, next, ...rest] = this.#held as [NodeFrame, NodeFrame, ...NodeFrame[]];
      this.#held = [withEventsOf(oldest, next), ...rest];
      this.#skipped += 1;
    }
  }

  /** What the cluster's Frame takes of it now. */
  take({ mono }: Now): NodePart {
    const next = this.#held.shift();
    const late = this.#isLate(mono, next ?? this.#shown);
    const repeated = next === undefined && this.#shown !== null && !late;
    // Shown however late it is, if it has just come.
    this.#shown = next ?? (late ? null : this.#shown);
    return { frame: this.#shown, status: this.#status(mono, repeated) };
  }

  #isLate(mono: number, frame: NodeFrame | null): boolean {
    return frame !== null && this.#cameAt !== null && mono - this.#cameAt > LATE_INTERVALS * Math.max(frame.intervalMs, this.#gapMs) + LATE_MS;
  }

  #state(): NodeState {
    if (this.#way !== 'open') return this.#way;
    return this.#shown !== null ? 'ok' : this.#cameAt === null ? 'connecting' : 'late';
  }

  #status(mono: number, repeated: boolean): NodeStatus {
    const state = this.#state(), shown = this.#shown;
    const silent = this.#cameAt === null ? null : `nothing from it for ${Math.round((mono - this.#cameAt) / 1000)} s`;
    return {
      name: this.node, state, reason: state === 'late' ? silent : this.#reason, time: shown?.time ?? null, intervalMs: shown?.intervalMs ?? null,
      skewMs: this.#skews.length === 0 ? null : Math.round(Math.max(...this.#skews)), skipped: this.#skipped, repeated, info: shown?.node ?? null, self: shown?.self ?? null,
    };
  }
}
