import { chmodSync, chownSync, readFileSync, utimesSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { authority, certificate } from './support/certificates.ts';
import { passPause, until } from './support/clock.ts';
import { pod, status, TestCluster } from './support/cluster.ts';
import { ca, TestServer } from './support/server.ts';
import { becomes, kubeconfig, World } from './support/source.ts';

let world: World;
let cluster: TestCluster;

beforeEach(async () => {
  world = new World();
  cluster = world.serve(new TestCluster());
  cluster.pods = [pod('web', 'u1', 1)];
  await cluster.server.listen();
});
afterEach(() => world.close());

const base64 = (content: string): string => Buffer.from(content).toString('base64');
/** A program that is an exec plugin. */
const plugin = (script: string): string => world.file('plugin', `#!/bin/sh\n${script}\n`, 0o755);
const credential = (fields: object): string => JSON.stringify({ kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', status: fields });
const exec = (command: string, more: object = {}) => ({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command, ...more } });

async function start(more: Parameters<World['api']>[0] = {}) {
  const source = world.api(more);
  await source.start();
  return source;
}

/** An HTTP proxy that makes tunnels. */
async function startProxy(): Promise<{ readonly url: string; readonly tunnels: readonly string[]; readonly close: () => void }> {
  const tunnels: string[] = [];
  const open = new Set<Socket>();
  const proxy = createServer((client) => {
    open.add(client);
    client.on('error', () => {});
    client.once('data', (head) => {
      const [, target = ''] = head.toString().split(' ');
      tunnels.push(target);
      const [host = '', port = ''] = target.split(':');
      const upstream = connect(Number(port), host, () => {
        client.write('HTTP/1.1 200 OK\r\n\r\n');
        client.pipe(upstream).pipe(client);
      });
      open.add(upstream);
      upstream.on('error', () => {});
    });
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  const close = (): void => {
    for (const socket of open) socket.destroy();
    proxy.close();
  };
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, tunnels, close };
}

describe('kubeconfig files', () => {
  it('of a list may be missing or double: the first to say something wins', async () => {
    const first = world.file('first', { contexts: [{ name: 'test', context: { cluster: 'test', user: 'mine' } }], users: [{ name: 'mine', user: { token: 'first' } }] });
    const second = world.file('second', kubeconfig(cluster.server.url, { token: 'second' }));
    const third = world.file('third', kubeconfig('https://127.0.0.1:1', { token: 'third' }));
    world.env['KUBECONFIG'] = `/missing:${first}:${second}:${third}`;
    const source = await start();
    expect(source.state).toMatchObject({ status: 'ok', reason: expect.stringContaining(`(context test of ${first})`) as string });
    expect(cluster.server.asked[0]?.headers.authorization).toBe('Bearer first');
  });

  it.each<[string, () => Parameters<World['api']>[0], RegExp]>([
    ['that --kubeconfig names must be there', () => ({ kubeconfig: '/missing/config' }), /^\/missing\/config cannot be read: no such file$/],
    ['that KUBECONFIG names must be there, one at least', () => {
      world.env['KUBECONFIG'] = '/missing/a:/missing/b';
      return {};
    }, /^there is no file \/missing\/a, \/missing\/b, which KUBECONFIG names$/],
    ['must be YAML', () => ({ kubeconfig: world.file('bad', 'a: [') }), /bad is not YAML: /],
    ['must not be directories', () => ({ kubeconfig: world.dir }), /cannot be read: EISDIR/],
    ['need a current context', () => ({ kubeconfig: world.file('none', { ...kubeconfig('https://x'), 'current-context': '' }) }), /none has no current-context$/],
    ['that are empty have none', () => ({ kubeconfig: world.file('empty', '') }), /empty has no current-context$/],
    ['need the context that is asked for', () => ({ kubeconfig: world.file('some', kubeconfig('https://x')), context: 'prod' }), /some has no context prod$/],
    ['need the cluster of the context', () => ({ kubeconfig: world.file('c', { ...kubeconfig('https://x'), clusters: [] }) }), /context test of .*\/c names the cluster test, which is not there/],
    ['need the user of the context', () => ({ kubeconfig: world.file('u', { ...kubeconfig('https://x'), users: null }) }), /names the user test, which is not there/],
    ['need a server', () => ({ kubeconfig: world.file('s', kubeconfig('api.example:6443')) }), /its cluster has no server that is a URL/],
    ['may not use what Kubernetes dropped', () => ({ kubeconfig: world.file('g', kubeconfig('https://x', { 'auth-provider': { name: 'gcp', config: {} } })) }), /auth provider gcp, which Kubernetes dropped/],
    ['may not use plugins that ask', () => ({ kubeconfig: world.file('i', kubeconfig('https://x', { exec: { command: 'x', interactiveMode: 'Always' } })) }), /wants to ask on the terminal/],
    ['may not be missing certificates', () => ({ kubeconfig: world.file('m', kubeconfig('https://x', { 'client-certificate': '/missing.crt' })) }), /credentials of context test of .*\/m: ENOENT/],
  ])('%s', async (_, options, reason) => {
    const source = await start(options());
    expect(source.state).toMatchObject({ status: 'failing', reason: expect.stringMatching(reason) as string, fix: expect.any(String) as string });
    expect(source.state.reason).not.toContain('\n');
  });

  it('tell the contexts there are when the one asked for is not', async () => {
    const source = await start({ kubeconfig: world.file('some', kubeconfig('https://x')), context: 'prod' });
    expect(source.state.fix).toBe('give --context NAME (there: test)');
  });

  it('that are mended are read again', async () => {
    const file = world.file('config', 'nonsense: [');
    const source = await start({ kubeconfig: file });
    expect(source.state.status).toBe('failing');
    world.file('config', kubeconfig(cluster.server.url));
    await passPause(world.clock);
    await becomes(source, 'ok');
  });

  it('that name another server are followed at the next request', async () => {
    const other = world.serve(new TestCluster());
    await other.server.listen();
    const file = world.file('config', kubeconfig(cluster.server.url));
    const source = await start({ kubeconfig: file });
    await cluster.watch(1);
    world.file('config', kubeconfig(other.server.url));
    utimesSync(file, 1, 1);
    cluster.watches[0]?.end();
    await passPause(world.clock);
    await other.watch(1);
    // Versions of the one mean nothing to the other.
    expect(other.lists).toHaveLength(1);
    expect(source.state.reason).toContain(other.server.url);
  });

  it('have paths beside themselves', async () => {
    world.file('sub/ca.crt', ca.cert);
    world.file('sub/token', 'from-file\n');
    const file = world.file('sub/config', kubeconfig(cluster.server.url, { tokenFile: 'token', token: 'old' }, { 'certificate-authority-data': undefined, 'certificate-authority': 'ca.crt' }));
    expect((await start({ kubeconfig: file })).state.status).toBe('ok');
    expect(cluster.server.asked[0]?.headers.authorization).toBe('Bearer from-file');
  });

  it('may lead to a path of the server', async () => {
    world.kubeconfig(`${cluster.server.url}/k8s/clusters/c-1/`);
    expect((await start()).state.status).toBe('ok');
    expect(cluster.server.asked[0]?.url.pathname).toBe('/k8s/clusters/c-1/api/v1/pods');
  });

  it('need no user', async () => {
    const file = world.file('anonymous', { ...kubeconfig(cluster.server.url), contexts: [{ name: 'test', context: { cluster: 'test' } }] });
    expect((await start({ kubeconfig: file })).state.status).toBe('ok');
    expect(cluster.server.asked[0]?.headers.authorization).toBeUndefined();
  });

  it('of whoever called sudo give no more than they may read', async () => {
    world.file('passwd', `anna:x:1234:1235::${world.dir}/anna:/bin/sh\n`);
    world.env['SUDO_UID'] = '1234';
    const secret = world.file('root-only', 'secret');
    const file = world.file('anna/.kube/config', kubeconfig(cluster.server.url, { tokenFile: secret }));
    chownSync(file, 1234, 1235);
    const source = await start();
    expect(source.state).toMatchObject({ status: 'failing', reason: `${secret} is not readable by anna` });
    chownSync(file, 0, 0);
    await passPause(world.clock);
    await until('the file', () => source.state.reason === `${file} is not readable by anna`);
    expect(cluster.server.asked).toHaveLength(0);
  });
});

describe('servers', () => {
  it('may speak plain HTTP, as kubectl proxy does', async () => {
    const plain = world.serve(new TestCluster(new TestServer(() => {}, null)));
    await plain.server.listen();
    world.kubeconfig(plain.server.url, {});
    expect((await start()).state).toMatchObject({ status: 'ok', reason: expect.stringContaining('http://127.0.0.1') as string });
    await plain.watch(1);
    expect(plain.server.connections).toBe(1);
  });

  it.each<[string, () => Parameters<typeof certificate>[0], RegExp]>([
    ['of another authority', () => ({ cn: 'x', names: ['127.0.0.1'], issuer: authority('other') }), /signed by an unknown authority$/],
    ['that has expired', () => ({ cn: 'x', names: ['127.0.0.1'], issuer: ca, to: new Date(Date.now() - 1_000) }), /its certificate has expired$/],
    ['that is not valid yet', () => ({ cn: 'x', names: ['127.0.0.1'], issuer: ca, from: new Date(Date.now() + 60_000) }), /its certificate is not valid yet$/],
    ['for another name', () => ({ cn: 'x', names: ['api.example'], issuer: ca }), /its certificate is not made for 127\.0\.0\.1$/],
  ])('with a certificate %s get no token', async (_, request, reason) => {
    const bad = world.serve(new TestServer(() => {}, certificate(request())));
    await bad.listen();
    world.kubeconfig(bad.url);
    const source = await start();
    expect(source.state).toMatchObject({ status: 'failing', reason: expect.stringMatching(reason) as string, fix: expect.any(String) as string });
    expect(bad.asked).toEqual([]);
  });

  it('may have another name in TLS, or none that counts', async () => {
    const named = world.serve(new TestCluster(new TestServer(() => {}, certificate({ cn: 'x', names: ['api.example'], issuer: ca }))));
    await named.server.listen();
    expect((await start({ kubeconfig: world.file('a', kubeconfig(named.server.url, {}, { 'tls-server-name': 'api.example' })) })).state.status).toBe('ok');
    expect((await start({ kubeconfig: world.file('b', kubeconfig(named.server.url, {}, { 'certificate-authority-data': undefined, 'insecure-skip-tls-verify': true })) })).state.status).toBe('ok');
  });

  it('that speak no TLS are said so', async () => {
    const plain = world.serve(new TestServer(() => {}, null));
    await plain.listen();
    world.kubeconfig(plain.url.replace('http:', 'https:'));
    expect((await start()).state.reason).toMatch(/does not speak TLS at this port$/);
  });

  it('may be behind a proxy, also with a certificate that is renewed', async () => {
    const proxy = await startProxy();
    const files = (cn: string): void => {
      const { cert, key } = certificate({ cn, issuer: ca });
      world.file('client.crt', cert);
      world.file('client.key', key);
    };
    files('old');
    world.kubeconfig(cluster.server.url, { 'client-certificate': '../../client.crt', 'client-key': '../../client.key' }, { 'proxy-url': proxy.url });
    const source = await start();
    const watch = await cluster.watch(1);
    expect([source.state.status, watch.request.client, proxy.tunnels[0]]).toEqual(['ok', 'old', cluster.server.url.replace('https://', '')]);
    files('renewed');
    watch.end();
    await passPause(world.clock);
    expect((await cluster.watch(2)).request.client).toBe('renewed');
    source.close();
    proxy.close();
  });
});

describe('users', () => {
  it('may have a name and a password', async () => {
    world.kubeconfig(cluster.server.url, { username: 'admin', password: 'p' });
    await start();
    expect(cluster.server.asked[0]?.headers.authorization).toBe(`Basic ${base64('admin:p')}`);
  });

  it('may stand for others', async () => {
    world.kubeconfig(cluster.server.url, { token: 't', as: 'anna', 'as-groups': ['a', 'b'], 'as-uid': '7' });
    await start();
    expect(cluster.server.asked[0]?.headers).toMatchObject({ 'impersonate-user': 'anna', 'impersonate-group': 'a, b', 'impersonate-uid': '7' });
  });

  it('may have a certificate, which is renewed at the next connection', async () => {
    const old = certificate({ cn: 'old', issuer: ca });
    const renewed = certificate({ cn: 'renewed', issuer: ca });
    world.file('client.crt', old.cert);
    world.file('client.key', old.key);
    world.kubeconfig(cluster.server.url, { 'client-certificate': '../../client.crt', 'client-key': '../../client.key' });
    await start();
    await cluster.watch(1);
    expect(cluster.server.asked.map(({ client }) => client)).toEqual(['old', 'old']);
    world.file('client.crt', renewed.cert);
    world.file('client.key', renewed.key);
    cluster.watches[0]?.end();
    await passPause(world.clock);
    expect((await cluster.watch(2)).request.client).toBe('renewed');
    expect(cluster.server.connections).toBe(2);
  });

  it('whose key does not fit the certificate are told so', async () => {
    world.kubeconfig(cluster.server.url, { 'client-certificate-data': base64(certificate({ cn: 'a', issuer: ca }).cert), 'client-key-data': base64(certificate({ cn: 'b' }).key) });
    const source = await start();
    expect(source.state).toMatchObject({ status: 'failing', reason: expect.stringContaining('certificate or key cannot be used') as string });
  });

  it('of OpenID have their token as long as it is good; kubectl gets the next', async () => {
    const jwt = (exp: number): string => ['{"alg":"RS256"}', JSON.stringify({ exp }), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');
    const user = (exp: number): object => ({ 'auth-provider': { name: 'oidc', config: { 'client-id': 'kbtop', 'id-token': jwt(exp), 'refresh-token': 'r', 'idp-issuer-url': 'https://127.0.0.1:1' } } });
    const now = Math.floor(Date.now() / 1_000);
    world.kubeconfig(cluster.server.url, user(now - 1));
    const source = await start();
    expect(source.state).toMatchObject({ status: 'failing', reason: expect.stringMatching(/^the OpenID token of context test of .* ended 20.*Z$/) as string, fix: expect.stringContaining('run kubectl') as string });
    expect(cluster.server.asked).toEqual([]);
    world.kubeconfig(cluster.server.url, user(now + 600));
    await passPause(world.clock);
    await becomes(source, 'ok');
    expect(cluster.server.asked[0]?.headers.authorization).toBe(`Bearer ${jwt(now + 600)}`);
  });

  it.each<[string, string]>([['no', ''], ['a strange', 'strange']])('of OpenID with %s token', async (_, token) => {
    world.kubeconfig(cluster.server.url, { 'auth-provider': { name: 'oidc', config: { 'id-token': token } } });
    const source = await start();
    expect(token === '' ? source.state.reason : cluster.server.asked[0]?.headers.authorization).toMatch(token === '' ? /has no OpenID token$/ : /^Bearer strange$/);
  });

  it("may be a pod's service account, whose token is read anew every minute", async () => {
    world.file('serviceaccount/token', 'first');
    world.file('serviceaccount/ca.crt', ca.cert);
    Object.assign(world.env, { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: String(cluster.server.port) });
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      const source = await start();
      expect(source.state).toMatchObject({ status: 'ok', reason: expect.stringContaining("this pod's service account") as string });
      await cluster.watch(1);
      world.file('serviceaccount/token', 'second');
      vi.setSystemTime(Date.now() + 61_000);
      cluster.watches[0]?.end();
      await passPause(world.clock);
      await cluster.watch(2);
      expect(cluster.server.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer first', 'Bearer first', 'Bearer second']);
    } finally {
      vi.useRealTimers();
    }
  });

  it('of a service account have no contexts', async () => {
    world.file('serviceaccount/token', 'first');
    world.env['KUBERNETES_SERVICE_HOST'] = '127.0.0.1';
    expect((await start({ context: 'prod' })).state).toMatchObject({ status: 'failing', reason: 'there is no kubeconfig that could have a context prod' });
  });

  it('that nobody has are absent', async () => {
    expect((await start()).state).toEqual({ status: 'absent', reason: `there is no kubeconfig: no ${world.dir}/home/.kube/config, and no service account`, fix: 'give --kubeconfig FILE, or run kbtop in a pod with a service account' });
  });
});

describe('exec plugins', () => {
  it('give tokens, once for many requests, and hear of the cluster', async () => {
    const command = plugin(`echo run >> ${world.dir}/runs; echo "$KUBERNETES_EXEC_INFO" > ${world.dir}/info; [ -t 0 ] && exit 1; echo '${credential({ token: 'from-plugin' })}'`);
    world.kubeconfig(cluster.server.url, exec(command, { provideClusterInfo: true, env: [{ name: 'X', value: 'y' }] }));
    expect((await start()).state.status).toBe('ok');
    await cluster.watch(1);
    expect(cluster.server.asked.map(({ headers }) => headers.authorization)).toEqual(['Bearer from-plugin', 'Bearer from-plugin']);
    expect(readFileSync(`${world.dir}/runs`, 'utf8')).toBe('run\n');
    expect(JSON.parse(readFileSync(`${world.dir}/info`, 'utf8'))).toMatchObject({ kind: 'ExecCredential', apiVersion: 'client.authentication.k8s.io/v1', spec: { interactive: false, cluster: { server: cluster.server.url } } });
  });

  it('give certificates', async () => {
    const { cert, key } = certificate({ cn: 'from-plugin', issuer: ca });
    world.file('answer', credential({ clientCertificateData: cert, clientKeyData: key }));
    world.kubeconfig(cluster.server.url, exec(plugin(`cat ${world.dir}/answer`)));
    expect((await start()).state.status).toBe('ok');
    expect(cluster.server.asked[0]?.client).toBe('from-plugin');
  });

  it('are beside their kubeconfig when they have a path', async () => {
    plugin(`echo '${credential({ token: 'beside' })}'`);
    world.kubeconfig(cluster.server.url, exec('../../plugin'));
    expect((await start()).state.status).toBe('ok');
  });

  it('are run again after 401', async () => {
    world.file('answer', credential({ token: 'old' }));
    world.kubeconfig(cluster.server.url, exec(plugin(`cat ${world.dir}/answer`)));
    const source = await start();
    const watch = await cluster.watch(1);
    cluster.refuse = (request, response) => request.headers.authorization !== 'Bearer new' && status(401)(request, response);
    world.file('answer', credential({ token: 'new' }));
    watch.end();
    await passPause(world.clock);
    await cluster.watch(2);
    expect(source.state.status).toBe('ok');
  });

  it.each<[string, string, RegExp]>([
    ['fail', 'echo "some noise" >&2; echo "login first" >&2; exit 1', /^exec plugin .*\/plugin of context test of .* failed: some noise login first$/],
    ['fail silently', 'exit 3', / failed: no message$/],
    ['print nonsense', 'echo nonsense', / printed no ExecCredential$/],
    ['print another object', 'echo "{}"', / printed no ExecCredential$/],
    ['print without end', 'exec yes', / printed too much$/],
  ])('that %s are told so, and tried again', async (_, script, reason) => {
    world.kubeconfig(cluster.server.url, exec(plugin(script)));
    const source = await start();
    await becomes(source, 'failing');
    expect(source.state).toMatchObject({ reason: expect.stringMatching(reason) as string, fix: 'run it by hand to see why' });
    plugin(`echo '${credential({ token: 'secret' })}'`);
    await passPause(world.clock);
    await becomes(source, 'ok');
  });

  it('that fail while reconnecting cost neither the source nor the process', async () => {
    const valid = credential({ token: 'secret', expirationTimestamp: new Date(Date.now() + 250).toISOString() });
    world.kubeconfig(cluster.server.url, exec(plugin(`echo '${valid}'`)));
    const source = await start();
    const watch = await cluster.watch(1);
    plugin('exit 1');
    await new Promise((resolve) => setTimeout(resolve, 300));
    watch.reset();
    await becomes(source, 'failing');
    await passPause(world.clock);
    await until('the plugin', () => source.state.reason.includes('failed'));
    plugin(`echo '${credential({ token: 'secret' })}'`);
    await passPause(world.clock);
    await becomes(source, 'ok');
    await cluster.watch(2);
  });

  it('that are not there are told so', async () => {
    world.kubeconfig(cluster.server.url, exec('kbtop-no-such-plugin'));
    expect((await start()).state.reason).toMatch(/^exec plugin kbtop-no-such-plugin of .* is not installed$/);
  });

  it('that hang are ended after 30 s, with all they started', async () => {
    world.kubeconfig(cluster.server.url, exec(plugin(`sleep 1000 & echo $! > ${world.dir}/child; echo $$ > ${world.dir}/parent; wait`)));
    const source = world.api();
    const started = source.start();
    const pid = (name: string): number => Number(readOr(`${world.dir}/${name}`));
    await until('the plugin', () => pid('parent') > 0);
    world.clock.pass(5_000);
    await started;
    expect(source.state.status).toBe('starting');
    world.clock.pass(25_000);
    await becomes(source, 'failing');
    expect(source.state.reason).toMatch(/ did not answer in 30 s$/);
    for (const name of ['parent', 'child']) await until(`the end of the ${name}`, () => !alive(pid(name)));
  });

  it('that hang are ended when kbtop is', async () => {
    world.kubeconfig(cluster.server.url, exec(plugin(`echo $$ > ${world.dir}/parent; sleep 1000`)));
    const source = world.api();
    const started = source.start();
    const pid = (): number => Number(readOr(`${world.dir}/parent`));
    await until('the plugin', () => pid() > 0);
    source.close();
    await started;
    await until('the end of the plugin', () => !alive(pid()));
    await until('no timers', () => world.clock.pending.length === 0);
  });

  it.runIf(process.getuid?.() === 0)('of whoever called sudo run as they, in their home', async () => {
    world.file('passwd', `anna:x:1234:1235::${world.dir}/anna:/bin/sh\n`);
    world.env['SUDO_UID'] = '1234';
    const command = world.file('bin/plugin', `#!/bin/sh\necho "{\\"status\\":{\\"token\\":\\"$(id -u)-$(id -g)-$HOME-$USER\\"}}"\n`, 0o755);
    const file = world.file('anna/.kube/config', kubeconfig(cluster.server.url, exec(command)));
    chownSync(file, 1234, 1235);
    for (const dir of [world.dir, `${world.dir}/bin`]) chmodSync(dir, 0o755);
    expect((await start()).state.status).toBe('ok');
    expect(cluster.server.asked[0]?.headers.authorization).toBe(`Bearer 1234-1235-${world.dir}/anna-anna`);
  });
});

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Ended counts also when nobody has taken note of it yet. */
function alive(pid: number): boolean {
  const stat = readOr(`/proc/${pid}/stat`);
  return stat !== '' && !/\) [ZX] /.test(stat);
}
