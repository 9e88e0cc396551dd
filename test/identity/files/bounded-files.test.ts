import fs from 'node:fs';
import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BoundedFiles, type FsCalls } from '../../../src/identity/files/bounded-files.ts';
import { sleep, TestHost } from '../test-host.ts';

const text = (bytes: Buffer): string => bytes.toString();

/** Calls of node:fs whose open() answers when it is let go. */
class Gate {
  readonly opened: string[] = [];
  readonly #held: (() => void)[] = [];
  readonly calls: FsCalls = { ...fs, open: ((path: string, flags: number, done: (error: NodeJS.ErrnoException | null, fd?: number) => void) => {
    this.opened.push(path);
    this.#held.push(() => fs.open(path, flags, done));
  }) as unknown as typeof fs.open };

  /** Let go of what is held, now and later, until this comes true. */
  async release(done: () => boolean): Promise<void> {
    for (const until = performance.now() + 10_000; !done() && performance.now() < until;) {
      for (const go of this.#held.splice(0)) go();
      await sleep(5);
    }
  }
}

describe('bounded access to files', () => {
  let tree: TestHost;
  let files: BoundedFiles;
  beforeEach(() => {
    tree = new TestHost();
    files = new BoundedFiles({ concurrency: 2 });
  });
  afterEach(() => {
    files.close();
    tree[Symbol.dispose]();
  });

  it.each([['/run', 0], ['/run', 5], ['/run', 65_535], ['/run', 65_536], ['/run', 200_000], ['/var', 0], ['/var', 5], ['/var', 65_536], ['/var', 200_000]])('reads a whole file below %s of %i bytes', async (hostPath, size) => {
    const content = 'é'.repeat(size).slice(0, size);
    expect(await files.read(tree.write('file', content), 1e6, text, { hostPath })).toEqual({ value: content, code: null });
  });

  it.each(['/run', '/var'])('says why it reads none below %s', async (hostPath) => {
    const read = async (path: string): Promise<string | null> => (await files.read(path, 100, text, { hostPath })).code;
    expect(await read(tree.path('none'))).toBe('ENOENT');
    expect(await read(`${tree.write('file', '')}/x`)).toBe('ENOTDIR');
    expect(await read(tree.mkdir('directory'))).toBe('EFTYPE');
    execFileSync('mkfifo', [tree.path('fifo')]);
    expect(await read(tree.path('fifo'))).toBe('EFTYPE');
    expect(await read('/dev/zero')).toBe('EFTYPE');
    expect(await read(tree.write('long', 'x'.repeat(101)))).toBe('EFBIG');
    tree.link('link', tree.path('file'));
    expect(await read(tree.path('link'))).toBe('ELOOP');
    expect(await read('/a\0b')).toBe('ERR_INVALID_ARG_VALUE');
  });

  it('keeps no file open', async () => {
    const path = tree.write('file', 'x'), open = (): number => fs.readdirSync('/proc/self/fd').length;
    const before = open();
    for (const hostPath of ['/run', '/var']) for (let i = 0; i < 50; i++) await Promise.all([files.read(path, 0, text, { hostPath }), files.read(path, 9, text, { hostPath }), files.read(tree.root, 9, text, { hostPath })]);
    expect(open()).toBeLessThan(before + 5);
  });

  it('lists, stats and reads links', async () => {
    tree.write('a/x', '12345');
    tree.link('a/l', 'x');
    expect((await files.list(tree.path('a'))).value?.sort()).toEqual(['l', 'x']);
    expect((await files.stat(tree.path('a/x'))).value).toMatchObject({ directory: false, size: 5 });
    expect((await files.stat(tree.path('a'))).value?.directory).toBe(true);
    expect((await files.stat(tree.path('b'))).code).toBe('ENOENT');
    expect((await files.readLink(tree.path('a/l'))).value).toBe('x');
    expect((await files.readLink(tree.path('a/x'))).code).toBe('EINVAL');
  });

  it('starts few at once, one fewer on a disk, and urgent ones first', async () => {
    const gate = new Gate();
    files = new BoundedFiles({ concurrency: 2, calls: gate.calls });
    const read = (name: string, hostPath: string, urgent = false): Promise<unknown> => files.read(tree.write(name, name), 99, text, { hostPath, urgent });
    const all = [read('v1', '/var/a'), read('v2', '/var/b'), read('r1', '/run/a'), read('r2', '/run/a'), read('r3', '/run/b', true)];
    const opened = (): string[] => gate.opened.splice(0).map((path) => path.slice(-2));
    expect(opened()).toEqual(['v1', 'r1']);
    let settled = false;
    const results = Promise.all(all).finally(() => { settled = true; });
    await gate.release(() => settled);
    const later = opened();
    expect(later.toSorted()).toEqual(['r2', 'r3', 'v2']);
    expect(later.indexOf('r3')).toBeLessThan(later.indexOf('r2'));
    expect(await results).toEqual(['v1', 'v2', 'r1', 'r2', 'r3'].map((value) => ({ value, code: null })));
  });

  it('gives up on what hangs, asks no more there, goes on elsewhere, and comes back when it answers', async () => {
    const gate = new Gate();
    files = new BoundedFiles({ concurrency: 2, timeoutMs: 300, calls: gate.calls });
    const path = tree.write('file', 'x');
    const results = await Promise.all([files.read(path, 9, text, { hostPath: '/var' }), files.read(path, 9, text, { hostPath: '/var' })]);
    expect(results.map(({ code }) => code)).toEqual(['ETIMEDOUT', 'ETIMEDOUT']);
    expect([gate.opened.length, files.hung]).toEqual([1, ['/var']]);
    expect((await files.stat(path, { hostPath: '/var' })).code).toBe('ETIMEDOUT');
    expect((await files.stat(path, { hostPath: '/run' })).code).toBeNull();
    await gate.release(() => files.hung.length === 0);
    expect(files.hung).toEqual([]);
    expect((await files.stat(path, { hostPath: '/var' })).code).toBeNull();
  });

  it('takes no answer for late that came while this process stood still', async () => {
    files = new BoundedFiles({ concurrency: 1, timeoutMs: 30 });
    const reading = files.stat(tree.root);
    for (const end = performance.now() + 100; performance.now() < end;);
    expect((await reading).code).toBeNull();
    expect(files.hung).toEqual([]);
  });

  it('answers what waits when it is closed', async () => {
    const gate = new Gate();
    files = new BoundedFiles({ concurrency: 1, calls: gate.calls });
    const path = tree.write('file', 'x');
    const [first, second] = [files.read(path, 9, text), files.read(path, 9, text)];
    files.close();
    expect((await second).code).toBe('ECANCELED');
    expect((await files.stat(path)).code).toBe('ECANCELED');
    let value: string | null = null;
    void first.then((outcome) => { value = outcome.value; });
    await gate.release(() => value !== null);
    expect(value).toBe('x');
  });
});
