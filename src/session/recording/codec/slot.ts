/**
 * What is learned about data. A Slot is a place in the structure ("loss.seen", "a row's path"), the same for all rows; a Cell
 * is one thing's last value there (this container's). Both sides of the codec hold the same, so each says what to expect.
 */
import { type Models, newModels } from './coder.ts';
import { IntegerModel } from './integers.ts';
import type { LatencyModel, LatencyPast } from './latency.ts';
import type { Table } from './table.ts';

/** How a value is written. */
export const TAG = {
  null: 0, false: 1, true: 2, text: 3, integer: 4,
  /** An integer through a power of ten. */
  decimal: 5,
  /** An integer through a number of the Frame's own, such as its interval. */
  ratio: 6,
  /** What stands, or adds up, in another table's rows about the same thing. */
  join: 7,
  double: 8, time: 9, object: 10, list: 11,
  /** Array of objects. */
  table: 12,
  /** Object of many objects. */
  map: 13,
  latency: 14,
} as const;
export type Tag = (typeof TAG)[keyof typeof TAG];
export const TAG_BITS = 4;
export const TAGS = 1 << TAG_BITS;

/** What a number of a thing is predicted from. */
export const FROM = { itself: 0, before: 1, nothing: 2 } as const;

/** No alias is known; not even the slot's was looked at. */
export const NO_ALIAS = -1, UNSET_ALIAS = -2;

export class Cell {
  tag: Tag | -1 = -1;
  value: unknown = undefined;
  /** The number behind the value, where it is one; see `hasNumber`. */
  number = 0;
  hasNumber = false;
  /** Context for the next difference. */
  context = 0;
  shape: readonly string[] | null = null;
  /** The other number that this one mostly equals: its slot's index, doubled, plus one when it is the row's before. */
  alias = UNSET_ALIAS;
  aliasTries = 0;
  aliasHits = 0;
  cells: (Cell | undefined)[] | null = null;
  latency: LatencyPast | null = null;

  cell(index: number): Cell {
    const cells = (this.cells ??= []);
    return (cells[index] ??= new Cell());
  }
}

/** Numbers of a row or object that is being coded, by their slots' indices; NaN where there is none. */
export class Row {
  readonly numbers: number[] = [];
  before: Row | null;
  /** What the row is about: its first text. */
  key: string | null;

  constructor(before: Row | null, key: string | null) {
    this.before = before;
    this.key = key;
  }

  number(index: number): number {
    return this.numbers[index] ?? Number.NaN;
  }
}

export class Slot {
  /** Place among all slots. */
  readonly id: number;
  /** Its name in the object around it; '' for items. */
  readonly name: string;
  /** Place among its parent's children. */
  readonly index: number;
  readonly parent: Slot | null;
  readonly children: Slot[] = [];
  readonly #byName = new Map<string, Slot>();
  readonly #all: Slot[];

  readonly tags: Models = newModels(TAGS + TAGS + 2);
  /** Whole objects and arrays that are as they were. */
  sameTries = 0;
  sameHits = 0;
  readonly flags: Models = newModels(16);

  readonly shapes: (readonly string[])[] = [];
  readonly shapesByKeys = new Map<string, number>();

  /** The number in the row before. */
  last = 0;
  hasLast = false;
  lastContext = 0;
  readonly costs = [4, 4, 4];
  readonly #integers: (IntegerModel | null)[] = [null, null, null, null];
  alias = NO_ALIAS;
  scale = 3;
  ratio = 0;
  /** Which number of another table; -1: none is known. */
  source = -1;
  searches = 0;
  table: Table | null = null;
  latency: LatencyModel | null = null;
  exponents: Models | null = null;

  constructor(all: Slot[], name: string, parent: Slot | null, index: number) {
    this.#all = all;
    this.id = all.length;
    this.name = name;
    this.parent = parent;
    this.index = index;
    all.push(this);
  }

  child(name: string): Slot {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const slot = new Slot(this.#all, name, this, this.children.length);
    this.children.push(slot);
    this.#byName.set(name, slot);
    return slot;
  }

  /** @param use one of FROM, or 3 for counts and choices */
  integers(use: number): IntegerModel {
    return (this.#integers[use] ??= new IntegerModel());
  }
}

/** For counts and choices; see Slot.integers. */
export const CHOICES = 3;
