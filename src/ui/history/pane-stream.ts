/** A streaming pane's rows as they stood at any tick of a window that grows at either end. */
import type { AnyPane, AnyRow, ViewRow } from '../rows.ts';
import { STREAM_ROWS, Stream } from './stream.ts';

/** Rows kept, unfinished ones and their ends counted apart: a screenful of other ticks is among them. */
const LOG_ROWS = 2 * STREAM_ROWS;

interface Batch {
  readonly tick: number;
  readonly id: string;
  readonly rows: readonly AnyRow[];
}

export class PaneStream {
  readonly #pane: AnyPane;
  /** Ticks that brought rows, oldest first. */
  #log: Batch[] = [];
  #kept = 0;
  /** The rows at one tick, put together. */
  #stream: Stream;
  #at = -Infinity;

  constructor(pane: AnyPane) {
    this.#pane = pane;
    this.#stream = new Stream(pane);
  }

  /** Take in the rows of a tick after the newest, oldest row first. @param id of the Frame */
  push(tick: number, id: string, rows: readonly AnyRow[]): void {
    // Whoever looks at an older tick has it put together anew.
    if (this.#at >= (this.#log.at(-1)?.tick ?? -Infinity)) {
      this.#stream.push(rows, id);
      this.#at = tick;
    }
    if (rows.length === 0) return;
    this.#log.push({ tick, id, rows });
    this.#kept += rows.length;
    while (this.#kept - (this.#log[0]?.rows.length ?? 0) >= LOG_ROWS) this.#kept -= this.#log.shift()?.rows.length ?? 0;
  }

  /** Take in the rows of a tick before the oldest. @param seen tick that is looked at: rows up to it stay */
  prepend(tick: number, id: string, rows: readonly AnyRow[], seen: number): void {
    // It may reach back farther than charts do.
    if (tick >= (this.#log[0]?.tick ?? Infinity)) return;
    const upTo = this.#log.reduce((n, batch) => (batch.tick <= seen ? n + batch.rows.length : n), 0);
    if (rows.length === 0 || upTo >= LOG_ROWS) return;
    this.#log.unshift({ tick, id, rows });
    this.#kept += rows.length;
    this.#scatter();
    while (this.#kept > 2 * LOG_ROWS && (this.#log.at(-1)?.tick ?? seen) > seen) this.#kept -= this.#log.pop()?.rows.length ?? 0;
  }

  /** Forget what came after a tick. */
  cut(last: number): void {
    while ((this.#log.at(-1)?.tick ?? last) > last) this.#kept -= this.#log.pop()?.rows.length ?? 0;
    if (this.#at > last) this.#scatter();
  }

  /** Newest first. */
  rows(tick: number): ViewRow[] {
    if (this.#at > tick || this.#log.some((batch) => batch.tick > this.#at && batch.tick <= tick)) this.#gather(tick);
    return this.#stream.rows();
  }

  /** Put together what there is at the next look. */
  #scatter(): void {
    this.#stream = new Stream(this.#pane);
    this.#at = -Infinity;
  }

  #gather(tick: number): void {
    this.#scatter();
    for (const batch of this.#log) if (batch.tick <= tick) this.#stream.push(batch.rows, batch.id);
    this.#at = tick;
  }

  clear(): void {
    this.#log = [];
    this.#kept = 0;
    this.#scatter();
  }

  /** A copy that stays as it is while this one goes on. */
  clone(): PaneStream {
    const copy = new PaneStream(this.#pane);
    copy.#log = [...this.#log];
    copy.#kept = this.#kept;
    return copy;
  }
}
