import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { locate } from '../../src/bpf/locate.ts';
import { selftest } from './support.ts';

const root = join(import.meta.dirname, '../..');
let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kbtop-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function run(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(join(root, script), args, { encoding: 'utf8', env: { ...process.env, ...env }, cwd: directory });
}

describe('native/build.sh', () => {
  it.each([
    ['without an argument', [], {}, /usage: native\/build\.sh OUT\.node/],
    ['without a compiler', ['x.node'], { CXX: 'no-such-compiler' }, /no-such-compiler is not installed \(Debian, Ubuntu: apt-get install/],
    ['without libbpf', ['x.node'], { CC: 'false' }, /bpf\/libbpf\.h is not installed \(Debian, Ubuntu: apt-get install libbpf-dev\)/],
    ['with a flag that does not compile', ['x.node'], { KBTOP_CXXFLAGS: '-fno-such-flag' }, /the addon does not compile, see above/],
  ])('fails clearly %s', (_, args, env, message) => {
    const { status, stdout, stderr } = run('native/build.sh', args, env);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('made an addon that needs only the C and C++ libraries', () => {
    const { stdout } = spawnSync('ldd', [locate('kbtop.node', join(root, 'src/bpf')).path], { encoding: 'utf8' });
    const libraries = [...stdout.matchAll(/^\s*(?:\S*\/)?(lib[\w+]+|ld-linux)\S*/gm)].map((match) => match[1]);
    expect(new Set(libraries)).toEqual(new Set(['libstdc++', 'libgcc_s', 'libc', 'libm', 'ld-linux'].filter((name) => libraries.includes(name))));
    expect(libraries).toContain('libc');
  });
});

describe('bpf/build.sh', () => {
  it('compiles one object to where it belongs, quietly, the same every time', () => {
    const { status, stdout, stderr } = run('bpf/build.sh', ['out', 'selftest/counter']);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(readdirSync(join(directory, 'out/selftest'))).toEqual(['counter.bpf.o']);
    expect(readFileSync(join(directory, 'out/selftest/counter.bpf.o')).equals(readFileSync(selftest('counter')))).toBe(true);
  });

  it.each([
    ['without an argument', [], {}, /usage: bpf\/build\.sh \[--arch x64\|arm64\] OUTDIR/],
    ['without clang', ['out'], { CLANG: 'no-such-clang' }, /no-such-clang/],
    ['for a program that is not there', ['out', 'nobody'], {}, /nobody\.bpf\.c.*\n[\s\S]*a BPF program does not compile, see above/],
    ['on a warning', ['out', 'selftest/counter'], { KBTOP_BPF_CFLAGS: '-Wunused-parameter' }, /unused parameter/],
  ])('fails clearly %s', (_, args, env, message) => {
    const { status, stdout, stderr } = run('bpf/build.sh', args, env);
    expect(status).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    const out = join(directory, 'out/selftest');
    expect(existsSync(out) ? readdirSync(out) : []).toEqual([]);
  });
});
