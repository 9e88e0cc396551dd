/**
 * What a cgroup's path alone tells: pod uid, container id, QoS class, or the unit, user or machine it stands for.
 * Pure; knows the layouts of kubelet (cgroupfs and systemd drivers, and both mixed up), containerd, CRI-O, Docker,
 * podman, nerdctl, LXC, systemd, and all of them inside each other (kind, k3d, Docker in Docker).
 */
import type { ContainerInfo, ContainerKind } from '../frame/frame.ts';

/** One container on the way down a path: a pod's, or one outside Kubernetes. */
export interface PathContainer {
  readonly podUid: string | null;
  /** 64 lowercase hex digits; null for a pod's own cgroup and for a container's monitor. */
  readonly containerId: string | null;
  readonly qos: ContainerInfo['qos'];
  /** conmon: the process that watches over a container, not the container. */
  readonly monitor: boolean;
}

export interface PathIdentity {
  readonly kind: ContainerKind;
  readonly podUid: string | null;
  readonly containerId: string | null;
  readonly qos: ContainerInfo['qos'];
  /** Name that the path itself holds (unit, LXC container, machine); null when it holds ids only. */
  readonly name: string | null;
  /** Every container on the path, outermost first: a node that is itself a container comes before its pods. */
  readonly chain: readonly PathContainer[];
}

const POD = /(?:^|-)pod([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{8}(?:_[0-9a-f]{4}){3}_[0-9a-f]{12}|[0-9a-f]{32})(?:\.slice)?$/;
const CONTAINER = /^(?:([A-Za-z][\w.-]*)[-_])?([0-9a-f]{64})(?:\.scope)?$/;
/** Prefixes before 64 hex digits that are not a container's: its monitor, and podman's group of containers. */
const MONITOR = /conmon$/;
const NOT_A_CONTAINER = /libpod_pod$/;
const UNIT = /\.(?:service|scope|socket|mount|swap)$/;
const USER_SLICE = /^user-\d+\.slice$/;
const MACHINE = /^(?:machine-(.+)\.scope|systemd-nspawn@(.+)\.service)$/;
const DELETED = ' (deleted)';

type Draft = { -readonly [K in keyof PathContainer]: PathContainer[K] };

function splitPath(path: string): string[] {
  const whole = path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path;
  return whole.split('/').filter((part) => part !== '' && part !== '.' && part !== '..');
}

/** The containers along a path. A runtime that took a systemd path for a cgroupfs one joins names with colons. */
function chainOf(segments: readonly string[]): PathContainer[] {
  const chain: Draft[] = [];
  let pod: Draft | null = null;
  let qos: ContainerInfo['qos'] = null;
  let previous = '';
  for (const part of segments.flatMap((segment) => segment.split(':'))) {
    if (part.includes('kubepods')) qos ??= 'Guaranteed';
    if (/burstable/.test(part)) qos = 'Burstable';
    else if (/besteffort/.test(part)) qos = 'BestEffort';
    const podUid = POD.exec(part)?.[1];
    const [, prefix = previous, containerId] = CONTAINER.exec(part) ?? [];
    if (podUid !== undefined) {
      pod = { podUid: podUid.replaceAll('_', '-'), containerId: null, qos, monitor: false };
      chain.push(pod);
    } else if (containerId !== undefined && !NOT_A_CONTAINER.test(prefix)) {
      if (MONITOR.test(prefix)) {
        if (pod) pod.monitor = true;
      } else if (pod) {
        pod.containerId = containerId;
      } else {
        chain.push({ podUid: null, containerId, qos: null, monitor: false });
      }
      pod = null;
      qos = null;
    }
    previous = part;
  }
  return chain;
}

/** systemd writes bytes that a unit name cannot hold as \xNN. */
function unescapeUnit(name: string): string {
  return name.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function named(kind: ContainerKind, name: string | null): PathIdentity {
  return { kind, podUid: null, containerId: null, qos: null, name, chain: [] };
}

function machineOf(segments: readonly string[]): PathIdentity | null {
  for (const [i, segment] of segments.entries()) {
    const machine = MACHINE.exec(segment);
    if (machine) return named('container', unescapeUnit(machine[1] ?? machine[2] ?? segment));
    const next = segments[i + 1];
    if ((segment === 'lxc' || segment === 'lxc.payload') && next !== undefined) return named('container', next);
    if (segment.startsWith('lxc.payload.')) return named('container', segment.slice('lxc.payload.'.length));
  }
  return null;
}

function unitOf(segments: readonly string[]): PathIdentity {
  const last = segments.at(-1);
  if (last === undefined) return named('host', null);
  const user = segments.findIndex((segment) => USER_SLICE.test(segment));
  if (user >= 0) {
    const below = segments.findLast((segment, i) => i > user && UNIT.test(segment));
    return named('user', below === undefined ? segments[user] ?? null : `${segments[user]}/${below}`);
  }
  if (segments[0] === 'user.slice') return named('user', last);
  const unit = segments.find((segment) => UNIT.test(segment));
  if (unit !== undefined) return named('service', unit);
  // Talos and OpenRC run services without systemd; kubelet's own groups lie beside kubepods.
  if (['podruntime', 'system', 'openrc'].includes(segments[0] ?? '') && segments.length > 1) return named('service', segments[1] ?? last);
  if (last.startsWith('openrc.') || last.startsWith('lxc.monitor.') || last.endsWith('.slice')) return named('service', last);
  return named('unknown', last);
}

/**
 * Read a cgroup path, as the kernel or /proc/PID/cgroup give it. Never throws; reports a pod only where the path
 * holds "pod" before a uid at a word edge, and a container id only where there are exactly 64 hex digits.
 */
export function parseCgroupPath(path: string): PathIdentity {
  const segments = splitPath(path);
  const chain = chainOf(segments);
  // A node in a container is nearer to the root than its pods; without pods, the outermost is what `docker ps` lists.
  const found = chain.findLast((one) => one.podUid !== null) ?? chain[0];
  if (!found) return machineOf(segments) ?? unitOf(segments);
  const kind = found.podUid === null ? 'container' : found.monitor ? 'sandbox' : 'pod';
  return { kind, podUid: found.podUid, containerId: found.containerId, qos: found.qos, name: found.monitor ? 'conmon' : null, chain };
}
