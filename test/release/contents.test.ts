/** What is in a release, and that it is the same every time. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARCHES } from '../../tools/lib/arch.mjs';
import { readElf } from '../../tools/lib/release/elf.mjs';
import { packagesOf } from '../../tools/lib/release/licences.mjs';
import { filesBelow } from '../../tools/lib/stamp.mjs';
import { run } from '../tools/checkout.ts';
import { IMAGE, NAME, OUT, ROOT, TARBALL, Unpacked, listed, makeRelease, unavailable } from './release.ts';

const why = unavailable();
const sums = (): string => readFileSync(join(OUT, 'SHA256SUMS'), 'utf8');

describe.skipIf(why !== null)(`a release${why === null ? '' : ` (${why})`}`, () => {
  let release: Unpacked;
  beforeAll(() => {
    makeRelease();
    release = new Unpacked();
  });
  afterAll(() => release[Symbol.dispose]());
  const path = (name: string): string => join(release.tree, name);
  const files = (): string[] => filesBelow(release.tree).map((file) => file.slice(release.tree.length + 1));

  it('has what kbtop needs, and nothing of the tests', () => {
    expect(listed(release.tree)).toEqual(expect.arrayContaining(['LICENSE', 'THIRD-PARTY.txt', 'bin', 'dist', 'lib', 'node', 'scenarios']));
    expect(files()).toEqual(expect.arrayContaining(['bin/kbtop', 'dist/kbtop.mjs', 'dist/kbtop.node', 'dist/bpf/syscalls.bpf.o', 'dist/bpf/chaos/core.bpf.o', 'dist/bpf/features/ringbuf.bpf.o']));
    expect(files().filter((file) => /selftest|\.map$|\.ts$|node_modules/.test(file))).toEqual([]);
  });

  it('brings exactly the libraries that its programs ask for, of its own machine', () => {
    const { machine, interpreter } = readElf(readFileSync(path('lib/node')));
    expect(machine).toBe(ARCHES[process.arch as 'x64'].elf);
    const wanted = new Set([interpreter?.split('/').at(-1) ?? '']);
    const look = (file: string): void => {
      for (const name of readElf(readFileSync(path(file))).needed) {
        if (wanted.has(name)) continue;
        wanted.add(name);
        look(`lib/${name}`);
      }
    };
    for (const file of ['lib/node', 'dist/kbtop.node']) look(file);
    expect(listed(path('lib'))).toEqual([...wanted, 'node'].sort());
    for (const launcher of ['bin/kbtop', 'node']) expect(readElf(readFileSync(path(launcher)))).toMatchObject({ machine, interpreter: null, needed: [] });
  });

  it('has the programs executable and everything readable, whoever unpacks it', () => {
    for (const file of files()) expect(statSync(path(file)).mode & 0o7777, file).toBe(/^bin\/|^(?:lib\/)?node$|^dist\/kbtop\.node$|^lib\/ld-/.test(file) ? 0o755 : 0o644);
  });

  it('says nothing of where it was made', () => {
    for (const file of files().filter((name) => !name.startsWith('lib/'))) expect(readFileSync(path(file)).includes(`${ROOT}/`), file).toBe(false);
  });

  it('names everything of others with its licence: npm packages, Node, libraries', () => {
    const text = readFileSync(path('THIRD-PARTY.txt'), 'utf8');
    for (const title of [/^node-linux-\w+ [\d.]+ \(npm, MIT\): node$/m, /^ink [\d.]+ \(npm, MIT\): in dist\/$/m, /^commander [\d.]+ /m, /^libc6 .*: in lib\/libc\.so\.6$/m, /^libstdc\+\+6 .*: in lib\/libstdc\+\+\.so\.6$/m, /^libbpf-dev .*: in dist\/kbtop\.node$/m, /^libelf-dev /m, /^node-addon-api /m]) expect(text).toMatch(title);
    expect(text).toContain('Node.js is licensed for use as follows');
    expect(text).toContain('GNU LESSER GENERAL PUBLIC LICENSE');
    expect(text).not.toMatch(/no licence named/);
    expect(packagesOf(['src/a.ts', 'node_modules/a/b.js', 'node_modules/@s/c/node_modules/d/e.js', 'node_modules/a/f.js'])).toEqual(['node_modules/@s/c/node_modules/d', 'node_modules/a']);
  });

  it('has sums that are right', () => {
    for (const file of [TARBALL, IMAGE]) expect(sums()).toContain(`${createHash('sha256').update(readFileSync(file)).digest('hex')}  ${file.slice(OUT.length + 1)}\n`);
  });

  it('is left alone while nothing changed', () => {
    const before = statSync(TARBALL).mtimeMs;
    makeRelease();
    expect(statSync(TARBALL).mtimeMs).toBe(before);
  });

  it('is the same bytes when it is made again, by somebody else, elsewhere on the globe', () => {
    const before = sums();
    rmSync(join(ROOT, `dist/.stamps/release-${process.arch}.json`));
    const { code, stderr } = run('sh', ['-c', 'umask 077; exec "$0" "$1"', process.execPath, join(ROOT, 'tools/dist.mjs')], { env: { ...process.env, TZ: 'Asia/Kolkata', LC_ALL: 'C' } });
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('release made') as string });
    expect(sums()).toBe(before);
    expect(existsSync(join(ROOT, 'dist/.staging', NAME))).toBe(false);
  });
});

describe('tools/dist.mjs', () => {
  it('refuses what it does not know, on one line', () => {
    const { code, stderr } = run(process.execPath, [join(ROOT, 'tools/dist.mjs'), '--arch', 'mips']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'setup: usage: node tools/dist.mjs [--arch x64|arm64]\n' });
  });

  it('says what a release for another machine would need, or makes it', () => {
    const other = process.arch === 'x64' ? 'arm64' : 'x64';
    const { code, stderr } = run(process.execPath, [join(ROOT, 'tools/dist.mjs'), '--arch', other]);
    if (code === 0) expect(listed(OUT)).toContain(NAME.replace(process.arch, `${other}.tar.gz`));
    else expect(stderr).toMatch(new RegExp(`^setup: a release for ${other} cannot be made here, missing: .*Node for ${other} \\(npm install --no-save --cpu=${other} node-linux-${other}@[\\d.]+\\)\n$`));
  });
});

describe('readElf', () => {
  it.each([['nothing', ''], ['a script', '#!/bin/sh\n'.padEnd(100)], ['a 32-bit program', `\x7fELF\x01\x01${'\0'.repeat(60)}`]])('refuses %s', (_, text) => {
    const directory = mkdtempSync(join(tmpdir(), 'kbtop-elf-'));
    writeFileSync(join(directory, 'file'), text, 'latin1');
    expect(() => readElf(readFileSync(join(directory, 'file')))).toThrow('not a 64-bit little-endian ELF file');
    rmSync(directory, { recursive: true });
  });
});
