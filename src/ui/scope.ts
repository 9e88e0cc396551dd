/** Which containers the screen is about. */
import type { ContainerInfo } from '../frame/frame.ts';

export interface Scope {
  /** As the header shows it: "shop/web-1/app", "-n shop". Raw, not escaped. */
  readonly label: string;
  /** The one container that it leaves, by key; null when it may leave several. */
  readonly only: string | null;
  matches(key: string, container: ContainerInfo): boolean;
}

/** The scope that holds one container. */
export function containerScope(key: string, label: string): Scope {
  return { label, only: key, matches: (other) => other === key };
}

/** The scope that holds one Kubernetes namespace. */
export function namespaceScope(namespace: string): Scope {
  return { label: `ns:${namespace}`, only: null, matches: (_key, container) => container.namespace === namespace };
}

/** Both scopes at once; null is everything. */
export function bothScopes(a: Scope | null, b: Scope | null): Scope | null {
  if (a === null || b === null) return a ?? b;
  return { label: b.label, only: b.only ?? a.only, matches: (key, container) => a.matches(key, container) && b.matches(key, container) };
}
