/** The whole way of `kubectl kbtop --all-nodes`: list and exec at an API server over TLS, attach in the pods, real sessions behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { openAllNodes } from '../../../src/cli/kubectl/all-nodes.ts';
import type { Command } from '../../../src/cluster/agent-stream.ts';
import { AGENT_CONTAINER, AGENT_LABELS } from '../../../src/cluster/agents.ts';
import type { AgentSession } from '../../../src/cluster/member.ts';
import type { Frame } from '../../../src/frame/frame.ts';
import { systemClock } from '../../../src/identity/kubernetes/clock.ts';
import { Cluster } from '../../../src/identity/kubernetes/cluster.ts';
import { contractProblems } from '../../frame/contract.ts';
import { kubeconfig } from '../../identity/kubernetes/support/source.ts';
import { canLoadBpf, until } from '../../workloads/cgroup.ts';
import { KBTOP } from './kbtop.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PARTS = { client: join(ROOT, 'src/session/client/attach-source.ts'), streams: join(ROOT, 'src/cluster/streams.ts'), api: join(ROOT, 'test/cluster/support/fake-cluster.ts') };
const complete = Object.values(PARTS).every((path) => existsSync(path));

interface Client { readonly AttachSource: { open(options: { readonly dial: () => Promise<Duplex>; readonly version: string; readonly terminal: null }): Promise<AgentSession> } }
interface Streams { openExec(cluster: Cluster, options: { readonly namespace: string; readonly pod: string; readonly container: string; readonly command: readonly string[] }): Promise<Command> }
interface FakePod { readonly spec: { containers: readonly object[] } }
interface FakeApi {
  path: string;
  readonly url: string;
  readonly execs: readonly { readonly running: { readonly ended: boolean } }[];
  listen(): Promise<unknown>;
  stop(): Promise<void>;
  disconnect(): void;
  addPod(namespace: string, name: string, options: { readonly node: string; readonly labels?: Record<string, string> }): FakePod;
}

const dir = mkdtempSync(join(tmpdir(), 'kbtop-all-'));
const serving = new Set<ChildProcess>();

async function serve(node: string): Promise<string> {
  const socket = join(dir, `${node}.sock`);
  const child = spawn(KBTOP, ['serve', '--socket', socket, '--node', node, '--interval', '500ms'], { stdio: 'ignore' });
  serving.add(child);
  child.once('close', () => serving.delete(child));
  await until(`a socket of ${node}`, () => existsSync(socket), 40_000);
  return socket;
}

describe.skipIf(!canLoadBpf || !complete)('kubectl kbtop --all-nodes through an API server (needs root, BTF, kbtop serve and exec streams)', () => {
  afterAll(async () => {
    for (const child of serving) child.kill('SIGKILL');
    await until('the end of all sessions', () => serving.size === 0);
    rmSync(dir, { recursive: true, force: true });
  });

  it('finds the agents, shows them all, and finds back when every connection breaks', async () => {
    const [{ AttachSource }, { openExec }, { FakeCluster }] = await Promise.all([
      import(PARTS.client) as Promise<Client>, import(PARTS.streams) as Promise<Streams>, import(PARTS.api) as Promise<{ FakeCluster: new () => FakeApi }>,
    ]);
    const names = ['worker-1', 'worker-2', 'worker-3'], api = new FakeCluster(), closing = new AbortController();
    // Each agent's own socket, where a real one's /run/kbtop would be.
    writeFileSync(join(dir, 'kbtop'), `#!/bin/sh\nexec ${KBTOP} "$@" "$AGENT_SOCKET"\n`, { mode: 0o755 });
    api.path = `${dir}:${process.env['PATH']}`;
    await api.listen();
    writeFileSync(join(dir, 'config'), JSON.stringify(kubeconfig(api.url)));
    const labels = Object.fromEntries(AGENT_LABELS.split(',').map((label) => label.split('=') as [string, string]));
    for (const node of names) {
      const pod = api.addPod('kbtop', `kbtop-${node}`, { node, labels });
      pod.spec.containers = [{ name: AGENT_CONTAINER, env: [{ name: 'AGENT_SOCKET', value: await serve(node) }] }];
    }
    api.addPod('kbtop', 'somebody-else', { node: 'worker-9' });
    const cluster = new Cluster({ kind: 'files', files: [join(dir, 'config')], required: true, person: null }, null, systemClock, closing.signal);
    const source = await openAllNodes({
      cluster,
      exec: ({ namespace, pod }, command) => openExec(cluster, { namespace, pod, container: AGENT_CONTAINER, command }),
      attach: (dial) => AttachSource.open({ dial, version: '0.1.0', terminal: null }),
    }, { namespace: 'kbtop', intervalMs: 500 });
    const frames: Frame[] = [];
    source.subscribe((frame) => void frames.push(frame));
    const nodes = () => frames.at(-1)?.nodes ?? [];
    const becomes = (so: () => boolean | undefined): Promise<unknown> =>
      until('the cluster to be so', so, 40_000).catch((error: Error) => { throw new Error(`${error.message}: ${JSON.stringify(nodes())}`, { cause: error }); });
    try {
      await becomes(() => nodes().length > 0 && nodes().every(({ state }) => state === 'ok') && new Set(Object.values(frames.at(-1)?.containers ?? {}).map(({ node }) => node)).size === 3);
      expect(nodes().map(({ name }) => name)).toEqual(names);
      expect(frames.at(-1)?.node.name).toBe('test');
      expect(contractProblems(frames.at(-1))).toEqual([]);
      api.disconnect();
      await becomes(() => nodes().some(({ state, reason }) => state === 'lost' && reason !== null));
      await becomes(() => nodes().every(({ state, repeated }) => state === 'ok' && !repeated));
      expect(api.execs.length).toBeGreaterThanOrEqual(2 * names.length);
    } finally {
      await source.close();
      cluster.close();
      closing.abort();
    }
    // Nothing of ours runs on in the pods.
    await until('the end of what was run in pods', () => api.execs.every(({ running }) => running.ended), 40_000);
    await api.stop();
  });
});
