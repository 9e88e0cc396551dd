/**
 * All that differs between the machines that kbtop runs on, but for names and numbers of calls, which are generated
 * (syscall-names/tables.ts, chaos/kernel-symbols-data.ts). One more architecture begins here.
 */

/** Architecture of a kernel; its system calls come from programs of several ABIs. */
export type Arch = 'x86_64' | 'arm64';

export interface ArchFacts {
  /** As Node calls it. */
  readonly node: string;
  /** As uname(1) and Frames call it. */
  readonly machine: string;
  /**
   * ABIs of its programs, its own first, each with the wrappers of kernel functions through which calls come in: of those
   * that it shares with the kernel's own ABI, and of those that it has for itself.
   */
  readonly abis: Readonly<Record<string, { readonly shared: string; readonly compat: string }>>;
  /** Bits of open(2) that have no place of their own. */
  readonly openFlags: { readonly direct: number; readonly large: number; readonly directory: number; readonly nofollow: number };
}

export const ARCHES: Readonly<Record<Arch, ArchFacts>> = {
  x86_64: {
    node: 'x64', machine: 'x86_64',
    abis: { x86_64: { shared: '__x64_sys_', compat: '' }, i386: { shared: '__ia32_sys_', compat: '__ia32_compat_sys_' }, x32: { shared: '__x64_sys_', compat: '__x64_compat_sys_' } },
    openFlags: { direct: 0o40000, large: 0o100000, directory: 0o200000, nofollow: 0o400000 },
  },
  arm64: {
    node: 'arm64', machine: 'aarch64',
    abis: { arm64: { shared: '__arm64_sys_', compat: '' }, arm: { shared: '__arm64_sys_', compat: '__arm64_compat_sys_' } },
    openFlags: { direct: 0o200000, large: 0o400000, directory: 0o40000, nofollow: 0o100000 },
  },
};
const ALL = Object.entries(ARCHES) as readonly (readonly [Arch, ArchFacts])[];

export const isArch = (value: unknown): value is Arch => typeof value === 'string' && Object.hasOwn(ARCHES, value);

/** By Node's name of it, uname's or an ABI's. Null: none that kbtop knows. */
export function archNamed(name: string): Arch | null {
  return ALL.find(([arch, { node, machine, abis }]) => arch === name || node === name || machine === name || Object.hasOwn(abis, name))?.[0] ?? null;
}

/** The one that this program was built for. */
export const OWN_ARCH: Arch = archNamed(process.arch) ?? 'x86_64';

/** The kernel function through which 64-bit programs enter a call. */
export const entryFunction = (arch: Arch, call: string): string => `${ARCHES[arch].abis[arch]?.shared ?? ''}${call}`;
