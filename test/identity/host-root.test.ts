import { symlinkSync } from 'node:fs';
import { relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findHostRoot, type HostRootOptions } from '../../src/identity/host-root.ts';
import { TestHost } from './test-host.ts';

const INITIAL = 'pid:[4026531836]';

describe('the root of the host', () => {
  let tree: TestHost;
  /** A process with its own root, with nothing of a host around it. */
  let options: HostRootOptions & { readonly own: string; readonly mounted: string; readonly init: string };

  beforeEach(() => {
    tree = new TestHost();
    options = { given: null, own: tree.mkdir('own'), mounted: tree.path('host'), init: tree.path('init'), pidNamespace: tree.path('pid') };
  });
  afterEach(() => tree[Symbol.dispose]());

  const inPidNamespace = (name: string): void => symlinkSync(name, tree.path('pid'));
  const mountHost = (...files: readonly string[]): void => {
    for (const file of files) tree.write(`host/${file}`, '');
  };

  it('is the one that was given', () => {
    const given = tree.mkdir('mnt/node');
    mountHost('run/x', 'etc/x');
    expect(findHostRoot({ ...options, given })).toEqual({ root: given, reason: 'as --host-root says' });
    expect(findHostRoot({ ...options, given: `${given}//` }).root).toBe(given);
    expect(findHostRoot({ ...options, given: relative(process.cwd(), given) }).root).toBe(given);
    expect(findHostRoot({ ...options, given: '/' }).root).toBe('/');
  });

  it('must be a directory when given', () => {
    expect(() => findHostRoot({ ...options, given: tree.path('none') })).toThrow(/^--host-root .*none: no such directory; [^\n]+$/);
    expect(() => findHostRoot({ ...options, given: tree.write('file', '') })).toThrow(/^--host-root .*file: not a directory; [^\n]+$/);
  });

  it('is ours where process 1 of the host has the same, whatever lies at /host', () => {
    inPidNamespace(INITIAL);
    symlinkSync(options.own, options.init);
    mountHost('run/x', 'etc/x');
    expect(findHostRoot(options)).toEqual({ root: options.own, reason: 'it is the root of process 1 of the host' });
  });

  it('is not ours only because process 1 of this container has the same', () => {
    inPidNamespace('pid:[4026532182]');
    symlinkSync(options.own, options.init);
    mountHost('run/x', 'etc/x');
    expect(findHostRoot(options).root).toBe(options.mounted);
  });

  it.each([
    ['all of it', ['run/x', 'etc/x', 'proc/1/x', 'var/log/x'], true],
    ['what pods usually mount', ['run/x', 'var/log/x'], true],
    ['/var/log and /etc', ['var/log/x', 'etc/x'], true],
    ['an image without a running system', ['etc/x', 'proc/x'], false],
    ['/run alone', ['run/x'], false],
    ['nothing', [], false],
    ['something else', ['home/x', 'data/x'], false],
  ] as const)('is at /host when that holds %s: %#', (_, files, itIs) => {
    tree.mkdir('host/run');
    tree.mkdir('host/var/log');
    mountHost(...files);
    expect(findHostRoot(options).root).toBe(itIs ? options.mounted : options.own);
  });

  it('is that of process 1 in a pod with hostPID', () => {
    inPidNamespace(INITIAL);
    tree.mkdir('init/etc');
    expect(findHostRoot(options)).toMatchObject({ root: options.init, reason: expect.stringMatching(/process 1/) as string });
  });

  it('is ours when nothing else is to be seen', () => {
    expect(findHostRoot(options)).toEqual({ root: options.own, reason: `no host is mounted at ${options.mounted}, and this is not its pid namespace` });
    inPidNamespace(INITIAL);
    expect(findHostRoot(options)).toEqual({ root: options.own, reason: 'no other root is to be seen' });
  });

  it('is found for this very process', () => {
    expect(findHostRoot({ given: null }).root).toMatch(/^\//);
  });
});
