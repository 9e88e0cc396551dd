import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ADDRESS_ARGUMENTS, FD_ARGUMENTS, PATH_ARGUMENTS } from '../../src/chaos/call-arguments.ts';
import { ABIS, CALL_NAMES, FAMILIES, GROUP_NAMES, blindSpot, callsOfItem, canonicalItem, exactNameHint, expand, familyOf, groupOf, isCall, missing, namesOf } from '../../src/chaos/families.ts';
import { entriesOf } from '../../src/chaos/kernel-symbols.ts';
import { callsOf, syscallNumber } from '../../src/frame/syscall-names/index.ts';

describe('families', () => {
  it('hold calls that exist, each in one family, and are called apart from classes', () => {
    const all = FAMILIES.flatMap(({ calls }) => calls);
    expect(all.filter((call) => !isCall(call))).toEqual([]);
    expect(new Set(all).size).toBe(all.length);
    expect(new Set(GROUP_NAMES).size).toBe(GROUP_NAMES.length);
    expect(familyOf('openat')?.name).toBe('open');
    expect(familyOf('uname')).toBeNull();
  });

  it('have arguments of calls that exist', () => {
    for (const table of [PATH_ARGUMENTS, FD_ARGUMENTS, ADDRESS_ARGUMENTS]) {
      expect([...table.keys()].filter((call) => !isCall(call))).toEqual([]);
      expect([...table.values()].every((positions) => positions.length > 0 && positions.every((position) => position >= 0 && position < 6))).toBe(true);
    }
    expect(PATH_ARGUMENTS.get('renameat2')).toEqual([1, 3]);
    expect(PATH_ARGUMENTS.get('symlinkat')).toEqual([2]);
    expect(FD_ARGUMENTS.get('sendfile')).toEqual([0, 1]);
    expect(ADDRESS_ARGUMENTS.get('sendto')).toEqual([4]);
  });

  it.each([
    ['%open', ['open', 'openat', 'openat2', 'creat']], ['openat', ['openat']], ['%net', groupOf('network')?.calls ?? []], ['openatt', null], ['%nothing', null], ['open%', null],
  ])('callsOfItem(%s)', (item, calls) => expect(callsOfItem(item)).toEqual(calls));

  it.each([['open', 'open'], ['openat', 'openat'], ['%open', '%open'], ['getxattr', 'getxattr'], ['sockopt', '%sockopt'], ['network', '%network'], ['mmap2', 'mmap2']])('%s is written %s', (text, item) => expect(canonicalItem(text)).toBe(item));

  it.each([
    ['opnat', 'there is no system call "opnat"; did you mean openat?'], ['', 'there is no system call ""'], ['OPENAT', 'there is no system call "OPENAT"; did you mean openat?'], ['zzzzzzzz', 'there is no system call "zzzzzzzz"'],
    ['%opne', 'there is no family "%opne"; did you mean open?'], ['%', 'there is no family "%"'], ['syscall_400', 'there is no system call "syscall_400"'],
  ])('%j is refused', (text, message) => expect(() => canonicalItem(text)).toThrow(message));

  it('expands to every ABI, with numbers', () => {
    const calls = expand(['%open'], ABIS.x86_64);
    expect(calls.map(({ abi, name }) => `${abi} ${name}`)).toEqual([
      'x86_64 open', 'x86_64 creat', 'x86_64 openat', 'x86_64 openat2', 'i386 open', 'i386 creat', 'i386 openat', 'i386 openat2', 'x32 open', 'x32 creat', 'x32 openat', 'x32 openat2',
    ]);
    for (const { abi, nr, name } of calls) expect(syscallNumber(abi, name)).toBe(nr);
    expect(expand(['%open'], ABIS.arm64).filter(({ abi }) => abi === 'arm64').map(({ name }) => name)).toEqual(['openat', 'openat2']);
    expect(namesOf(['%stat', 'fstat'], ['x86_64'])).toEqual(['fstat', 'lstat', 'newfstatat', 'stat', 'statx']);
    expect(missing(['open', '%open', 'stat64', '%stat', 'nothing'], 'arm64')).toEqual(['open', 'stat64', 'nothing']);
  });

  it('says what a name does not reach', () => {
    expect(exactNameHint('open')).toBe('programs mostly use others than open: %open is open, openat, openat2, creat');
    expect(exactNameHint('vfork')).toContain('%fork is fork, vfork, clone, clone3');
    expect(exactNameHint('%open')).toBeNull();
    expect(exactNameHint('openat')).toBeNull();
    expect(exactNameHint('read')).toBeNull();
    for (const { name, calls } of FAMILIES) for (const call of calls) if (exactNameHint(call) !== null) expect([name, calls.length > 1]).toEqual([name, true]);
    expect(blindSpot(['connect'], ABIS.x86_64)).toContain('socketcall');
    expect(blindSpot(['connect'], ABIS.arm64)).toBeNull();
    expect(blindSpot(['openat'], ABIS.x86_64)).toBeNull();
  });

  it('knows all names once, in order', () => {
    expect(CALL_NAMES).toEqual([...new Set(CALL_NAMES)].sort());
    expect(CALL_NAMES.length).toBeGreaterThan(450);
  });
});

describe('entriesOf', () => {
  const names = (abi: string, name: string, nr = syscallNumber(abi, name) ?? -1): string[] => entriesOf({ abi, nr, name }).map(({ btf }) => btf);

  it.each([
    ['x86_64', 'openat', ['__x64_sys_openat']], ['x86_64', 'fstat', ['__x64_sys_newfstat']], ['x86_64', 'umount2', ['__x64_sys_umount']], ['x86_64', 'getppid', ['__do_sys_getppid']],
    ['i386', 'openat', ['__ia32_compat_sys_openat', '__ia32_sys_openat']], ['i386', 'fsync', ['__ia32_compat_sys_fsync', '__ia32_sys_fsync']], ['i386', 'stat64', ['__ia32_compat_sys_ia32_stat64', '__ia32_sys_stat64']],
    ['i386', 'pread64', ['__ia32_sys_ia32_pread64']], ['i386', 'sendfile64', ['__ia32_sys_sendfile64']], ['i386', 'futex', ['__ia32_sys_futex_time32']], ['i386', 'mmap2', ['__ia32_sys_mmap_pgoff']],
    ['x32', 'openat', ['__x64_sys_openat']], ['x32', 'execve', ['__x64_compat_sys_execve', '__x64_sys_execve']], ['x32', 'getsockopt', ['__x64_sys_getsockopt']],
    ['arm64', 'openat', ['__arm64_sys_openat']], ['arm64', 'getppid', ['__arm64_sys_getppid']], ['arm', 'openat', ['__arm64_compat_sys_openat', '__arm64_sys_openat']], ['arm', 'mmap2', ['__arm64_compat_sys_aarch32_mmap2', '__arm64_sys_mmap2']],
    ['mips', 'openat', []],
  ])('%s %s', (abi, name, expected) => expect(names(abi, name)).toEqual(expected));

  it('knows the aliases of a call without arguments', () => {
    expect(entriesOf({ abi: 'x86_64', nr: 110, name: 'getppid' })[0]?.names).toEqual(['__do_sys_getppid', '__x64_sys_getppid', '__ia32_sys_getppid']);
  });

  const symbols = ((): ReadonlySet<string> | null => {
    try {
      const text = readFileSync('/proc/kallsyms', 'utf8');
      return text.includes(' __x64_sys_openat') ? new Set(text.split('\n').map((line) => line.split(' ')[2] ?? '')) : null;
    } catch {
      return null;
    }
  })();

  it.skipIf(symbols === null)('names functions that this kernel has (needs a readable /proc/kallsyms on x86)', () => {
    const without = callsOf('x86_64').filter((call) => !entriesOf(call).some((entry) => entry.names.some((name) => symbols?.has(name) === true))).map(({ name }) => name);
    // Calls that no kernel of today has, and at most a few that are newer than this one.
    const gone = new Set(['_sysctl', 'create_module', 'get_kernel_syms', 'query_module', 'nfsservctl', 'getpmsg', 'putpmsg', 'afs_syscall', 'tuxcall', 'security', 'lookup_dcookie', 'epoll_ctl_old', 'epoll_wait_old', 'vserver']);
    expect(without.filter((name) => !gone.has(name) && (syscallNumber('x86_64', name) ?? 0) < 440)).toEqual([]);
  });
});
