/**
 * Which containers a command is about: what -n, -l, -c and --pod come to. All of them must hold; of one that is given
 * several times, any. Only pods are in namespaces, have labels and match --pod; -c goes by the names of any container.
 */
import type { ContainerInfo } from './frame.ts';
import { dnsLabelMistake } from './kube-names.ts';
import { containerName, fullName } from './names.ts';
import { type PodRef, SHORT_ID, isPodOf, parsePodRef } from './pod-ref.ts';
import { Selector, SelectorError } from './selector.ts';
import { type Verdict, allOf, anyOf, verdictOf } from './verdict.ts';
import { labelsKnown } from './workload.ts';

/** As the command line gives it. */
export interface TargetRequest {
  /** Each may hold several, with commas between them. */
  readonly namespaces?: readonly string[];
  /** Whatever the namespaces say. */
  readonly allNamespaces?: boolean;
  readonly selectors?: readonly string[];
  readonly containers?: readonly string[];
  readonly pods?: readonly string[];
}

export type TargetFlag = '-n' | '-l' | '-c' | '--pod';

/** What one flag asks for. */
export interface Wish {
  readonly flag: TargetFlag;
  /** The flag with its values, as given: "-n shop". Raw, not escaped. */
  readonly label: string;
  verdict(key: string, info: ContainerInfo): Verdict;
}

/** A flag's value that cannot be; the message is one line and begins with the flag. */
export class TargetError extends Error {
  override readonly name = 'TargetError';
}

/** Whether a cgroup path is this one or below it. */
const isBelow = (path: string, above: string): boolean => path === above || path.startsWith(above.endsWith('/') ? above : `${above}/`);

/**
 * Does `wanted` name this container: its name, "namespace/pod/container", the start of its id, its cgroup's id, its
 * cgroup path or a path above it.
 */
function isContainer(wanted: string, key: string, info: ContainerInfo): Verdict {
  if (wanted === containerName(info) || wanted === info.container || wanted === fullName(info)) return 'yes';
  if (wanted === key || wanted === info.cgroupId) return 'yes';
  if (wanted.length >= SHORT_ID && info.containerId?.startsWith(wanted)) return 'yes';
  if (wanted.startsWith('/')) return info.cgroup === null ? 'unknown' : verdictOf(isBelow(info.cgroup, wanted));
  return info.unresolved === null ? 'no' : 'unknown';
}

/** Is it in a pod: a container, a pause container, or the pod's own cgroup. */
function isInPod({ kind, pod, podUid, cgroup }: ContainerInfo): Verdict {
  if (kind === 'pod' || pod !== null || podUid !== null) return 'yes';
  // A path that was read shows whether there is a pod in it.
  return kind === 'unknown' && cgroup === null ? 'unknown' : 'no';
}

/** Not more than `verdict` when it is in a pod, no when it is in none. */
const inPod = (info: ContainerInfo, verdict: () => Verdict): Verdict => allOf([() => isInPod(info), verdict], (one) => one());

/** A value for the eyes of somebody who might paste it into a shell. */
const quoted = (value: string): string => (/^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll('\'', '\'\\\'\'')}'`);

const labelOf = (flag: TargetFlag, values: readonly string[]): string => values.map((value) => `${flag} ${quoted(value)}`).join(' ');

export class Target {
  /** Any of them; none: every namespace, and what is in none. */
  readonly namespaces: readonly string[];
  readonly selectors: readonly Selector[];
  readonly containers: readonly string[];
  readonly pods: readonly PodRef[];
  /** What each flag that was given asks for. */
  readonly wishes: readonly Wish[];
  /** As headers show it: "-n shop -l app=web". Raw, not escaped. */
  readonly label: string;

  private constructor(namespaces: readonly string[], selectors: readonly { readonly text: string; readonly selector: Selector }[], containers: readonly string[], pods: readonly PodRef[]) {
    this.namespaces = namespaces;
    this.selectors = selectors.map(({ selector }) => selector);
    this.containers = containers;
    this.pods = pods;
    const wish = (flag: TargetFlag, given: readonly string[], verdict: Wish['verdict']): Wish[] => (given.length === 0 ? [] : [{ flag, label: labelOf(flag, given), verdict }]);
    this.wishes = [
      ...wish('-n', namespaces, (_key, info) => inPod(info, () => (info.namespace === null ? 'unknown' : verdictOf(namespaces.includes(info.namespace))))),
      ...wish('-l', selectors.map(({ text }) => text), (_key, info) => inPod(info, () => anyOf(this.selectors, (selector) => hasLabels(selector, info)))),
      ...wish('--pod', pods.map(({ text }) => text), (_key, info) => inPod(info, () => anyOf(pods, (ref) => isPodOf(ref, info)))),
      ...wish('-c', containers, (key, info) => anyOf(containers, (wanted) => isContainer(wanted, key, info))),
    ];
    this.label = this.wishes.map(({ label }) => label).join(' ');
  }

  /** What is asked for; null when that is everything. @throws TargetError */
  static parse({ namespaces = [], allNamespaces = false, selectors = [], containers = [], pods = [] }: TargetRequest): Target | null {
    const spaces = namespaces.flatMap((text) => text.split(',')).map(parseNamespace);
    const target = new Target(allNamespaces ? [] : spaces, selectors.map(parseSelector), containers.map(parseContainer), pods.map(parsePod));
    return target.wishes.length === 0 ? null : target;
  }

  /** Of a key of a Frame and what is known of it. A no stays one as more is learned, but for pods that a workload adopted. */
  readonly verdict = (key: string, info: ContainerInfo): Verdict => allOf(this.wishes, (wish) => wish.verdict(key, info));

  /** Certainly asked for. */
  readonly matches = (key: string, info: ContainerInfo): boolean => this.verdict(key, info) === 'yes';
}

function hasLabels(selector: Selector, info: ContainerInfo): Verdict {
  if (selector.requirements.length === 0) return 'yes';
  return labelsKnown(info) ? verdictOf(selector.matches(info.labels)) : 'unknown';
}

function parseNamespace(text: string): string {
  const name = text.trim();
  const mistake = dnsLabelMistake(name);
  if (mistake) throw new TargetError(`-n "${name}" cannot be a namespace: it ${mistake.problem}`);
  return name;
}

function parseSelector(text: string): { readonly text: string; readonly selector: Selector } {
  try {
    return { text, selector: Selector.parse(text) };
  } catch (error) {
    if (!(error instanceof SelectorError)) throw error;
    throw new TargetError(`-l "${text}" ${error.message}`, { cause: error });
  }
}

function parseContainer(text: string): string {
  if (text === '') throw new TargetError('-c lacks the name of a container');
  return text;
}

function parsePod(text: string): PodRef {
  try {
    return parsePodRef(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TargetError(`--pod ${error.message}`, { cause: error });
  }
}
