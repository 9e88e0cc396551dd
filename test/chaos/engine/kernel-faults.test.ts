import { describe, expect, it } from 'vitest';
import { ChaosError } from '../../../src/chaos/door.ts';
import { conditionGlobals } from '../../../src/chaos/engine/kernel-faults.ts';
import type { KernelFunction } from '../../../src/chaos/engine/kernel-types.ts';
import type { KernelFault } from '../../../src/chaos/rule.ts';

const CREATE: KernelFunction = { name: 'ext4_create', module: null, parameters: ['struct mnt_idmap *', 'struct inode *', 'struct dentry *', 'short unsigned int'] };
const SYMLINK: KernelFunction = { ...CREATE, name: 'ext4_symlink', parameters: [...CREATE.parameters?.slice(0, 3) ?? [], 'char *'] };
const fault = (when: KernelFault['when']): KernelFault => ({ fault: 'slab', function: 'ext4_create', when });
const string = (argument: number, equals = 'hello'): KernelFault => fault({ kind: 'string', argument, equals });

function why(of: KernelFault, at: KernelFunction): string {
  try {
    conditionGlobals(of, at);
    return 'nothing';
  } catch (error) {
    expect(error).toBeInstanceOf(ChaosError);
    expect(error).toMatchObject({ kind: 'impossible' });
    return (error as Error).message;
  }
}

describe('the condition on the call chain', () => {
  it('is told to the kernel by the kind of its argument', () => {
    const wanted = Buffer.alloc(64);
    wanted.write('hello');
    expect(conditionGlobals(string(3), CREATE)).toEqual({ condition: 3, condition_argument: 2, wanted: new Uint8Array(wanted), wanted_bytes: 5 });
    expect(conditionGlobals(string(4, 'é'), SYMLINK)).toMatchObject({ condition: 2, condition_argument: 3, wanted_bytes: 2 });
    expect(conditionGlobals(fault({ kind: 'pid', pid: 4711 }), CREATE)).toEqual({ condition: 1, wanted_pid: 4711 });
    expect(conditionGlobals(fault(null), { ...CREATE, parameters: null })).toEqual({ condition: 0 });
  });

  it('cannot be had of other arguments, and then it is said which could be', () => {
    expect(why(string(2), CREATE)).toBe('no slab failures within ext4_create: its argument 2 is struct inode *, neither a string nor a dentry; try 3 (struct dentry *)');
    expect(why(string(5), SYMLINK)).toBe('no slab failures within ext4_symlink: it has no argument 5; try 3 (struct dentry *) or 4 (char *)');
    expect(why(string(1), { ...CREATE, parameters: [] })).toBe('no slab failures within ext4_create: it has no argument 1; none of its arguments has a name to compare');
    expect(why(string(3), { ...CREATE, parameters: null, module: 'ext4' })).toBe('no slab failures within ext4_create: module ext4 has no type information of it, so argument 3 cannot be told; leave the condition out, or give a pid');
  });
});
