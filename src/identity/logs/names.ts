/**
 * The names that the kubelet gives to log files and directories. Pure; strict, since anybody may make a file there who
 * may write to /var/log: what Kubernetes would not allow as a name is none.
 */

export interface ContainerLog {
  readonly pod: string;
  readonly namespace: string;
  readonly container: string;
  readonly containerId: string;
}

export interface PodLogs {
  readonly namespace: string;
  readonly pod: string;
  /** With dashes, or the 32 hex digits of a static pod's configuration. */
  readonly podUid: string;
}

/** Longest name of a file, bytes (NAME_MAX). */
const MAX_FILE_NAME = 255;
const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
const POD = '[a-z0-9](?:[-.a-z0-9]{0,251}[a-z0-9])?';
/** No name holds '_'; a container's may hold '-', so its id is split off from the right. */
const CONTAINER_LOG = new RegExp(`^(${POD})_(${LABEL})_(${LABEL})-([0-9a-f]{64})\\.log$`);
const POD_LOGS = new RegExp(`^(${LABEL})_(${POD})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})$`);

/** /var/log/containers/POD_NAMESPACE_CONTAINER-ID.log; null for anything else, and where the kubelet had to cut the id off. */
export function parseContainerLog(fileName: string): ContainerLog | null {
  if (fileName.length > MAX_FILE_NAME) return null;
  const [, pod, namespace, container, containerId] = CONTAINER_LOG.exec(fileName) ?? [];
  return pod === undefined || namespace === undefined || container === undefined || containerId === undefined ? null : { pod, namespace, container, containerId };
}

/** /var/log/pods/NAMESPACE_POD_UID; null for anything else. */
export function parsePodLogs(directoryName: string): PodLogs | null {
  if (directoryName.length > MAX_FILE_NAME) return null;
  const [, namespace, pod, podUid] = POD_LOGS.exec(directoryName) ?? [];
  return namespace === undefined || pod === undefined || podUid === undefined ? null : { namespace, pod, podUid };
}
