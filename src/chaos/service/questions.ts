/** Questions that wait for their answers, each with its own patience. */
import { ChaosError } from '../door.ts';
import type { Ask } from './messages.ts';

/** Longest wait for an answer: loading programs takes seconds on a small, busy machine. Ending a fault does not. Milliseconds. */
const ANSWER_MS = 60_000;
const END_MS = 5000;

interface Question {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: ChaosError) => void;
  readonly timer: NodeJS.Timeout;
}

export class Questions {
  readonly #open = new Map<number, Question>();
  #lastId = 0;

  /**
   * @param say sends it under its number
   * @param late called when no answer came in time, with how long that was in milliseconds; the question stays open
   */
  ask(ask: Ask, say: (id: number) => void, late: (patienceMs: number) => void): Promise<unknown> {
    const id = ++this.#lastId;
    const patience = ask.what === 'disarm' || ask.what === 'stopAll' ? END_MS : ANSWER_MS;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => late(patience), patience);
      timer.unref();
      this.#open.set(id, { resolve, reject, timer });
      say(id);
    });
  }

  #settle(id: number): Question | undefined {
    const question = this.#open.get(id);
    this.#open.delete(id);
    if (question !== undefined) clearTimeout(question.timer);
    return question;
  }

  answer(id: number, value: unknown): void {
    this.#settle(id)?.resolve(value);
  }

  fail(id: number, error: ChaosError): void {
    this.#settle(id)?.reject(error);
  }

  failAll(reason: string): void {
    for (const id of this.#open.keys()) this.fail(id, new ChaosError('failed', reason));
  }
}
