/**
 * `kubectl kbtop` on a pod of the demo, for a picture: the plugin, an API server of the tests', and kbtop behind its
 * streams on this machine. Arguments are those with which kbtop finds the demo's names.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeCluster } from '../test/cluster/support/fake-cluster.ts';
import { kubeconfig } from '../test/identity/kubernetes/support/source.ts';
import { NODE } from './cluster.ts';

const root = join(import.meta.dirname, '..');
const POD = 'cart-7b4e9d5f6-dq4lm';
const directory = mkdtempSync(join(tmpdir(), 'kbtop-kubectl-'));
const quoted = process.argv.slice(2).map((word) => `'${word}'`).join(' ');
writeFileSync(join(directory, 'kbtop'), `#!/bin/sh\nexec '${join(root, 'bin/kbtop')}' ${quoted} "$@"\n`, { mode: 0o755 });
const cluster = await new FakeCluster().listen();
cluster.path = `${directory}:${process.env['PATH'] ?? ''}`;
cluster.addNode(NODE);
cluster.addPod('shop', POD, { node: NODE });
writeFileSync(join(directory, 'config'), JSON.stringify(kubeconfig(cluster.url)));

const plugin = spawn(join(root, 'bin/kubectl-kbtop'), [`pod/${POD}`, '-n', 'shop'], { stdio: 'inherit', env: { ...process.env, KUBECONFIG: join(directory, 'config'), KBTOP_IMAGE: 'kbtop:demo' } });
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => plugin.kill(signal));
plugin.once('exit', (code) => void cluster.stop().then(() => {
  rmSync(directory, { recursive: true, force: true });
  process.exit(code ?? 1);
}));
