/** Kernel functions through which a system call is entered, by ABI: what a program must be attached to in order to meet it. */
import { ARCHES, type Arch, archNamed } from '../frame/arch.ts';
import type { Call } from '../frame/syscall-names/index.ts';
import { COMPAT_ARM, COMPAT_I386, ENTRY_ARM, ENTRY_ARM64, ENTRY_I386, ENTRY_X32, ENTRY_X86_64, SHARED_ARM, SHARED_X86, ZERO_ARGUMENTS } from './kernel-symbols-data.ts';

const table = (words: string): ReadonlyMap<string, string> => new Map(words.split(' ').map((word) => word.split('=') as [string, string]));

const ENTRY: Readonly<Record<string, ReadonlyMap<string, string>>> = {
  x86_64: table(ENTRY_X86_64), i386: table(ENTRY_I386), x32: table(ENTRY_X86_64), arm64: table(ENTRY_ARM64), arm: table(ENTRY_ARM),
};
const COMPAT: Readonly<Record<string, ReadonlyMap<string, string>>> = { i386: table(COMPAT_I386), x32: table(ENTRY_X32), arm: table(COMPAT_ARM) };
const NO_ARGUMENTS = new Set(ZERO_ARGUMENTS.split(' '));
const SHARED: Readonly<Record<Arch, ReadonlySet<string>>> = { x86_64: new Set(SHARED_X86.split(' ')), arm64: new Set(SHARED_ARM.split(' ')) };
const X32_OWN = 512;

/** One way into the kernel: names of one function, any of which may be the one that a list shows. */
export interface Entry {
  /** What fmod_ret attaches to: the name that BTF has. */
  readonly btf: string;
  /** All names of the function: aliases that kallsyms and kprobes know. */
  readonly names: readonly string[];
}

function entry(arch: Arch, prefix: string, name: string): Entry {
  if (arch === 'arm64' || !NO_ARGUMENTS.has(name)) return { btf: `${prefix}${name}`, names: [`${prefix}${name}`] };
  const compat = prefix.includes('compat_') ? 'compat_' : '';
  return { btf: `__do_${compat}sys_${name}`, names: [`__do_${compat}sys_${name}`, `__x64_${compat}sys_${name}`, `__ia32_${compat}sys_${name}`] };
}

/**
 * Functions through which the call may be entered, best first: the first that the kernel has is the one, since a shared
 * wrapper also exists where a 32-bit program's own is used (kallsyms: what is attached to the other is never hit). Empty for an ABI that is not known.
 */
export function entriesOf({ abi, nr, name }: Call): Entry[] {
  const arch = archNamed(abi);
  if (arch === null) return [];
  const { shared, compat } = ARCHES[arch].abis[abi] ?? { shared: '', compat: '' };
  const sharedName = ENTRY[abi]?.get(name);
  const compatName = COMPAT[abi]?.get(name) ?? (sharedName === undefined && !SHARED[arch].has(name) ? name : undefined);
  const own = compat !== '' && compatName !== undefined && (abi !== 'x32' || nr >= X32_OWN) ? [entry(arch, compat, compatName)] : [];
  return [...own, entry(arch, shared, sharedName ?? name)];
}
