/**
 * What the kernel tells of its own types (BTF, /sys/kernel/btf/): parameters of functions and values of enumerators,
 * and no more. A module's BTF goes on where the kernel's ends, so it is read with that.
 */

/** How long a chain of types may be: deeper ones are damaged. */
const MAX_DEPTH = 32;
const MAGIC = 0xeb9f;
const HEADER_BYTES = 24;
const TYPE_BYTES = 12;

const KIND = { int: 1, pointer: 2, array: 3, struct: 4, union: 5, enum: 6, forward: 7, typedef: 8, volatile: 9, const: 10, restrict: 11, function: 12, prototype: 13, variable: 14, section: 15, float: 16, declTag: 17, typeTag: 18, enum64: 19 } as const;

/** Bytes behind a type's head, by its kind and number of members. Null: a kind that is not known, behind which nothing can be read. */
function tailBytes(kind: number, members: number): number | null {
  switch (kind) {
    case KIND.int: case KIND.variable: case KIND.declTag: return 4;
    case KIND.array: return 12;
    case KIND.struct: case KIND.union: case KIND.section: case KIND.enum64: return 12 * members;
    case KIND.enum: case KIND.prototype: return 8 * members;
    case KIND.pointer: case KIND.forward: case KIND.typedef: case KIND.volatile: case KIND.const: case KIND.restrict: case KIND.function: case KIND.float: case KIND.typeTag: return 0;
    default: return null;
  }
}

export class Btf {
  readonly #bytes: Buffer;
  readonly #base: Btf | null;
  readonly #strings: { readonly from: number; readonly to: number; /** Offset of its first string. */ readonly first: number };
  /** Where each type begins; the first is number `#firstType`. */
  readonly #types: Uint32Array;
  readonly #firstType: number;

  private constructor(bytes: Buffer, base: Btf | null) {
    if (bytes.length < HEADER_BYTES || bytes.readUInt16LE(0) !== MAGIC) throw new RangeError('these are no BTF type information');
    const header = bytes.readUInt32LE(4);
    const from = header + bytes.readUInt32LE(8), to = from + bytes.readUInt32LE(12);
    const strings = header + bytes.readUInt32LE(16), stringsTo = strings + bytes.readUInt32LE(20);
    if (to > bytes.length || stringsTo > bytes.length) throw new RangeError('BTF type information is cut off');
    this.#bytes = bytes;
    this.#base = base;
    this.#strings = { from: strings, to: stringsTo, first: base === null ? 0 : base.#strings.first + base.#strings.to - base.#strings.from };
    this.#firstType = base === null ? 1 : base.#firstType + base.#types.length;
    const types = new Uint32Array(Math.floor((to - from) / TYPE_BYTES));
    let count = 0;
    for (let at = from; at + TYPE_BYTES <= to;) {
      const tail = tailBytes(this.#kind(at), this.#members(at));
      if (tail === null || at + TYPE_BYTES + tail > to) throw new RangeError(`BTF type ${this.#firstType + count} cannot be read`);
      types[count++] = at;
      at += TYPE_BYTES + tail;
    }
    this.#types = types.subarray(0, count);
  }

  /** @param base the kernel's, for a module's. @throws RangeError one line */
  static parse(bytes: Uint8Array, base: Btf | null = null): Btf {
    return new Btf(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), base);
  }

  /**
   * Types of a function's parameters, as C writes them but without qualifiers and names of typedefs: "struct dentry *", "char *".
   * Null: there is no such function. Of two with one name it cannot be told which is meant: the first.
   */
  parametersOf(functionName: string): string[] | null {
    const prototype = this.#find(functionName, (at) => (this.#kind(at) === KIND.function ? this.#place(this.#word(at + 8)) : null));
    if (prototype === null || prototype.btf.#kind(prototype.at) !== KIND.prototype) return null;
    const { btf, at } = prototype;
    return Array.from({ length: btf.#members(at) }, (_, i) => btf.#text(btf.#word(at + TYPE_BYTES + 8 * i + 4)));
  }

  /** Value of an enumerator, of 32 bits; null when there is none of that name. */
  enumerator(name: string): number | null {
    const offsets = this.#offsetsOf(name);
    if (offsets.size === 0) return null;
    for (const at of this.#types) {
      if (this.#kind(at) !== KIND.enum) continue;
      for (let i = 0; i < this.#members(at); i++) {
        if (offsets.has(this.#word(at + TYPE_BYTES + 8 * i))) return this.#bytes.readInt32LE(at + TYPE_BYTES + 8 * i + 4);
      }
    }
    return null;
  }

  #find<T>(name: string, read: (at: number) => T | null): T | null {
    const offsets = this.#offsetsOf(name);
    if (offsets.size === 0) return null;
    for (const at of this.#types) {
      const found = offsets.has(this.#word(at)) ? read(at) : null;
      if (found !== null) return found;
    }
    return null;
  }

  /** Where the string may stand, as types name it: looked for once, instead of reading the name of every type. */
  #offsetsOf(name: string): ReadonlySet<number> {
    const offsets = new Set<number>();
    const { from, to, first } = this.#strings;
    const wanted = Buffer.from(`${name}\0`);
    for (let at = this.#bytes.indexOf(wanted, from); at >= 0 && at < to; at = this.#bytes.indexOf(wanted, at + 1)) {
      if (at === from || this.#bytes[at - 1] === 0) offsets.add(first + at - from);
    }
    if (this.#base !== null) for (const offset of this.#base.#offsetsOf(name)) offsets.add(offset);
    return offsets;
  }

  #place(type: number): { readonly btf: Btf; readonly at: number } | null {
    if (type < this.#firstType) return this.#base === null ? null : this.#base.#place(type);
    const at = this.#types[type - this.#firstType];
    return at === undefined ? null : { btf: this, at };
  }

  #text(type: number, depth = 0): string {
    if (type === 0) return 'void';
    const place = this.#place(type);
    if (place === null || depth > MAX_DEPTH) return '?';
    const { btf, at } = place;
    const name = btf.#string(btf.#word(at)) || '(anonymous)';
    switch (btf.#kind(at)) {
      case KIND.pointer: {
        const to = btf.#text(btf.#word(at + 8), depth + 1);
        return `${to}${to.endsWith('*') ? '' : ' '}*`;
      }
      case KIND.struct: return `struct ${name}`;
      case KIND.union: return `union ${name}`;
      case KIND.enum: case KIND.enum64: return `enum ${name}`;
      case KIND.forward: return `${btf.#word(at + 4) >>> 31 === 1 ? 'union' : 'struct'} ${name}`;
      case KIND.typedef: case KIND.volatile: case KIND.const: case KIND.restrict: case KIND.typeTag: return btf.#text(btf.#word(at + 8), depth + 1);
      case KIND.int: case KIND.float: return name;
      case KIND.prototype: return 'function';
      default: return '?';
    }
  }

  #string(offset: number): string {
    const { from, to, first } = this.#strings;
    if (offset < first) return this.#base === null ? '' : this.#base.#string(offset);
    const at = from + offset - first;
    const end = this.#bytes.indexOf(0, at);
    return at >= to || end < 0 || end > to ? '' : this.#bytes.toString('latin1', at, end);
  }

  #word(at: number): number {
    return this.#bytes.readUInt32LE(at);
  }

  #kind(at: number): number {
    return this.#word(at + 4) >>> 24 & 0x1f;
  }

  #members(at: number): number {
    return this.#word(at + 4) & 0xffff;
  }
}
