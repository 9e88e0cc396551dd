import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KernelTypes } from '../../../src/chaos/engine/kernel-types.ts';
import { missing } from '../../native/support.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kbtop-types-'));
  mkdirSync(join(root, 'kernel/btf'), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const SYMBOLS = `ffffffff81000000 T vfs_fsync
0000000000000000 t no_types_of_mine
ffffffff81000100 t shortened.constprop.0
ffffffff81000200 t twice.isra.0
ffffffff81000300 t twice
ffffffffc0000000 t of_a_module\t[ext5]
ffffffff81000400 D data_not_code
`;

describe.skipIf(missing === 'no BTF')('types of kernel functions (need BTF)', () => {
  async function types(): Promise<KernelTypes> {
    symlinkSync('/sys/kernel/btf/vmlinux', join(root, 'kernel/btf/vmlinux'));
    writeFileSync(join(root, 'kallsyms'), SYMBOLS);
    return await KernelTypes.read({ sys: root, proc: root });
  }

  it('come from the kernel, and what is not there from its symbols', async () => {
    const of = await types();
    expect(await of.functionNamed('vfs_fsync')).toEqual({ name: 'vfs_fsync', module: null, parameters: ['struct file *', 'int'] });
    expect(await of.functionNamed('no_types_of_mine')).toEqual({ name: 'no_types_of_mine', module: null, parameters: null });
    expect(await of.functionNamed('of_a_module')).toEqual({ name: 'of_a_module', module: 'ext5', parameters: null });
    expect(await of.functionNamed('twice')).toMatchObject({ name: 'twice' });
  });

  it('say what is wrong with a name', async () => {
    const of = await types();
    const none = 'this kernel has no function NAME; if a module has it, load that first';
    for (const name of ['fsync_vfs', 'data_not_code', 'vfs.fsync', 'a b']) await expect(of.functionNamed(name)).rejects.toThrow(none.replace('NAME', name));
    await expect(of.functionNamed('shortened')).rejects.toThrow('the compiler made shortened.constprop.0 of shortened, to which no program can go; choose a function that calls it or that it calls');
  });

  it('have the flag of what must not fail', async () => {
    expect((await types()).nofailMask).toBe(0x8000);
  });
});

it('a kernel without types is told in one line', async () => {
  await expect(KernelTypes.read({ sys: root, proc: root })).rejects.toThrow(/^cannot read the kernel's types \(.*vmlinux\): ENOENT[^\n]*$/);
  writeFileSync(join(root, 'kernel/btf/vmlinux'), 'something else, long enough to be looked at');
  await expect(KernelTypes.read({ sys: root, proc: root })).rejects.toThrow(/these are no BTF type information$/);
});
