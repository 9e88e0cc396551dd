/** What to say when nothing matches -n, -l, -c and --pod: which of them found nothing, what may have been meant, and what is not known. */
import type { ContainerInfo } from '../frame/frame.ts';
import { containerName } from '../frame/names.ts';
import { type PodRef, SHORT_TYPE } from '../frame/pod-ref.ts';
import type { Requirement, Selector } from '../frame/selector.ts';
import type { Target, Wish } from '../frame/target.ts';
import type { NameSource } from '../identity/source.ts';
import { near } from '../frame/suggest.ts';

/** Near names that are told. */
const MAX_NEAR = 5;
/** All names of a kind are told when none is near and there are not more. */
const FEW = 5;

export interface Seen {
  /** Everything that was seen, by key. */
  readonly containers: Readonly<Record<string, ContainerInfo>>;
  readonly sources: readonly Pick<NameSource, 'id' | 'state'>[];
}

/** Something that could have been asked for, and how it would be. */
interface Candidate {
  readonly name: string;
  readonly shown: string;
}

const plain = (name: string): Candidate => ({ name, shown: name });

/** @returns of what could have been asked for what is near, as "did you mean a or b?"; of a few, else, all; "" for nothing */
function hint(typed: string, candidates: readonly Candidate[], kind: string): string {
  const shown = new Map<string, Set<string>>();
  for (const { name, shown: text } of candidates) shown.set(name, (shown.get(name) ?? new Set()).add(text));
  const names = [...shown.keys()];
  const texts = (some: readonly string[]): string[] => [...new Set(some.flatMap((name) => [...shown.get(name) ?? []]))];
  const close = texts(near(typed, names, MAX_NEAR)).slice(0, MAX_NEAR);
  if (close.length > 0) return `did you mean ${close.length === 1 ? '' : `${close.slice(0, -1).join(', ')} or `}${close.at(-1)}?`;
  const all = texts(names).sort();
  return all.length > 0 && all.length <= FEW ? `${kind} here are ${all.join(', ')}` : '';
}

const isText = (text: string | null): text is string => text !== null;

function podHint({ namespace, kind, name }: PodRef, infos: readonly ContainerInfo[]): string {
  const prefix = (info: ContainerInfo): string => (info.namespace === null ? '' : `${info.namespace}/`);
  const here = infos.filter((info) => namespace === null || info.namespace === namespace);
  if (namespace !== null && here.length === 0) return hint(namespace, infos.flatMap((info) => (info.namespace === null ? [] : [{ name: info.namespace, shown: `${info.namespace}/...` }])), 'namespaces');
  const pods = here.flatMap((info) => (info.pod === null ? [] : [{ name: info.pod, shown: prefix(info) + info.pod }]));
  const owners = here.flatMap(({ namespace: space, owner }) => {
    const type = Object.entries(SHORT_TYPE).find(([word]) => word === owner?.kind)?.[1];
    return owner === null || type === undefined ? [] : [{ name: owner.name, shown: `${namespace === null || space === null ? '' : `${space}/`}${type}/${owner.name}` }];
  });
  if (kind === null || kind === 'Pod') return hint(name, [...owners.filter((owner) => owner.name === name), ...pods], 'pods');
  return hint(name, [...owners, ...pods.filter((pod) => pod.name === name)], 'owners of pods');
}

/** The labels that there are for the first requirement that no pod fulfils by itself. */
function labelHint(selectors: readonly Selector[], infos: readonly ContainerInfo[]): string {
  const met = ({ key, operator, values }: Requirement): boolean =>
    operator !== 'exists' && operator !== '=' && operator !== 'in' ? true : infos.some(({ labels }) => Object.hasOwn(labels, key) && (operator === 'exists' || values.includes(labels[key] ?? '')));
  const requirement = selectors.flatMap(({ requirements }) => requirements).find((one) => !met(one));
  if (requirement === undefined) return '';
  const { key, values } = requirement;
  const having = infos.filter(({ labels }) => Object.hasOwn(labels, key));
  if (having.length > 0) return hint(values[0] ?? '', having.map(({ labels }) => ({ name: labels[key] ?? '', shown: `${key}=${labels[key] ?? ''}` })), 'labels');
  return hint(key, infos.flatMap(({ labels }) => Object.keys(labels).map(plain)), 'labels');
}

function hintOf(target: Target, { flag }: Wish, infos: readonly ContainerInfo[]): string {
  switch (flag) {
    case '-n': return target.namespaces.map((name) => hint(name, infos.map((info) => info.namespace).filter(isText).map(plain), 'namespaces')).find(Boolean) ?? '';
    case '-l': return labelHint(target.selectors, infos);
    case '--pod': return target.pods.map((ref) => podHint(ref, infos)).find(Boolean) ?? '';
    case '-c': return target.containers.map((name) => hint(name, infos.map((info) => plain(containerName(info))), 'containers')).find(Boolean) ?? '';
  }
}

const several = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;

/** Sources that tell labels. */
const TELL_LABELS: readonly string[] = ['cri', 'api', 'kubelet'];

/** Why this may be for want of names or labels; "" when it is not. */
function unknownOf({ flag, verdict }: Wish, { containers, sources }: Seen): string {
  const unknown = Object.entries(containers).filter(([key, info]) => verdict(key, info) === 'unknown').map(([, info]) => info);
  if (unknown.length === 0) return '';
  const nameless = unknown.find(({ unresolved }) => unresolved !== null);
  if (nameless) return `${several(unknown.length, 'container')} without names may be meant (${nameless.unresolved}); see kbtop doctor`;
  if (flag === '-n') return `namespaces of ${several(unknown.length, 'container')} are not known; see kbtop doctor`;
  const telling = sources.filter(({ id, state }) => TELL_LABELS.includes(id) && state.status !== 'off').map(({ id, state }) => `${id}: ${state.status === 'starting' ? 'not answered yet' : state.reason}`);
  const why = telling.length > 0 ? telling.join('; ') : 'no runtime socket, no API and no kubelet was asked';
  return `${flag === '-l' ? 'labels' : 'labels and owners'} of ${several(unknown.length, 'container')} are not known (${why}); see kbtop doctor`;
}

/** Behind "no container matches": one line, what, hints and gaps; raw, not escaped. */
export function notFound(target: Target, seen: Seen): string {
  const entries = Object.entries(seen.containers);
  const infos = entries.map(([, info]) => info);
  const barren = target.wishes.filter((wish) => !entries.some(([key, info]) => wish.verdict(key, info) === 'yes'));
  // Each finds something, but never the same.
  if (barren.length === 0) return `${target.label} together`;
  const parts = barren.flatMap((wish) => [hintOf(target, wish, infos), unknownOf(wish, seen)]).filter((part) => part !== '');
  return [barren.map(({ label }) => label).join(' nor '), ...new Set(parts)].join('; ');
}
