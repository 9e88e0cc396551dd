/** What kbtop knows of its faults, over the lives of several injectors: ids and counts go on. */
import type { FaultStatus, Injected } from '../door.ts';

/** Ended faults that are kept. */
const MAX_ENDED = 100;

export class Ledger {
  readonly #faults = new Map<number, FaultStatus>();
  /** Counts of injectors that are gone. */
  readonly #before = new Map<string, Injected[number]>();
  #now: Injected = [];
  /** Highest id of the injectors that are gone: every one counts from 1. */
  #base = 0;
  #highest = 0;

  /** @param status as the injector numbers it @returns as kbtop does */
  take(status: FaultStatus): FaultStatus {
    const id = this.id(status.id);
    const own = { ...status, id };
    // What has ended stays so, whatever still comes of it.
    const known = this.#faults.get(id);
    if (known?.state === 'ended' && own.state === 'armed') return known;
    this.#highest = Math.max(this.#highest, id);
    this.#faults.set(id, own);
    this.#forget();
    return own;
  }

  id(wire: number): number {
    return this.#base + wire;
  }

  /** The injector's own number; null: of an earlier injector. */
  wire(id: number): number | null {
    return id > this.#base ? id - this.#base : null;
  }

  count(injected: Injected): void {
    this.#now = injected;
  }

  /** The injector is gone, and nothing of it is in the kernel. @returns those that were armed, ended now */
  lose(detail: string): FaultStatus[] {
    const lost = [...this.#faults.values()].filter(({ state }) => state === 'armed').map((fault): FaultStatus => ({ ...fault, state: 'ended', endedAt: Date.now(), endReason: 'error', endDetail: detail }));
    for (const fault of lost) this.#faults.set(fault.id, fault);
    for (const row of this.injected) this.#before.set(row.slice(0, 3).join(' '), row);
    this.#now = [];
    this.#base = this.#highest;
    return lost;
  }

  #forget(): void {
    const ended = [...this.#faults.values()].filter(({ state }) => state === 'ended');
    for (const { id } of ended.slice(0, Math.max(0, ended.length - MAX_ENDED))) this.#faults.delete(id);
  }

  get faults(): readonly FaultStatus[] {
    const all = [...this.#faults.values()];
    const ended = all.filter(({ state }) => state === 'ended').sort((a, b) => (b.endedAt ?? 0) - (a.endedAt ?? 0) || b.id - a.id);
    return [...all.filter(({ state }) => state === 'armed'), ...ended];
  }

  get injected(): Injected {
    if (this.#before.size === 0) return this.#now;
    const rows = new Map(this.#before);
    for (const row of this.#now) {
      const key = row.slice(0, 3).join(' ');
      rows.set(key, [row[0], row[1], row[2], row[3] + (this.#before.get(key)?.[3] ?? 0)]);
    }
    return [...rows.values()];
  }
}
