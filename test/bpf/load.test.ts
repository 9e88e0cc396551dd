import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AddonError, loadAddon } from '../../src/bpf/load.ts';
import { locate } from '../../src/bpf/locate.ts';
import { objectPath } from '../../src/bpf/objects.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kbtop-'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true });
});

function failure(path: string): AddonError {
  vi.stubEnv('KBTOP_ADDON', path);
  try {
    loadAddon();
  } catch (error) {
    return error as AddonError;
  }
  throw new Error('it did not fail');
}

describe('loadAddon', () => {
  it('finds the one that was built', () => {
    const addon = loadAddon();
    expect(addon.libbpfVersion).toMatch(/^\d+\.\d+$/);
    expect(loadAddon()).toBe(addon);
  });

  it('takes the one it is told', () => {
    const copy = join(directory, 'other.node');
    copyFileSync(locate('kbtop.node', join(import.meta.dirname, '../../src/bpf')).path, copy);
    vi.stubEnv('KBTOP_ADDON', copy);
    expect(loadAddon().possibleCpus()).toBeGreaterThan(0);
  });

  it('says in one line what is wrong with it', () => {
    const text = join(directory, 'text.node');
    writeFileSync(text, 'not an addon');
    for (const path of [join(directory, 'missing.node'), text, '/']) {
      const error = failure(path);
      expect(error).toBeInstanceOf(AddonError);
      expect(error.code).toBe('ERR_ADDON');
      expect(error.message).toContain(`cannot load kbtop's native addon ${path}: `);
      expect(error.message).not.toContain('\n');
    }
  });

  it('names what a library without our entry point lacks', () => {
    const source = join(directory, 'x.c'), library = join(directory, 'x.node');
    writeFileSync(source, 'int x;');
    execFileSync('cc', ['-shared', '-fPIC', '-o', library, source]);
    expect(failure(library).message).toMatch(/Module did not self-register|napi_register_module/);
  });
});

describe('locate', () => {
  it('looks beside the running module, and only the sources look in dist/', () => {
    const sources = join(directory, 'checkout', 'src', 'bpf'), dist = join(directory, 'checkout', 'dist');
    mkdirSync(sources, { recursive: true });
    mkdirSync(dist, { recursive: true });
    expect(locate('kbtop.node', sources)).toEqual({ path: join(dist, 'kbtop.node'), found: false });
    expect(locate('kbtop.node', dist)).toEqual({ path: join(dist, 'kbtop.node'), found: false });
    writeFileSync(join(dist, 'kbtop.node'), '');
    expect(locate('kbtop.node', sources)).toEqual({ path: join(dist, 'kbtop.node'), found: true });
    expect(locate('kbtop.node', dist)).toEqual({ path: join(dist, 'kbtop.node'), found: true });
    expect(locate('kbtop.node', join(directory, 'checkout', 'lib', 'bundle')).found).toBe(false);
  });
});

describe('objectPath', () => {
  it('gives the built object, or that of KBTOP_BPF_DIR', () => {
    expect(objectPath('selftest/counter')).toMatch(/dist\/bpf\/selftest\/counter\.bpf\.o$/);
    vi.stubEnv('KBTOP_BPF_DIR', '/somewhere');
    expect(objectPath('syscalls')).toBe('/somewhere/syscalls.bpf.o');
  });
});
