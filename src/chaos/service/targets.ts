/** From a rule's target to cgroups, now and as containers come and go. Pure: who is who comes in as data. */
import type { ContainerInfo } from '../../frame/frame.ts';
import { fullName } from '../../frame/names.ts';
import { near } from '../../frame/suggest.ts';
import { ChaosError } from '../door.ts';
import { type RuleTarget, targetText } from '../rule.ts';

/** A cgroup that is there. */
export interface Place {
  readonly key: string;
  readonly info: ContainerInfo;
}

/** What the target was when its rule was armed: something of the same name that is made anew is another one. */
export type Pin =
  | { readonly kind: 'pod'; /** Uids, or namespace/name where a pod's uid is not known. */ readonly pods: ReadonlySet<string>; readonly container: string | null }
  | { readonly kind: 'cgroup'; readonly root: string; readonly path: string }
  /** Whole ids. */
  | { readonly kind: 'container'; readonly ids: ReadonlySet<string> };

const podKey = (info: ContainerInfo): string | null => info.podUid ?? (info.pod === null ? null : `${info.namespace}/${info.pod}`);
const isBelow = (path: string, above: string): boolean => above === '/' || path === above || path.startsWith(`${above}/`);
const isText = (text: string | null): text is string => text !== null;

/** What the target means among these; null: it is not there. @throws ChaosError when it could mean several containers */
export function pinOf(target: RuleTarget, places: readonly Place[]): Pin | null {
  switch (target.kind) {
    case 'pod': {
      const pods = places.filter(({ info }) => info.namespace === target.namespace && info.pod === target.pod);
      const meant = target.container === null ? pods : pods.filter(({ info }) => info.container === target.container);
      const keys = new Set(meant.map(({ info }) => podKey(info)).filter(isText));
      return keys.size === 0 ? null : { kind: 'pod', pods: keys, container: target.container };
    }
    case 'cgroup': {
      const root = places.find(({ info }) => info.cgroup === target.path);
      return root === undefined ? null : { kind: 'cgroup', root: root.key, path: target.path };
    }
    case 'container': {
      const ids = new Set(places.map(({ info }) => info.containerId).filter(isText).filter((id) => id.startsWith(target.id)));
      if (ids.size > 1) throw new ChaosError('notFound', `container id ${target.id} is the start of ${ids.size} ids: give more of it, such as ${[...ids].sort().slice(0, 3).map((id) => id.slice(0, target.id.length + 4)).join(', ')}`);
      return ids.size === 0 ? null : { kind: 'container', ids };
    }
  }
}

/** Everything of the pinned target that is there; null: it is gone for good. An empty list: its container is being started anew. */
export function placesOf(pin: Pin, places: readonly Place[]): Place[] | null {
  switch (pin.kind) {
    case 'pod': {
      const pods = places.filter(({ info }) => pin.pods.has(podKey(info) ?? ''));
      if (pods.length === 0) return null;
      return pin.container === null ? pods : pods.filter(({ info }) => info.container === pin.container);
    }
    case 'cgroup': return places.some(({ key, info }) => key === pin.root && info.cgroup === pin.path) ? places.filter(({ info }) => info.cgroup !== null && isBelow(info.cgroup, pin.path)) : null;
    case 'container': {
      const found = places.filter(({ info }) => pin.ids.has(info.containerId ?? ''));
      return found.length === 0 ? null : found;
    }
  }
}

const MAX_NEAR = 3;

const choices = (names: readonly string[]): string => (names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`);

/** One line: that it is not here, and what may have been meant. @param unnamed why containers may lack names; null: none do */
export function notFoundText(target: RuleTarget, places: readonly Place[], unnamed: string | null): string {
  const infos = places.map(({ info }) => info);
  let typed: string, names: string[];
  if (target.kind === 'pod') {
    const inPod = infos.filter((info) => info.namespace === target.namespace && info.pod === target.pod);
    const containers = [...new Set(inPod.map(({ container }) => container).filter(isText))].sort();
    // The pod is right, the container is not: all of them are few.
    if (target.container !== null && inPod.length > 0) return `no ${targetText(target)} runs on this node${containers.length > 0 ? `; its containers are ${containers.join(', ')}` : ''}`;
    typed = `${target.namespace}/${target.pod}`;
    names = infos.flatMap(({ namespace, pod }) => (pod === null ? [] : [`${namespace ?? ''}/${pod}`]));
  } else if (target.kind === 'cgroup') {
    typed = target.path;
    names = infos.map(({ cgroup }) => cgroup).filter(isText);
  } else {
    return `no container with an id that begins with ${target.id} runs on this node; kbtop snapshot --pane containers lists all`;
  }
  const close = near(typed, [...new Set(names)], MAX_NEAR);
  const hint = close.length > 0 ? `; did you mean ${choices(close)}?` : '';
  return `no ${targetText(target)} runs on this node${hint}${target.kind === 'pod' && unnamed !== null ? `; some containers have no names (${unnamed}), see kbtop doctor` : ''}`;
}

/** What it is called in one word on screens. Raw, not escaped. */
export function targetName(target: RuleTarget, places: readonly Place[]): string {
  if (target.kind === 'pod') return `${target.namespace}/${target.pod}${target.container === null ? '' : `/${target.container}`}`;
  if (target.kind === 'cgroup') return target.path;
  const [first] = places;
  return first === undefined ? target.id.slice(0, 12) : fullName(first.info);
}
