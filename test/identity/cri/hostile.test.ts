/** Sockets that are no runtime, or a broken one: a reason in one line, soon, and no hot retry. */
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { constants, createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { FakeRuntime, recorded } from './fake-runtime.ts';
import { after, criSource, IMPATIENT, temporaryDirectory, until } from './support.ts';

/** A server on a unix socket that does as it likes with whoever connects. */
class Wild {
  readonly path = join(temporaryDirectory(), 'runtime.sock');
  readonly open = new Set<Socket>();
  accepted = 0;
  readonly #server: Server;

  constructor(behave: (socket: Socket) => void) {
    this.#server = createServer((socket) => this.#accept(socket, behave));
    after(() => this.close());
  }

  #accept(socket: Socket, behave: (socket: Socket) => void): void {
    this.accepted += 1;
    this.open.add(socket);
    socket.on('close', () => this.open.delete(socket));
    socket.on('error', () => {});
    behave(socket);
    // Or the other side's end would not be seen.
    socket.resume();
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(this.path, resolve));
    return this;
  }

  close(): void {
    for (const socket of this.open) socket.destroy();
    this.#server.close();
  }
}

/** HTTP/2 as gRPC has it, up to the answer's body. */
async function wildHttp2(answer: (stream: ServerHttp2Stream) => void): Promise<string> {
  const server = createHttp2Server();
  const path = join(temporaryDirectory(), 'runtime.sock');
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    answer(stream);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  after(() => {
    for (const session of sessions) session.destroy();
    server.close();
  });
  return path;
}

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };

/** A message's five bytes before it: not compressed, of this length. */
function prefix(length: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeUInt32BE(length, 1);
  return bytes;
}

/** An empty SETTINGS frame, with which every HTTP/2 connection begins. */
const SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

describe('a socket that', () => {
  it.each<[what: string, behave: (socket: Socket) => void, reason: RegExp, ms?: number]>([
    ['accepts and never answers', () => {}, /takes connections, but does not answer$/, 150],
    ['closes at once', (socket) => socket.destroy(), /lost the connection: /],
    ['closes when asked', (socket) => socket.once('data', () => socket.end()), /lost the connection: /],
    ['closes in the middle of an answer', (socket) => socket.once('data', () => socket.end(Buffer.concat([SETTINGS, Buffer.from([0, 0, 50, 1])]))), /lost the connection: /],
    ['answers garbage', (socket) => socket.once('data', () => socket.write(Buffer.from('\xff\x00garbage\x1b[31m'.repeat(50), 'latin1'))), /lost the connection: /],
    ['answers HTTP/1.1', (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')), /lost the connection: /],
    ['takes HTTP/2 and no calls', (socket) => socket.once('data', () => socket.write(SETTINGS)), /does not answer$/, 150],
  ])('%s', async (_, behave, reason, callMs = 3_000) => {
    const wild = await new Wild(behave).listen();
    const { source } = criSource(wild.path, { tuning: { callMs, retryMs: 50, longestRetryMs: 50 } });
    const begun = performance.now();
    await source.start();
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(source.state.status).toBe('failing');
    expect(source.state.reason).toMatch(reason);
    expect(source.state.reason).toContain(wild.path);
    expect(source.state.reason).not.toContain('\n');
    // A knock and a connection each time.
    const accepted = wild.accepted;
    await sleep(300);
    expect(wild.accepted - accepted).toBeGreaterThan(0);
    expect(wild.accepted - accepted).toBeLessThanOrEqual(18);
    source.close();
    await until(() => wild.open.size === 0, 'every connection to be closed');
  });

  it('nobody listens on', async () => {
    const directory = temporaryDirectory();
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(directory, 'bound'), resolve));
    const path = join(directory, 'stale');
    renameSync(join(directory, 'bound'), path);
    await new Promise((resolve) => server.close(resolve));
    const { source } = criSource(path);
    await source.start();
    expect(source.state).toEqual({ status: 'failing', reason: `--runtime-endpoint: ${path} is there, but nobody listens: the runtime is down or restarting`, fix: null });
  });

  it('is a file', async () => {
    const path = join(temporaryDirectory(), 'file');
    writeFileSync(path, '');
    const { source } = criSource(path);
    await source.start();
    expect(source.state.reason).toBe(`--runtime-endpoint: ${path} is not a socket`);
  });

  it('sends 100 MB', async () => {
    let sent = 0;
    const path = await wildHttp2((stream) => {
      stream.respond(GRPC);
      stream.write(prefix(100 * 1024 * 1024));
      const chunk = Buffer.alloc(64 * 1024);
      const more = (): void => {
        while (!stream.destroyed && sent < 100 * 1024 * 1024) {
          sent += chunk.length;
          if (!stream.write(chunk)) return void stream.once('drain', more);
        }
      };
      more();
    });
    const { source } = criSource(path);
    await source.start();
    expect(source.state.status).toBe('failing');
    expect(source.state.reason).toContain('answers more than is read: Received message larger than max (104857600 vs 16777216)');
    expect(sent).toBeLessThan(10 * 1024 * 1024);
  });

  it('trickles', async () => {
    const path = await wildHttp2((stream) => {
      stream.respond(GRPC);
      stream.write(prefix(1_000_000));
      const timer = setInterval(() => stream.destroyed || stream.write('x'), 5);
      stream.on('close', () => clearInterval(timer));
    });
    const { source } = criSource(path, { tuning: IMPATIENT });
    await source.start();
    expect(source.state.reason).toMatch(/does not answer$/);
  });

  it('resets every call', async () => {
    const path = await wildHttp2((stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM));
    const { source } = criSource(path);
    await source.start();
    expect(source.state.status).toBe('failing');
  });
});

describe('a runtime that', () => {
  async function runtime(node = recorded('containerd')): Promise<FakeRuntime> {
    const fake = await new FakeRuntime(join(temporaryDirectory(), 'runtime.sock'), node).listen();
    after(() => fake.close());
    return fake;
  }

  it.each(['Version', 'ListPodSandbox', 'ListContainers'] as const)('answers %s with bytes that are no message', async (method) => {
    const fake = await runtime();
    fake.instead.set(method, Buffer.from('0affffffffffffff0f', 'hex'));
    const { source, told } = criSource(fake.path);
    await source.start();
    expect(source.state.reason).toMatch(/answers with an error \(gRPC status 13\): .*pars/);
    expect(told).toEqual([]);
  });

  it('lists what has no names', async () => {
    const fake = await runtime({ sandboxes: [{ id: '' }, { id: 'a' }, { id: 'b', metadata: { name: '', uid: 'u', namespace: '' } }], containers: [{ id: '' }, { id: 'c' }, { id: 'd', podSandboxId: 'b' }] });
    const { source } = criSource(fake.path);
    await source.start();
    expect(source.state.status).toBe('ok');
    expect(source.lookup({ podUid: null, containerId: '' })).toBeNull();
    expect(source.lookup({ podUid: null, containerId: 'a' })).toBeNull();
    expect(source.lookup({ podUid: null, containerId: 'b' })).toEqual({ kind: 'sandbox', podUid: 'u', labels: {} });
    expect(source.lookup({ podUid: null, containerId: 'd' })).toEqual({ kind: 'pod', podUid: 'u', labels: {} });
  });

  it('lists labels with names of a prototype', async () => {
    const labels = JSON.parse('{"__proto__":"x","constructor":"y","app":"z"}') as Record<string, string>;
    const fake = await runtime({ sandboxes: [{ id: 'b', metadata: { name: 'p', uid: 'u', namespace: 'n' }, labels }], containers: [] });
    const { source } = criSource(fake.path);
    await source.start();
    const told = source.lookup({ podUid: 'u', containerId: null })?.labels;
    expect(told).toMatchObject({ app: 'z', constructor: 'y' });
    expect(Object.getPrototypeOf(told)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  it('stops to answer: names stay, the reason is told, and it is asked again', async () => {
    const fake = await runtime();
    const { source, told } = criSource(fake.path, { tuning: { callMs: 1_000, listMs: 1_000, giveUpMs: 5_000 } });
    await source.start();
    await until(() => told.length === 2, 'the image');
    fake.instead.set('ListContainers', 'hold');
    source.notice?.({ podUid: null, containerId: 'd'.repeat(64) });
    await until(() => source.state.status === 'failing', 'the deadline');
    expect(source.state.reason).toMatch(/does not answer$/);
    expect(source.lookup({ podUid: '185def3c-11ae-4a03-9203-d1a265548687', containerId: null })).toMatchObject({ pod: 'web-9d6c486f5-g6wg4' });
    fake.instead.clear();
    await until(() => source.state.status === 'ok', 'the answer');
  });

  it('is slow does not keep start() longer than it may take', async () => {
    const fake = await runtime();
    fake.instead.set('ListContainers', 'hold');
    const { source } = criSource(fake.path, { tuning: { startMs: 100 } });
    const begun = performance.now();
    await source.start();
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(source.state.status).toBe('starting');
  });
});

describe('close()', () => {
  it('ends what is under way at once, with no callback after it; twice is fine', async () => {
    const wild = await new Wild(() => {}).listen();
    const { source, told } = criSource(wild.path, { tuning: { callMs: 60_000, startMs: 60_000 } });
    const started = source.start();
    await until(() => wild.accepted >= 2, 'a connection');
    const begun = performance.now();
    source.close();
    source.close();
    await started;
    expect(performance.now() - begun).toBeLessThan(200);
    await until(() => wild.open.size === 0, 'every connection to be closed');
    source.notice?.({ podUid: null, containerId: 'd'.repeat(64) });
    expect(source.lookup({ podUid: null, containerId: 'd'.repeat(64) })).toBeNull();
    await sleep(50);
    expect([told, wild.accepted]).toEqual([[], 2]);
  });

  it('comes before start(), and start() still resolves', async () => {
    const { source } = criSource('/nowhere');
    source.close();
    await source.start();
  });

  it('leaves no file open, nor do attempts that failed', async () => {
    const wild = await new Wild((socket) => socket.once('data', () => socket.end('garbage'))).listen();
    const openFiles = (): number => readdirSync('/proc/self/fd').length;
    const warm = criSource(wild.path);
    await warm.source.start();
    warm.source.close();
    await sleep(50);
    const before = openFiles();
    const { source } = criSource(wild.path, { tuning: { retryMs: 5, longestRetryMs: 5 } });
    await source.start();
    await until(() => wild.accepted > 40, 'twenty attempts');
    source.close();
    await until(() => wild.open.size === 0, 'every connection to be closed');
    await sleep(50);
    expect(openFiles()).toBeLessThanOrEqual(before + 1);
  });
});
