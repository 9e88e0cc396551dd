/** From what somebody names (a node, a pod, a workload, labels) to the node it is about, and the pod there. */
import type { ContainerInfo } from '../frame/frame.ts';
import { type PodRef, SHORT_TYPE } from '../frame/pod-ref.ts';
import { near } from '../frame/suggest.ts';
import { ofWorkload, type WorkloadKind } from '../frame/workload.ts';
import { Failure } from '../identity/kubernetes/failure.ts';
import { type PodRecord, readPod } from '../identity/kubernetes/pod.ts';
import { type Json, list, object, text } from '../identity/kubernetes/shape.ts';
import { lackOf } from './denial.ts';
import { Trouble } from './errors.ts';
import { type Kube, nameOf, uidOf } from './kube.ts';

export interface NodeTarget {
  readonly name: string;
  /** Null when this user may not ask for nodes. */
  readonly uid: string | null;
  /** What to tell before going on: it does not answer, ... Null: nothing. */
  readonly warning: string | null;
}

export interface PodTarget {
  readonly namespace: string;
  readonly pod: string;
  readonly node: string;
  /** Of how many it was picked; 1 when it was named. */
  readonly of: number;
}

const NAMES = 3;

/** What a question that only helps comes to; null when it may not be asked. */
async function ifAllowed<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}

const orDidYouMean = (typed: string, names: readonly string[], otherwise: string): string => {
  const found = near(typed, names, NAMES);
  return found.length === 0 ? otherwise : `did you mean ${found.join(', ')}?`;
};

/** An answer, with a refusal told in words of the question. */
async function ask<T>(answer: Promise<T>, what: string, namespace: string): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (!(error instanceof Failure) || error.kind !== 'forbidden') throw error;
    throw new Trouble('impossible', `cannot look for ${what}: ${lackOf(error, namespace) ?? error.message}; docs/kubectl.md lists what is needed`, { cause: error });
  }
}

/** @throws Trouble, Failure */
export async function findNode(kube: Kube, name: string): Promise<NodeTarget> {
  let node: Json | null;
  try {
    node = await kube.node(name);
  } catch (error) {
    // Whoever may make pods there need not be allowed to look at it.
    if (error instanceof Failure && error.kind === 'forbidden') return { name, uid: null, warning: null };
    throw error;
  }
  if (node === null) {
    const names = await ifAllowed(kube.nodeNames());
    throw new Trouble('not found', `there is no node ${name}: ${orDidYouMean(name, names ?? [], 'kubectl get nodes shows those there are')}`);
  }
  const info = object(object(node['status'])['nodeInfo']);
  const os = text(info['operatingSystem']) ?? 'linux';
  if (os !== 'linux') throw new Trouble('impossible', `node ${name} runs ${os}, and kbtop needs Linux`);
  const ready = list(object(node['status'])['conditions']).map(object).find((one) => one['type'] === 'Ready');
  const warning = ready === undefined || ready['status'] === 'True' ? null : `node ${name} is not ready (${text(ready['reason']) ?? 'no reason told'}): it may not start the debug pod`;
  return { name, uid: uidOf(node), warning };
}

function whyNotPlaced(pod: Json): string {
  const scheduled = list(object(pod['status'])['conditions']).map(object).find((one) => one['type'] === 'PodScheduled' && one['status'] === 'False');
  const why = scheduled ? [text(scheduled['reason']), text(scheduled['message'])].filter((part) => part !== null).join(': ') : 'the scheduler has not placed it yet';
  return why === '' ? 'no reason told' : why;
}

/** The node of a pod that was named. */
function placed(pod: Json, namespace: string): string {
  const node = text(object(pod['spec'])['nodeName']);
  const name = nameOf(pod);
  if (node === null) throw new Trouble('impossible', `pod ${name} in namespace ${namespace} has no node, so there is nothing to see yet (${whyNotPlaced(pod)})`);
  const phase = text(object(pod['status'])['phase']);
  if (phase === 'Succeeded' || phase === 'Failed') throw new Trouble('impossible', `pod ${name} in namespace ${namespace} has ended (${phase}), so nothing of it runs on ${node}: kubectl kbtop node/${node} shows the node`);
  return node;
}

async function noSuchPod(kube: Kube, namespace: string, name: string): Promise<Trouble> {
  const elsewhere = await ifAllowed(kube.pods({ namespace: null, fields: `metadata.name=${name}` }));
  const [other] = elsewhere ?? [];
  if (other) return new Trouble('not found', `there is no pod ${name} in namespace ${namespace}, but in ${text(object(other['metadata'])['namespace'])}: give -n ${text(object(other['metadata'])['namespace'])}`);
  const here = await ifAllowed(kube.pods({ namespace }));
  return new Trouble('not found', `there is no pod ${name} in namespace ${namespace}: ${orDidYouMean(name, (here ?? []).map(nameOf), 'give the right namespace by -n')}`);
}

async function findPod(kube: Kube, namespace: string, name: string): Promise<PodTarget & { readonly object: Json }> {
  const pod = await ask(kube.pod(namespace, name), `pod ${name}`, namespace);
  if (pod === null) throw await noSuchPod(kube, namespace, name);
  return { namespace, pod: name, node: placed(pod, namespace), of: 1, object: pod };
}

/** What the rules for workloads look at. */
const infoOf = (pod: PodRecord): ContainerInfo => ({
  kind: 'pod', cgroupId: '0', cgroup: null, namespace: pod.namespace, pod: pod.name, podUid: pod.uids[0], container: null, containerId: null, image: null,
  labels: pod.labels, labelSource: 'api', owner: pod.owner, qos: pod.qos, podStatus: pod.status, pidNs: null, nodename: null, nameSource: 'api', unresolved: null,
});

interface Candidate {
  readonly record: PodRecord;
  readonly object: Json;
}

const isReady = ({ record: { status } }: Candidate): boolean => status.containers > 0 && status.ready === status.containers;
const isLive = ({ object: pod, record }: Candidate): boolean => record.node !== null && !['Succeeded', 'Failed'].includes(text(object(pod['status'])['phase']) ?? '') && text(object(pod['metadata'])['deletionTimestamp']) === null;

/** As kubectl picks one for logs and exec: on a node, ready, the oldest; by name where all that is equal. */
function pick(candidates: readonly Candidate[]): Candidate | undefined {
  const age = ({ record }: Candidate): string => record.status.createdAt ?? '';
  return candidates.filter(isLive).toSorted((a, b) => Number(isReady(b)) - Number(isReady(a)) || age(a).localeCompare(age(b)) || a.record.name.localeCompare(b.record.name))[0];
}

async function pickFrom(kube: Kube, namespace: string | null, labels: string, belongs: (pod: PodRecord) => boolean, what: string): Promise<PodTarget & { readonly object: Json }> {
  const where = namespace === null ? 'any namespace' : `namespace ${namespace}`;
  const objects = await ask(kube.pods({ namespace, labels }), `pods of ${what}`, namespace ?? 'any');
  const candidates = objects.flatMap((one): Candidate[] => {
    const record = readPod(one);
    return record !== null && belongs(record) ? [{ record, object: one }] : [];
  });
  const chosen = pick(candidates);
  if (chosen) return { namespace: chosen.record.namespace, pod: chosen.record.name, node: chosen.record.node ?? '', of: candidates.length, object: chosen.object };
  const [waiting] = candidates;
  if (waiting) throw new Trouble('impossible', `none of the ${candidates.length} pods of ${what} in ${where} runs on a node (${waiting.record.name}: ${waiting.record.status.status}, ${whyNotPlaced(waiting.object)})`);
  const owners = [...new Set(objects.flatMap((one) => readPod(one)?.owner?.name ?? []))];
  throw new Trouble('not found', `there is no pod of ${what} in ${where}: ${orDidYouMean(what.slice(what.indexOf('/') + 1), owners, namespace === null ? 'kubectl get pods -A shows those there are' : 'give the right namespace by -n')}`);
}

function checkContainer(target: PodTarget & { readonly object: Json }, container: string | null): void {
  if (container === null) return;
  const spec = object(target.object['spec']);
  const names = ['containers', 'initContainers', 'ephemeralContainers'].flatMap((kind) => list(spec[kind]).map((one) => text(object(one)['name']) ?? ''));
  if (!names.includes(container)) throw new Trouble('not found', `pod ${target.pod} has no container ${container}: it has ${names.join(', ')}`);
}

export interface PodWish {
  /** Null: any, by labels alone. */
  readonly ref: PodRef | null;
  /** Null: every namespace; only for labels and workloads. */
  readonly namespace: string | null;
  /** A label selector; '' for none. */
  readonly labels: string;
  readonly container: string | null;
}

/** @throws Trouble, Failure */
export async function findPodTarget(kube: Kube, { ref, namespace, labels, container }: PodWish): Promise<PodTarget> {
  let found;
  if (ref === null) {
    found = await pickFrom(kube, namespace, labels, () => true, `-l ${labels}`);
  } else if (ref.kind === null || ref.kind === 'Pod') {
    found = await findPod(kube, ref.namespace ?? namespace ?? 'default', ref.name);
  } else {
    const kind: WorkloadKind = ref.kind;
    found = await pickFrom(kube, ref.namespace ?? namespace, labels, (pod) => ofWorkload(kind, ref.name, infoOf(pod)) === 'yes', `${SHORT_TYPE[kind]}/${ref.name}`);
  }
  checkContainer(found, container);
  return { namespace: found.namespace, pod: found.pod, node: found.node, of: found.of };
}
