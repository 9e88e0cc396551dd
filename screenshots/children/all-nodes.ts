/**
 * The cluster's screen for pictures: three agents on this machine, each a real kbtop that sees its share of the demo's
 * pods, and the source and screen of `kubectl kbtop --all-nodes` on them. In place of streams through an API server there
 * are pipes.
 *
 *   node (bundle of this) KBTOP-FLAGS...
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Agent } from '../../src/cluster/agents.ts';
import type { AgentSession } from '../../src/cluster/member.ts';
import { ClusterSource } from '../../src/cluster/source.ts';
import type { Frame } from '../../src/frame/frame.ts';
import { runUi } from '../../src/ui/run.tsx';

/** Which pods each of them sees; the last one is silent after a while. */
const NODES: Readonly<Record<string, readonly string[]>> = {
  'worker-1': ['web', 'batch'], 'worker-2': ['cart', 'scan'], 'worker-3': ['store', 'cron'], 'worker-4': ['scan'],
};
const SILENT = 'worker-4';
/** Frames after which it falls silent. */
const LAST_WORDS = 4;

function session(node: string, containers: readonly string[]): AgentSession {
  const flags = [...process.argv.slice(2), '--node', node, ...containers.flatMap((name) => ['-c', name])];
  const child = spawn(join(process.cwd(), 'bin/kbtop'), ['snapshot', '--count', '1000', '--interval', '1s', '-o', 'ndjson', ...flags], { stdio: ['ignore', 'pipe', 'ignore'] });
  const { promise: done, resolve } = Promise.withResolvers<void>();
  child.once('close', () => resolve());
  return {
    done,
    subscribe: (onFrame) => {
      let told = 0;
      createInterface({ input: child.stdout }).on('line', (line) => {
        told += 1;
        if (node !== SILENT || told <= LAST_WORDS) onFrame(JSON.parse(line) as Frame);
      });
      return () => {};
    },
    onTrouble: () => () => {},
    close: async () => {
      child.kill();
      await done;
    },
  };
}

const agents: Agent[] = Object.keys(NODES).map((node) => ({ node, namespace: 'kbtop', pod: `kbtop-${node}`, uid: node, status: 'Running', running: true }));
const source = await ClusterSource.open({
  name: 'prod', namespace: 'kbtop', intervalMs: 1000,
  agents: { start: ({ found }) => found(agents), close: () => {} },
  open: async ({ node }) => session(node, NODES[node] ?? []),
});
const code = await runUi(source, { color: 'auto', ascii: false, intervalMs: 1000, readOnly: false, scope: null, saveDirectory: process.cwd(), version: process.env['KBTOP_VERSION'] ?? '', chaos: null });
await source.close();
process.exit(code);
