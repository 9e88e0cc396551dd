/** One pod of each shape that names are easily got wrong for, as on a node. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../workloads/cgroup.ts';
import { pidsBelow } from './cgroups.ts';
import { keyOf, Pod, type PodSpec, type RunningContainer, v2Directory } from './pods.ts';
import type { Runtime } from './runtime.ts';

const HASH = '7d4b9c6f5';

export const SHAPES = {
  /** Of a Deployment, two containers. */
  web: {
    name: `web-${HASH}-x2x7k`, namespace: 'shop', labels: { app: 'web', 'pod-template-hash': HASH },
    containers: [{ name: 'app' }, { name: 'sidecar' }],
  },
  /** The same container names in another namespace. */
  twin: {
    name: `web-${HASH}-x2x7k`, namespace: 'staging', labels: { app: 'web', 'pod-template-hash': HASH }, qos: 'Guaranteed',
    containers: [{ name: 'app' }, { name: 'sidecar' }],
  },
  /** No network and no UTS namespace of its own. */
  hostNetwork: { name: 'node-exporter-9zq4t', namespace: 'monitoring', labels: { app: 'node-exporter' }, hostNetwork: true, qos: 'BestEffort', containers: [{ name: 'exporter' }] },
  /** One pid namespace for all. */
  sharedPids: { name: 'debug-me', namespace: 'default', shareProcessNamespace: true, qos: 'BestEffort', containers: [{ name: 'main' }, { name: 'shell' }] },
  /** Nodename and name of the pod differ. */
  hostname: { name: 'db-0', namespace: 'shop', labels: { app: 'db' }, hostname: 'custom-host', containers: [{ name: 'postgres' }] },
  /** Of a file on the node: its uid is a hash. */
  static: {
    name: 'kube-apiserver-node1', namespace: 'kube-system', labels: { component: 'kube-apiserver', tier: 'control-plane' },
    annotations: { 'kubernetes.io/config.source': 'file' }, containers: [{ name: 'kube-apiserver' }],
  },
  /** A container that manages cgroups itself, as systemd or crun do. */
  nested: { name: 'builder-1', namespace: 'ci', containers: [{ name: 'init', command: ['sh', '-c', 'sleep 100000 & sleep 100000'] }] },
} as const satisfies Record<string, PodSpec>;

export type Shape = keyof typeof SHAPES;

/** Move a container's last process into a cgroup below the container's own, as the container itself might. */
export async function nest(container: RunningContainer, name: string): Promise<RunningContainer> {
  const cgroup = `${container.cgroup}/${name}`;
  const pid = await until('a second process', () => pidsBelow(container.cgroup).find((one) => one !== container.pid));
  mkdirSync(v2Directory(cgroup));
  writeFileSync(join(v2Directory(cgroup), 'cgroup.procs'), String(pid));
  return { id: container.id, pid, cgroup, key: keyOf(cgroup) };
}

export interface Shapes {
  readonly pods: Readonly<Record<Shape, Pod>>;
  /** A cgroup inside the container of `nested`. */
  readonly inner: RunningContainer;
}

/** Start all of them; they end with the runtime. */
export async function startShapes(runtime: Runtime): Promise<Shapes> {
  const started = await Promise.all(Object.entries(SHAPES).map(async ([shape, spec]) => {
    const uid = shape === 'static' ? { uid: randomBytes(16).toString('hex') } : {};
    return [shape, await Pod.start(runtime, { ...spec, ...uid })] as const;
  }));
  const pods = Object.fromEntries(started) as Record<Shape, Pod>;
  return { pods, inner: await nest(pods.nested.container('init'), 'payload') };
}
