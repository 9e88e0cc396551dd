/**
 * Does a pod belong to a workload (deploy/web): by its owner where one was told, else by the labels that Kubernetes'
 * controllers put on their pods together with the names that they give them. Nothing is told by a name alone.
 */
import type { ContainerInfo } from './frame.ts';
import { type Verdict, verdictOf } from './verdict.ts';

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'ReplicaSet' | 'Job' | 'CronJob';

const TEMPLATE_HASH = 'pod-template-hash';
/** The same before and after Kubernetes 1.27. */
const JOB_NAME = ['batch.kubernetes.io/job-name', 'job-name'] as const;
const STATEFUL_POD = 'statefulset.kubernetes.io/pod-name';
/** Only pods of a DaemonSet have both. */
const DAEMON = ['controller-revision-hash', 'pod-template-generation'] as const;

/** Random letters at the end of a generated name, and the longest start that is kept before them. */
const SUFFIX = /^[a-z0-9]{5}$/;
const MAX_START = 58;
/** What is kept at least of a name that is cut: the number of an indexed job's pod goes on behind it. */
const KEPT_START = 50;

/** Has some source told the pod's labels. */
export const labelsKnown = ({ labelSource }: ContainerInfo): boolean => labelSource !== null;

const label = (info: ContainerInfo, key: string): string | undefined => (Object.hasOwn(info.labels, key) ? info.labels[key] : undefined);

const jobOf = (info: ContainerInfo): string | undefined => label(info, JOB_NAME[0]) ?? label(info, JOB_NAME[1]);

/** Was the name of a pod generated from this start; unknown where the start was too long to be kept whole. */
function generated(start: string, pod: string): Verdict {
  if (!SUFFIX.test(pod.slice(-5)) || pod.slice(0, -5) !== start.slice(0, MAX_START)) return 'no';
  return start.length > MAX_START ? 'unknown' : 'yes';
}

/** Could the name have been generated from `name`, a dash, and something of this form. */
function mayComeFrom(name: string, rest: RegExp, pod: string): Verdict {
  if (!SUFFIX.test(pod.slice(-5))) return 'no';
  const start = pod.slice(0, -5), whole = `${name}-`;
  const cut = start.length === MAX_START && start.startsWith(whole.slice(0, KEPT_START));
  return cut || (start.startsWith(whole) && rest.test(start.slice(whole.length))) ? 'unknown' : 'no';
}

/** Names of pods that a workload may have, given its labels are not known: unknown or no. */
function byName(kind: WorkloadKind, name: string, pod: string): Verdict {
  switch (kind) {
    case 'Deployment': return mayComeFrom(name, /^[a-z0-9]+-$/, pod);
    case 'ReplicaSet':
    case 'DaemonSet': return mayComeFrom(name, /^$/, pod);
    // Indexed jobs: NAME-INDEX-xxxxx.
    case 'Job': return mayComeFrom(name, /^(?:\d+-)?$/, pod);
    case 'CronJob': return mayComeFrom(name, /^\d+-(?:\d+-)?$/, pod);
    case 'StatefulSet': return isOrdinal(name, pod) ? 'unknown' : 'no';
  }
}

/** Is `text` the name, a dash and a number. */
function isOrdinal(name: string, text: string): boolean {
  return text.startsWith(`${name}-`) && /^\d+$/.test(text.slice(name.length + 1));
}

function byLabels(kind: WorkloadKind, name: string, pod: string, info: ContainerInfo): Verdict {
  switch (kind) {
    case 'Deployment': {
      const hash = label(info, TEMPLATE_HASH);
      return hash === undefined ? 'no' : generated(`${name}-${hash}-`, pod);
    }
    case 'ReplicaSet': {
      const hash = label(info, TEMPLATE_HASH);
      // One without a Deployment leaves no label.
      if (hash === undefined) return byName(kind, name, pod);
      return name.endsWith(`-${hash}`) ? generated(`${name}-`, pod) : 'no';
    }
    case 'DaemonSet': return DAEMON.every((key) => label(info, key) !== undefined) ? generated(`${name}-`, pod) : 'no';
    case 'StatefulSet': return verdictOf(label(info, STATEFUL_POD) === pod && isOrdinal(name, pod));
    case 'Job': return verdictOf(jobOf(info) === name);
    // A job that somebody called web-1 himself looks the same.
    case 'CronJob': return isOrdinal(name, jobOf(info) ?? '') ? 'unknown' : 'no';
  }
}

function byOwner(kind: WorkloadKind, name: string, owner: NonNullable<ContainerInfo['owner']>, info: ContainerInfo): Verdict {
  if (owner.kind === kind) return verdictOf(owner.name === name);
  // Sources tell the outermost owner: the one between it and the pod shows in the labels.
  if (kind === 'ReplicaSet' && owner.kind === 'Deployment') {
    const hash = label(info, TEMPLATE_HASH);
    return hash === undefined && name.startsWith(`${owner.name}-`) ? 'unknown' : verdictOf(name === `${owner.name}-${hash}`);
  }
  if (kind === 'Job' && owner.kind === 'CronJob') {
    const job = jobOf(info);
    return job === undefined && isOrdinal(owner.name, name) ? 'unknown' : verdictOf(name === job);
  }
  return 'no';
}

/** Is this a pod of the workload; the namespace is the caller's. A pod that was adopted shows only in its owner. */
export function ofWorkload(kind: WorkloadKind, name: string, info: ContainerInfo): Verdict {
  const { owner, pod, podStatus } = info;
  if (owner !== null) return byOwner(kind, name, owner, info);
  // Whoever tells a pod's status has seen that nobody owns it.
  if (podStatus !== null) return 'no';
  if (pod === null) return 'unknown';
  return labelsKnown(info) ? byLabels(kind, name, pod, info) : byName(kind, name, pod);
}
