/** Names of open(2) flags, as the program passed them. */
import { ARCHES, type ArchFacts, OWN_ARCH, archNamed } from '../frame/arch.ts';

interface Flag {
  readonly bits: number;
  readonly name: string;
}

/** Octal, as in the kernel's headers. Those that hold other bits in them (O_SYNC, O_TMPFILE) come first. */
const GENERIC: readonly Flag[] = [
  { bits: 0o100, name: 'O_CREAT' },
  { bits: 0o200, name: 'O_EXCL' },
  { bits: 0o400, name: 'O_NOCTTY' },
  { bits: 0o1000, name: 'O_TRUNC' },
  { bits: 0o2000, name: 'O_APPEND' },
  { bits: 0o4000, name: 'O_NONBLOCK' },
  { bits: 0o4010000, name: 'O_SYNC' },
  { bits: 0o10000, name: 'O_DSYNC' },
  { bits: 0o20000, name: 'O_ASYNC' },
  { bits: 0o1000000, name: 'O_NOATIME' },
];
const LAST: readonly Flag[] = [
  { bits: 0o10000000, name: 'O_PATH' },
  { bits: 0o2000000, name: 'O_CLOEXEC' },
];

/** Four of them lie elsewhere on other architectures. */
function placed({ direct, large, directory, nofollow }: ArchFacts['openFlags']): readonly Flag[] {
  return [
    ...GENERIC,
    { bits: direct, name: 'O_DIRECT' },
    { bits: large, name: 'O_LARGEFILE' },
    { bits: 0o20000000 | directory, name: 'O_TMPFILE' },
    { bits: directory, name: 'O_DIRECTORY' },
    { bits: nofollow, name: 'O_NOFOLLOW' },
    ...LAST,
  ];
}

const ACCESS = ['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'] as const;
const MAX_CACHED = 1024;

/** Decoder for one architecture: access mode first, then the rest, unknown bits last as one hexadecimal number. */
export function openFlagNames(arch: string = process.arch): (flags: number) => readonly string[] {
  const known = placed(ARCHES[archNamed(arch) ?? OWN_ARCH].openFlags);
  const cache = new Map<number, readonly string[]>();
  return (flags) => {
    const cached = cache.get(flags);
    if (cached) return cached;
    // openat2 takes 64 bits and refuses the upper ones.
    const high = Math.floor(flags / 2 ** 32);
    let rest = flags % 2 ** 32 | 0;
    const names: string[] = [ACCESS[rest & 3] ?? 'O_RDONLY'];
    rest &= ~3;
    for (const { bits, name } of known) {
      if ((rest & bits) !== bits) continue;
      names.push(name);
      rest &= ~bits;
    }
    const unknown = high * 2 ** 32 + (rest >>> 0);
    if (unknown > 0) names.push(`0x${unknown.toString(16)}`);
    if (cache.size >= MAX_CACHED) cache.clear();
    cache.set(flags, names);
    return names;
  };
}
