/** Between the store and the session: tells each what the other does. */
import type { Company } from '../../frame/company.ts';
import type { Store } from '../store.ts';
import { isDriving, isFollowing, selfOf } from './model.ts';
import type { CompanyEffect } from './update.ts';
import { viewOf } from './view.ts';

export class CompanyDriver {
  readonly #company: Company;
  readonly #store: Store;
  #undo: (() => void)[] = [];
  /** What was shared last, as JSON; null: nothing since this screen took the wheel. */
  #shared: string | null = null;
  /** What the others were told last, and as whom. */
  #told: { readonly self: number; readonly follows: boolean } | null = null;

  constructor(company: Company, store: Store) {
    this.#company = company;
    this.#store = store;
  }

  connect(): void {
    this.#undo = [
      this.#company.subscribe((change) => (change === 'view' ? this.#hearView() : this.#hearViewers())),
      this.#store.subscribe(() => this.#tell()),
    ];
    this.#hearViewers();
    this.#hearView();
  }

  disconnect(): void {
    for (const undo of this.#undo) undo();
    this.#undo = [];
  }

  perform(effect: CompanyEffect): void {
    this.#company.drive(effect.on);
  }

  #hearViewers(): void {
    const { self, viewers } = this.#company;
    this.#store.dispatch({ type: 'company', self, viewers, now: Date.now() });
  }

  #hearView(): void {
    this.#store.dispatch({ type: 'companyView', view: this.#company.view });
  }

  /** After each change of the state: only who drives shares, so what was followed does not come back as an echo. */
  #tell(): void {
    const state = this.#store.getState();
    const self = selfOf(state);
    const follows = isFollowing(state);
    if (self !== null && (this.#told?.self !== self.id || this.#told.follows !== follows)) {
      this.#told = { self: self.id, follows };
      this.#company.follow(follows);
    }
    if (!isDriving(state)) {
      this.#shared = null;
      return;
    }
    const view = viewOf(state);
    const text = JSON.stringify(view);
    if (text === this.#shared) return;
    this.#shared = text;
    this.#company.share(view);
  }
}
