/** Numbers that stand in another table of the same Frame: the p99 of a container's waits, the sum of its calls' rates. */
import { DamagedError } from './coder.ts';
import type { Slot } from './slot.ts';
import { timeNumber } from './time-text.ts';

/** What of a Latency may be found elsewhere. */
const LATENCY_FIELDS = ['count', 'sumUs', 'p50Us', 'p95Us', 'p99Us', 'maxUs'] as const;
const FIELDS = 8;
/** Places in a row that are looked at. */
const MAX_PLACES = 48;

type Fields = Readonly<Record<string, unknown>>;

/** What a row is about: its first text that is no time; null when it has none. */
export function subjectOf(row: object): string | null {
  for (const name in row) {
    const value = (row as Fields)[name];
    if (typeof value === 'string' && timeNumber(value) === null) return value;
  }
  return null;
}

class Rows {
  readonly rows: readonly object[];
  #bySubject: Map<string, object[]> | null = null;

  constructor(rows: readonly object[]) {
    this.rows = rows;
  }

  about(subject: string): readonly object[] {
    if (this.#bySubject === null) {
      this.#bySubject = new Map();
      for (const row of this.rows) {
        const of = subjectOf(row);
        if (of === null) continue;
        const others = this.#bySubject.get(of);
        if (others === undefined) this.#bySubject.set(of, [row]);
        else others.push(row);
      }
    }
    return this.#bySubject.get(subject) ?? [];
  }
}

/** Names from a row to the number, the row's first. */
interface Path {
  readonly item: Slot;
  readonly names: readonly string[];
}

export class Joins {
  readonly #slots: readonly Slot[];
  #tables = new Map<Slot, Rows>();
  readonly #paths = new Map<number, Path>();

  constructor(slots: readonly Slot[]) {
    this.#slots = slots;
  }

  begin(): void {
    this.#tables = new Map();
  }

  /** @param item slot of its rows */
  add(item: Slot, rows: readonly object[]): void {
    this.#tables.set(item, new Rows(rows));
  }

  /** The sum of the numbers at a source in the rows about a subject; NaN when there is none. @throws DamagedError */
  value(source: number, subject: string): number {
    const { item, names } = this.#path(source);
    const rows = this.#tables.get(item)?.about(subject) ?? [];
    return sum(rows, names);
  }

  /** A source that gives this value; -1 when none does. */
  find(value: number, subject: string): number {
    for (const [item, table] of this.#tables) {
      const rows = table.about(subject);
      if (rows.length === 0) continue;
      for (const source of sourcesOf(item)) if (Object.is(sum(rows, this.#path(source).names), value)) return source;
    }
    return -1;
  }

  #path(source: number): Path {
    const known = this.#paths.get(source);
    if (known !== undefined) return known;
    const field = source % FIELDS, leaf = this.#slots[Math.floor(source / FIELDS)];
    const names: string[] = field === 0 ? [] : [LATENCY_FIELDS[field - 1] ?? ''];
    let slot = leaf;
    for (; slot !== undefined && slot.parent !== null && slot.name !== ''; slot = slot.parent) names.unshift(slot.name);
    if (slot === undefined) throw new DamagedError('it refers to a number that is not there');
    const path = { item: slot, names };
    this.#paths.set(source, path);
    return path;
  }
}

function sum(rows: readonly object[], names: readonly string[]): number {
  let total = Number.NaN;
  for (const row of rows) {
    let value: unknown = row;
    for (const name of names) value = typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as Fields)[name] : undefined;
    if (typeof value === 'number') total = Number.isNaN(total) ? value : total + value;
  }
  return total;
}

function* sourcesOf(item: Slot): Generator<number> {
  const open = [...item.children];
  for (let i = 0; i < open.length && i < MAX_PLACES; i++) {
    const slot = open[i] as Slot;
    yield slot.id * FIELDS;
    if (slot.latency) for (let field = 1; field <= LATENCY_FIELDS.length; field++) yield slot.id * FIELDS + field;
    for (const child of slot.children) if (child.name !== '') open.push(child);
  }
}
