import { mkdirSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { TlsOptions } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { authority, type Certificate, certificate } from './support/certificates.ts';
import { passPause, until } from './support/clock.ts';
import { CID, fixture, pod, type Pod } from './support/cluster.ts';
import { ca, sendJson, TestServer } from './support/server.ts';
import { becomes, of, World } from './support/source.ts';

let world: World;
let pods: Pod[];
beforeEach(() => {
  world = new World();
  pods = [pod('web', 'u1', 1)];
});
afterEach(() => world.close());

/** As the kubelet makes its own: its name alone, and it signs itself. */
const own = (to?: Date): Certificate => certificate({ cn: 'node1@1700000000', names: ['node1'], ...(to && { to }) });

async function serve(cert: Certificate | null, tls: TlsOptions = {}): Promise<TestServer> {
  const server = world.serve(new TestServer((_, response) => sendJson(response, { kind: 'PodList', apiVersion: 'v1', metadata: {}, items: pods }), cert, tls));
  await server.listen();
  return server;
}

/** Whether this machine runs something of its own there. */
const listens = (host: string, port: number): Promise<boolean> => new Promise((resolve) => {
  const socket = connect(port, host, () => resolve(true));
  socket.on('connect', () => socket.destroy());
  socket.on('error', () => resolve(false));
});

const taken = await listens('127.9.9.9', 10_250);

const pin = ({ cert }: Certificate): string => world.file('host/var/lib/kubelet/pki/kubelet.crt', cert);
const config = (content: object): string => world.file('host/var/lib/kubelet/config.yaml', content);

describe('the kubelet', () => {
  it('is known by the certificate on the disk, and then gets the token', async () => {
    const cert = own();
    pin(cert);
    const server = await serve(cert);
    config({ port: server.port });
    world.kubeconfig('https://127.0.0.1:1', { token: 'secret' });
    const source = world.kubelet();
    await source.start();
    expect(source.state).toEqual({ status: 'ok', reason: `the kubelet at ${server.url}: 1 pod`, fix: null });
    expect(server.asked[0]?.url.pathname).toBe('/pods');
    expect(server.asked[0]?.headers.authorization).toBe('Bearer secret');
    expect(source.lookup(of(CID(1)))).toMatchObject({ pod: 'web', container: 'app' });
    expect(world.changed).toContain(CID(1));
  });

  it('is known by a certificate that the cluster signed, behind a link of the host', async () => {
    const cert = certificate({ cn: 'system:node:node1', names: ['node1'], issuer: authority('kubelet serving') });
    world.file('host/var/lib/kubelet/pki/kubelet-server-1.pem', cert.cert + cert.key);
    symlinkSync('/var/lib/kubelet/pki/kubelet-server-1.pem', join(world.dir, 'host/var/lib/kubelet/pki/kubelet-server-current.pem'));
    const server = await serve(cert);
    world.env['KBTOP_KUBELET'] = server.url;
    world.kubeconfig('https://127.0.0.1:1');
    const source = world.kubelet();
    await source.start();
    expect([source.state.status, server.asked[0]?.headers.authorization]).toEqual(['ok', 'Bearer secret']);
  });

  it.each<[string, () => void]>([
    ['of the kubeconfig', () => world.kubeconfig('https://127.0.0.1:1')],
    ['of kubeadm', () => {
      world.kubeconfig('https://127.0.0.1:1', { token: 'secret' }, { 'certificate-authority-data': undefined });
      world.file('host/etc/kubernetes/pki/ca.crt', ca.cert);
    }],
    ['of the service account', () => {
      world.file('serviceaccount/token', 'secret');
      world.file('serviceaccount/ca.crt', ca.cert);
      world.env['KUBERNETES_SERVICE_HOST'] = '10.0.0.1';
    }],
  ])('is known by the authority %s, whatever its name on loopback', async (_, prepare) => {
    const server = await serve(certificate({ cn: 'node1', names: ['node1'], issuer: ca }));
    world.env['KBTOP_KUBELET'] = server.url;
    prepare();
    const source = world.kubelet();
    await source.start();
    expect([source.state.status, server.asked[0]?.headers.authorization]).toEqual(['ok', 'Bearer secret']);
  });

  it.each<[string, Certificate, Certificate | null, RegExp]>([
    ['is another than the one on the disk', own(), own(), /signed by an unknown authority/],
    ['has expired', own(new Date(Date.now() - 1_000)), null, /has expired/],
  ])('whose certificate %s gets no token and no certificate, but is asked as nobody', async (_, served, pinned, reason) => {
    pin(pinned ?? served);
    // There the client's certificate comes before it can have judged the server's.
    const server = await serve(served, { maxVersion: 'TLSv1.2' });
    config({ port: server.port });
    const user = certificate({ cn: 'admin', issuer: ca });
    world.kubeconfig('https://127.0.0.1:1', { token: 'secret', 'client-certificate-data': Buffer.from(user.cert).toString('base64'), 'client-key-data': Buffer.from(user.key).toString('base64') });
    const source = world.kubelet();
    await source.start();
    expect(source.state).toMatchObject({ status: 'ok', reason: expect.stringContaining('asked without credentials, since it cannot be verified: ') as string });
    expect(source.state.reason).toMatch(reason);
    expect(server.asked.map(({ headers, client }) => [headers.authorization, client])).toEqual([[undefined, null]]);
    expect(server.shown).toEqual([]);
  });

  it('with nothing to know it by gets no token', async () => {
    const server = await serve(own());
    config({ port: server.port });
    world.kubeconfig('https://127.0.0.1:1', { token: 'secret' }, { 'certificate-authority-data': undefined });
    const source = world.kubelet();
    await source.start();
    expect(source.state.reason).toContain('there is no certificate or authority on this node to know it by');
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it('that is known gets the certificate of the user', async () => {
    const cert = own();
    pin(cert);
    const server = await serve(cert);
    config({ port: server.port });
    const user = certificate({ cn: 'admin', issuer: ca });
    world.kubeconfig('https://127.0.0.1:1', { 'client-certificate-data': Buffer.from(user.cert).toString('base64'), 'client-key-data': Buffer.from(user.key).toString('base64') });
    const source = world.kubelet();
    await source.start();
    expect([source.state.status, server.asked[0]?.client]).toEqual(['ok', 'admin']);
  });

  it('elsewhere than on loopback must have its name, or be the very one, and is not asked otherwise', async () => {
    // A name for 127.0.0.1 that is not known to be one.
    const host = 'localhost.localdomain.kbtop.invalid';
    world.env['KBTOP_KUBELET'] = `https://${host}:1`;
    world.kubeconfig('https://127.0.0.1:1', { token: 'secret' }, { 'certificate-authority-data': undefined });
    const source = world.kubelet();
    await source.start();
    expect(source.state).toMatchObject({ status: 'failing', reason: expect.stringContaining('it cannot be verified: there is no certificate or authority') as string, fix: expect.stringContaining('--kubeconfig') as string });
  });

  it('may be asked as nobody when there are no credentials', async () => {
    const cert = own();
    pin(cert);
    const server = await serve(cert);
    config({ port: server.port });
    const source = world.kubelet();
    await source.start();
    expect(source.state.reason).toBe(`the kubelet at ${server.url}: 1 pod, asked without credentials: there is no kubeconfig and no service account`);
    expect(server.asked[0]?.headers.authorization).toBeUndefined();
  });

  it('has a port without TLS on some nodes, which needs no credentials', async () => {
    const server = await serve(null);
    config({ port: 1, readOnlyPort: server.port });
    world.kubeconfig('https://127.0.0.1:1');
    const source = world.kubelet();
    await source.start();
    expect(source.state).toMatchObject({ status: 'ok', reason: `the kubelet at ${server.url}: 1 pod` });
    expect(server.asked[0]?.headers.authorization).toBeUndefined();
  });

  it('is at the address of the node in a pod with a network of its own', async () => {
    const cert = own();
    pin(cert);
    const server = await serve(cert);
    config({ port: server.port, address: '0.0.0.0' });
    world.env['HOST_IP'] = '127.0.0.2';
    const source = world.kubelet();
    await source.start();
    expect(source.state.reason).toContain(`the kubelet at https://127.0.0.2:${server.port}: connection refused`);
  });

  it('names pods of files by the uid that the node has for them, and Jobs that are done', async () => {
    pods = (JSON.parse(fixture('kubelet-pods.json')) as { items: Pod[] }).items;
    const server = await serve(null);
    world.env['KBTOP_KUBELET'] = server.url;
    const source = world.kubelet();
    await source.start();
    expect(source.lookup(of(null, '2d2de79d1cfa69921b0c0b338cc98078'))).toMatchObject({ namespace: 'kube-system', pod: 'static-web-node1', owner: { kind: 'Node', name: 'node1' } });
    expect(source.state.reason).toContain('3 pods');
  });

  it.each<[unknown, number]>([[null, 0], [[], 0]])('without pods says %j', async (items, count) => {
    const server = await serve(null);
    server.handle = (_, response) => sendJson(response, { kind: 'PodList', items });
    world.env['KBTOP_KUBELET'] = server.url;
    const source = world.kubelet();
    await source.start();
    expect(source.state).toMatchObject({ status: 'ok', reason: expect.stringContaining(`: ${count} pods`) as string });
  });
});

describe('a kubelet that refuses', () => {
  it('403: a long pause, and what to allow to whom', async () => {
    const server = await serve(null);
    server.handle = (_, response) => {
      response.writeHead(403, { 'content-type': 'text/plain' });
      response.end('Forbidden (user=system:serviceaccount:ops:kbtop, verb=get, resource=nodes, subresource(s)=[pods proxy])');
    };
    world.env['KBTOP_KUBELET'] = server.url;
    const source = world.kubelet();
    await source.start();
    expect(source.state).toMatchObject({
      status: 'failing', reason: `the kubelet at ${server.url}: answered 403: Forbidden (user=system:serviceaccount:ops:kbtop, verb=get, resource=nodes, subresource(s)=[pods proxy])`,
      fix: 'allow get of nodes/pods (before Kubernetes 1.33: of nodes/proxy): kubectl create clusterrole kbtop-kubelet --verb=get --resource=nodes/pods && kubectl create clusterrolebinding kbtop-kubelet --clusterrole=kbtop-kubelet --serviceaccount=ops:kbtop',
    });
    expect(world.clock.pending).toEqual([84_000]);
    source.notice?.(of(CID(7)));
    expect(world.clock.pending).toEqual([84_000]);
    server.handle = (_, response) => sendJson(response, { items: pods });
    world.clock.pass(84_000);
    await becomes(source, 'ok');
  });

  it('401 as nobody: why there were no credentials', async () => {
    const server = await serve(own());
    server.handle = (_, response) => {
      response.writeHead(401);
      response.end('Unauthorized');
    };
    pin(own());
    world.env['KBTOP_KUBELET'] = server.url;
    world.kubeconfig('https://127.0.0.1:1');
    const source = world.kubelet();
    await source.start();
    expect(source.state).toMatchObject({ status: 'failing', reason: expect.stringMatching(/answered 401: Unauthorized \(asked without credentials, since it cannot be verified: .*unknown authority\)$/) as string, fix: expect.stringContaining('--kubeconfig') as string });
    expect(world.clock.pending).toEqual([84_000]);
  });

  it('because of a broken plugin is asked as nobody, and says so', async () => {
    const cert = own();
    pin(cert);
    const server = await serve(cert);
    config({ port: server.port });
    world.kubeconfig('https://127.0.0.1:1', { exec: { command: 'kbtop-no-such-plugin' } });
    const source = world.kubelet();
    await source.start();
    expect(source.state.reason).toMatch(/asked without credentials: exec plugin kbtop-no-such-plugin .* is not installed$/);
  });

  it('is not there, on a node by its files', async () => {
    const server = await serve(null);
    await server.stop();
    config({ port: server.port });
    const source = world.kubelet();
    await source.start();
    expect(source.state).toMatchObject({ status: 'failing', reason: `the kubelet at https://127.0.0.1:${server.port}: connection refused` });
  });

  it.skipIf(taken)('is not there, and nothing says that this is a node', async () => {
    world.env['HOST_IP'] = '127.9.9.9';
    const source = world.kubelet();
    await source.start();
    expect(source.state).toEqual({ status: 'absent', reason: 'the kubelet at https://127.9.9.9:10250: connection refused', fix: 'on a node whose kubelet listens elsewhere, set KBTOP_KUBELET=https://HOST:PORT' });
  });

  it('says nothing: left after 8 s', async () => {
    const server = await serve(null);
    server.handle = () => {};
    world.env['KBTOP_KUBELET'] = server.url;
    const source = world.kubelet();
    const started = source.start();
    await server.askedFor(1);
    world.clock.pass(5_000);
    await started;
    expect(source.state.status).toBe('starting');
    world.clock.pass(3_000);
    await becomes(source, 'failing');
    expect(source.state.reason).toContain('has not said anything for 8 s');
  });

  it.each<[string, string, RegExp]>([['no JSON', '<html>', /is no JSON/], ['something else', '{"kind":"Status"}', /is no list of pods/]])('answers %s', async (_, body, reason) => {
    const server = await serve(null);
    server.handle = (_request, response) => sendJson(response, body);
    world.env['KBTOP_KUBELET'] = server.url;
    const source = world.kubelet();
    await source.start();
    expect(source.state).toMatchObject({ status: 'failing', reason: expect.stringMatching(reason) as string });
  });

  it('is told by a wrong KBTOP_KUBELET', async () => {
    world.env['KBTOP_KUBELET'] = 'node1:10250';
    const source = world.kubelet();
    await source.start();
    expect(source.state).toMatchObject({ status: 'failing', reason: 'the kubelet: KBTOP_KUBELET=node1:10250 is no URL', fix: 'write it as https://HOST:PORT' });
  });
});

describe('when it is asked', () => {
  it('is every 10 s, only while it is needed', async () => {
    const server = await serve(null);
    world.env['KBTOP_KUBELET'] = server.url;
    let needed = false;
    const source = world.kubelet(() => needed);
    await source.start();
    expect(source.state).toMatchObject({ status: 'off', fix: null });
    world.clock.pass(3_000);
    source.notice?.(of(CID(1)));
    expect([server.asked.length, source.state.status]).toEqual([0, 'off']);
    needed = true;
    world.clock.pass(1_000);
    await becomes(source, 'ok');
    await until('the next poll is due', () => world.clock.pending.includes(10_000));
    world.clock.pass(9_000);
    expect(server.asked).toHaveLength(1);
    world.clock.pass(1_000);
    await server.askedFor(2);
    await until('the next poll is due', () => world.clock.pending.includes(10_000));
    needed = false;
    world.clock.pass(10_000);
    expect([server.asked.length, source.state.status]).toEqual([2, 'off']);
    // What was learned stays.
    expect(source.lookup(of(CID(1)))?.pod).toBe('web');
  });

  it('is sooner for a container that is new, at most once a second, until it is known', async () => {
    const server = await serve(null);
    world.env['KBTOP_KUBELET'] = server.url;
    const source = world.kubelet();
    await source.start();
    const due = (ms: number): Promise<void> => until(`due in ${ms}`, () => world.clock.pending.includes(ms));
    await due(10_000);
    source.notice?.(of(CID(1)));
    expect(world.clock.pending).toEqual([10_000]);
    source.notice?.(of(CID(2)));
    source.notice?.(of(CID(3)));
    expect(world.clock.pending).toEqual([1_000]);
    world.clock.pass(1_000);
    await server.askedFor(2);
    // Its status does not tell of it yet.
    await due(1_000);
    pods = [...pods, pod('new', 'u2', 2), pod('newer', 'u3', 3)];
    world.clock.pass(1_000);
    await server.askedFor(3);
    await due(10_000);
    expect([source.lookup(of(CID(2)))?.pod, source.lookup(of(CID(3)))?.pod]).toEqual(['new', 'newer']);
    // What never comes, as a sandbox does not, is not looked for for ever.
    world.clock.pass(5_000);
    source.notice?.(of(CID(99), 'u1'));
    for (let n = 4; n <= 7; n++) {
      world.clock.pass(1_000);
      await server.askedFor(n);
      await due(n === 7 ? 10_000 : 1_000);
    }
    expect(server.asked).toHaveLength(7);
  });

  it('is less and less often while there is no answer', async () => {
    const server = await serve(null);
    await server.stop();
    world.env['KBTOP_KUBELET'] = server.url;
    const source = world.kubelet();
    await source.start();
    const pauses: number[] = [];
    for (let n = 0; n < 7; n++) {
      source.notice?.(of(CID(n)));
      pauses.push(await passPause(world.clock));
    }
    expect(pauses).toEqual([700, 1_400, 2_800, 5_600, 11_200, 22_400, 42_000]);
    await server.listen();
    await passPause(world.clock);
    await becomes(source, 'ok');
  });

  it('ends with it: no connection, no timer', async () => {
    mkdirSync(join(world.dir, 'host'), { recursive: true });
    const server = await serve(own());
    server.handle = () => {};
    world.env['KBTOP_KUBELET'] = server.url;
    const source = world.kubelet();
    const started = source.start();
    await server.askedFor(1);
    source.close();
    source.close();
    await started;
    await until('closed', () => server.open === 0 && world.clock.pending.length === 0);
  });
});
