/** What Kubernetes says of a pod, in its own words: short kinds, and which STATUS means trouble. */
import type { Severity } from './columns.ts';
import type { ContainerInfo } from './frame.ts';

/** kubectl's short names of the kinds that own pods. */
const SHORT_KINDS: Readonly<Record<string, string>> = {
  Deployment: 'deploy', StatefulSet: 'sts', DaemonSet: 'ds', ReplicaSet: 'rs', ReplicationController: 'rc', Job: 'job', CronJob: 'cj', Node: 'node',
};

/** "deploy/web"; a kind without a short name in lower case. */
export const ownerName = ({ kind, name }: NonNullable<ContainerInfo['owner']>): string => `${SHORT_KINDS[kind] ?? kind.toLowerCase()}/${name}`;

const FINE: ReadonlySet<string> = new Set(['Running', 'Completed', 'Succeeded']);
const UNDER_WAY: ReadonlySet<string> = new Set(['Pending', 'ContainerCreating', 'PodInitializing', 'Terminating', 'NotReady', 'SchedulingGated']);

/** Is "Init:0/2": init containers are at work. */
const isInit = (status: string): boolean => {
  const digit = status.startsWith('Init:') ? status.charCodeAt(5) : 0;
  return digit >= 48 && digit <= 57;
};

/** kubectl's STATUS: what runs or has ended well is ok, what is under way warns, all else (CrashLoopBackOff, Error, OOMKilled, ...) is bad. */
export function statusSeverity(status: string): Severity {
  if (FINE.has(status)) return 'ok';
  return UNDER_WAY.has(status) || isInit(status) ? 'warn' : 'bad';
}
