/** The name of a socket: real servers, real directories, and others that want the same. */
import { fork, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { type Server, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SocketPlace, type SocketPlaceOptions } from '../../../src/session/server/socket-place.ts';
import { addon } from '../../native/support.ts';
import { ended } from '../../workloads/cgroup.ts';

let directory: string;
let servers: Server[];
let places: SocketPlace[];
const path = (): string => join(directory, 'run/s');

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kbtop-place-'));
  servers = [];
  places = [];
});
afterEach(async () => {
  await Promise.all(places.map((place) => place.release()));
  for (const server of servers) server.close();
  rmSync(directory, { recursive: true, force: true });
});

async function take(more: Partial<SocketPlaceOptions> = {}): Promise<SocketPlace> {
  const server = createServer((socket) => socket.on('error', () => {}).end('here'));
  servers.push(server);
  const place = await SocketPlace.take(server, { path: path(), mode: 0o600, gid: null, ownDirectory: true, pidOf: () => null, tryLock: (descriptor) => addon().tryLock(descriptor), ...more });
  places.push(place);
  return place;
}

const answer = (at = path()): Promise<string> => new Promise((resolve) => {
  let text = '';
  connect(at).on('data', (chunk) => { text += String(chunk); }).on('error', (error) => resolve((error as NodeJS.ErrnoException).code ?? '')).on('close', () => resolve(text));
});

/** A socket whose server was killed. */
async function dead(): Promise<void> {
  const child: ChildProcess = fork(join(import.meta.dirname, '../children/listener.mjs'), [path()]);
  await new Promise((resolve) => { child.once('message', resolve); });
  child.kill('SIGKILL');
  await ended(child);
}

describe('a socket\'s place', () => {
  it('is made for its owner alone, and given back', async () => {
    const place = await take();
    expect(await answer()).toBe('here');
    expect([statSync(path()).mode & 0o777, statSync(join(directory, 'run')).mode & 0o777, readdirSync(join(directory, 'run'))]).toEqual([0o600, 0o700, ['s']]);
    await place.release();
    expect(readdirSync(join(directory, 'run'))).toEqual([]);
  });

  it('lets others through its directory where they are meant', async () => {
    await take({ mode: 0o660, gid: process.getuid?.() === 0 ? 4321 : null });
    expect([statSync(path()).mode & 0o777, statSync(join(directory, 'run')).mode & 0o777]).toEqual([0o660, 0o711]);
    if (process.getuid?.() === 0) expect(statSync(path()).gid).toBe(4321);
  });

  it('is not taken from who lives, and is from who is dead', async () => {
    mkdirSync(join(directory, 'run'), { mode: 0o700 });
    await dead();
    expect(await answer()).toBe('ECONNREFUSED');
    await take();
    expect(await answer()).toBe('here');
    await expect(take({ pidOf: () => process.pid })).rejects.toThrow(`kbtop serve runs already on ${path()} (pid ${process.pid}): look with kbtop attach ${path()}`);
    expect(await answer()).toBe('here');
    expect(readdirSync(join(directory, 'run'))).toEqual(['s']);
  });

  it.each([1, 2, 3, 4])('is had by one of those who want it at once (%i)', async () => {
    mkdirSync(join(directory, 'run'), { mode: 0o700 });
    await dead();
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => take()));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await answer()).toBe('here');
    expect(readdirSync(join(directory, 'run'))).toEqual(['s']);
  });

  it('is left alone at the end when it has become somebody else\'s', async () => {
    const place = await take();
    rmSync(path());
    writeFileSync(path(), 'x');
    await place.release();
    expect(existsSync(path())).toBe(true);
  });

  it.each([
    ['a file', () => writeFileSync(path(), 'x'), 'there is something that is no socket'],
    ['a link', () => symlinkSync('/etc/passwd', path()), 'there is something that is no socket'],
    ['a link to nothing', () => symlinkSync(join(directory, 'elsewhere'), path()), 'there is something that is no socket'],
    ['a directory', () => mkdirSync(path()), 'there is something that is no socket'],
    ['a place that others can write to', () => chmodSync(join(directory, 'run'), 0o777), 'others may write to'],
  ])('is not %s', async (_what, make, message) => {
    mkdirSync(join(directory, 'run'), { mode: 0o700 });
    make();
    await expect(take()).rejects.toMatchObject({ kind: 'failed', message: expect.stringContaining(message) as string });
    expect(existsSync(join(directory, 'elsewhere'))).toBe(false);
    expect(readdirSync(join(directory, 'run')).filter((name) => name !== 's')).toEqual([]);
    if (existsSync(path())) expect(lstatSync(path()).isSocket()).toBe(false);
  });

  it('may be in a sticky directory, as /tmp is', async () => {
    mkdirSync(join(directory, 'run'));
    chmodSync(join(directory, 'run'), 0o1777);
    await take({ mode: 0o666 });
    expect(await answer()).toBe('here');
  });

  it.skipIf(process.getuid?.() !== 0)('is not in a directory of somebody else (needs root to give one away)', async () => {
    mkdirSync(join(directory, 'run'));
    chownSync(join(directory, 'run'), 1234, 1234);
    await expect(take()).rejects.toThrow('belongs to user 1234');
  });

  it('must be reachable for those who are let in', async () => {
    mkdirSync(join(directory, 'run'), { mode: 0o700 });
    await expect(take({ mode: 0o666, ownDirectory: false })).rejects.toThrow('so the socket\'s mode would let in nobody: chmod 711');
  });

  it('has a path that fits', async () => {
    await expect(take({ path: join(directory, 'x'.repeat(120)) })).rejects.toThrow('a socket\'s path has 107 bytes at the most');
    await expect(take({ path: join(directory, 'a/b/s') })).rejects.toThrow('there is no such directory');
    await expect(take({ path: '/proc/kbtop/s' })).rejects.toMatchObject({ kind: 'failed' });
  });
});
