/** The endpoint over real sockets. */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { type Socket, connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import type { MetricsEndpoint, MetricsOptions } from '../../../src/session/metrics/index.ts';
import { startMetrics } from '../../../src/session/metrics/index.ts';
import { FRAME } from '../../output/frames.ts';
import { parseOpenMetrics } from '../../output/openmetrics-parser.ts';
import { until } from '../../workloads/cgroup.ts';
import { FakeSource } from './source.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
let open: MetricsEndpoint[] = [];
afterEach(async () => {
  await Promise.all(open.map((endpoint) => endpoint.close()));
  open = [];
});

let source = new FakeSource();
async function serve(options: Partial<MetricsOptions> = {}, frames = 1): Promise<MetricsEndpoint> {
  source = new FakeSource();
  const endpoint = await startMetrics(source, LOOPBACK, { version: '1.2.3', ...options });
  open.push(endpoint);
  for (let i = 0; i < frames; i++) source.emit({ ...FRAME, seq: i + 1 });
  return endpoint;
}

interface Answer { readonly status: number; readonly headers: Readonly<Record<string, string | string[] | undefined>>; readonly body: Buffer }

function ask({ address }: MetricsEndpoint, path: string, { method = 'GET', headers = {}, body }: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...address, path, method, headers, agent: false }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part)).on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) })).on('error', reject);
    });
    request.on('error', reject).end(body);
  });
}

/** A connection, and all that comes on it. */
function dial({ address }: MetricsEndpoint): { readonly socket: Socket; readonly closed: Promise<unknown>; readonly text: () => string } {
  const socket = connect(address.port, address.host);
  let text = '';
  socket.on('data', (part) => { text += part.toString('latin1'); });
  socket.on('error', () => {});
  return { socket, closed: new Promise((resolve) => { socket.once('close', resolve); }), text: () => text };
}

const OPEN = { accept: 'application/openmetrics-text;version=1.0.0' };

describe('GET /metrics', () => {
  it('answers in the format that is asked for, with its exact type', async () => {
    const endpoint = await serve();
    expect(endpoint.url).toBe(`http://127.0.0.1:${endpoint.address.port}/metrics`);
    const openText = await ask(endpoint, '/metrics?x=y', { headers: OPEN });
    expect(openText).toMatchObject({ status: 200, headers: { 'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8', 'content-length': String(openText.body.length), vary: 'Accept, Accept-Encoding' } });
    expect(parseOpenMetrics(openText.body.toString()).get('kbtop_syscalls')?.type).toBe('counter');
    const text = await ask(endpoint, '/metrics');
    expect(text).toMatchObject({ status: 200, headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } });
    expect(text.body.toString()).toContain('# TYPE kbtop_syscalls_total counter\n');
  });

  it('is compressed when that is asked for, and HEAD has the same headers and no body', async () => {
    const endpoint = await serve();
    const plain = await ask(endpoint, '/metrics', { headers: OPEN });
    const zipped = await ask(endpoint, '/metrics', { headers: { ...OPEN, 'accept-encoding': 'gzip' } });
    expect(zipped.headers['content-encoding']).toBe('gzip');
    expect(gunzipSync(zipped.body).equals(plain.body)).toBe(true);
    const head = await ask(endpoint, '/metrics', { method: 'HEAD', headers: { ...OPEN, 'accept-encoding': 'gzip' } });
    expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0), headers: { 'content-length': String(zipped.body.length), 'content-type': zipped.headers['content-type'], 'content-encoding': 'gzip' } });
  });

  it('gives the same bytes until there is a new Frame', async () => {
    const endpoint = await serve();
    const first = await ask(endpoint, '/metrics', { headers: OPEN });
    await sleep(20);
    expect((await ask(endpoint, '/metrics', { headers: OPEN })).body.equals(first.body)).toBe(true);
    source.emit({ ...FRAME, seq: 2 });
    const next = parseOpenMetrics((await ask(endpoint, '/metrics', { headers: OPEN })).body.toString());
    expect(next.get('kbtop_frames')?.samples[0]?.value).toBe(2);
    expect(next.get('kbtop_scrapes')?.samples[0]?.value).toBe(2);
    expect(next.get('kbtop_scrape_build_seconds')?.samples[0]?.value).toBeGreaterThan(0);
  });

  it.each([
    ['GET', '/', 404], ['GET', '/metrics/', 404], ['GET', '/metrics/../metrics', 404], ['GET', '/METRICS', 404], ['POST', '/metrics', 405], ['DELETE', '/healthz', 405], ['OPTIONS', '/metrics', 405], ['POST', '/nothing', 404],
  ])('%s %s: %i', async (method, path, status) => {
    const answer = await ask(await serve(), path, { method });
    expect(answer.status).toBe(status);
    expect(answer.body.toString().trim().split('\n')).toHaveLength(1);
    if (status === 405) expect(answer.headers['allow']).toBe('GET, HEAD');
  });
});

describe('/healthz', () => {
  it('fails before the first Frame, when Frames stay away, and when the capture has ended; so do scrapes, or rates would read 0', async () => {
    const endpoint = await serve({ staleMs: 300 }, 0);
    const both = async (): Promise<string[]> => Promise.all(['/healthz', '/metrics'].map(async (path) => {
      const { status, body } = await ask(endpoint, path);
      return `${status} ${status === 200 ? '' : body.toString().trim()}`;
    }));
    expect(await both()).toEqual(['503 no Frame yet', '503 no Frame yet']);
    source.emit({ ...FRAME, intervalMs: 1 });
    expect(await both()).toEqual(['200 ', '200 ']);
    await sleep(400);
    expect(await both()).toEqual([0, 1].map(() => expect.stringMatching(/^503 no Frame for \d+ s: the capture stands still$/) as string));
    source.emit({ ...FRAME, seq: 2, intervalMs: 1 });
    expect(await both()).toEqual(['200 ', '200 ']);
    source.end();
    await source.done;
    await sleep(0);
    expect(await both()).toEqual(['503 the capture has ended', '503 the capture has ended']);
  });

  it('says so when the capture failed, and nothing is left unhandled', async () => {
    const endpoint = await serve();
    source.fail(new Error('x'));
    await source.done.catch(() => {});
    await sleep(0);
    expect((await ask(endpoint, '/healthz')).body.toString()).toBe('the capture has failed\n');
  });
});

describe('clients that mean ill, or are slow', () => {
  const limits = { connections: 4, scrapes: 2, requestMs: 300, answerMs: 600, idleMs: 300 };

  it('a request that does not come whole is ended', async () => {
    const endpoint = await serve({ limits });
    const slow = dial(endpoint), silent = dial(endpoint);
    slow.socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n');
    const drip = setInterval(() => slow.socket.write('X-A: b\r\n'), 50);
    try {
      await Promise.all([slow.closed, silent.closed]);
    } finally {
      clearInterval(drip);
    }
    expect(slow.text()).toMatch(/^HTTP\/1\.1 408 |^$/);
    expect((await ask(endpoint, '/healthz')).status).toBe(200);
  });

  it.each([
    ['garbage', '\0\u0001\u0002garbage\r\n\r\n', 400],
    ['headers without end', `GET /metrics HTTP/1.1\r\n${'X-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(2000)}`, 431],
    ['a path without end', `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n\r\n`, 431],
    ['an upgrade', 'GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', 200],
    ['a tunnel', 'CONNECT other:443 HTTP/1.1\r\nHost: other\r\n\r\n', null],
  ])('%s harms nobody', async (_what, text, status) => {
    const endpoint = await serve({ limits });
    const client = dial(endpoint);
    client.socket.write(text, 'latin1');
    await client.closed;
    // What was not read on the other side may reset the connection before the answer is read on this one.
    if (status !== null) expect(client.text()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} |^$`));
    expect((await ask(endpoint, '/metrics')).status).toBe(200);
  });

  it('a body is not read on and on', async () => {
    const endpoint = await serve({ limits });
    const client = dial(endpoint);
    client.socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n');
    const pour = setInterval(() => client.socket.write(Buffer.alloc(10_000)), 20);
    await client.closed;
    clearInterval(pour);
    expect(client.text()).toMatch(/^HTTP\/1\.1 200 [^]*\r\nConnection: close\r\n/);
  });

  it('whoever does not read its answer is let go of, and others are served meanwhile', async () => {
    const big = { ...FRAME, panes: { ...FRAME.panes, syscalls: { ...FRAME.panes.syscalls, rows: Array.from({ length: 60_000 }, (_, i) => ({ ...FRAME.panes.syscalls.rows[1]!, latency: null, syscall: `s${i}${'x'.repeat(100)}` })) } } };
    const endpoint = await serve({ limits: { ...limits, answerMs: 1500 }, maxSeries: 200_000 }, 0);
    source.emit(big);
    const stuck = dial(endpoint);
    stuck.socket.pause();
    stuck.socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('a scrape under way', () => stuck.socket.readyState === 'open');
    expect((await ask(endpoint, '/metrics')).status).toBe(200);
    // A write tells that the other side is gone; what has come is still unread.
    const poke = setInterval(() => stuck.socket.write('x'), 50);
    await stuck.closed;
    clearInterval(poke);
  });

  it('more connections than there may be are closed, and there is room again', async () => {
    const endpoint = await serve({ limits: { ...limits, requestMs: 1000, idleMs: 1000, answerMs: 1000 } });
    const all = Array.from({ length: 12 }, () => dial(endpoint));
    await Promise.all(all.map(({ closed }) => closed));
    expect((await ask(endpoint, '/metrics')).status).toBe(200);
  });
});

describe('startMetrics', () => {
  it('says in a line that something else listens there', async () => {
    const blocker = createServer().listen(0, '127.0.0.1');
    await once(blocker, 'listening');
    const { port } = blocker.address() as { port: number };
    await expect(startMetrics(new FakeSource(), { host: '127.0.0.1', port }, { version: '1' })).rejects.toMatchObject({ code: 'EADDRINUSE', message: `cannot serve metrics on 127.0.0.1:${port}: something else listens there already; end it, or choose another port` });
    blocker.close();
    await expect(startMetrics(new FakeSource(), { host: '192.0.2.1', port: 0 }, { version: '1' })).rejects.toMatchObject({ code: 'EADDRNOTAVAIL', message: expect.stringContaining('this machine has no such address') as string });
  });

  it('listens on IPv6, too', async () => {
    const endpoint = await startMetrics(new FakeSource(), { host: '::1', port: 0 }, { version: '1' });
    open.push(endpoint);
    expect(endpoint.url).toBe(`http://[::1]:${endpoint.address.port}/metrics`);
    expect((await ask(endpoint, '/healthz')).status).toBe(503);
  });

  it('lets go of source and port when it is closed, also twice and with a client waiting', async () => {
    const endpoint = await serve();
    const client = dial(endpoint);
    await once(client.socket, 'connect');
    await endpoint.close();
    await endpoint.close();
    await client.closed;
    expect(source.listeners.size).toBe(0);
    await expect(ask(endpoint, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
