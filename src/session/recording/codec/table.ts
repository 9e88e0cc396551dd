/**
 * Rows of a table, and which earlier row each is like. A template is what is the same in all rows about one thing (its
 * texts), with that thing's last numbers. Templates stand in the order in which rows came, so the next row is mostly the
 * next template, or one soon after it.
 */
import { type Coder, DamagedError, type Models, newModels, symbol } from './coder.ts';
import { IntegerModel } from './integers.ts';
import { Cell, type Row } from './slot.ts';
import { timeNumber } from './time-text.ts';

export class Template {
  readonly cell = new Cell();
  readonly id: number;
  /** Its key in a map. */
  name: string | null = null;
  /** Among all, in the order of rows; -1 until the table in which it came first has ended. */
  place = -1;
  after: Template | null = null;
  follower: Template | null = null;
  /** Number of the last table that it was in. */
  seen = -1;

  constructor(id: number) {
    this.id = id;
  }
}

/** Templates of equal texts that are told apart by their numbers. */
const MAX_TWINS = 8;
const NEAR = 16;
/** Ids below have models. */
const FREQUENT_BITS = 11;

type Fields = Readonly<Record<string, unknown>>;

/** What rows about the same thing have in common. */
export function identityOf(row: object): string {
  let key = '';
  for (const name in row) {
    const value = (row as Fields)[name];
    if (typeof value === 'string') key += timeNumber(value) === null ? `${value}\u0000` : '';
    else if (value === null) key += '\u0001';
    else if (Array.isArray(value) && value.length > 0 && value.length <= 16 && typeof value[0] === 'string') key += `${value.join('\u0002')}\u0000`;
  }
  return key;
}

/** Numbers that two rows share. @returns share of them, 0..1 */
function likeness(row: object, other: unknown): number {
  let equal = 0, all = 0;
  for (const name in row) {
    const value = (row as Fields)[name];
    if (typeof value !== 'number') continue;
    all++;
    if ((other as Fields)[name] === value) equal++;
  }
  return all === 0 ? 1 : equal / all;
}

export class Table {
  readonly #order: Template[] = [];
  readonly #byId: Template[] = [];
  readonly #added: Template[] = [];
  readonly #byKey = new Map<string, Template[]>();
  readonly #follows: Models = newModels(4);
  readonly #isNear: Models = newModels(4);
  readonly #isNew: Models = newModels(2);
  readonly #gap: Models = newModels(NEAR);
  readonly #isFrequent: Models = newModels(1);
  #frequent: Models | null = null;
  readonly #rare = new IntegerModel();
  readonly #head = new Template(-1);
  readonly count = new IntegerModel();
  lastCount = 0;
  row: Row | null = null;
  #seq = 0;
  #last = this.#head;
  #surprised = 0;

  get size(): number {
    return this.#byId.length;
  }

  /** The next rows are another table's. */
  begin(): void {
    this.#seq++;
    this.#last = this.#head;
    this.#surprised = 0;
  }

  /** The template of the next row. @param wanted from find(); null: it is a new one, or this is a decoder */
  code(coder: Coder, wanted: Template | null): { readonly template: Template; readonly isNew: boolean } {
    const before = this.#last;
    const template = this.#known(coder, before, wanted);
    const isNew = template === null;
    const chosen = template ?? this.#add(before);
    before.follower = chosen;
    chosen.seen = this.#seq;
    this.#last = chosen;
    return { template: chosen, isNew };
  }

  #known(coder: Coder, before: Template, wanted: Template | null): Template | null {
    const { follower } = before, context = this.#surprised;
    if (follower && coder.bit(this.#follows, context, wanted === follower ? 1 : 0) === 1) {
      this.#surprised = 0;
      return follower;
    }
    this.#surprised = Math.min(3, context + 1);
    const gap = wanted && wanted.place >= 0 ? wanted.place - before.place - 1 : -1;
    if (coder.bit(this.#isNear, context, gap >= 0 && gap < NEAR ? 1 : 0) === 1) {
      const template = this.#order[before.place + 1 + symbol(coder, this.#gap, 0, 4, gap)];
      if (template === undefined) throw new DamagedError('it refers to a row that is not there');
      return template;
    }
    if (coder.bit(this.#isNew, this.#byId.length === 0 ? 0 : 1, wanted === null ? 1 : 0) === 1) return null;
    const template = this.#byId[this.#id(coder, wanted?.id ?? 0)];
    if (template === undefined) throw new DamagedError('it refers to a row that is not there');
    return template;
  }

  #id(coder: Coder, id: number): number {
    if (coder.bit(this.#isFrequent, 0, id < 1 << FREQUENT_BITS ? 1 : 0) === 1) return symbol(coder, (this.#frequent ??= newModels(1 << FREQUENT_BITS)), 0, FREQUENT_BITS, id);
    return this.#rare.unsigned(coder, id, 0);
  }

  #add(before: Template): Template {
    const template = new Template(this.#byId.length);
    this.#byId.push(template);
    template.after = before;
    this.#added.push(template);
    return template;
  }

  /** All rows have been told: what is new takes its place, behind what came before it. */
  end(): void {
    if (this.#added.length === 0) return;
    const followers = new Map<Template, Template[]>();
    for (const template of this.#added) {
      const others = followers.get(template.after as Template);
      if (others === undefined) followers.set(template.after as Template, [template]);
      else others.push(template);
      template.after = null;
    }
    const old = this.#order.splice(0), order = this.#order;
    // What follows what is new itself, deepest first; a stack, since thousands may follow each other.
    const put = (from: Template): void => {
      const open = [...followers.get(from) ?? []].reverse();
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        next.place = order.length;
        order.push(next);
        const more = followers.get(next);
        if (more) for (let i = more.length - 1; i >= 0; i--) open.push(more[i] as Template);
      }
    };
    put(this.#head);
    for (const template of old) {
      template.place = order.length;
      order.push(template);
      put(template);
    }
    this.#added.length = 0;
  }

  /** The template that a row had best, for the encoder; null: a new one. */
  find(key: string, row: object): Template | null {
    const twins = this.#byKey.get(key);
    if (twins === undefined) return null;
    if (twins.length === 1 && twins[0]?.seen !== this.#seq) return twins[0] as Template;
    let best: Template | null = null, bestFree: Template | null = null, most = -1, mostFree = -1;
    for (const twin of twins) {
      const like = likeness(row, twin.cell.value);
      if (like > most) [most, best] = [like, twin];
      if (twin.seen !== this.#seq && like > mostFree) [mostFree, bestFree] = [like, twin];
    }
    if (most >= 0.5) return best;
    return bestFree ?? (twins.length < MAX_TWINS ? null : best);
  }

  /** What find() is to find later; for the encoder. */
  keep(key: string, template: Template): void {
    const twins = this.#byKey.get(key);
    if (twins === undefined) this.#byKey.set(key, [template]);
    else if (!twins.includes(template)) twins.push(template);
  }
}
