/**
 * Containers put together: the cgroups of a container, the containers of a pod, the pods of a workload, all of a
 * namespace, all of a node. What a row stands for, whom it holds, and who its group is.
 */
import type { ContainerInfo, ContainerKind, PodStatus } from './frame.ts';
import { containerName } from './names.ts';
import { statusSeverity } from './pod.ts';

/** From the finest to the coarsest. Nodes are told apart only in Frames of several. */
export const GROUPS = ['container', 'pod', 'workload', 'namespace', 'node'] as const;
export type GroupBy = (typeof GROUPS)[number];

/** The next finer; a container is the finest. */
export const finer = (by: GroupBy): GroupBy => GROUPS[GROUPS.indexOf(by) - 1] ?? 'container';

/** The finer of two. */
export const finest = (a: GroupBy, b: GroupBy): GroupBy => (GROUPS.indexOf(a) < GROUPS.indexOf(b) ? a : b);

/** In a pod, named or not: everything else is a service, a user's, or a container of its own. */
const inKubernetes = (info: ContainerInfo): boolean => info.namespace !== null || info.podUid !== null || info.pod !== null;

/**
 * What the group is that a container falls into: a pod that nobody owns stands for itself among workloads, and what is
 * in no pod for itself among pods. By namespace and by node everything is in some group.
 */
export function standsFor(by: GroupBy, info: ContainerInfo): GroupBy {
  if (by === 'namespace' || by === 'node' || by === 'container') return by;
  if (by === 'workload' && info.owner !== null) return by;
  return info.podUid !== null || info.pod !== null ? 'pod' : 'container';
}

/** What stands in place of a namespace where there is none, or where it is not known. */
export const noNamespace = (info: ContainerInfo): string => (inKubernetes(info) ? '(not known)' : '(no namespace)');

/** The group that a container falls into. Never the key of a container: these begin with a digit. */
export function groupKey(by: GroupBy, key: string, info: ContainerInfo): string {
  switch (standsFor(by, info)) {
    case 'node': return `node:${info.node ?? ''}`;
    case 'namespace': return info.namespace === null ? `namespace${noNamespace(info)}` : `namespace:${info.namespace}`;
    case 'workload': return `workload:${info.namespace ?? ''}/${info.owner?.kind ?? ''}/${info.owner?.name ?? ''}`;
    case 'pod': return info.podUid === null ? `pod:${info.namespace ?? ''}/${info.pod ?? ''}` : `pod:${info.podUid}`;
    // A container may have cgroups inside its own: systemd makes them, and crun.
    case 'container': return info.containerId === null ? key : `container:${info.podUid ?? ''}/${info.containerId}${info.node === undefined ? '' : `@${info.node}`}`;
  }
}

/** Whether another container is in the group that this one stands for; says what groupKey says. */
export function groupTest(by: GroupBy, key: string, info: ContainerInfo): (key: string, other: ContainerInfo) => boolean {
  const { namespace, owner, podUid, pod, containerId, node } = info;
  switch (standsFor(by, info)) {
    case 'node': return (_key, other) => other.node === node;
    case 'namespace': {
      if (namespace !== null) return (_key, other) => other.namespace === namespace;
      const kubernetes = inKubernetes(info);
      return (_key, other) => other.namespace === null && inKubernetes(other) === kubernetes;
    }
    case 'workload': return (_key, other) => other.owner !== null && other.owner.name === owner?.name && other.owner.kind === owner.kind && other.namespace === namespace;
    case 'pod': return podUid === null ? (_key, other) => other.podUid === null && other.pod === pod && other.namespace === namespace : (_key, other) => other.podUid === podUid;
    case 'container': return containerId === null ? (other) => other === key : (_key, other) => other.containerId === containerId && other.podUid === podUid && other.node === node;
  }
}

/** The value that all have; null when they differ. */
function common<T>(infos: readonly ContainerInfo[], value: (info: ContainerInfo) => T): T | null {
  const first = value(infos[0] as ContainerInfo);
  return infos.every((info) => value(info) === first) ? first : null;
}

/** The text that all of these have, or how many there are: "2 pods"; null without any. */
function counted(texts: ReadonlyMap<string, string>, things: string): string | null {
  if (texts.size > 1) return `${texts.size} ${things}`;
  for (const text of texts.values()) return text;
  return null;
}

const podKey = (info: ContainerInfo): string => groupKey('pod', '', info);

/** Statuses of pods as one: numbers added up, the worst STATUS, since the first. */
function mergeStatus(infos: readonly ContainerInfo[]): PodStatus | null {
  const pods = new Map<string, PodStatus>();
  for (const info of infos) if (info.podStatus !== null) pods.set(podKey(info), info.podStatus);
  const all = [...pods.values()];
  const [first] = all;
  if (first === undefined || all.length === 1) return first ?? null;
  const rank = { ok: 0, warn: 1, bad: 2 };
  let { status, createdAt } = first;
  for (const pod of all) {
    if (rank[statusSeverity(pod.status)] > rank[statusSeverity(status)]) status = pod.status;
    if (createdAt === null || (pod.createdAt !== null && pod.createdAt < createdAt)) ({ createdAt } = pod);
  }
  const sum = (value: (pod: PodStatus) => number): number => all.reduce((n, pod) => n + value(pod), 0);
  return { ready: sum((pod) => pod.ready), containers: sum((pod) => pod.containers), restarts: sum((pod) => pod.restarts), status, createdAt };
}

function commonLabels(infos: readonly ContainerInfo[]): Record<string, string> {
  const [first, ...others] = infos;
  return Object.fromEntries(Object.entries(first?.labels ?? {}).filter(([name, value]) => others.every((info) => info.labels[name] === value)));
}

function mergeKind(infos: readonly ContainerInfo[]): ContainerKind {
  return common(infos, (info) => info.kind) ?? (infos.some((info) => info.kind === 'pod') ? 'pod' : 'unknown');
}

function mergeUnresolved(infos: readonly ContainerInfo[]): string | null {
  const missing = infos.filter((info) => info.unresolved !== null);
  const reason = missing[0]?.unresolved ?? null;
  return reason === null || missing.length === infos.length ? reason : `${missing.length} of ${infos.length}: ${reason}`;
}

/**
 * Who a group is: what its containers have in common, and how many they are where they differ. A sandbox and a pod's
 * own cgroup belong to it without being one of its containers.
 */
export function groupInfo(by: GroupBy, infos: readonly ContainerInfo[]): ContainerInfo {
  const first = infos[0] as ContainerInfo;
  const level = standsFor(by, first);
  // Cgroups of one container: it is called by the outermost.
  if (level === 'container') return infos.reduce((a, b) => ((b.cgroup?.length ?? Infinity) < (a.cgroup?.length ?? Infinity) ? b : a));
  const pods = new Map<string, string>(), containers = new Map<string, string>(), images = new Map<string, string>(), nodes = new Map<string, string>();
  for (const info of infos) {
    if (info.node !== undefined) nodes.set(info.node, info.node);
    if (standsFor('pod', info) === 'pod') pods.set(podKey(info), info.pod ?? `pod ${info.podUid?.slice(0, 8) ?? ''}`);
    // A node is all services, too: what it is counted by are its containers.
    if (info.kind !== 'sandbox' && (info.containerId !== null || (level !== 'node' && !inKubernetes(info)))) containers.set(groupKey('container', info.cgroup ?? info.cgroupId, info), containerName(info));
    if (info.image !== null) images.set(info.image, info.image);
  }
  const node = counted(nodes, 'nodes');
  return {
    ...(node !== null && { node }),
    kind: mergeKind(infos), cgroupId: common(infos, (info) => info.cgroupId) ?? '', cgroup: common(infos, (info) => info.cgroup),
    namespace: level === 'node' ? null : common(infos, (info) => info.namespace) ?? (level === 'namespace' ? noNamespace(first) : null),
    pod: counted(pods, 'pods'), podUid: common(infos, (info) => info.podUid),
    container: level === 'node' ? `${containers.size} container${containers.size === 1 ? '' : 's'}` : counted(containers, inKubernetes(first) ? 'containers' : 'cgroups') ?? containerName(first), containerId: common(infos, (info) => info.containerId),
    image: counted(images, 'images'), get labels() { return commonLabels(infos); }, labelSource: common(infos, (info) => info.labelSource),
    owner: common(infos, (info) => (info.owner === null ? null : `${info.owner.kind}/${info.owner.name}`)) === null ? null : first.owner,
    qos: common(infos, (info) => info.qos), podStatus: mergeStatus(infos), pidNs: common(infos, (info) => info.pidNs), nodename: common(infos, (info) => info.nodename),
    nameSource: common(infos, (info) => info.nameSource), unresolved: mergeUnresolved(infos),
  };
}

/** Sum of what is known; null when nothing is. */
export function sumKnown<Row>(rows: readonly Row[], value: (row: Row) => number | null): number | null {
  let sum: number | null = null;
  for (const row of rows) {
    const n = value(row);
    if (n !== null) sum = (sum ?? 0) + n;
  }
  return sum;
}

/** Largest of what is known; null when nothing is. */
export function maxKnown<Row>(rows: readonly Row[], value: (row: Row) => number | null): number | null {
  let max: number | null = null;
  for (const row of rows) {
    const n = value(row);
    if (n !== null && (max === null || n > max)) max = n;
  }
  return max;
}
