/** Those who look together: who is there, who drives, what the driver shares. News go out bundled, the latest wins. */
import type { SharedView, Viewer as ViewerInfo } from '../../frame/company.ts';
import { SHARE_EVERY_MS } from '../protocol/limits.ts';
import type { Viewer } from './viewer.ts';

export class SharedCompany {
  readonly #members = new Map<Viewer, { follows: boolean }>();
  #driver: Viewer | null = null;
  #view: SharedView | null = null;
  #newViewers = false;
  #newView = false;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  get size(): number {
    return this.#members.size;
  }

  join(viewer: Viewer): void {
    this.#members.set(viewer, { follows: false });
    viewer.tellView(this.#view);
    this.#changed({ viewers: true });
  }

  leave(viewer: Viewer): void {
    if (!this.#members.delete(viewer)) return;
    const drove = this.#driver === viewer;
    if (drove) this.#letGo();
    this.#changed({ viewers: true, view: drove });
  }

  #letGo(): void {
    this.#driver = null;
    this.#view = null;
  }

  /** The last one who takes the wheel has it; of who does not have it, nobody can take it. */
  drive(viewer: Viewer, on: boolean): void {
    const drives = this.#driver === viewer;
    if (on === drives) return;
    this.#letGo();
    if (on) this.#driver = viewer;
    // Who drives follows nobody.
    const member = this.#members.get(viewer);
    if (on && member !== undefined) member.follows = false;
    this.#changed({ viewers: true, view: true });
  }

  follow(viewer: Viewer, on: boolean): void {
    const member = this.#members.get(viewer);
    if (member === undefined || member.follows === on) return;
    member.follows = on;
    this.#changed({ viewers: true });
  }

  share(viewer: Viewer, view: SharedView): void {
    if (this.#driver !== viewer) return;
    this.#view = view;
    this.#changed({ view: true });
  }

  /** Somebody did not get a Frame. */
  skipped(): void {
    this.#changed({ viewers: true });
  }

  #changed({ viewers = false, view = false }: { readonly viewers?: boolean; readonly view?: boolean }): void {
    this.#newViewers ||= viewers;
    this.#newView ||= view;
    // What comes in one turn of the loop goes out together, and then not before the pause is over.
    if (!this.#closed) this.#timer ??= setTimeout(() => this.#tell(), 0);
  }

  #tell(): void {
    if (!this.#newViewers && !this.#newView) {
      this.#timer = undefined;
      return;
    }
    if (this.#newViewers) {
      const all = this.#list();
      for (const viewer of this.#members.keys()) viewer.tellCompany(all);
    }
    if (this.#newView) for (const viewer of this.#members.keys()) viewer.tellView(this.#view);
    this.#newViewers = false;
    this.#newView = false;
    this.#timer = setTimeout(() => this.#tell(), SHARE_EVERY_MS);
  }

  #list(): readonly ViewerInfo[] {
    return [...this.#members].map(([viewer, { follows }]) => {
      const { id, name, uid, control } = viewer.about;
      return { id, name, uid, control, follows, drives: this.#driver === viewer, skipped: viewer.frames.skipped };
    });
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#members.clear();
  }
}
