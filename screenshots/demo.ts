/**
 * Makes demo/demo.kbtop: two minutes of real pods in a real containerd, captured by kbtop itself. A shop is well until a
 * job without a CPU limit arrives (run queue waits) and its store goes away for half a minute (refused connections).
 *
 *   node screenshots/demo.ts [FILE]
 *
 * Needs root, and no kubelet on the machine. What else runs on the machine is left out, and so is its name.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { chmod, rename, unlink } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openCapture } from '../src/cli/capture.ts';
import type { ContainerInfo, Frame, Panes, StreamTotal } from '../src/frame/frame.ts';
import { RecordingWriter } from '../src/session/recording/writer.ts';
import { type Pod as ApiPod, TestCluster } from '../test/identity/kubernetes/support/cluster.ts';
import { kubeconfig } from '../test/identity/kubernetes/support/source.ts';
import { Pod, type PodSpec } from '../test/runtime/pods.ts';
import { Runtime, unavailable } from '../test/runtime/runtime.ts';

const NODE = 'worker-1';
const SECONDS = 120;
/** What happens when, seconds. */
const JOB_AT = 35, STORE_GONE_AT = 60, STORE_BACK_AT = 92, JOB_ENDS_AT = 105;
const WEB_PORT = 28_080, STORE_PORT = 26_379;

const sh = (script: string): readonly string[] => ['sh', '-c', script];
const every = (seconds: number, command: string): readonly string[] => sh(`while :; do ${command}; sleep ${seconds}; done`);
const fetch = (port: number): string => `wget -q -O /dev/null http://127.0.0.1:${port}/index.html`;

interface DemoPod extends PodSpec {
  readonly owner: readonly [kind: string, name: string];
  readonly ageHours: number;
  readonly restarts?: number;
}

const STORE = sh(`mkdir -p /www; echo ok > /www/index.html; exec busybox httpd -f -p 127.0.0.1:${STORE_PORT} -h /www`);

const PODS: readonly DemoPod[] = [
  { name: 'web-5d9f7c6b8-iz6xk', namespace: 'shop', owner: ['ReplicaSet', 'web-5d9f7c6b8'], ageHours: 77, hostNetwork: true, labels: { app: 'web', 'pod-template-hash': '5d9f7c6b8' },
    containers: [{ name: 'nginx', command: sh(`mkdir -p /www; echo ok > /www/index.html; exec busybox httpd -f -p 127.0.0.1:${WEB_PORT} -h /www`) }] },
  { name: 'cart-7b4e9d5f6-dq4lm', namespace: 'shop', owner: ['ReplicaSet', 'cart-7b4e9d5f6'], ageHours: 5.2, restarts: 3, hostNetwork: true, labels: { app: 'cart', 'pod-template-hash': '7b4e9d5f6' },
    containers: [{ name: 'app', command: every(0.25, `${fetch(STORE_PORT)}; ${fetch(WEB_PORT)}`) }, { name: 'metrics', command: every(1, 'cat /proc/loadavg /proc/meminfo > /dev/null') }] },
  { name: 'checkout-6c8f4d7b9-x7k2p', namespace: 'shop', owner: ['ReplicaSet', 'checkout-6c8f4d7b9'], ageHours: 5.2, hostNetwork: true, labels: { app: 'checkout', 'pod-template-hash': '6c8f4d7b9' },
    containers: [{ name: 'app', command: every(0.4, `${fetch(WEB_PORT)}; cat /etc/checkout/local.yaml 2> /dev/null`) }] },
  { name: 'store-0', namespace: 'shop', owner: ['StatefulSet', 'store'], ageHours: 411, hostNetwork: true, qos: 'Guaranteed', labels: { app: 'store' }, containers: [{ name: 'store', command: STORE }] },
  { name: 'agent-md6wq', namespace: 'monitoring', owner: ['DaemonSet', 'agent'], ageHours: 980, qos: 'BestEffort', labels: { app: 'agent' }, containers: [{ name: 'agent', command: every(0.5, 'ls /proc > /dev/null; cat /proc/stat > /dev/null') }] },
];

const JOB: DemoPod = {
  name: 'report-28e2-x2k1f', namespace: 'batch', owner: ['Job', 'report-28e2'], ageHours: 0, qos: 'BestEffort', labels: { 'batch.kubernetes.io/job-name': 'report-28e2' },
  containers: [{ name: 'report', command: sh('for i in 1 2 3 4; do (while :; do :; done) & done; wait') }],
};

/** As the API tells of it. */
function apiPod(spec: DemoPod, pod: Pod): ApiPod {
  const [kind, name] = spec.owner, image = (container: string): string => `registry.example/${container}:1.4`;
  return {
    metadata: { name: pod.name, namespace: pod.namespace, uid: pod.uid, labels: { ...spec.labels }, ownerReferences: [{ apiVersion: 'apps/v1', kind, name, uid: '0', controller: true }], creationTimestamp: new Date(Date.now() - spec.ageHours * 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z') },
    spec: { nodeName: NODE, containers: spec.containers.map((one) => ({ name: one.name, image: image(one.name) })) },
    status: { phase: 'Running', qosClass: pod.qos, containerStatuses: pod.containers.map((one) => ({ name: one.name, image: image(one.name), ready: true, restartCount: spec.restarts ?? 0, state: { running: {} }, containerID: `containerd://${one.id}` })) },
  };
}

/** Only these pods, on a node of another name. @param uids of the pods */
function ofPods(frame: Frame, uids: ReadonlySet<string>): Frame {
  const isOurs = ({ podUid }: ContainerInfo): boolean => podUid !== null && uids.has(podUid);
  const isPod = (key: string): boolean => frame.containers[key] !== undefined && isOurs(frame.containers[key]);
  const only = (rows: readonly { readonly container: string }[]): { readonly container: string }[] => rows.filter(({ container }) => isPod(container))
    .map((row) => ('preemptedBy' in row ? { ...row, preemptedBy: only(row.preemptedBy as { readonly container: string }[]) } : row));
  const named = (infos: Readonly<Record<string, ContainerInfo>>): Record<string, ContainerInfo> => Object.fromEntries(Object.entries(infos).filter(([, info]) => isOurs(info))
    .map(([key, info]) => [key, info.nodename === hostname() ? { ...info, nodename: NODE } : info]));
  const streamed = (all: readonly StreamTotal[]): object => {
    const totals = all.filter(({ container }) => isPod(container));
    return { totals, ratePerSec: (totals.reduce((sum, { count }) => sum + count, 0) / frame.intervalMs) * 1000 };
  };
  const panes = Object.fromEntries(Object.entries(frame.panes).map(([id, pane]) => [id, { ...pane, rows: only(pane.rows), ...('totals' in pane && streamed(pane.totals as readonly StreamTotal[])) }])) as unknown as Panes;
  return { ...frame, panes, node: { ...frame.node, name: NODE, kernel: frame.node.kernel.replace(/^(\d+\.\d+\.\d+).*/, '$1') }, containers: named(frame.containers), learned: named(frame.learned) };
}

async function main(file: string): Promise<void> {
  const why = unavailable();
  if (why !== null) throw new Error(`no pods can be made here: ${why}`);
  const directory = mkdtempSync(join(tmpdir(), 'kbtop-demo-'));
  const api = new TestCluster(), runtime = await Runtime.start();
  try {
    const pods: [DemoPod, Pod][] = [];
    const tell = (): void => { api.pods = pods.map(([spec, pod]) => apiPod(spec, pod)); };
    for (const spec of PODS) pods.push([spec, await Pod.start(runtime, spec)]);
    tell();
    await api.server.listen();
    const config = join(directory, 'kubeconfig');
    writeFileSync(config, JSON.stringify(kubeconfig(api.server.url)));
    const manager = openCapture({ intervalMs: 1000, debug: null, sources: { hostRoot: runtime.hostRoot, runtimeEndpoint: runtime.socket, kubeconfig: config, context: null, nodeName: NODE } });
    const beside = `${file}.part`;
    await unlink(beside).catch(() => {});
    const writer = await RecordingWriter.open(beside, { version: 'demo' });
    const happen = async (): Promise<void> => {
      await sleep(JOB_AT * 1000);
      const job = await Pod.start(runtime, JOB);
      pods.push([JOB, job]);
      tell();
      for (const watch of api.watches) watch.send({ type: 'ADDED', object: apiPod(JOB, job) });
      const store = pods.find(([{ name }]) => name === 'store-0')?.[1] as Pod;
      await sleep((STORE_GONE_AT - JOB_AT) * 1000);
      const gone = store.container('store');
      await store.removeContainer('store', gone.id);
      await sleep((STORE_BACK_AT - STORE_GONE_AT) * 1000);
      store.containers.splice(store.containers.indexOf(gone), 1);
      await store.startContainer({ name: 'store', command: STORE });
      const [spec] = pods.find(([, pod]) => pod === store) as [DemoPod, Pod];
      for (const watch of api.watches) watch.send({ type: 'MODIFIED', object: apiPod({ ...spec, restarts: 1 }, store) });
      await sleep((JOB_ENDS_AT - STORE_BACK_AT) * 1000);
      await job.remove();
    };
    const happened = happen();
    happened.catch(() => {});
    try {
      for await (const frame of manager.samples(1000, SECONDS)) writer.write(ofPods(frame, new Set(pods.map(([, { uid }]) => uid))));
      await happened;
    } finally {
      await manager.close();
    }
    const { frames, bytes, lost } = await writer.close();
    await unlink(file).catch(() => {});
    await rename(beside, file);
    // It is there for everybody.
    await chmod(file, 0o644);
    console.log(`${file}: ${frames} Frames, ${Math.round(bytes / 1024)} KiB${lost > 0 ? `, ${lost} lost` : ''}`);
  } finally {
    await runtime.stop();
    await api.server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  await main(process.argv[2] ?? join(import.meta.dirname, '../demo/demo.kbtop'));
  process.exit(0);
}
