import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { connect } from '../../src/cluster/connect.ts';
import type { Kube } from '../../src/cluster/kube.ts';
import { type ExecOptions, type ExecStream, openAttach, openExec } from '../../src/cluster/streams.ts';
import { certificate } from '../identity/kubernetes/support/certificates.ts';
import { ca, sendJson } from '../identity/kubernetes/support/server.ts';
import { kubeconfig } from '../identity/kubernetes/support/source.ts';
import { until } from '../ui/terminal/screen.ts';
import { failure, FakeCluster } from './support/fake-cluster.ts';

let cluster: FakeCluster;
let dir: string;
const open: ExecStream[] = [];
const uncaught: unknown[] = [];
const note = (reason: unknown): void => void uncaught.push(reason);

beforeEach(async () => {
  process.on('unhandledRejection', note);
  dir = mkdtempSync(join(tmpdir(), 'kbtop-streams-'));
  cluster = await new FakeCluster().listen();
  cluster.addPod('shop', 'web-1');
});
afterEach(async () => {
  for (const stream of open.splice(0)) stream.close();
  await cluster.stop();
  rmSync(dir, { recursive: true, force: true });
  process.off('unhandledRejection', note);
  if (uncaught.length > 0) throw new Error(`unhandled: ${uncaught.splice(0).map(String).join(', ')}`);
});

async function kube(user: object = { token: 'secret' }): Promise<Kube> {
  const file = join(dir, 'config');
  writeFileSync(file, JSON.stringify(kubeconfig(cluster.url, user)));
  return connect({ kubeconfig: file, context: null, overrides: {}, requestTimeoutMs: null }, new AbortController().signal);
}

async function exec(command: readonly string[], more: Partial<ExecOptions> = {}, user?: object): Promise<ExecStream> {
  const stream = await openExec((await kube(user)).cluster, { namespace: 'shop', pod: 'web-1', container: 'app', command, ...more });
  open.push(stream);
  return stream;
}

const shell = (script: string, more?: Partial<ExecOptions>): Promise<ExecStream> => exec(['/bin/sh', '-c', script], more);

describe('a command', () => {
  it('has stdout, stderr and an exit code, each its own', async () => {
    const stream = await shell('echo out; echo err >&2; exit 3');
    const [out, err, exit] = await Promise.all([text(stream), text(stream.stderr), stream.exit]);
    expect({ out, err, exit }).toEqual({ out: 'out\n', err: 'err\n', exit: { kind: 'exited', code: 3 } });
  });

  it('that succeeds exits with 0', async () => {
    const stream = await exec(['true']);
    stream.resume();
    stream.stderr.resume();
    expect(await stream.exit).toEqual({ kind: 'exited', code: 0 });
  });

  it('is asked for as kubectl does', async () => {
    const stream = await exec(['echo', 'a b', '--x=ü&'], { stdin: false });
    expect(await text(stream)).toBe('a b --x=ü&\n');
    const asked = cluster.seen.find(({ path }) => path.endsWith('/exec'));
    expect(asked?.path).toBe('/api/v1/namespaces/shop/pods/web-1/exec');
    expect(Object.fromEntries(asked?.query ?? [])).toMatchObject({ container: 'app', stdin: 'false', stdout: 'true', stderr: 'true', tty: 'false' });
    expect(asked?.query.getAll('command')).toEqual(['echo', 'a b', '--x=ü&']);
    expect(asked?.headers).toMatchObject({ authorization: 'Bearer secret', 'sec-websocket-protocol': 'v5.channel.k8s.io,v4.channel.k8s.io' });
  });

  it('that is not there has failed, in the runtime\'s words', async () => {
    const stream = await exec(['no-such-program']);
    stream.resume();
    expect(await stream.exit).toMatchObject({ kind: 'failed', reason: expect.stringContaining('executable file not found') as string });
  });

  it('that is killed by a signal has its code', async () => {
    const stream = await shell('kill -9 $$');
    stream.resume();
    stream.stderr.resume();
    expect(await stream.exit).toEqual({ kind: 'exited', code: 137 });
  });

  it('reads stdin to its end, whatever its size, and gives it back whole', async () => {
    const stream = await exec(['sha256sum']);
    const bytes = Buffer.alloc(5_000_000, 'kbtop\0ü');
    stream.end(bytes);
    expect(await text(stream)).toBe(`${createHash('sha256').update(bytes).digest('hex')}  -\n`);
  });

  it('may say a lot: nothing is lost', async () => {
    const stream = await shell('head -c 20000000 /dev/zero');
    let bytes = 0;
    for await (const chunk of stream) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(20_000_000);
    expect(await stream.exit).toEqual({ kind: 'exited', code: 0 });
  });

  it('waits while nobody reads, and its words are not kept here meanwhile', async () => {
    const stream = await shell('head -c 200000000 /dev/zero');
    const socket = (await until(() => cluster.execs[0]?.socket, () => 'no exec')) as WebSocket;
    // All buffers on the way are full: on this side, in the kernel's, and on the other.
    let before = -1;
    await until(async () => {
      const now = socket.bufferedAmount;
      const still = now > 0 && now === before && stream.readableLength > 0;
      before = now;
      await new Promise((resolve) => { setTimeout(resolve, 200); });
      return still;
    }, () => 'it never waits');
    expect(stream.readableLength).toBeLessThan(1024 * 1024);
    expect(cluster.execs[0]?.running.ended).toBe(false);
    let bytes = 0;
    for await (const chunk of stream) bytes += (chunk as Buffer).length;
    expect(bytes).toBe(200_000_000);
    stream.stderr.resume();
    expect(await stream.exit).toEqual({ kind: 'exited', code: 0 });
  });

  it('of a server of old cannot have its stdin ended alone, and runs all the same', async () => {
    cluster.protocols = ['v4.channel.k8s.io'];
    const stream = await shell('read line; echo "got $line"');
    stream.end('it\n');
    expect(await text(stream)).toBe('got it\n');
    expect(await stream.exit).toEqual({ kind: 'exited', code: 0 });
  });
});

describe('a terminal', () => {
  it('has its size before the program asks, and follows it', async () => {
    const stream = await shell('trap "stty size" WINCH; until [ "$(stty size)" = "30 100" ]; do sleep 0.05; done; echo first; while :; do sleep 0.05; done', { tty: true });
    stream.resize({ columns: 100, rows: 30 });
    let said = '';
    stream.on('data', (chunk: Buffer) => { said += chunk.toString(); });
    await until(() => said.includes('first'), () => said);
    stream.resize({ columns: 81, rows: 25 });
    await until(() => said.includes('25 81'), () => said);
    stream.write('\x03');
    expect(await stream.exit).toMatchObject({ kind: 'exited' });
    expect(stream.stderr.readableEnded || stream.stderr.readableLength === 0).toBe(true);
  });

  it('is asked for without stderr, which would be refused', async () => {
    const stream = await shell('exit 5', { tty: true });
    stream.resume();
    expect(await stream.exit).toEqual({ kind: 'exited', code: 5 });
    expect(Object.fromEntries(cluster.seen.find(({ path }) => path.endsWith('/exec'))?.query ?? [])).toMatchObject({ tty: 'true', stderr: 'false' });
  });
});

describe('a connection', () => {
  it('that breaks off ends both streams without an error, and says so', async () => {
    const stream = await shell('echo begun; sleep 60');
    await once(stream, 'data');
    cluster.disconnect();
    stream.resume();
    stream.stderr.resume();
    expect(await stream.exit).toMatchObject({ kind: 'lost' });
    await until(() => stream.readableEnded && stream.stderr.readableEnded, () => 'not ended');
    // Writing on is nobody's harm.
    stream.write('x');
    stream.resize({ columns: 1, rows: 1 });
  });

  it('that the server closes says with what words', async () => {
    const stream = await shell('sleep 60');
    stream.resume();
    stream.stderr.resume();
    const socket = (await until(() => cluster.execs[0]?.socket, () => 'no exec')) as WebSocket;
    socket.close(1011, 'kubelet is restarting');
    expect(await stream.exit).toEqual({ kind: 'lost', reason: 'the server closed it: kubelet is restarting' });
  });

  it('that is closed here gives the command its end', async () => {
    const stream = await shell('cat; echo over');
    stream.close();
    expect(await stream.exit).toMatchObject({ kind: 'lost', reason: 'closed' });
    await until(() => cluster.execs[0]?.running.ended, () => 'cat still runs');
  });

  it.each<[string, number, string, string, RegExp]>([
    ['forbidden', 403, 'Forbidden', 'pods "web-1" is forbidden: User "anna" cannot create resource "pods/exec" in API group "" in the namespace "shop"', /answered 403: .*pods\/exec/],
    ['of a container that is not there', 400, 'BadRequest', 'container app is not valid for pod web-1', /answered 400: container app is not valid/],
    ['that does not reach the node', 500, 'InternalError', 'error dialing backend: dial tcp 10.0.0.1:10250: i/o timeout', /error dialing backend/],
  ])('%s is a Failure with the server\'s words', async (_, code, reason, message, expected) => {
    cluster.refusals.push(({ path }, response) => {
      if (!path.endsWith('/exec')) return false;
      sendJson(response, failure(code, reason, message), code);
      return true;
    });
    await expect(exec(['true'])).rejects.toMatchObject({ status: code, message: expect.stringMatching(expected) as string });
  });

  it('whose token has been renewed is made once more with the new one', async () => {
    const token = join(dir, 'token');
    writeFileSync(token, 'old');
    cluster.refusals.push(({ headers }, response) => {
      if (headers.authorization === 'Bearer new') return false;
      writeFileSync(token, 'new');
      sendJson(response, failure(401, 'Unauthorized', 'Unauthorized'), 401);
      return true;
    });
    const stream = await exec(['true'], {}, { tokenFile: token });
    stream.resume();
    stream.stderr.resume();
    expect(await stream.exit).toEqual({ kind: 'exited', code: 0 });
  });

  it('shows a client certificate, and trusts but the cluster\'s authority', async () => {
    const { cert, key } = certificate({ cn: 'anna', issuer: ca });
    const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
    const stream = await exec(['true'], {}, { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) });
    stream.resume();
    expect(await stream.exit).toMatchObject({ kind: 'exited' });
    const file = join(dir, 'other');
    writeFileSync(file, JSON.stringify(kubeconfig(cluster.url, { token: 'secret' }, { 'certificate-authority-data': base64(certificate({ cn: 'other', ca: true }).cert) })));
    const other = await connect({ kubeconfig: file, context: null, overrides: {}, requestTimeoutMs: null }, new AbortController().signal);
    const asked = cluster.seen.length;
    await expect(openExec(other.cluster, { namespace: 'shop', pod: 'web-1', container: 'app', command: ['true'] })).rejects.toMatchObject({ untrusted: true });
    expect(cluster.seen).toHaveLength(asked);
  });

  it('to nowhere is a Failure', async () => {
    const before = await kube();
    await cluster.stop();
    await expect(openAttach(before.cluster, { namespace: 'shop', pod: 'web-1', container: 'app' })).rejects.toMatchObject({ kind: 'network', message: 'connection refused' });
  });

  it('can be given up while it is being made', async () => {
    // Takes connections and says nothing.
    cluster.refusals.push(({ path }) => path.endsWith('/exec'));
    const giveUp = new AbortController();
    const opening = exec(['true'], { signal: giveUp.signal });
    await until(() => cluster.seen.length > 0, () => 'not asked');
    giveUp.abort();
    await expect(opening).rejects.toMatchObject({ message: 'closed' });
  });
});
