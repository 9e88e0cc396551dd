/** The whole way of `kubectl kbtop --all-nodes`: list and exec at an API server over TLS, attach in the pods, real sessions behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openAllNodes } from '../../../src/cli/kubectl/all-nodes.ts';
import { AGENT_CONTAINER, AGENT_LABELS } from '../../../src/cluster/agents.ts';
import { openExec } from '../../../src/cluster/streams.ts';
import type { Frame } from '../../../src/frame/frame.ts';
import { systemClock } from '../../../src/identity/kubernetes/clock.ts';
import { Cluster } from '../../../src/identity/kubernetes/cluster.ts';
import { AttachSource } from '../../../src/session/client/attach-source.ts';
import { FakeCluster } from '../../cluster/support/fake-cluster.ts';
import { contractProblems } from '../../frame/contract.ts';
import { kubeconfig } from '../../identity/kubernetes/support/source.ts';
import { canLoadBpf, until } from '../../workloads/cgroup.ts';
import { Pty, plainEnv } from '../../pty/pty.ts';
import { KBTOP, onlyLine, start } from './kbtop.ts';

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

/** An API server with an agent on each of three nodes, its kubeconfig in `dir`. */
async function fleet(): Promise<{ readonly api: FakeCluster; readonly names: readonly string[] }> {
  const names = ['worker-1', 'worker-2', 'worker-3'], api = new FakeCluster();
  // Each agent's own socket, where a real one's /run/kbtop would be.
  writeFileSync(join(dir, 'kbtop'), `#!/bin/sh\nexec ${KBTOP} "$@" "$AGENT_SOCKET"\n`, { mode: 0o755 });
  api.path = `${dir}:${process.env['PATH']}`;
  await api.listen();
  writeFileSync(join(dir, 'config'), JSON.stringify(kubeconfig(api.url)));
  const labels = Object.fromEntries(AGENT_LABELS.split(',').map((label) => label.split('=') as [string, string]));
  for (const node of names) {
    const pod = api.addPod('kbtop', `kbtop-${node}`, { node, labels });
    Object.assign(pod.spec, { containers: [{ name: AGENT_CONTAINER, env: [{ name: 'AGENT_SOCKET', value: await serve(node) }] }] });
  }
  api.addPod('kbtop', 'somebody-else', { node: 'worker-9' });
  return { api, names };
}

describe.skipIf(!canLoadBpf)('kubectl kbtop --all-nodes through an API server (needs root and BTF)', () => {
  afterAll(async () => {
    for (const child of serving) child.kill('SIGKILL');
    await until('the end of all sessions', () => serving.size === 0);
    rmSync(dir, { recursive: true, force: true });
  });

  it('finds the agents, shows them all, and finds back when every connection breaks', async () => {
    const { api, names } = await fleet(), closing = new AbortController();
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
  it('is a screen like any other, from the command line to the last key', async () => {
    const { api } = await fleet();
    const pty = new Pty(join(KBTOP, '../kubectl-kbtop'), ['--all-nodes', '--interval', '500ms', '--ascii'], { columns: 160, rows: 45, env: plainEnv({ KUBECONFIG: join(dir, 'config'), HOME: dir }) });
    try {
      await pty.shows(/3 nodes/);
      await pty.shows(/NODE/);
      pty.write('N');
      await pty.shows(/worker-1[\s\S]*worker-2[\s\S]*worker-3/);
      pty.write('q');
      await pty.shows(/6\/6 probes|3 nodes/);
      pty.write('p[[');
      await pty.shows(/PAUSED/);
      pty.write('q');
      expect(await pty.ended()).toBe(0);
    } finally {
      await pty.kill();
      await api.stop();
    }
  });

  it('refuses what is not for all nodes, before anything is asked', async () => {
    const refused = async (...args: readonly string[]): Promise<string> => {
      const ended = await start(['--all-nodes', ...args], { command: join(KBTOP, '../kubectl-kbtop'), env: { HOME: dir, KUBECONFIG: '/nonexistent' } }).ended;
      expect(ended.code).toBe(2);
      return onlyLine(ended);
    };
    expect(await refused('node/worker-1')).toContain('leave out one of them');
    expect(await refused('--', 'snapshot')).toContain('kubectl kbtop node/NAME -- snapshot');
    expect(await refused('--image-pull-policy', 'Never')).toContain('--image-pull-policy is about debug pods');
    expect(await refused('-l', 'app in')).toMatch(/app in/);
  });
});
