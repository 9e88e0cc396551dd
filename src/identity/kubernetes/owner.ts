/**
 * The workload that a pod belongs to, as people know it: the Deployment and not its ReplicaSet, the CronJob and not
 * its Job. Told by names alone, so that pods are all that has to be readable in the cluster.
 */
import { list, object, text } from './shape.ts';

export interface Owner {
  readonly kind: string;
  readonly name: string;
}

type Labels = Readonly<Record<string, string>>;

/** Longest name a controller generates; a longer stem was cut, and what it was cannot be told. */
const LONGEST_NAME = 63;
/** The end that the API server puts to a generated name. */
const RANDOM = '[a-z0-9]{5}';
/**
 * A CronJob's Job ends in the scheduled time: minutes since 1970, until 1.21 seconds. Only numbers that can be one are
 * taken for it; dates written as digits (20260131, 2026013112) are none.
 */
const SCHEDULED = /^(.+)-(\d{8}|\d{10})$/;
const FIRST_MINUTE = Date.UTC(2016, 0) / 60_000;
const LAST_MINUTE = Date.UTC(2060, 0) / 60_000;
const FIRST_SECOND = Date.UTC(2016, 0) / 1_000;
/** Clusters before 1.21 are not of a later time. */
const LAST_SECOND = Date.UTC(2030, 0) / 1_000;

const within = (value: number, first: number, last: number): boolean => value >= first && value < last;

function ofReplicaSet(name: string, labels: Labels): Owner {
  // Argo's Rollouts make ReplicaSets with a label of their own.
  for (const [label, kind] of [['pod-template-hash', 'Deployment'], ['rollouts-pod-template-hash', 'Rollout']] as const) {
    const ending = `-${labels[label]}`;
    if (labels[label] !== undefined && name.endsWith(ending) && name.length > ending.length) return { kind, name: name.slice(0, -ending.length) };
  }
  return { kind: 'ReplicaSet', name };
}

function ofJob(name: string): Owner {
  const [, cronJob, digits = ''] = SCHEDULED.exec(name) ?? [];
  const time = Number(digits);
  const scheduled = digits.length === 8 ? within(time, FIRST_MINUTE, LAST_MINUTE) : within(time, FIRST_SECOND, LAST_SECOND);
  return cronJob !== undefined && scheduled ? { kind: 'CronJob', name: cronJob } : { kind: 'Job', name };
}

/** From `metadata.ownerReferences`: the controller, else the first. Null for a bare pod. */
export function ownerOf(references: unknown, labels: Labels): Owner | null {
  const owners = list(references).map(object).filter((one) => text(one['kind']) !== null && text(one['name']) !== null);
  const owner = owners.find((one) => one['controller'] === true) ?? owners[0];
  const kind = text(owner?.['kind']);
  const name = text(owner?.['name']);
  if (kind === null || name === null) return null;
  if (kind === 'ReplicaSet') return ofReplicaSet(name, labels);
  return kind === 'Job' ? ofJob(name) : { kind, name };
}

const escaped = (literal: string): string => literal.replace(/[^a-zA-Z0-9-]/g, '\\$&');

/**
 * From what a container runtime keeps of a pod: labels and name. Null where these two do not tell for certain, which
 * is also so for bare and static pods.
 */
export function ownerFromLabels(labels: Labels, pod: string): Owner | null {
  const hash = labels['pod-template-hash'];
  if (hash !== undefined) {
    const name = new RegExp(`^(.+)-${escaped(hash)}-${RANDOM}$`).exec(pod)?.[1];
    return name === undefined ? null : { kind: 'Deployment', name };
  }
  if (labels['statefulset.kubernetes.io/pod-name'] === pod) {
    const name = /^(.+)-\d+$/.exec(pod)?.[1];
    return name === undefined ? null : { kind: 'StatefulSet', name };
  }
  const job = labels['batch.kubernetes.io/job-name'] ?? labels['job-name'];
  // A pod takes over the name of its Job; anyone may write a label.
  if (job !== undefined) return job !== '' && pod.startsWith(`${job}-`) ? ofJob(job) : null;
  if (labels['controller-revision-hash'] !== undefined && labels['pod-template-generation'] !== undefined && pod.length < LONGEST_NAME) {
    const name = new RegExp(`^(.+)-${RANDOM}$`).exec(pod)?.[1];
    return name === undefined ? null : { kind: 'DaemonSet', name };
  }
  return null;
}
