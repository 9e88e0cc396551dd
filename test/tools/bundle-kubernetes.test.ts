import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Metafile } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../tools/bundle.mjs';
import { pod, TestCluster } from '../identity/kubernetes/support/cluster.ts';
import { kubeconfig } from '../identity/kubernetes/support/source.ts';

const root = dirname(dirname(import.meta.dirname));
let dir: string;
let out: string;
let metafile: Metafile;

/** A program that asks the API for names, far from any node_modules. */
beforeAll(async () => {
  mkdirSync(join(root, '.cache'), { recursive: true });
  dir = mkdtempSync(join(root, '.cache/bundle-kubernetes-'));
  out = mkdtempSync(join(tmpdir(), 'kbtop-bundle-'));
  writeFileSync(
    join(dir, 'main.ts'),
    `import { createApiSource } from '../../src/identity/kubernetes/api.ts';
     import { createKubeletSource } from '../../src/identity/kubernetes/kubelet.ts';
     const options = { hostRoot: '/nowhere', runtimeEndpoint: null, kubeconfig: process.argv[2] ?? null, context: null, nodeName: 'node1', debug: () => {} };
     const api = createApiSource(options);
     const kubelet = createKubeletSource(options, { needed: () => false });
     for (const source of [api, kubelet]) source.onChange(() => {});
     await Promise.all([api.start(), kubelet.start()]);
     const loaded = (name) => process.moduleLoadList.includes('NativeModule ' + name);
     console.log(JSON.stringify({ api: api.state, kubelet: kubelet.state.status, pod: api.lookup({ podUid: 'u1', containerId: null })?.pod ?? null, http: loaded('https') || loaded('http'), tls: loaded('tls') }));
     for (const source of [api, kubelet]) source.close();`,
  );
  ({ metafile } = (await bundle(out, { entry: join(dir, 'main.ts') })) as { metafile: Metafile });
});
afterAll(() => {
  for (const one of [dir, out]) rmSync(one, { recursive: true, force: true });
});

let cluster: TestCluster | null = null;
afterEach(async () => {
  await cluster?.server.stop();
  cluster = null;
});

interface Told {
  readonly api: { readonly status: string; readonly reason: string };
  readonly kubelet: string;
  readonly pod: string | null;
  readonly http: boolean;
  readonly tls: boolean;
}

/** What the program says, once it has ended by itself. */
function run(...args: string[]): Promise<Told> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(out, 'kbtop.mjs'), ...args], { cwd: out, env: { PATH: process.env['PATH'], HOME: out }, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => void (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => void (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code) => (code === 0 && stderr === '' ? resolve(JSON.parse(stdout) as Told) : reject(new Error(`${code}: ${stderr}`))));
  });
}

async function serve(): Promise<TestCluster> {
  cluster = new TestCluster();
  cluster.pods = [pod('web', 'u1')];
  await cluster.server.listen();
  return cluster;
}

const config = (content: object): string => {
  const file = join(out, 'kubeconfig.json');
  writeFileSync(file, JSON.stringify(content));
  return file;
};

/** Files that are loaded with the entry, without any import(). */
function withEntry(): string[] {
  const seen = new Set<string>();
  const open = [Object.keys(metafile.outputs).find((name) => name.endsWith('/kbtop.mjs')) ?? ''];
  for (let output = open.pop(); output !== undefined; output = open.pop()) {
    if (seen.has(output)) continue;
    seen.add(output);
    for (const { path, kind } of metafile.outputs[output]?.imports ?? []) if (kind === 'import-statement' && metafile.outputs[path]) open.push(path);
  }
  return [...seen].flatMap((output) => Object.keys(metafile.outputs[output]?.inputs ?? {}));
}

describe('the bundled client of the API', () => {
  it('is no part of what every start loads', () => {
    const inputs = withEntry();
    expect(inputs).toContain('src/identity/kubernetes/api.ts');
    expect(inputs.filter((input) => input.includes('node_modules') || input.startsWith('unused:'))).toEqual([]);
    expect(inputs.filter((input) => /reflector|cluster|credentials|http\.ts|kubelet-/.test(input))).toEqual([]);
  });

  it('holds what KubeConfig needs, and not the generated API', () => {
    const inputs = Object.keys(metafile.inputs);
    for (const part of ['client-node/dist/config.js', 'client-node/dist/exec_auth.js', '/socks-proxy-agent/', '/hpagent/']) {
      expect(inputs.filter((input) => input.includes(part)), part).not.toEqual([]);
    }
    expect(inputs.filter((input) => /client-node\/dist\/(?:gen\/|index)|node_modules\/(?:undici|js-yaml|jsonpath-plus|openid-client|ws)\//.test(input))).toEqual([]);
    const ours = Object.values(metafile.outputs).filter(({ inputs }) => Object.keys(inputs).some((input) => input.includes('client-node')));
    expect(ours.reduce((bytes, output) => bytes + output.bytes, 0)).toBeLessThan(200_000);
  });

  it('loads neither itself nor HTTP nor TLS where there is no configuration', async () => {
    expect(await run()).toMatchObject({ api: { status: 'absent' }, kubelet: 'off', http: false, tls: false });
  });

  it('answers without any node_modules, and lets the process end', async () => {
    expect(readdirSync(out)).not.toContain('node_modules');
    const { server } = await serve();
    expect(await run(config(kubeconfig(server.url)))).toMatchObject({ api: { status: 'ok' }, pod: 'web', tls: true });
    expect(server.asked[0]?.headers.authorization).toBe('Bearer secret');
  });

  it('runs exec plugins', async () => {
    const { server } = await serve();
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: 'sh', args: ['-c', `echo '{"status":{"token":"from-plugin"}}'`] };
    expect(await run(config(kubeconfig(server.url, { exec })))).toMatchObject({ api: { status: 'ok' }, pod: 'web' });
    expect(server.asked[0]?.headers.authorization).toBe('Bearer from-plugin');
  });
});
