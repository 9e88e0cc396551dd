import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ABI_NAMES, callOf, callsOf, syscallName, syscallNumber } from '../../../src/frame/syscall-names/index.ts';

describe('system call names', () => {
  it.each([
    ['x86_64', 0, 'read'], ['x86_64', 59, 'execve'], ['x86_64', 257, 'openat'], ['x86_64', 334, 'rseq'], ['x86_64', 424, 'pidfd_send_signal'], ['x86_64', 435, 'clone3'], ['x86_64', 462, 'mseal'],
    ['i386', 0, 'restart_syscall'], ['i386', 1, 'exit'], ['i386', 11, 'execve'], ['i386', 295, 'openat'], ['i386', 403, 'clock_gettime64'],
    ['x32', 0, 'read'], ['x32', 520, 'execve'],
    ['arm64', 56, 'openat'], ['arm64', 63, 'read'], ['arm64', 79, 'newfstatat'], ['arm64', 220, 'clone'], ['arm64', 222, 'mmap'], ['arm64', 221, 'execve'],
    ['arm', 1, 'exit'], ['arm', 322, 'openat'],
  ])('%s %i is %s', (abi, nr, name) => {
    expect(syscallName(abi, nr)).toBe(name);
    expect(syscallNumber(abi, name)).toBe(nr);
  });

  it('makes up a name where there is none', () => {
    expect(syscallName('x86_64', 400)).toBe('syscall_400');
    expect(syscallName('mips', 1)).toBe('syscall_1');
    expect(syscallName('x86_64', -1)).toBe('syscall_invalid');
    expect(syscallNumber('arm64', 'open')).toBeNull();
  });

  it('lists every call of an ABI', () => {
    expect(ABI_NAMES).toEqual(['x86_64', 'i386', 'x32', 'arm64', 'arm']);
    for (const abi of ABI_NAMES) {
      const calls = callsOf(abi);
      expect(calls.length).toBeGreaterThan(290);
      for (const call of calls) expect(syscallName(abi, call.nr)).toBe(call.name);
    }
    expect(callsOf('mips')).toEqual([]);
  });

  it('unpacks what the kernel side packs', () => {
    expect(callOf((1 << 10) | 257)).toEqual({ abi: 'x86_64', nr: 257, name: 'openat' });
    expect(callOf((2 << 10) | 5)).toEqual({ abi: 'i386', nr: 5, name: 'open' });
    expect(callOf((4 << 10) | 1023)).toEqual({ abi: 'arm64', nr: -1, name: 'syscall_invalid' });
    expect(callOf((7 << 10) | 3)).toEqual({ abi: 'unknown', nr: 3, name: 'syscall_3' });
  });

  it.skipIf(process.arch !== 'x64' || !existsSync('/usr/include/x86_64-linux-gnu/asm/unistd_64.h'))('agrees with this machine\'s headers, number by number (needs linux-libc-dev)', () => {
    const text = execFileSync('cc', ['-E', '-dM', '-'], { input: '#include <asm/unistd_64.h>\n', encoding: 'utf8' });
    const all = [...text.matchAll(/^#define __NR_(\w+) (\d+)$/gm)];
    expect(all.length).toBeGreaterThan(300);
    for (const [, name = '', nr] of all) expect(syscallName('x86_64', Number(nr))).toBe(name);
  });
});
