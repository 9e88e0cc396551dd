/** What the call numbers of bpf/syscall.h are called. */
import { numberedNames } from '../numbered-names.ts';
import { ARM, ARM64, I386, X32, X86_64 } from './tables.ts';

/** ABI numbers of bpf/syscall.h, their public names and tables. */
const ABIS = [
  { abi: 'unknown', words: '' },
  { abi: 'x86_64', words: X86_64 },
  { abi: 'i386', words: I386 },
  { abi: 'x32', words: X32 },
  { abi: 'arm64', words: ARM64 },
  { abi: 'arm', words: ARM },
] as const;
const ABI_SHIFT = 10;
const NR_INVALID = 2 ** ABI_SHIFT - 1;
const TABLES = new Map<string, readonly (string | undefined)[]>();

function tableOf(abi: string): readonly (string | undefined)[] {
  let table = TABLES.get(abi);
  if (!table) TABLES.set(abi, (table = numberedNames(ABIS.find((one) => one.abi === abi)?.words ?? '')));
  return table;
}

/** Public names of the ABIs, without "unknown". */
export const ABI_NAMES: readonly string[] = ABIS.map(({ abi }) => abi).filter((abi) => abi !== 'unknown');

/** Every system call of an ABI in the order of its numbers; none for an ABI that is not known. */
export function callsOf(abi: string): Call[] {
  return tableOf(abi).flatMap((name, nr) => (name === undefined ? [] : [{ abi, nr, name }]));
}

/** A system call, told apart from the same number of another ABI. */
export interface Call {
  readonly abi: string;
  /** -1 stands for every number that no kernel has. */
  readonly nr: number;
  readonly name: string;
}

/** "openat" for ("x86_64", 257); "syscall_<nr>" where there is no name, "syscall_invalid" for -1. */
export function syscallName(abi: string, nr: number): string {
  return nr < 0 ? 'syscall_invalid' : (tableOf(abi)[nr] ?? `syscall_${nr}`);
}

/** Number of a system call by name; null when the ABI has none of that name. */
export function syscallNumber(abi: string, name: string): number | null {
  const nr = tableOf(abi).indexOf(name);
  return nr < 0 ? null : nr;
}

/** Unpacks bpf/syscall.h's CALL(abi, nr). */
export function callOf(packed: number): Call {
  const abi = ABIS[packed >>> ABI_SHIFT]?.abi ?? 'unknown';
  const low = packed & NR_INVALID;
  const nr = low === NR_INVALID ? -1 : low;
  return { abi, nr, name: syscallName(abi, nr) };
}
