/** A session without a socket: everybody on it is in this process. Does what src/frame/company.ts promises, and keeps what was asked. */
import type { Company, SharedView, Viewer } from '../../../src/frame/company.ts';

type Listener = (change: 'viewers' | 'view') => void;

export class FakeSession {
  #viewers: Viewer[] = [];
  #view: SharedView | null = null;
  readonly #seats = new Map<number, FakeSeat>();
  #next = 1;

  get viewers(): readonly Viewer[] {
    return this.#viewers;
  }

  get view(): SharedView | null {
    return this.#view;
  }

  join(name: string, more: Partial<Viewer> = {}): FakeSeat {
    const id = this.#next++;
    const seat = new FakeSeat(this, id);
    this.#seats.set(id, seat);
    this.#viewers.push({ id, name, uid: 1000 + id, drives: false, follows: false, control: false, skipped: 0, ...more });
    this.#tell('viewers');
    return seat;
  }

  leave(id: number): void {
    if (this.#viewers.find((viewer) => viewer.id === id)?.drives === true) this.#view = null;
    this.#viewers = this.#viewers.filter((viewer) => viewer.id !== id);
    this.#seats.delete(id);
    this.#tell('viewers');
  }

  /** Change what is told of viewers. */
  change(change: (viewer: Viewer) => Partial<Viewer>): void {
    this.#viewers = this.#viewers.map((viewer) => ({ ...viewer, ...change(viewer) }));
    this.#tell('viewers');
  }

  drive(id: number, on: boolean): void {
    if (on || this.#viewers.find((viewer) => viewer.id === id)?.drives === true) this.#view = null;
    this.change((viewer) => (viewer.id === id ? { drives: on, follows: on ? false : viewer.follows } : on ? { drives: false } : {}));
  }

  /** Also what no screen would share. */
  share(id: number, view: SharedView): void {
    if (this.#viewers.find((viewer) => viewer.id === id)?.drives !== true) return;
    // Over the wire, as it were.
    this.#view = JSON.parse(JSON.stringify(view)) as SharedView;
    this.#tell('view');
  }

  /** Another seat takes a number over. */
  replace(id: number | null, seat: FakeSeat): void {
    if (id !== null) this.#seats.set(id, seat);
  }

  #tell(change: 'viewers' | 'view'): void {
    for (const seat of this.#seats.values()) seat.hear(change);
  }
}

export class FakeSeat implements Company {
  readonly #session: FakeSession;
  readonly #listeners = new Set<Listener>();
  #self: number | null;
  #lost = false;
  readonly shared: SharedView[] = [];
  readonly followed: boolean[] = [];

  constructor(session: FakeSession, id: number) {
    this.#session = session;
    this.#self = id;
  }

  get self(): number | null {
    return this.#lost ? null : this.#self;
  }

  get viewers(): readonly Viewer[] {
    return this.#lost ? [] : this.#session.viewers;
  }

  get view(): SharedView | null {
    return this.#lost ? null : this.#session.view;
  }

  drive(on: boolean): void {
    if (this.#self !== null) this.#session.drive(this.#self, on);
  }

  follow(on: boolean): void {
    this.followed.push(on);
    const id = this.#self;
    this.#session.change((viewer) => (viewer.id === id ? { follows: on } : {}));
  }

  share(view: SharedView): void {
    this.shared.push(view);
    if (this.#self !== null) this.#session.share(this.#self, view);
  }

  subscribe(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  hear(change: 'viewers' | 'view'): void {
    if (!this.#lost) for (const listener of this.#listeners) listener(change);
  }

  leave(): void {
    if (this.#self !== null) this.#session.leave(this.#self);
  }

  /** The connection is lost: the session sees this viewer go. */
  lose(): void {
    this.leave();
    this.#lost = true;
    for (const listener of this.#listeners) listener('viewers');
  }

  /** And found again, under another number. */
  find(name: string): void {
    const seat = this.#session.join(name);
    this.#self = seat.self;
    this.#lost = false;
    this.#session.replace(seat.self, this);
    this.hear('viewers');
    this.hear('view');
  }
}
