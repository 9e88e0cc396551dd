import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { underHostRoot } from '../../../src/identity/cri/host-path.ts';
import { temporaryDirectory } from './support.ts';

describe('a path under the host\'s root', () => {
  it('is the path itself on the host', () => {
    expect(underHostRoot('/', '/var/run/x')).toBe('/var/run/x');
    expect(underHostRoot('//', 'run/../x')).toBe('/x');
  });

  it('stays below the root', () => {
    const root = temporaryDirectory();
    expect(underHostRoot(root, '/run/x')).toBe(join(root, 'run/x'));
    expect(underHostRoot(root, '../../etc/./passwd')).toBe(join(root, 'etc/passwd'));
  });

  it('follows absolute links, relative ones, and links behind links, all inside', () => {
    const root = temporaryDirectory();
    mkdirSync(join(root, 'var/lib'), { recursive: true });
    mkdirSync(join(root, 'run'));
    symlinkSync('/run', join(root, 'var/run'));
    symlinkSync('../../var/run/crio', join(root, 'var/lib/crio'));
    symlinkSync('../../../../../../../../../etc', join(root, 'up'));
    expect(underHostRoot(root, '/var/run/x.sock')).toBe(join(root, 'run/x.sock'));
    expect(underHostRoot(root, '/var/lib/crio/x.sock')).toBe(join(root, 'run/crio/x.sock'));
    expect(underHostRoot(root, '/up/passwd')).toBe(join(root, 'etc/passwd'));
  });

  it('ends where links go round', () => {
    const root = temporaryDirectory();
    symlinkSync('/b', join(root, 'a'));
    symlinkSync('/a', join(root, 'b'));
    expect(underHostRoot(root, '/a/x')).toMatch(/\/[ab]\/x$/);
  });
});
