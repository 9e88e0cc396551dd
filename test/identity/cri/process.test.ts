/** The CRI source in a process of its own: what it loads, what it writes, whom it connects to, and that it ends. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeRuntime, recorded } from './fake-runtime.ts';
import { after, temporaryDirectory } from './support.ts';

const SOURCE = join(import.meta.dirname, '../../../src/identity/cri/source.ts');

interface Outcome {
  readonly status: string;
  readonly reason: string;
  /** Modules loaded from node_modules. */
  readonly loaded: readonly string[];
  readonly debugged: number;
}

/** Start a source, close it unless told not to, and let the process end by itself. */
async function run(endpoint: string, { env = {}, close = true }: { readonly env?: NodeJS.ProcessEnv; readonly close?: boolean } = {}): Promise<{ readonly outcome: Outcome; readonly stderr: string; readonly code: number | null; readonly ms: number }> {
  const script = `
    import { createRequire } from 'node:module';
    import { createCriSource } from ${JSON.stringify(SOURCE)};
    let debugged = 0;
    const source = createCriSource({ hostRoot: '/', runtimeEndpoint: ${JSON.stringify(endpoint)}, kubeconfig: null, context: null, nodeName: 'n', debug: () => { debugged += 1; } }, {});
    source.onChange(() => {});
    await source.start();
    const loaded = Object.keys(createRequire(import.meta.url).cache).map((path) => /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(path)?.[1]);
    console.log(JSON.stringify({ ...source.state, loaded: [...new Set(loaded)], debugged }));
    if (${close}) source.close();
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  after(() => child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  let told = 0;
  child.stdout.on('data', (text: Buffer) => {
    told = performance.now();
    stdout += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => { stderr += text.toString(); });
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { outcome: JSON.parse(stdout || '{}') as Outcome, stderr, code, ms: performance.now() - told };
}

async function runtime(): Promise<FakeRuntime> {
  const fake = await new FakeRuntime(join(temporaryDirectory(), 'runtime.sock'), recorded('containerd')).listen();
  after(() => fake.close());
  return fake;
}

describe('a process with the CRI source', () => {
  it('loads neither gRPC nor protobuf where there is no socket', async () => {
    const { outcome, stderr, code } = await run('/nowhere/runtime.sock');
    expect([outcome.status, outcome.loaded, stderr, code]).toEqual(['absent', [], '', 0]);
  });

  it('ends by itself after close(), and without it', async () => {
    const fake = await runtime();
    for (const close of [true, false]) {
      const { outcome, stderr, code, ms } = await run(fake.path, { close });
      expect([outcome.status, stderr, code]).toEqual(['ok', '', 0]);
      expect(outcome.loaded).toEqual(expect.arrayContaining(['@grpc/grpc-js', 'protobufjs']));
      expect(outcome.loaded).not.toContain('@grpc/proto-loader');
      expect(ms).toBeLessThan(2_000);
    }
  });

  it('does not ask a proxy of the environment', async () => {
    let contacted = 0;
    const proxy = createServer((socket) => {
      contacted += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    after(() => proxy.close());
    const address = proxy.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const { outcome } = await run((await runtime()).path, { env: { http_proxy: url, https_proxy: url, grpc_proxy: url, HTTP_PROXY: url, ALL_PROXY: url } });
    expect([outcome.status, contacted]).toEqual(['ok', 0]);
  });

  it('writes nothing to the terminal, whatever gRPC is told to: it goes where --debug goes', async () => {
    const { outcome, stderr } = await run((await runtime()).path, { env: { GRPC_TRACE: 'all', GRPC_VERBOSITY: 'DEBUG', grpc_proxy: 'socks5://nowhere' } });
    expect([outcome.status, stderr]).toEqual(['ok', '']);
    expect(outcome.debugged).toBeGreaterThan(0);
    const failed = await run(join(temporaryDirectory(), 'none.sock'), { env: { GRPC_TRACE: 'all', GRPC_VERBOSITY: 'DEBUG' } });
    expect(failed.stderr).toBe('');
  });
});
