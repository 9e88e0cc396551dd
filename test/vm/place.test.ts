/** That a VM is what it should be: else every test that skips what its kernel lacks would pass there for nothing. */
import { accessSync, readFileSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { lostOptions } from './host/build.ts';
import { type KernelAbilities, kernel } from './kernel.ts';

/** Set by run.ts. */
const id = process.env['KBTOP_VM'];
const disk = process.env['KBTOP_VM_DISK'] ?? '';

const EVERYWHERE = { fentry: true, kprobe: true, fmodRetSecurity: true, bpfLsm: true, lsmCgroup: true, cgroup: true, cgroupMode: 'v2' } as const;
const EXPECTED: Readonly<Record<'injection' | 'stock', KernelAbilities>> = {
  injection: { ...EVERYWHERE, errorInjection: true, kprobeOverride: true },
  stock: { ...EVERYWHERE, errorInjection: false, kprobeOverride: false },
};

describe.skipIf(id === undefined)('a VM (only in one)', () => {
  const kind = id?.startsWith('injection') ? 'injection' : 'stock';

  it('has the abilities that its kernel is there for', () => expect(kernel).toEqual(EXPECTED[kind]));

  it('has two CPUs, a writable layer and a disk of its own', () => {
    expect(cpus()).toHaveLength(2);
    const own = join(import.meta.dirname, `written-by-${process.pid}`);
    writeFileSync(own, 'x');
    accessSync(own);
    writeFileSync(join(disk, 'file'), 'x');
    expect(statfsSync(disk).type).toBe(0xef53);
    expect(statSync(disk).dev).not.toBe(statSync('/').dev);
  });

  it.skipIf(kind !== 'injection')('was built from kernel.config', () => {
    const config = gunzipSync(readFileSync('/proc/config.gz')).toString();
    expect(lostOptions(readFileSync(join(import.meta.dirname, 'kernel.config'), 'utf8'), config)).toEqual([]);
  });
});
