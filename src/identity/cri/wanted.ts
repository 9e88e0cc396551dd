/** Ids that somebody asked for and the runtime has not told of yet, each asked for again with growing pauses. Pure. */
import type { Subject } from '../source.ts';

/** Oldest first out: a whole list answers for whoever drops out. */
const MOST = 4_096;

export interface Want {
  readonly subject: Subject;
  /** When it is given up. */
  readonly until: number;
  /** When to ask next. */
  next: number;
  /** How often it was asked for. */
  tries: number;
}

export class Wanted {
  readonly #wants = new Map<string, Want>();
  readonly #pauseMs: number;
  readonly #giveUpMs: number;

  /** @param pauseMs before the second try; doubles with each @param giveUpMs after which an id is given up */
  constructor(pauseMs: number, giveUpMs: number) {
    this.#pauseMs = pauseMs;
    this.#giveUpMs = giveUpMs;
  }

  add(subject: Subject, now: number): void {
    const id = subject.containerId ?? subject.podUid;
    if (id === null || this.#wants.has(id)) return;
    const oldest = this.#wants.size >= MOST ? this.#wants.keys().next().value : undefined;
    if (oldest !== undefined) this.#wants.delete(oldest);
    this.#wants.set(id, { subject, until: now + this.#giveUpMs, next: now, tries: 0 });
  }

  /** Drop what is known by now and what was asked for long enough. */
  settle(isKnown: (subject: Subject) => boolean, now: number): void {
    for (const [id, { subject, until }] of this.#wants) if (until <= now || isKnown(subject)) this.#wants.delete(id);
  }

  due(now: number): Want[] {
    return [...this.#wants.values()].filter(({ next }) => next <= now);
  }

  /** Some have not been asked for at all: their containers may be gone in a moment. */
  get urgent(): boolean {
    for (const { tries } of this.#wants.values()) if (tries === 0) return true;
    return false;
  }

  /** These were asked for just now. */
  asked(wants: Iterable<Want>, now: number): void {
    for (const want of wants) want.next = now + this.#pauseMs * 2 ** want.tries++;
  }

  /** When the next is due; Infinity when nothing is wanted. */
  get next(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const want of this.#wants.values()) next = Math.min(next, want.next);
    return next;
  }

  get size(): number {
    return this.#wants.size;
  }
}
