import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HostPath } from '../../src/identity/host-path.ts';
import { TestHost } from './test-host.ts';

const readLink = (path: string): Promise<string | null> => readlink(path).catch(() => null);

describe('a path of the host', () => {
  let tree: TestHost;
  let host: HostPath;
  beforeEach(() => {
    tree = new TestHost();
    host = new HostPath(tree.root);
  });
  afterEach(() => tree[Symbol.dispose]());

  it.each([['/run/x', '/run/x'], ['run/x', '/run/x'], ['/../../etc', '/etc'], ['/a/../../..', ''], ['//a//b/', '/a/b']])('%s is joined to the root', (path, joined) => {
    expect(host.join(path)).toBe(tree.root + joined);
  });

  it('is itself at the root of this process', async () => {
    expect(new HostPath('/').join('/run')).toBe('/run');
    expect(await new HostPath('/').resolve('/var/run/x', () => Promise.reject(new Error('not asked')))).toBe('/var/run/x');
    expect(new HostPath('//').resolveNow('run/../x')).toBe('/x');
  });

  it.each([
    ['an absolute link', '/var/run/x', '/run/x'],
    ['a link to a link', '/abs/x', '/run/x'],
    ['a relative link', '/var/here/x', '/run/x'],
    ['a link that would leave the root', '/out/etc/passwd', '/etc/passwd'],
    ['.. after a link', '/abs/../etc', '/etc'],
    ['what does not exist', '/none/../run/none/x', '/run/none/x'],
  ])('follows %s', async (_, path, to) => {
    tree.mkdir('run');
    tree.link('var/run', '/run');
    tree.link('abs', '/var/run');
    tree.link('var/here', '../run/.');
    tree.link('out', '../../../../../..');
    expect(await host.resolve(path, readLink)).toBe(join(tree.root, to));
    expect(host.resolveNow(path)).toBe(join(tree.root, to));
  });

  it('does not follow circles', async () => {
    tree.link('a', '/b');
    tree.link('b', '/a');
    expect(await host.resolve('/a/x', readLink)).toBeNull();
    expect(host.resolveNow('/a/x')).toBeNull();
  });

  it('never leaves the root, whatever the links say', async () => {
    const part = fc.constantFrom('a', 'b', 'c', '..', '.', '', 'run');
    const path = fc.array(part, { maxLength: 8 }).map((parts) => parts.join('/'));
    await fc.assert(fc.asyncProperty(path, fc.dictionary(fc.constantFrom('a', 'b', 'c', 'a/b', 'b/a'), fc.oneof(path, path.map((to) => `/${to}`))), async (start, links) => {
      const resolved = await new HostPath('/host').resolve(`/${start}`, (at) => Promise.resolve(links[at.replace(/^\/host\//, '')] ?? null));
      expect(resolved === null || resolved === '/host' || resolved.startsWith('/host/')).toBe(true);
      expect(resolved ?? '').not.toMatch(/\/\.\.(\/|$)/);
    }));
  });
});
