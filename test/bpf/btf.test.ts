import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Btf } from '../../src/bpf/btf.ts';

const KIND = { int: 1, pointer: 2, array: 3, struct: 4, union: 5, enum: 6, forward: 7, typedef: 8, const: 10, function: 12, prototype: 13, variable: 14, section: 15, declTag: 17, typeTag: 18, enum64: 19 };

/** Writes BTF as include/uapi/linux/btf.h has it. */
class Writer {
  readonly #words: number[] = [];
  #strings: string;
  #next: number;
  readonly #firstString: number;

  constructor(base?: { readonly types: number; readonly stringBytes: number }) {
    this.#next = (base?.types ?? 0) + 1;
    this.#firstString = base?.stringBytes ?? 0;
    this.#strings = base === undefined ? '\0' : '';
  }

  name(text: string): number {
    const at = this.#strings.length + this.#firstString;
    this.#strings += `${text}\0`;
    return at;
  }

  /** @returns its number. @param third size or type */
  type(kind: number, name: string, third = 0, tail: readonly number[] = [], { members = 0, flag = false } = {}): number {
    this.#words.push(name === '' ? 0 : this.name(name), (kind << 24 | members | (flag ? 1 << 31 : 0)) >>> 0, third, ...tail);
    return this.#next++;
  }

  function(name: string, parameters: readonly number[]): number {
    return this.type(KIND.function, name, this.type(KIND.prototype, '', 0, parameters.flatMap((parameter) => [0, parameter]), { members: parameters.length }));
  }

  get size(): { readonly types: number; readonly stringBytes: number } {
    return { types: this.#next - 1, stringBytes: this.#firstString + this.#strings.length };
  }

  bytes(): Buffer {
    const types = Buffer.alloc(this.#words.length * 4);
    this.#words.forEach((word, i) => types.writeUInt32LE(word, i * 4));
    const head = Buffer.alloc(24);
    head.writeUInt16LE(0xeb9f, 0);
    head[2] = 1;
    [24, 0, types.length, types.length, this.#strings.length].forEach((word, i) => head.writeUInt32LE(word, 4 + i * 4));
    return Buffer.concat([head, types, Buffer.from(this.#strings, 'latin1')]);
  }
}

/** Some of every kind, so that all of them have to be stepped over. */
function kernel(): Writer {
  const to = new Writer();
  const char = to.type(KIND.int, 'char', 1, [8]);
  const string = to.type(KIND.pointer, '', to.type(KIND.typeTag, 'user', to.type(KIND.const, '', char)));
  const dentry = to.type(KIND.pointer, '', to.type(KIND.struct, 'dentry', 8, [to.name('d_name'), char, 0], { members: 1 }));
  to.type(KIND.array, '', 0, [char, char, 4]);
  to.type(KIND.variable, 'here', char, [0]);
  to.type(KIND.section, '.data', 4, [1, 0, 4], { members: 1 });
  to.type(KIND.declTag, 'tag', dentry, [0xffffffff]);
  to.type(KIND.enum64, 'large', 8, [to.name('LARGE'), 1, 1], { members: 1 });
  to.type(KIND.enum, '', 4, [to.name('___GFP_DMA_BIT'), 0, to.name('___GFP_NOFAIL_BIT'), 14, to.name('BELOW'), 0xffffffff], { members: 3 });
  const gfp = to.type(KIND.typedef, 'gfp_t', to.type(KIND.int, 'unsigned int', 4, [32]));
  const forward = to.type(KIND.pointer, '', to.type(KIND.forward, 'opaque'));
  const forwardUnion = to.type(KIND.pointer, '', to.type(KIND.forward, 'either', 0, [], { flag: true }));
  to.function('create', [dentry, string, gfp, to.type(KIND.pointer, '', string), forward, forwardUnion, to.type(KIND.union, 'both', 8), to.type(KIND.pointer, '', 0)]);
  to.function('nothing', []);
  return to;
}

describe('BTF', () => {
  const btf = Btf.parse(kernel().bytes());

  it('has the parameters of a function as C writes them', () => {
    expect(btf.parametersOf('create')).toEqual(['struct dentry *', 'char *', 'unsigned int', 'char **', 'struct opaque *', 'union either *', 'union both', 'void *']);
    expect(btf.parametersOf('nothing')).toEqual([]);
  });

  it('has none for what is no function, or only begins or ends like one', () => {
    for (const name of ['dentry', 'creat', 'reate', 'created', '', 'here']) expect(btf.parametersOf(name)).toBeNull();
  });

  it('has the values of enumerators', () => {
    expect(btf.enumerator('___GFP_NOFAIL_BIT')).toBe(14);
    expect(btf.enumerator('BELOW')).toBe(-1);
    expect(btf.enumerator('GFP_NOFAIL_BIT')).toBeNull();
    expect(btf.enumerator('create')).toBeNull();
  });

  it('goes on in a module', () => {
    const to = new Writer(kernel().size);
    // Numbers of the kernel's own types: "char *" and "struct dentry *".
    const own = to.type(KIND.pointer, '', to.type(KIND.struct, 'of_the_module', 8));
    to.function('of_module', [4, 6, own]);
    const module = Btf.parse(to.bytes(), btf);
    expect(module.parametersOf('of_module')).toEqual(['char *', 'struct dentry *', 'struct of_the_module *']);
    expect(btf.parametersOf('of_module')).toBeNull();
  });

  it('does not go round in circles', () => {
    const to = new Writer();
    to.type(KIND.pointer, '', 1);
    to.function('endless', [1]);
    expect(Btf.parse(to.bytes()).parametersOf('endless')?.[0]).toMatch(/^\? \*+$/);
  });

  it('refuses what is cut off, damaged or something else', () => {
    const bytes = kernel().bytes();
    expect(() => Btf.parse(Buffer.from('something else altogether'))).toThrow('these are no BTF type information');
    expect(() => Btf.parse(bytes.subarray(0, 60))).toThrow('BTF type information is cut off');
    bytes.writeUInt32LE(31 << 24, 24 + 4);
    expect(() => Btf.parse(bytes)).toThrow('BTF type 1 cannot be read');
  });

  it('never throws anything else, whatever the bytes', () => {
    const bytes = kernel().bytes();
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
      const changed = Buffer.from(bytes);
      for (const [at, value] of changes) changed[at] = value;
      try {
        const read = Btf.parse(changed);
        read.parametersOf('create');
        read.enumerator('BELOW');
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError);
      }
    }));
  });

  it.skipIf(!existsSync('/sys/kernel/btf/vmlinux'))('reads this kernel\'s (needs BTF)', () => {
    const own = Btf.parse(readFileSync('/sys/kernel/btf/vmlinux'));
    expect(own.parametersOf('vfs_fsync')).toEqual(['struct file *', 'int']);
    expect(own.parametersOf('vfs_unlink')?.slice(-3)).toEqual(['struct inode *', 'struct dentry *', 'struct inode **']);
    expect(own.enumerator('PIDTYPE_TGID')).toBe(1);
  });
});
