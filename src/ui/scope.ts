/** Which containers the screen is about. */
import type { ContainerInfo } from '../frame/frame.ts';
import type { GroupBy } from '../frame/grouping.ts';
import { groupKey, groupTest, noNamespace, standsFor } from '../frame/grouping.ts';
import { containerName, fullName, podName } from '../frame/names.ts';
import { ownerName } from '../frame/pod.ts';

/** The one process that a scope is about; panes that do not know processes show its container. */
export interface ScopedProcess {
  readonly pid: number;
  /** Its name; null when not known. Raw. */
  readonly comm: string | null;
  /** What its container is called, alone. */
  readonly within: string;
}

export interface Scope {
  /** What texts call it: "shop/web-1/app", "-n shop". Raw, not escaped. */
  readonly label: string;
  /** The one cgroup that it leaves, by key; null when it may leave several. */
  readonly only: string | null;
  matches(key: string, container: ContainerInfo): boolean;
  /** What it leaves at most; absent: any containers. */
  readonly level?: GroupBy;
  /** What it leaves, as groupKey says it: the same on every screen. Absent: it was not chosen on one. */
  readonly id?: string;
  readonly process?: ScopedProcess;
  /** The one node that it leaves, in Frames of several; absent: any. */
  readonly node?: string;
  /** The way from the workload down, for the header; absent: the label. Raw. */
  readonly crumbs?: readonly string[];
}

function crumbsOf(level: GroupBy, info: ContainerInfo): string[] {
  if (level === 'node') return [`node:${info.node ?? ''}`];
  if (level === 'namespace') return [`ns:${info.namespace ?? noNamespace(info)}`];
  const all = [info.namespace, info.owner && ownerName(info.owner), level === 'workload' ? null : podName(info), level === 'container' ? containerName(info) : null];
  return all.filter((part) => part !== null);
}

function labelOf(level: GroupBy, info: ContainerInfo, crumbs: readonly string[]): string {
  if (level === 'container') return fullName(info);
  if (level === 'pod') return [info.namespace, podName(info)].filter((part) => part !== null).join('/');
  return crumbs.join('/');
}

/** The scope that holds what a container's row stands for when rows are put together like this. */
export function groupScope(by: GroupBy, key: string, info: ContainerInfo): Scope {
  const level = standsFor(by, info);
  const crumbs = crumbsOf(level, info);
  return { label: labelOf(level, info, crumbs), only: level === 'container' && info.containerId === null ? key : null, matches: groupTest(level, key, info), level, id: groupKey(level, key, info), crumbs, ...(level === 'node' && info.node !== undefined && { node: info.node }) };
}

/** What of a scope is on one node. @param node undefined: the scope as it is */
export function onNode(node: string | undefined, scope: Scope): Scope {
  if (node === undefined || scope.node === node) return scope;
  const crumb = `node:${node}`;
  return {
    ...scope, node, label: `${scope.label} on ${node}`, matches: (key, container) => container.node === node && scope.matches(key, container), crumbs: [crumb, ...(scope.crumbs ?? [scope.label])],
  };
}

/** The scope that holds one container with all its cgroups. */
export const containerScope = (key: string, info: ContainerInfo): Scope => groupScope('container', key, info);

/** The scope that holds one Kubernetes namespace. */
export function namespaceScope(namespace: string): Scope {
  return { label: `ns:${namespace}`, only: null, matches: (_key, container) => container.namespace === namespace, level: 'namespace', id: `namespace:${namespace}`, crumbs: [`ns:${namespace}`] };
}

/** The scope that holds one process of a container. @param comm its name; null when not known */
export function processScope(key: string, info: ContainerInfo, pid: number, comm: string | null): Scope {
  const container = containerScope(key, info);
  const name = comm === null ? `pid ${pid}` : `${comm} ${pid}`;
  return { ...container, label: `${container.label} ${name}`, process: { pid, comm, within: container.label }, crumbs: [...(container.crumbs ?? []), name] };
}

/** It leaves one container, or one process of it. */
export const isOneContainer = (scope: Scope | null): boolean => scope !== null && (scope.only !== null || scope.level === 'container');

/** Both scopes at once; null is everything. */
export function bothScopes(a: Scope | null, b: Scope | null): Scope | null {
  if (a === null || b === null) return a ?? b;
  return { ...a, ...b, only: b.only ?? a.only, matches: (key, container) => a.matches(key, container) && b.matches(key, container) };
}
