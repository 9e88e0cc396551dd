/** A client and servers that are none, or that go wrong. */
import { type Server, type Socket, createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AttachSource } from '../../../src/session/client/attach-source.ts';
import { dialSession } from '../../../src/session/client/dial.ts';
import { type ToClient, writeToClient } from '../../../src/session/protocol/messages.ts';
import { until } from '../../workloads/cgroup.ts';
import { TestSession } from '../fixture.ts';

let directory: string;
let server: Server;
const sockets: Socket[] = [];
const path = (): string => join(directory, 's');

beforeEach(() => { directory = mkdtempSync(join(tmpdir(), 'kbtop-link-')); });
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
  server.close();
  rmSync(directory, { recursive: true });
});

const WELCOME: ToClient = { kind: 'welcome', welcome: { version: '1', viewer: 1, node: 'n', intervalMs: 1000, control: true, chaos: true, scope: null, permits: { expert: false, allowSystem: false } } };

function serveWith(behave: (socket: Socket, nth: number) => void): Promise<void> {
  let nth = 0;
  server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    socket.resume();
    behave(socket, ++nth);
  });
  return new Promise((resolve) => { server.listen(path(), resolve); });
}

const attach = (): Promise<AttachSource> => AttachSource.open({ dial: () => dialSession(path()), version: '1', terminal: null, steps: { firstMs: 10, longestMs: 20 } });

describe('a session that is none', () => {
  it.each([
    ['speaks something else', (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\n'), 'failed', 'what answers is no session of this kbtop'],
    ['hangs up', (socket: Socket) => socket.end(), 'absent', 'the session is gone'],
    ['announces a gigabyte', (socket: Socket) => socket.write(Buffer.from([0x6b, 0x62, 1, 68, 0x40, 0, 0, 0])), 'failed', 'a message of 1073741824 bytes'],
    ['welcomes in words of its own', (socket: Socket) => socket.write(Buffer.from([0x6b, 0x62, 1, 65, 0, 0, 0, 2, 0x7b, 0x7d])), 'failed', 'is it of another version?'],
    ['lets nobody in', (socket: Socket) => socket.write(writeToClient({ kind: 'bye', reason: 'refused', message: 'you may not look' })), 'refused', 'you may not look'],
    ['is full', (socket: Socket) => socket.write(writeToClient({ kind: 'bye', reason: 'full', message: 'no room' })), 'failed', 'no room'],
  ])('%s', async (_what, behave, kind, message) => {
    await serveWith((socket) => behave(socket));
    await expect(attach()).rejects.toMatchObject({ name: 'SessionError', kind, message: expect.stringContaining(message) as string });
  });

  it('says nothing', async () => {
    await serveWith(() => {});
    await expect(attach()).rejects.toMatchObject({ kind: 'failed', message: 'the session did not answer for 5 s: is it kbtop serve, and does it run?' });
  });
});

describe('a session that is lost', () => {
  it('is come back to, with pauses, until it is closed', async () => {
    let came = 0;
    await serveWith((socket, nth) => {
      came = nth;
      if (nth % 2 === 1) socket.write(writeToClient(WELCOME), () => { setTimeout(() => socket.destroy(), 20); });
      else socket.destroy();
    });
    const source = await attach();
    const told: (string | null)[] = [];
    source.onTrouble((reason) => told.push(reason));
    await until('several attempts', () => came >= 6);
    expect(told[0]).toBe('the session is gone');
    expect(told).toContain(null);
    await source.close();
    const at = came;
    await new Promise((resolve) => { setTimeout(resolve, 100); });
    expect(came).toBe(at);
    await expect(source.done).resolves.toBe(undefined);
  });

  it('is left when it does not want this viewer any more', async () => {
    await serveWith((socket, nth) => {
      if (nth === 1) socket.once('data', () => socket.write(writeToClient(WELCOME), () => socket.destroy()));
      else socket.write(writeToClient({ kind: 'bye', reason: 'refused', message: 'you may not look' }));
    });
    const source = await attach();
    await expect(source.done).rejects.toMatchObject({ kind: 'refused', message: 'you may not look' });
  });

  it('sends what is no Frame: says so, and ends', async () => {
    await serveWith((socket) => socket.write(Buffer.concat([writeToClient(WELCOME), writeToClient({ kind: 'frame', packed: Buffer.from('x') })])));
    const source = await attach();
    await expect(source.done).rejects.toMatchObject({ kind: 'failed', message: expect.stringContaining('a Frame of the session is not understood') as string });
  });
});

describe('a driver that comes back', () => {
  it('has the wheel and what it shared again, unless somebody else took it', async () => {
    await serveWith(() => {});
    await using session = await TestSession.open();
    const links: Socket[] = [];
    let gate = Promise.resolve();
    const driver = await AttachSource.open({
      dial: async () => {
        await gate;
        const socket = await dialSession(session.path);
        links.push(socket);
        return socket;
      },
      version: '1', terminal: null, steps: { firstMs: 10, longestMs: 20 },
    });
    const other = await session.attach();
    driver.company.drive(true);
    driver.company.follow(false);
    driver.company.share({ pane: 'opens' });
    await until('the view', () => other.company.view?.['pane'] === 'opens');
    links[0]?.destroy();
    await until('it to be missed', () => links.length === 2);
    await until('it again', () => other.company.view?.['pane'] === 'opens' && other.company.viewers.some(({ id, drives }) => drives && id === driver.company.self));
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    links[1]?.destroy();
    await until('nobody', () => other.company.viewers.length === 1);
    other.company.drive(true);
    other.company.share({ pane: 'tcp' });
    await until('another driver', () => other.company.viewers[0]?.drives);
    resolve();
    await until('it back', () => driver.company.view?.['pane'] === 'tcp' && driver.company.viewers.length === 2);
    expect(driver.company.viewers.find(({ drives }) => drives)?.id).toBe(other.company.self);
    await driver.close();
  });
});
