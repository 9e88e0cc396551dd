import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contextName, existingDirectory, nodeName, readableFile, settledPath, socketPlace } from '../../src/cli/places.ts';

const isRoot = process.getuid?.() === 0;

describe('places', () => {
  let dir: string;
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'kbtop-places-'));
    writeFileSync(join(dir, 'config'), 'x');
    execFileSync('mkfifo', [join(dir, 'fifo')]);
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('takes a file that can be read, also through a pipe, and makes its path absolute', () => {
    for (const name of ['config', 'fifo']) expect(readableFile(join(dir, name))).toBe(join(dir, name));
    expect(readableFile('package.json')).toBe(join(process.cwd(), 'package.json'));
  });

  it('refuses other files on one line', () => {
    expect(() => readableFile('')).toThrow(new RangeError('lacks the name of a file'));
    expect(() => readableFile(dir)).toThrow(new RangeError(`"${dir}" is a directory, not a file`));
    expect(() => readableFile(join(dir, 'none'))).toThrow(new RangeError(`"${join(dir, 'none')}": there is no such file or directory`));
    expect(() => readableFile(join(dir, 'config', 'below'))).toThrow(/there is no such file/);
    expect(() => readableFile(`${dir}\0`)).toThrow(RangeError);
  });

  it.skipIf(isRoot)('says when a file may not be read (needs another user than root)', () => {
    chmodSync(join(dir, 'config'), 0);
    expect(() => readableFile(join(dir, 'config'))).toThrow(/cannot be read: permission denied/);
  });

  it('takes directories alone for the host\'s root', () => {
    expect(existingDirectory('/')).toBe('/');
    expect(existingDirectory(`${dir}/`)).toBe(dir);
    expect(() => existingDirectory('')).toThrow(new RangeError('lacks the name of a directory'));
    expect(() => existingDirectory(join(dir, 'config'))).toThrow(new RangeError(`"${join(dir, 'config')}" is no directory`));
    expect(() => existingDirectory(join(dir, 'none'))).toThrow(/there is no such file or directory/);
  });

  it('takes sockets by path or unix://, whether they are there or not', () => {
    for (const place of ['/run/none.sock', 'unix:///run/none.sock']) expect(socketPlace(place)).toBe(place);
    for (const place of ['', 'none.sock', 'unix://run/none.sock', 'unix:/run/none.sock', 'tcp://127.0.0.1:1', 'npipe:////./pipe/x']) expect(() => socketPlace(place)).toThrow(/is not a socket's absolute path/);
  });

  it('takes names that can be', () => {
    expect(nodeName('ip-10-0-0-1.ec2.internal')).toBe('ip-10-0-0-1.ec2.internal');
    expect(() => nodeName('node_1')).toThrow('"node_1" cannot be a node\'s name: it cannot have "_" there');
    expect(contextName('user@cluster/x')).toBe('user@cluster/x');
    expect(() => contextName('')).toThrow(RangeError);
  });

  it('spells ~ out and wants paths that do not depend on where it is started', () => {
    expect(settledPath('~/.kube/config', '/home/me')).toBe('/home/me/.kube/config');
    expect(settledPath('/a', '/home/me')).toBe('/a');
    for (const text of ['a', './a', '~other/a', '']) expect(() => settledPath(text, '/home/me')).toThrow(/is neither absolute nor begins with ~\//);
  });
});
