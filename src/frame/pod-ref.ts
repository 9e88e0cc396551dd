/**
 * A pod, or the pods of a workload, as the command line names them:
 *
 *   NAME                 a pod of any namespace, or the start of a pod's uid
 *   NAMESPACE/NAME       a pod
 *   TYPE/NAME            pod/web-1, deploy/web, sts/db, ds/agent, rs/web-9d6c486f5, job/x, cj/x: as kubectl has them
 *   NAMESPACE/TYPE/NAME  the same in one namespace; for namespaces that are called like a type, too
 */
import type { ContainerInfo } from './frame.ts';
import { type Verdict, allOf, verdictOf } from './verdict.ts';
import { type WorkloadKind, ofWorkload } from './workload.ts';

/** Shortest start of a container's id or pod's uid that is taken for one. */
export const SHORT_ID = 6;

export interface PodRef {
  /** As it was given. */
  readonly text: string;
  /** Null: any. */
  readonly namespace: string | null;
  /** Null: not said, so a pod's name or the start of its uid. */
  readonly kind: 'Pod' | WorkloadKind | null;
  readonly name: string;
}

const TYPES: Readonly<Record<string, 'Pod' | WorkloadKind>> = {
  po: 'Pod', pod: 'Pod', pods: 'Pod',
  deploy: 'Deployment', deployment: 'Deployment', deployments: 'Deployment',
  sts: 'StatefulSet', statefulset: 'StatefulSet', statefulsets: 'StatefulSet',
  ds: 'DaemonSet', daemonset: 'DaemonSet', daemonsets: 'DaemonSet',
  rs: 'ReplicaSet', replicaset: 'ReplicaSet', replicasets: 'ReplicaSet',
  job: 'Job', jobs: 'Job',
  cj: 'CronJob', cronjob: 'CronJob', cronjobs: 'CronJob',
};

/** kubectl's short word for each kind. */
export const SHORT_TYPE: Readonly<Record<'Pod' | WorkloadKind, string>> = {
  Pod: 'pod', Deployment: 'deploy', StatefulSet: 'sts', DaemonSet: 'ds', ReplicaSet: 'rs', Job: 'job', CronJob: 'cj',
};

/** The kind that a word stands for: "deploy", "Deployment", "deployments.apps", "cronjobs.v1.batch"; null for none. */
function kindOf(word: string): 'Pod' | WorkloadKind | null {
  const type = word.toLowerCase().replace(/\.(?:v\d\w*\.)?(?:apps|batch)$/, '');
  return Object.hasOwn(TYPES, type) ? TYPES[type] ?? null : null;
}

/** @throws RangeError, one line */
export function parsePodRef(text: string): PodRef {
  const parts = text.split('/');
  const [first = '', second = '', third = ''] = parts;
  if (parts.some((part) => part === '')) throw new RangeError(text === '' ? 'lacks the name of a pod' : `"${text}" has nothing on one side of a "/"`);
  switch (parts.length) {
    case 1: return { text, namespace: null, kind: null, name: first };
    case 2: {
      const kind = kindOf(first);
      return { text, namespace: kind === null ? first : null, kind: kind ?? 'Pod', name: second };
    }
    case 3: {
      const kind = kindOf(second);
      if (kind === null) throw new RangeError(`"${text}": "${second}" is no kind of pod owner; kinds are ${Object.values(SHORT_TYPE).join(', ')}`);
      return { text, namespace: first, kind, name: third };
    }
    default: throw new RangeError(`"${text}" is not NAME, NAMESPACE/NAME, TYPE/NAME or NAMESPACE/TYPE/NAME`);
  }
}

function isNamed({ kind, name }: PodRef, { pod, podUid }: ContainerInfo): Verdict {
  if (pod === name) return 'yes';
  const uid = kind === null && name.length >= SHORT_ID;
  if (uid && podUid !== null && podUid.startsWith(name)) return 'yes';
  return pod === null || (uid && podUid === null && /^[0-9a-f-]+$/.test(name)) ? 'unknown' : 'no';
}

/** Is it this pod, or one of this workload's. @param info of something in a pod */
export function isPodOf(ref: PodRef, info: ContainerInfo): Verdict {
  const { namespace, kind, name } = ref;
  const parts: (() => Verdict)[] = [
    () => (namespace === null ? 'yes' : info.namespace === null ? 'unknown' : verdictOf(info.namespace === namespace)),
    () => (kind === null || kind === 'Pod' ? isNamed(ref, info) : ofWorkload(kind, name, info)),
  ];
  return allOf(parts, (part) => part());
}
