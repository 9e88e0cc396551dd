/** How a container is called on screens and in exports: one place, so that all of them say the same. */
import type { ContainerInfo, Frame } from './frame.ts';
import type { RowContext } from './columns.ts';

/** Key of rows that were merged over containers. */
export const ALL_CONTAINERS = '*';

const NOBODY: ContainerInfo = {
  kind: 'unknown', cgroupId: '0', cgroup: null, namespace: null, pod: null, podUid: null, container: null,
  containerId: null, image: null, labels: {}, labelSource: null, owner: null, qos: null, podStatus: null, pidNs: null, nodename: null,
  nameSource: null, unresolved: 'no such container in this frame',
};

/** The RowContext of a frame. */
export function contextOf(frame: Frame): RowContext {
  return { frame, container: (key) => frame.containers[key] ?? NOBODY };
}

function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || '/';
}

/** Short name of the container itself: its Kubernetes name, unit, short id or last part of the cgroup path. Raw, not escaped. */
export function containerName(info: ContainerInfo): string {
  if (info.kind === 'host') return 'host';
  if (info.container !== null) return info.container;
  if (info.kind === 'sandbox') return 'sandbox';
  if (info.containerId !== null) return info.containerId.slice(0, 12);
  if (info.cgroup !== null) return lastPart(info.cgroup);
  return `cgroup ${info.cgroupId}`;
}

/** Name of the pod, or the start of its uid when the name is not known; null outside Kubernetes. */
export function podName(info: ContainerInfo): string | null {
  return info.pod ?? (info.podUid === null ? null : `pod ${info.podUid.slice(0, 8)}`);
}

/** "namespace/pod/container" with what is known; the cell of every CONTAINER column. */
export function fullName(info: ContainerInfo): string {
  return [info.namespace, podName(info), containerName(info)].filter((part) => part !== null).join('/');
}
