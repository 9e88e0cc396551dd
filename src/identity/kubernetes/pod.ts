/** What kbtop keeps of a Pod object, which is a small part of it: a node may hold hundreds. */
import type { ContainerInfo, PodStatus } from '../../frame/frame.ts';
import { type Owner, ownerOf } from './owner.ts';
import { type Json, list, object, strings, text } from './shape.ts';
import { podStatus } from './status.ts';

export interface PodContainer {
  /** 64 lowercase hex digits. */
  readonly id: string;
  readonly name: string;
  readonly image: string | null;
}

export interface PodRecord {
  /** Every uid that its cgroups, logs or the API may have it under; the cgroups' own first. */
  readonly uids: readonly [string, ...string[]];
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owner: Owner | null;
  readonly qos: ContainerInfo['qos'];
  /** Name of its node; null before it has one. */
  readonly node: string | null;
  /** All that its statuses tell of, also those that ended before the present ones. */
  readonly containers: readonly PodContainer[];
  readonly status: PodStatus;
}

const CONTAINER_ID = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([0-9a-f]{64})$/;
/** Hash of a static pod's configuration, which stands for its uid on the node. */
const CONFIG_HASH = /^[0-9a-f]{32}$/;
const QOS = ['Guaranteed', 'Burstable', 'BestEffort'] as const;
const KINDS = [['containerStatuses', 'containers'], ['initContainerStatuses', 'initContainers'], ['ephemeralContainerStatuses', 'ephemeralContainers']] as const;

/** A static pod's mirror in the API has a uid of its own: the node knows the pod by the hash of its file. */
function uidsOf(metadata: Json): string[] {
  const annotations = object(metadata['annotations']);
  const hashes = ['kubernetes.io/config.hash', 'kubernetes.io/config.mirror'].map((name) => text(annotations[name])).filter((hash) => hash !== null && CONFIG_HASH.test(hash));
  return [...new Set([...hashes, text(metadata['uid'])])].filter((uid) => uid !== null);
}

/** The kubelet's own object of a static pod has no owner yet; its mirror in the API says Node. */
function staticOwner(metadata: Json, node: string | null): Owner | null {
  const source = object(metadata['annotations'])['kubernetes.io/config.source'];
  return node !== null && (source === 'file' || source === 'http') ? { kind: 'Node', name: node } : null;
}

/** The image as the pod's author wrote it, where the runtime tells only a digest. */
function imageOf(status: Json, specs: readonly Json[], name: string): string | null {
  const image = text(status['image']);
  if (image !== null && !/^(?:sha256:)?[0-9a-f]{64}$/.test(image)) return image;
  return text(specs.find((one) => one['name'] === name)?.['image']) ?? image;
}

function containersOf(spec: Json, status: Json): PodContainer[] {
  const containers = new Map<string, PodContainer>();
  for (const [statuses, kind] of KINDS) {
    const specs = list(spec[kind]).map(object);
    for (const one of list(status[statuses]).map(object)) {
      const name = text(one['name']);
      if (name === null) continue;
      const image = imageOf(one, specs, name);
      const ids = [one['containerID'], ...['state', 'lastState'].map((state) => object(object(one[state])['terminated'])['containerID'])];
      for (const value of ids) {
        const id = CONTAINER_ID.exec(text(value) ?? '')?.[1];
        if (id !== undefined && !containers.has(id)) containers.set(id, { id, name, image });
      }
    }
  }
  return [...containers.values()];
}

/** @returns null when it is no pod: without uid, name or namespace. Never throws; other fields of a wrong shape are as if not there */
export function readPod(value: unknown): PodRecord | null {
  const metadata = object(object(value)['metadata']);
  const spec = object(object(value)['spec']);
  const status = object(object(value)['status']);
  const [first, ...others] = uidsOf(metadata);
  const name = text(metadata['name']);
  const namespace = text(metadata['namespace']);
  if (first === undefined || name === null || namespace === null) return null;
  const labels = strings(metadata['labels']);
  const node = text(spec['nodeName']);
  return {
    uids: [first, ...others], name, namespace, labels, owner: ownerOf(metadata['ownerReferences'], labels) ?? staticOwner(metadata, node), qos: QOS.find((qos) => qos === status['qosClass']) ?? null,
    node, containers: containersOf(spec, status), status: podStatus(value),
  };
}

export const counted = (pods: number): string => `${pods} ${pods === 1 ? 'pod' : 'pods'}`;
