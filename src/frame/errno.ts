/** errno names: Linux' own for x86, arm and the generic table, with the kernel-internal ones that can leak out. */
import { ERRNO } from './errno-table.ts';
import { numberedNames } from './numbered-names.ts';

const NAMES = numberedNames(ERRNO);
const NUMBERS = new Map(NAMES.flatMap((name, number) => (name === undefined ? [] : [[name, number] as const])));

/** "ENOENT" for 2 (or -2); "errno_<n>" for a number that has no name. */
export function errnoName(errno: number): string {
  const positive = Math.abs(errno);
  return NAMES[positive] ?? `errno_${positive}`;
}

/** User space's second names. */
const ALIASES: Readonly<Record<string, string>> = { EWOULDBLOCK: 'EAGAIN', EDEADLOCK: 'EDEADLK', ENOTSUP: 'EOPNOTSUPP' };

/** 2 for "ENOENT"; null for a name that no errno has. Second names such as EWOULDBLOCK are known, too. */
export function errnoNumber(name: string): number | null {
  return NUMBERS.get(ALIASES[name] ?? name) ?? null;
}
