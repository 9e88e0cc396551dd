/**
 * A node with 100 containers in 50 pods, really running and really captured: cgroups as a kubelet makes them, names from the
 * files of their runtime and from an API. Half of them hardly do anything, as on most nodes; the others serve, ask,
 * compute and store a few times a second. `busy` makes them do so ten times as often.
 *
 *   node bench/node.ts SECONDS [busy] > frames.ndjson
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCapture } from '../src/cli/capture.ts';
import type { Frame } from '../src/frame/frame.ts';
import { DemoCluster, type DemoPod, NODE } from '../screenshots/cluster.ts';
import { buildWorkload } from '../test/workloads/build.ts';
import { TestCgroup } from '../test/workloads/cgroup.ts';

const PODS = 50;
const CONTAINERS = 2 * PODS;
const FIRST_PORT = 21_000;
const NAMESPACES = ['shop', 'payments', 'search', 'monitoring', 'kube-system'] as const;
const NAMES = ['web', 'cart', 'checkout', 'ledger', 'index', 'query', 'agent', 'exporter', 'dns', 'proxy'] as const;

/** What the n-th container does, and how often, milliseconds. */
function jobOf(n: number): { readonly role: string; readonly periodMs: number } {
  if (n % 2 === 1) return { role: 'idle', periodMs: 10_000 };
  const place = n / 2;
  const role = (['web', 'client', 'web', 'client', 'worker', 'web', 'client', 'worker', 'store', 'idle'] as const)[place % 10] ?? 'idle';
  return { role, periodMs: role === 'idle' ? 5_000 : [100, 250, 500, 1000, 2000][Math.floor(place / 10)] ?? 1000 };
}

/** A web server near it that a client asks. */
const portOf = (n: number): number => FIRST_PORT + (jobOf(n).role === 'web' ? n : n - 2);

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');

function podOf(n: number): DemoPod {
  const pod = n >> 1, h = hex(`pod ${pod}`), name = `${NAMES[pod % NAMES.length]}-${pod}`, suffix = h.slice(40, 49);
  return {
    namespace: NAMESPACES[pod % NAMESPACES.length] ?? 'default', name: `${name}-${suffix}-${h.slice(50, 55)}`, container: n % 2 === 0 ? 'app' : 'sidecar',
    podUid: `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-a${h.slice(17, 20)}-${h.slice(20, 32)}`, containerId: hex(`container ${n}`),
    qosClass: 'Burstable', owner: ['Deployment', name, suffix], restarts: pod % 7 === 0 ? 2 : 0, ageHours: 10 + pod,
  };
}

export interface NodeOptions {
  /** Frames to take. */
  readonly frames: number;
  readonly busy?: boolean;
  readonly onFrame: (frame: Frame) => void;
}

/** Run the node and capture it, one Frame a second. Needs root. */
export async function captureNode({ frames, busy = false, onFrame }: NodeOptions): Promise<void> {
  const program = buildWorkload('service'), cluster = new DemoCluster();
  const pods = Array.from({ length: CONTAINERS }, (_, n) => podOf(n));
  const groups: TestCgroup[] = [], children: ChildProcess[] = [];
  await cluster.start(pods);
  try {
    for (const [n, pod] of pods.entries()) {
      const group = new TestCgroup(`/kubepods/burstable/pod${pod.podUid}/${pod.containerId}`);
      groups.push(group);
      const { role, periodMs } = jobOf(n);
      const argv = [role, String(Math.max(1, busy ? periodMs / 10 : periodMs)), String(portOf(n)), join(group.directory, 'cgroup.procs')];
      children.push(spawn(program, argv, { stdio: ['pipe', 'ignore', 'inherit'] }));
    }
    const [, hostRoot = null, , kubeconfig = null] = cluster.flags;
    const manager = openCapture({ intervalMs: 1000, debug: null, sources: { hostRoot, runtimeEndpoint: null, kubeconfig, context: null, nodeName: NODE } });
    try {
      let taken = 0;
      const all = new Promise<void>((resolve) => {
        manager.subscribe((frame) => {
          // The first ones tell of panes that are loading.
          if (frame.seq < 4 || taken >= frames) return;
          onFrame(ofPods(frame));
          if (++taken === frames) resolve();
        });
      });
      manager.start();
      await all;
    } finally {
      await manager.close();
    }
  } finally {
    for (const child of children) child.stdin?.end();
    await Promise.all(children.map((child) => (child.exitCode === null && child.signalCode === null ? once(child, 'exit') : null)));
    await sleep(50);
    for (const group of groups) await group.remove();
    await cluster.stop();
  }
}

/** Without what else runs on this machine, and without its name. */
function ofPods(frame: Frame): Frame {
  const isPod = (key: string): boolean => frame.containers[key]?.kind === 'pod';
  const only = (rows: readonly { readonly container: string }[]): object[] => rows.filter(({ container }) => isPod(container));
  const panes = Object.fromEntries(Object.entries(frame.panes).map(([id, pane]) => [id, { ...pane, rows: only(pane.rows), ...('totals' in pane && { totals: only(pane.totals) }) }])) as unknown as Frame['panes'];
  const containers = Object.fromEntries(Object.entries(frame.containers).map(([key, info]) => [key, info.nodename === hostname() ? { ...info, nodename: NODE } : info]));
  return { ...frame, containers, panes };
}

if (import.meta.main) {
  const [seconds = '60', how = ''] = process.argv.slice(2);
  await captureNode({ frames: Number(seconds), busy: how === 'busy', onFrame: (frame) => process.stdout.write(`${JSON.stringify(frame)}\n`) });
  process.exit(0);
}
