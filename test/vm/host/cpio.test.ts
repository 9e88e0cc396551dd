import { execFileSync } from 'node:child_process';
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCommand } from '../../../tools/lib/needs.mjs';
import { CpioArchive } from './cpio.ts';

const busybox = findCommand('busybox');

describe('an archive', () => {
  it('has one entry for each parent, in front of what lies in it', () => {
    const text = new CpioArchive().file('a/b/c', 'x').file('a/b/d', 'y').directory('a').bytes().toString('latin1');
    const names = Array.from(text.matchAll(/070701[0-9a-f]{104}([^\0]+)\0/g), (match) => match[1]);
    expect(names).toEqual(['a', 'a/b', 'a/b/c', 'a/b/d', 'TRAILER!!!']);
  });

  it('keeps everything at multiples of four bytes, whatever names and contents', () => {
    fc.assert(fc.property(fc.stringMatching(/^[a-z]{1,9}$/), fc.uint8Array({ maxLength: 9 }), (name, content) => {
      const bytes = new CpioArchive().file(name, content).bytes();
      expect(bytes.length % 4).toBe(0);
      expect(bytes.indexOf('070701', 6) % 4).toBe(0);
    }));
  });
});

describe.skipIf(busybox === null)('what another cpio reads (needs busybox)', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'kbtop-cpio-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is what was written', () => {
    const binary = Buffer.from(Array.from({ length: 10_001 }, (_, i) => i & 255));
    const input = new CpioArchive().file('init', '#!/bin/sh\n').file('a/b', binary, 0o640).link('a/link', '../init').directory('empty').bytes();
    execFileSync(busybox ?? '', ['cpio', '-id'], { cwd: directory, input, stdio: ['pipe', 'ignore', 'ignore'] });
    expect(readFileSync(join(directory, 'init'), 'utf8')).toBe('#!/bin/sh\n');
    expect(lstatSync(join(directory, 'init')).mode & 0o777).toBe(0o755);
    expect(readFileSync(join(directory, 'a/b'))).toEqual(binary);
    expect(readlinkSync(join(directory, 'a/link'))).toBe('../init');
    expect(lstatSync(join(directory, 'empty')).isDirectory()).toBe(true);
  });

  it('has device nodes, for a reader that may make them', () => {
    const input = new CpioArchive().device('dev/console', 5, 1).bytes();
    const list = execFileSync(busybox ?? '', ['cpio', '-tv'], { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'ignore'] });
    expect(list).toMatch(/^crw-------.* dev\/console$/m);
  });
});
