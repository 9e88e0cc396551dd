/** The rows of a streaming pane that are still on screen: the newest few thousand, unfinished ones replaced by their end. */
import type { AnyPane, AnyRow, ViewRow } from '../rows.ts';

/** Rows kept per pane. */
export const STREAM_ROWS = 2000;

interface Entry {
  view: ViewRow;
  gone: boolean;
}

export class Stream {
  readonly #pane: AnyPane;
  readonly #capacity: number;
  #entries: Entry[] = [];
  #gone = 0;
  #pending = new Map<string, Entry>();
  #pushes = 0;

  constructor(pane: AnyPane, capacity = STREAM_ROWS) {
    this.#pane = pane;
    this.#capacity = capacity;
  }

  /** Take in one Frame's rows, oldest first. @param id of the Frame: keys of rows come from it, so that a row has the same one in every history */
  push(rows: readonly AnyRow[], id: string | number = ++this.#pushes): void {
    for (let i = 0; i < rows.length; i++) this.#add(rows[i] as AnyRow, `${id} ${i}`);
    this.#shrink();
  }

  #add(row: AnyRow, ownKey: string): void {
    const pendingKey = this.#pane.pendingKey?.(row);
    const pending = this.#pane.isPending?.(row) ?? false;
    const before = pendingKey === undefined ? undefined : this.#pending.get(pendingKey);
    if (before !== undefined && pending) {
      before.view = { ...before.view, row };
      return;
    }
    // A row that has ended moves to its new place in time and stays the same row for the selection.
    const key = before?.view.key ?? ownKey;
    if (before !== undefined) {
      before.gone = true;
      this.#gone += 1;
      this.#pending.delete(pendingKey as string);
    }
    const entry: Entry = { view: { key, row, members: [key] }, gone: false };
    this.#entries.push(entry);
    if (pending && pendingKey !== undefined) this.#pending.set(pendingKey, entry);
  }

  #shrink(): void {
    const extra = this.#entries.length - this.#gone - this.#capacity;
    if (extra <= 0 && this.#gone <= this.#capacity / 4) return;
    let drop = Math.max(0, extra);
    const kept: Entry[] = [];
    for (const entry of this.#entries) {
      if (entry.gone) continue;
      if (drop > 0) {
        drop -= 1;
        const key = this.#pane.pendingKey?.(entry.view.row);
        if (key !== undefined && this.#pending.get(key) === entry) this.#pending.delete(key);
        continue;
      }
      kept.push(entry);
    }
    this.#entries = kept;
    this.#gone = 0;
  }

  /** Newest first. */
  rows(): ViewRow[] {
    const rows: ViewRow[] = [];
    for (let i = this.#entries.length - 1; i >= 0; i--) {
      const entry = this.#entries[i];
      if (entry !== undefined && !entry.gone) rows.push(entry.view);
    }
    return rows;
  }

  clear(): void {
    this.#entries = [];
    this.#gone = 0;
    this.#pending.clear();
  }
}
