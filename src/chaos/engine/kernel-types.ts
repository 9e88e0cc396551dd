/** What is to be known of a kernel function before programs go to it, from BTF and the kernel's symbols. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Btf } from '../../bpf/btf.ts';

export interface KernelFunction {
  readonly name: string;
  /** Module that it lies in; null: the kernel itself. */
  readonly module: string | null;
  /** Types of its parameters; null: it has no type information, so programs can only go to it as kprobes. */
  readonly parameters: readonly string[] | null;
}

/** Bit of __GFP_NOFAIL where the kernel does not tell: up to v6.9, and the same since. */
const NOFAIL_BIT = 15;
const NAME = /^[\w.]+$/;

export class KernelTypes {
  readonly #btf: Btf;
  readonly #sys: string;
  readonly #proc: string;

  private constructor(btf: Btf, sys: string, proc: string) {
    this.#btf = btf;
    this.#sys = sys;
    this.#proc = proc;
  }

  /** Takes some ten ms. @throws Error one line */
  static async read({ sys = '/sys', proc = '/proc' }: { readonly sys?: string; readonly proc?: string } = {}): Promise<KernelTypes> {
    const path = join(sys, 'kernel/btf/vmlinux');
    try {
      return new KernelTypes(Btf.parse(await readFile(path)), sys, proc);
    } catch (error) {
      throw new Error(`cannot read the kernel's types (${path}): ${(error as Error).message}`, { cause: error });
    }
  }

  /** __GFP_NOFAIL: what asks for memory with it is never told that there is none. */
  get nofailMask(): number {
    return 1 << (this.#btf.enumerator('___GFP_NOFAIL_BIT') ?? NOFAIL_BIT);
  }

  /** @throws Error one line: there is no such function */
  async functionNamed(name: string): Promise<KernelFunction> {
    const parameters = this.#btf.parametersOf(name);
    if (parameters !== null) return { name, module: null, parameters };
    const { exact, altered } = await this.#symbol(name);
    if (exact === null) {
      throw new Error(altered === null ? `this kernel has no function ${name}; if a module has it, load that first` : `the compiler made ${altered} of ${name}, to which no program can go; choose a function that calls it or that it calls`);
    }
    return { name, module: exact.module, parameters: exact.module === null ? null : await this.#parametersIn(exact.module, name) };
  }

  async #parametersIn(module: string, name: string): Promise<string[] | null> {
    try {
      return Btf.parse(await readFile(join(this.#sys, 'kernel/btf', module)), this.#btf).parametersOf(name);
    } catch {
      // A module without type information.
      return null;
    }
  }

  /** The function among the kernel's symbols, and one that the compiler cut out of it (`.constprop.0`, `.isra.0`, `.part.0`). */
  async #symbol(name: string): Promise<{ readonly exact: { readonly module: string | null } | null; readonly altered: string | null }> {
    if (!NAME.test(name)) return { exact: null, altered: null };
    const text = await readFile(join(this.#proc, 'kallsyms'), 'latin1').catch(() => '');
    const line = new RegExp(`^[0-9a-f]+ [tTwW] (${name.replaceAll('.', '\\.')})((?:\\.(?:constprop|isra|part)[.\\d]*)*)(?:\\t\\[(\\w+)\\])?$`, 'gm');
    let altered: string | null = null;
    for (const [, plain = '', suffix = '', module] of text.matchAll(line)) {
      if (suffix === '') return { exact: { module: module ?? null }, altered };
      altered ??= `${plain}${suffix}`;
    }
    return { exact: null, altered };
  }
}
