import { describe, expect, it } from 'vitest';
import { ARCHES, type Arch, OWN_ARCH, archNamed, entryFunction, isArch } from '../../src/frame/arch.ts';
import { ABI_NAMES } from '../../src/frame/syscall-names/index.ts';
import { ARCHES as BUILD } from '../../tools/lib/arch.mjs';

describe('architectures', () => {
  it.each([['x64', 'x86_64'], ['x86_64', 'x86_64'], ['i386', 'x86_64'], ['x32', 'x86_64'], ['arm64', 'arm64'], ['aarch64', 'arm64'], ['arm', 'arm64'], ['s390x', null], ['', null], ['constructor', null]])('%j is %s', (name, arch) => expect(archNamed(name)).toBe(arch));

  it('are the same ones that are built for, under the same names', () => {
    expect(Object.values(ARCHES).map(({ node, machine }) => [node, machine])).toEqual(Object.entries(BUILD).map(([node, { machine }]) => [node, machine]));
    expect(isArch(OWN_ARCH)).toBe(true);
    expect([isArch('mips'), isArch('toString'), isArch(null)]).toEqual([false, false, false]);
  });

  it('have between them every ABI that calls are named for', () => {
    expect(Object.values(ARCHES).flatMap(({ abis }) => Object.keys(abis))).toEqual([...ABI_NAMES]);
    expect((Object.keys(ARCHES) as Arch[]).map((arch) => entryFunction(arch, 'getpgid'))).toEqual(['__x64_sys_getpgid', '__arm64_sys_getpgid']);
  });
});
