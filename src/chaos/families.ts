/**
 * What a rule's list of system calls means: exact names ("openat"), families ("%open") and classes ("%network"),
 * expanded for every ABI that a kernel takes, 32-bit ones included.
 */
import { ARCHES, type Arch } from '../frame/arch.ts';
import { oneOf } from '../frame/suggest.ts';
import { ABI_NAMES, type Call, callsOf, syscallNumber } from '../frame/syscall-names/index.ts';
import { FD_ARGUMENTS, PATH_ARGUMENTS } from './call-arguments.ts';
import { CLASS_WORDS, FAMILY_WORDS } from './families-data.ts';

export type { Arch };
/** Of which ABIs an architecture's programs are. */
export const ABIS: Readonly<Record<Arch, readonly string[]>> = { x86_64: Object.keys(ARCHES.x86_64.abis), arm64: Object.keys(ARCHES.arm64.abis) };

export interface Family {
  /** Without the leading %. */
  readonly name: string;
  /** What its calls do: "open or create a file". */
  readonly title: string;
  /** Names over all ABIs. */
  readonly calls: readonly string[];
}

export const FAMILIES: readonly Family[] = FAMILY_WORDS.map(([name, title, calls]) => ({ name, title, calls: calls.split(' ') }));

const BY_NAME = new Map(FAMILIES.map((family) => [family.name, family]));
const BY_CALL = new Map(FAMILIES.flatMap((family) => family.calls.map((call) => [call, family] as const)));

/** Every name that some ABI has a call for. */
export const CALL_NAMES: readonly string[] = [...new Set(ABI_NAMES.flatMap((abi) => callsOf(abi).map(({ name }) => name)))].sort();
const KNOWN = new Set(CALL_NAMES);

const CLASSES: readonly Family[] = [
  ...CLASS_WORDS.map(([name, title, families]) => ({ name, title, calls: families.split(' ').flatMap((family) => BY_NAME.get(family)?.calls ?? []) })),
  { name: 'file', title: 'everything that takes a path', calls: [...PATH_ARGUMENTS.keys()] },
  { name: 'desc', title: 'everything that takes a descriptor', calls: [...FD_ARGUMENTS.keys()] },
];
const GROUPS = new Map([...CLASSES, ...FAMILIES].map((group) => [group.name, group]));

/** Names that may stand behind a %. */
export const GROUP_NAMES: readonly string[] = [...FAMILIES, ...CLASSES].map(({ name }) => name);

export const isCall = (name: string): boolean => KNOWN.has(name);

/** The family of a call; null when it is in none. */
export const familyOf = (call: string): Family | null => BY_CALL.get(call) ?? null;

/** The family or class of that name, without %; null when there is none. */
export const groupOf = (name: string): Family | null => GROUPS.get(name) ?? null;

/** Names of calls that one item of a rule stands for; null when it is neither a call nor a family. */
export function callsOfItem(item: string): readonly string[] | null {
  if (item.startsWith('%')) return GROUPS.get(item.slice(1))?.calls ?? null;
  return KNOWN.has(item) ? [item] : null;
}

/**
 * How an item is written in a rule. A bare name that no ABI has a call of, but a family is called by ("xattr"), is the
 * family; a bare name that is both stays the call, since nobody is to be hit by more than what was written.
 * @throws RangeError whose message says what is wrong with the name, and what was probably meant
 */
export function canonicalItem(text: string): string {
  if (text.startsWith('%')) {
    if (GROUPS.has(text.slice(1))) return text;
    throw new RangeError(`there is no family "${text}"${oneOf(text.slice(1), GROUP_NAMES, 'families')}`);
  }
  if (KNOWN.has(text)) return text;
  if (GROUPS.has(text)) return `%${text}`;
  throw new RangeError(`there is no system call "${text}"${near(text)}`);
}

function near(text: string): string {
  if (text === '') return '';
  const [, hint = ''] = /^(; did you mean [^?]+\?)/.exec(oneOf(text, [...CALL_NAMES], 'calls')) ?? [];
  return hint;
}

/** All calls that the items stand for, each once, by ABI in the order given and by number. */
export function expand(items: readonly string[], abis: readonly string[]): Call[] {
  const names = new Set(items.flatMap((item) => callsOfItem(item) ?? []));
  return abis.flatMap((abi) => callsOf(abi).filter(({ name }) => names.has(name)));
}

/** Names of the calls that the items stand for and at least one of the ABIs has, in alphabetical order. */
export function namesOf(items: readonly string[], abis: readonly string[]): string[] {
  return [...new Set(expand(items, abis).map(({ name }) => name))].sort();
}

/** Items that no call of the ABI answers to: arm64 has no open. */
export function missing(items: readonly string[], abi: string): string[] {
  return items.filter((item) => !(callsOfItem(item) ?? []).some((name) => syscallNumber(abi, name) !== null));
}

/** Old calls in whose place libc, Go or both use a newer one of the family. */
const SUPERSEDED = new Set('open creat stat lstat fstat access unlink rename link symlink readlink mkdir mknod chmod chown utime fork vfork clone pipe select poll accept eventfd epoll_wait'.split(' '));

/** What to say about an exact name whose work programs mostly do by others of its family; null when there is nothing. */
export function exactNameHint(item: string): string | null {
  const family = familyOf(item);
  if (family === null || !SUPERSEDED.has(item)) return null;
  return `programs mostly use others than ${item}: %${family.name} is ${family.calls.slice(0, 5).join(', ')}${family.calls.length > 5 ? ', ...' : ''}`;
}

/** What the expansion cannot reach. */
export function blindSpot(items: readonly string[], abis: readonly string[]): string | null {
  if (!abis.includes('i386')) return null;
  const reached = new Set(namesOf(items, ['i386']));
  const network = [...reached].some((name) => GROUPS.get('network')?.calls.includes(name) === true);
  return network ? 'old 32-bit programs that make socket calls through socketcall are not hit' : null;
}
