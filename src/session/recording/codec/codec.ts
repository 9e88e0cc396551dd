/**
 * Frames as bits and back. Knows nothing of panes: it takes JSON apart into places (slots), remembers what each thing had
 * there (cells), and writes how the new value differs from what was to be expected. Whatever it does not expect is
 * written as it is, so every JSON comes back as it was, with fields that this version has never heard of.
 *
 * One walk serves both directions (see coder.ts). It must depend on nothing but what both sides know: earlier values, and
 * what this walk has passed.
 */
import { type Coder, DamagedError, newModels, symbol } from './coder.ts';
import { deepEqual } from './equal.ts';
import { contextOf } from './integers.ts';
import { Joins } from './joins.ts';
import { LatencyModel, LatencyPast, type Parts, partsOf } from './latency.ts';
import { codeInteger, isInteger } from './numbers.ts';
import { Cell, CHOICES, Row, Slot, TAG, TAG_BITS, TAGS, type Tag } from './slot.ts';
import { identityOf, Table, type Template } from './table.ts';
import { Texts } from './text.ts';
import { timeNumber, timeText } from './time-text.ts';

/** Values of one Frame: hostile bytes may tell of more than memory holds, and no node has so many. */
export const MAX_VALUES = 2_000_000;
const MAX_DEPTH = 48;
/** Objects with more keys are maps, if all their values are objects. */
const MAP_KEYS = 8;
/** Templates of all tables together after which a new block is better. */
const MANY_TEMPLATES = 40_000;
const MANY_TEXT = 1 << 20;
/** Failed searches after which a number is not looked for in other tables. */
const SEARCHES = 60;

const SAME = 8, SAME_TAG = 0, NEW_TAG = TAGS;
const SAME_SHAPE = 2, SAME_SOURCE = 3, SAME_RATIO = 4, SAME_SCALE = 5, SAME_TEXT = 6;

type Fields = Record<string, unknown>;

/** A value that JSON has no way to write. */
export class NotJsonError extends TypeError {
  override readonly name = 'NotJsonError';
}

/** More than a Frame of this format can hold. */
export class TooLargeError extends Error {
  override readonly name = 'TooLargeError';
}

const isPlain = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** "__proto__" would not become a field of its own otherwise. */
function put(object: Fields, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

export class FrameCodec {
  readonly #coder: Coder;
  readonly #slots: Slot[] = [];
  readonly #root = new Slot(this.#slots, '', null, 0);
  readonly #cell = new Cell();
  readonly #texts = new Texts();
  readonly #joins = new Joins(this.#slots);
  /** Numbers of the Frame itself, by which others may be divided. */
  #divisors: number[] = [];
  #left = 0;
  #depth = 0;
  #tables = 0;
  #templates = 0;

  constructor(coder: Coder) {
    this.#coder = coder;
  }

  /** What is remembered has become so much that it is better to begin anew. */
  get full(): boolean {
    return this.#templates > MANY_TEMPLATES || this.#texts.size > MANY_TEXT;
  }

  /** Values that the last one had. */
  get values(): number {
    return MAX_VALUES - this.#left;
  }

  /** Write `value`, or read one. @throws DamagedError, NotJsonError, TooLargeError; useless afterwards */
  code(value: unknown): unknown {
    this.#joins.begin();
    this.#divisors = [];
    this.#left = MAX_VALUES;
    this.#depth = this.#tables = 0;
    return this.#value(this.#root, this.#cell, value, null);
  }

  #value(slot: Slot, cell: Cell, value: unknown, row: Row | null): unknown {
    if (--this.#left < 0) throw this.#coder.encoding ? new TooLargeError('it has too many values') : new DamagedError('it has too many values');
    const coder = this.#coder;
    const tag = this.#tag(slot, cell, coder.encoding ? this.#tagOf(slot, cell, value, row) : TAG.null);
    cell.tag = tag;
    switch (tag) {
      case TAG.null: return null;
      case TAG.false: return false;
      case TAG.true: return true;
      case TAG.text: return this.#text(slot, cell, value as string, row);
      case TAG.integer: return codeInteger(coder, slot, cell, coder.encoding ? value as number : 0, row);
      case TAG.decimal: return this.#decimal(slot, cell, value as number);
      case TAG.ratio: return this.#ratio(slot, cell, value as number, row);
      case TAG.join: return this.#join(slot, row);
      case TAG.double: return this.#double(slot, coder.encoding ? value as number : 0);
      case TAG.time: return this.#time(slot, cell, value as string);
      default: return this.#whole(slot, cell, value as object, row, tag);
    }
  }

  /** Objects and arrays: as they were, or part by part. */
  #whole(slot: Slot, cell: Cell, value: object, row: Row | null, tag: Tag): unknown {
    const coder = this.#coder;
    if (typeof cell.value === 'object' && (slot.sameTries < 6 || slot.sameHits * 8 > slot.sameTries)) {
      const same = coder.bit(slot.flags, SAME, coder.encoding && deepEqual(cell.value, value) ? 1 : 0);
      if (slot.sameTries === 255) {
        slot.sameTries >>= 1;
        slot.sameHits >>= 1;
      }
      slot.sameTries++;
      slot.sameHits += same;
      if (same === 1) return this.#again(slot, cell.value as object, tag);
    }
    if (++this.#depth > MAX_DEPTH) throw coder.encoding ? new TooLargeError('it is nested too deep') : new DamagedError('it is nested too deep');
    let result: unknown;
    if (tag === TAG.object) result = this.#object(slot, cell, value as Fields, row);
    else if (tag === TAG.latency) result = this.#latency(slot, cell, value, row);
    else if (tag === TAG.list) result = this.#list(slot, cell, value as readonly unknown[]);
    else if (tag === TAG.table || tag === TAG.map) result = this.#rows(slot, value, tag === TAG.map);
    else throw new DamagedError('it has a value of an unknown kind');
    this.#depth--;
    cell.value = result;
    return result;
  }

  /** Other tables may refer to rows that are as they were. */
  #again(slot: Slot, value: object, tag: Tag): object {
    if (Array.isArray(value) && tag === TAG.table && this.#tables === 0) this.#joins.add(slot.child(''), value as readonly object[]);
    return value;
  }

  #tag(slot: Slot, cell: Cell, tag: Tag): Tag {
    const coder = this.#coder;
    if (cell.tag !== -1 && coder.bit(slot.tags, SAME_TAG + cell.tag, tag === cell.tag ? 1 : 0) === 1) return cell.tag;
    return symbol(coder, slot.tags, NEW_TAG, TAG_BITS, tag) as Tag;
  }

  #tagOf(slot: Slot, cell: Cell, value: unknown, row: Row | null): Tag {
    switch (typeof value) {
      case 'number': return this.#numberTag(slot, cell, value, row);
      case 'string': return timeNumber(value) === null ? TAG.text : TAG.time;
      case 'boolean': return value ? TAG.true : TAG.false;
      case 'object':
        if (value === null) return TAG.null;
        if (Array.isArray(value)) return value.length > 0 && value.every(isPlain) ? TAG.table : TAG.list;
        if ('buckets' in value && (this.#parts = partsOf(value)) !== null) return TAG.latency;
        return isMap(value) ? TAG.map : TAG.object;
      default: throw new NotJsonError(`a ${typeof value} cannot be recorded`);
    }
  }

  #numberTag(slot: Slot, cell: Cell, value: number, row: Row | null): Tag {
    const subject = row?.key ?? null;
    if (slot.source >= 0 && subject !== null && Object.is(this.#joins.value(slot.source, subject), value)) return TAG.join;
    // What it was before it mostly is again: a rate of 0 is still one.
    if (cell.tag === TAG.ratio && this.#numerator(slot.ratio, value) !== null) return TAG.ratio;
    if (cell.tag === TAG.decimal && scaled(value, slot.scale) !== null) return TAG.decimal;
    if (isInteger(value)) return TAG.integer;
    if (scaled(value, slot.scale) !== null || scaleOf(value) > 0) return TAG.decimal;
    if (this.#ratioOf(slot, value) >= 0) return TAG.ratio;
    if (subject !== null && slot.searches < SEARCHES) {
      slot.searches++;
      const source = this.#joins.find(value, subject);
      if (source >= 0) {
        slot.searches = 0;
        this.#found = source;
        return TAG.join;
      }
    }
    return TAG.double;
  }

  /** Of the Latency that is being encoded. */
  #parts: Parts | null = null;

  /** Source of the number that is being encoded, when it is a new one. */
  #found = -1;

  #join(slot: Slot, row: Row | null): number {
    const coder = this.#coder;
    const found = this.#found;
    this.#found = -1;
    if (slot.source < 0 || coder.bit(slot.flags, SAME_SOURCE, found < 0 ? 1 : 0) === 0) slot.source = slot.integers(CHOICES).unsigned(coder, found, 1);
    if (row === null || row.key === null) throw new DamagedError('it refers to a number that is not there');
    return this.#joins.value(slot.source, row.key);
  }

  #decimal(slot: Slot, cell: Cell, value: number): number {
    const coder = this.#coder;
    const scale = coder.encoding ? (scaled(value, slot.scale) === null ? scaleOf(value) : slot.scale) : 0;
    if (coder.bit(slot.flags, SAME_SCALE, scale === slot.scale ? 1 : 0) === 0) {
      slot.scale = coder.raw(scale, 3);
      cell.hasNumber = slot.hasLast = false;
    }
    const number = codeInteger(coder, slot, cell, coder.encoding ? scaled(value, slot.scale) as number : 0, null);
    return number / 10 ** slot.scale;
  }

  /** Which form with which divisor gives this value from an integer; -1 for none. */
  #ratioOf(slot: Slot, value: number): number {
    if (this.#numerator(slot.ratio, value) !== null) return slot.ratio;
    for (let ratio = 0; ratio < this.#divisors.length * FORMS.length; ratio++) if (this.#numerator(ratio, value) !== null) return ratio;
    return -1;
  }

  #numerator(ratio: number, value: number): number | null {
    const form = FORMS[ratio % FORMS.length] as Form, divisor = this.#divisors[Math.floor(ratio / FORMS.length)];
    if (divisor === undefined) return null;
    const numerator = Math.round(form.invert(value, divisor));
    return isInteger(numerator) && Object.is(form.value(numerator, divisor), value) ? numerator : null;
  }

  #ratio(slot: Slot, cell: Cell, value: number, row: Row | null): number {
    const coder = this.#coder;
    const ratio = coder.encoding ? this.#ratioOf(slot, value) : 0;
    if (coder.bit(slot.flags, SAME_RATIO, ratio === slot.ratio ? 1 : 0) === 0) slot.ratio = slot.integers(CHOICES).unsigned(coder, ratio, 2);
    const divisor = this.#divisors[Math.floor(slot.ratio / FORMS.length)];
    if (divisor === undefined) throw new DamagedError('it refers to a number that is not there');
    const numerator = codeInteger(coder, slot, cell, coder.encoding ? this.#numerator(slot.ratio, value) as number : 0, row);
    return (FORMS[slot.ratio % FORMS.length] as Form).value(numerator, divisor);
  }

  #double(slot: Slot, value: number): number {
    const coder = this.#coder;
    bits.setFloat64(0, value);
    const high = symbol(coder, (slot.exponents ??= newModels(4096)), 0, 12, bits.getUint16(0) >>> 4);
    const parts = [coder.raw(bits.getUint32(0) & 0xf_ffff, 20), coder.raw(bits.getUint16(4), 16), coder.raw(bits.getUint16(6), 16)] as const;
    bits.setUint32(0, ((high << 20) | parts[0]) >>> 0);
    bits.setUint16(4, parts[1]);
    bits.setUint16(6, parts[2]);
    return bits.getFloat64(0);
  }

  #time(slot: Slot, cell: Cell, value: string): string {
    const coder = this.#coder;
    const known = coder.encoding ? timeNumber(value) : null;
    const kind = slot.integers(CHOICES).unsigned(coder, known?.kind ?? 0, 0);
    // Seconds and microseconds do not predict each other.
    const part = slot.child(` ${kind}`);
    const text = timeText(kind, codeInteger(coder, part, cell.cell(part.index), known?.value ?? 0, null));
    if (text === null) throw new DamagedError('it has a time that cannot be');
    return text;
  }

  #text(slot: Slot, cell: Cell, value: string, row: Row | null): string {
    const coder = this.#coder;
    const same = typeof cell.value === 'string' && coder.bit(slot.flags, SAME_TEXT, value === cell.value ? 1 : 0) === 1;
    const text = same ? cell.value as string : this.#texts.code(coder, value);
    cell.value = text;
    if (row && row.key === null) row.key = text;
    return text;
  }

  /** @param row of which it is a part */
  #object(slot: Slot, cell: Cell, value: Fields, row: Row | null): Fields {
    return this.#fields(slot, cell, value, new Row(null, row?.key ?? null));
  }

  #fields(slot: Slot, cell: Cell, value: Fields, row: Row): Fields {
    const shape = this.#shape(slot, cell, value), { encoding } = this.#coder;
    const result: Fields = encoding ? value : {};
    for (let i = 0; i < shape.length; i++) {
      const name = shape[i] as string, child = slot.child(name);
      const part = this.#value(child, cell.cell(child.index), encoding ? value[name] : undefined, row);
      if (!encoding) put(result, name, part);
      // Numbers of the Frame itself.
      if (slot === this.#root && typeof part === 'number' && part > 0) this.#divisors.push(part);
    }
    return result;
  }

  #shape(slot: Slot, cell: Cell, value: Fields): readonly string[] {
    const coder = this.#coder;
    const before = cell.shape;
    const same = coder.encoding && before !== null && hasShape(value, before);
    if (before !== null && coder.bit(slot.flags, SAME_SHAPE, same ? 1 : 0) === 1) return before;
    let number = slot.shapes.length, known: readonly string[] = [];
    if (coder.encoding) {
      known = Object.keys(value).filter((key) => value[key] !== undefined);
      const id = JSON.stringify(known);
      const at = slot.shapesByKeys.get(id);
      if (at === undefined) slot.shapesByKeys.set(id, slot.shapes.length);
      else number = at;
    }
    const back = slot.integers(CHOICES).unsigned(coder, slot.shapes.length - number, 3);
    if (back > slot.shapes.length) throw new DamagedError('it refers to fields that are not there');
    if (back === 0) slot.shapes.push(this.#newShape(slot, known));
    return cell.shape = slot.shapes[back === 0 ? slot.shapes.length - 1 : slot.shapes.length - back] as readonly string[];
  }

  #newShape(slot: Slot, keys: readonly string[]): readonly string[] {
    const count = slot.integers(CHOICES).unsigned(this.#coder, keys.length, 4);
    this.#spend(count);
    const shape: string[] = [];
    for (let i = 0; i < count; i++) shape.push(this.#texts.code(this.#coder, keys[i] ?? ''));
    if (!this.#coder.encoding && new Set(shape).size !== count) throw new DamagedError('it names a field twice');
    return shape;
  }

  #spend(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw this.#coder.encoding ? new TooLargeError('it has too many values') : new DamagedError('it has too many values');
  }

  #list(slot: Slot, cell: Cell, value: readonly unknown[]): unknown[] {
    const coder = this.#coder;
    const count = slot.integers(CHOICES).unsigned(coder, coder.encoding ? value.length : 0, 5);
    this.#spend(count);
    const item = slot.child(''), items: unknown[] = [], row = new Row(null, null);
    for (let i = 0; i < count; i++) items.push(this.#value(item, cell.cell(Math.min(i, 31)), value?.[i], row));
    return coder.encoding ? value as unknown[] : items;
  }

  #rows(slot: Slot, value: object, isMap: boolean): object {
    const coder = this.#coder, { encoding } = coder;
    const table = (slot.table ??= new Table()), item = slot.child('');
    const names = isMap && encoding ? Object.keys(value).filter((key) => (value as Fields)[key] !== undefined) : [];
    const rows = encoding ? (isMap ? names.map((name) => (value as Fields)[name] as Fields) : value as readonly Fields[]) : [];
    const count = table.lastCount + table.count.signed(coder, rows.length - table.lastCount, contextOf(table.lastCount));
    if (count < 0) throw new DamagedError('it has a table that cannot be');
    this.#spend(count);
    table.lastCount = count;
    table.begin();
    const result: Fields[] = [], map: Fields = {};
    this.#tables++;
    for (let i = 0; i < count; i++) {
      const known = rows[i] as Fields;
      const key = encoding ? (isMap ? names[i] as string : identityOf(known)) : '';
      const { template, isNew } = table.code(coder, encoding ? table.find(key, known) : null);
      if (isNew) this.#templates++;
      if (isMap && isNew) template.name = this.#texts.code(coder, key);
      const part = this.#row(item, template, known, table);
      if (encoding) table.keep(key, template);
      else if (!isMap) result.push(part);
      else if (template.name === null || Object.hasOwn(map, template.name)) throw new DamagedError('it names a field twice');
      else put(map, template.name, part);
    }
    table.end();
    this.#tables--;
    const whole = encoding ? value : isMap ? map : result;
    if (!isMap && this.#tables === 0) this.#joins.add(item, whole as readonly object[]);
    return whole;
  }

  /** One row; all of it may be as it was. */
  #row(item: Slot, template: Template, value: Fields, table: Table): Fields {
    const { cell } = template;
    const coder = this.#coder;
    this.#spend(1);
    if (cell.value !== undefined && (item.sameTries < 40 || item.sameHits * 8 > item.sameTries)) {
      const same = coder.bit(item.flags, SAME, coder.encoding && deepEqual(cell.value, value) ? 1 : 0);
      if (item.sameTries >= 2000) {
        item.sameTries >>= 1;
        item.sameHits >>= 1;
      }
      item.sameTries++;
      item.sameHits += same;
      if (same === 1) return cell.value as Fields;
    }
    const row = new Row(table.row, null);
    // One row before is enough; those before it must not be kept.
    if (table.row) table.row.before = null;
    table.row = row;
    if (++this.#depth > MAX_DEPTH) throw coder.encoding ? new TooLargeError('it is nested too deep') : new DamagedError('it is nested too deep');
    const result = this.#fields(item, cell, value, row);
    this.#depth--;
    cell.value = result;
    return result;
  }

  #latency(slot: Slot, cell: Cell, value: object, row: Row | null): object {
    const coder = this.#coder;
    const parts = this.#parts;
    const sampling = slot.child(' sampled');
    const sampled = codeInteger(coder, sampling, cell.cell(sampling.index), parts?.sampled ?? 0, null);
    const total = codeInteger(coder, slot, cell, parts?.total ?? 0, row);
    if (!(total >= 1)) throw new DamagedError('it has a histogram that cannot be');
    const built = (slot.latency ??= new LatencyModel()).code(coder, (cell.latency ??= new LatencyPast()), total, sampled, parts);
    return coder.encoding ? value : built;
  }
}

/** Scratch for the bits of a double. */
const bits = new DataView(new ArrayBuffer(8));

interface Form {
  value(numerator: number, divisor: number): number;
  invert(value: number, divisor: number): number;
}

/** Ways in which rates are computed from counts and milliseconds: each rounds otherwise. */
const FORMS: readonly Form[] = [
  { value: (n, d) => (n * 1000) / d, invert: (v, d) => (v * d) / 1000 },
  { value: (n, d) => n / (d / 1000), invert: (v, d) => v * (d / 1000) },
  { value: (n, d) => (n / d) * 1000, invert: (v, d) => (v * d) / 1000 },
  { value: (n, d) => (n / d) * 100, invert: (v, d) => (v * d) / 100 },
];

/** The integer that gives this value through a power of ten; null for none. */
function scaled(value: number, scale: number): number | null {
  const number = Math.round(value * 10 ** scale);
  return isInteger(number) && Object.is(number / 10 ** scale, value) ? number : null;
}

/** The least power of ten that it takes; 0 when none up to a millionth does. */
function scaleOf(value: number): number {
  for (let scale = 1; scale <= 6; scale++) if (scaled(value, scale) !== null) return scale;
  return 0;
}

function isMap(value: object): boolean {
  const keys = Object.keys(value);
  if (keys.length <= MAP_KEYS) return false;
  for (const key of keys) if (!isPlain((value as Fields)[key])) return false;
  return true;
}

function hasShape(value: Fields, shape: readonly string[]): boolean {
  let at = 0;
  for (const key in value) {
    if (value[key] === undefined) continue;
    if (shape[at++] !== key) return false;
  }
  return at === shape.length;
}
