/** One build makes the BPF objects of every machine that kbtop is for, whichever it runs on. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/bpf/load.ts';
import { filesBelow } from '../../tools/lib/stamp.mjs';

const BUILD = join(import.meta.dirname, '../../bpf/build.sh');
const ARCHES = ['x64', 'arm64'] as const;
let directory: string;
const objects = (arch: string): string[] => filesBelow(join(directory, arch)).map((file) => relative(join(directory, arch), file));
const programs = (arch: string, object: string): string[] => {
  // libbpf reads its ELF, its maps and its BTF here; the kernel has no part in it.
  const opened = loadAddon().open(join(directory, arch, object));
  try {
    return opened.programs().map(({ name }) => name).sort();
  } finally {
    opened.close();
  }
};
const has = (arch: string, object: string, text: string): boolean => readFileSync(join(directory, arch, object)).includes(text);

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'kbtop-arches-'));
  for (const arch of ARCHES) execFileSync(BUILD, ['--arch', arch, join(directory, arch)], { stdio: ['ignore', 'ignore', 'pipe'] });
});
afterAll(() => rmSync(directory, { recursive: true }));

describe('bpf/build.sh', () => {
  it('makes the same objects with the same programs for both, and libbpf can read them', () => {
    expect(objects('arm64').length).toBeGreaterThan(20);
    expect(objects('arm64')).toEqual(objects('x64'));
    for (const object of objects('arm64')) {
      expect(programs('arm64', object).length, object).toBeGreaterThan(0);
      expect(programs('arm64', object), object).toEqual(programs('x64', object));
    }
  });

  it('reads each machine\'s own registers and functions', () => {
    expect(ARCHES.map((arch) => [has(arch, 'syscalls.bpf.o', 'orig_ax'), has(arch, 'syscalls.bpf.o', 'syscallno')])).toEqual([[true, false], [false, true]]);
    expect(ARCHES.map((arch) => has(arch, 'features/fmod_ret.bpf.o', '__arm64_sys_getpgid'))).toEqual([false, true]);
  });

  it('keeps no word of where the checkout lies', () => {
    for (const object of objects('x64')) expect(has('x64', object, join(import.meta.dirname, '../..')), object).toBe(false);
  });

  it.each([[[]], [['--arch']], [['--arch', 'mips', '/tmp/x']]])('explains itself: %j', (args) => {
    const { status, stderr } = spawnSync(BUILD, args, { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'bpf/build.sh: usage: bpf/build.sh [--arch x64|arm64] OUTDIR [NAME...]\n' });
  });
});
