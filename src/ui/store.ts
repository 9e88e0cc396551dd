/** Holds the state: actions go in, effects come out, the screen is told once per batch. */
import type { Effect } from './effects.ts';
import type { State } from './model.ts';
import type { Action } from './update.ts';
import { update } from './update.ts';

export class Store {
  #state: State;
  readonly #listeners = new Set<() => void>();
  readonly #perform: (effect: Effect) => void;

  /** @param perform does what an action asks for besides a new state */
  constructor(state: State, perform: (effect: Effect) => void) {
    this.#state = state;
    this.#perform = perform;
  }

  readonly getState = (): State => this.#state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Apply actions one after the other; listeners hear of all of them together. */
  dispatch(...actions: readonly Action[]): void {
    const before = this.#state;
    for (const action of actions) {
      const { state, effects } = update(this.#state, action);
      this.#state = state;
      for (const effect of effects) this.#perform(effect);
    }
    if (this.#state !== before) for (const listener of this.#listeners) listener();
  }
}
