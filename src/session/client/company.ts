/** Company as a screen sees it, over a connection that may be lost and found again. */
import type { Company, SharedView, Viewer } from '../../frame/company.ts';
import { SHARE_EVERY_MS } from '../protocol/limits.ts';
import type { Heard, SessionLink } from './link.ts';

type Change = 'viewers' | 'view';

export class AttachCompany implements Company {
  readonly #listeners = new Set<(change: Change) => void>();
  #link: SessionLink | null = null;
  #viewers: readonly Viewer[] = [];
  #view: SharedView | null = null;
  #follows = false;
  /** This screen drove when the connection was lost: it does again, if nobody else has taken the wheel. */
  #drove = false;
  /** What is to be shared, as soon as it may. */
  #next: SharedView | null = null;
  #last: SharedView | null = null;
  #pause: NodeJS.Timeout | undefined;

  get self(): number | null {
    return this.#link?.welcome.viewer ?? null;
  }

  get viewers(): readonly Viewer[] {
    return this.#viewers;
  }

  get view(): SharedView | null {
    return this.#view;
  }

  #driver(): Viewer | undefined {
    return this.#viewers.find(({ drives }) => drives);
  }

  connected(link: SessionLink): void {
    this.#link = link;
    if (this.#follows) link.send({ kind: 'follow', on: true });
  }

  lost(): void {
    this.#drove ||= this.#drives();
    this.#link = null;
    this.#viewers = [];
    this.#view = null;
    this.#stopSharing();
    this.#emit('viewers');
    this.#emit('view');
  }

  heard(message: Extract<Heard, { readonly kind: 'company' | 'view' }>): void {
    if (message.kind === 'view') this.#view = message.view;
    else this.#viewers = message.viewers;
    if (this.#drove && message.kind === 'company') {
      this.#drove = false;
      if (this.#driver() === undefined) this.#takeWheel();
    }
    this.#emit(message.kind === 'view' ? 'view' : 'viewers');
  }

  #drives(): boolean {
    const driver = this.#driver();
    return driver !== undefined && driver.id === this.self;
  }

  #takeWheel(): void {
    this.#link?.send({ kind: 'drive', on: true });
    if (this.#last !== null) this.share(this.#last);
  }

  #emit(change: Change): void {
    for (const listener of this.#listeners) listener(change);
  }

  drive(on: boolean): void {
    this.#drove = false;
    if (on) this.#link?.send({ kind: 'drive', on });
    else {
      this.#last = null;
      this.#stopSharing();
      this.#link?.send({ kind: 'drive', on });
    }
  }

  follow(on: boolean): void {
    this.#follows = on;
    this.#link?.send({ kind: 'follow', on });
  }

  share(view: SharedView): void {
    const driver = this.#driver();
    if (driver !== undefined && driver.id !== this.self) return;
    this.#last = view;
    this.#next = view;
    if (this.#pause === undefined) this.#sendNext();
  }

  /** At once, then not before the pause is over; the latest wins. */
  #sendNext(): void {
    this.#pause = undefined;
    const view = this.#next;
    if (view === null || this.#link === null) return;
    this.#next = null;
    this.#link.send({ kind: 'share', view });
    this.#pause = setTimeout(() => this.#sendNext(), SHARE_EVERY_MS).unref();
  }

  #stopSharing(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    this.#next = null;
  }

  subscribe(listener: (change: Change) => void): () => void {
    const own = (change: Change): void => listener(change);
    this.#listeners.add(own);
    return () => { this.#listeners.delete(own); };
  }

  close(): void {
    this.#stopSharing();
    this.#listeners.clear();
  }
}
