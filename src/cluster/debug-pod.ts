/**
 * The pod that kbtop runs in on somebody's behalf: as short-lived as it is powerful. Bound to its node without the
 * scheduler, so that it gets onto nodes that are cordoned, tainted, or in a cluster whose scheduler is ill.
 */
import { createHash } from 'node:crypto';

export const CONTAINER = 'kbtop';
export const SESSION_LABEL = 'kbtop.io/session';
export const USER_LABEL = 'kbtop.io/user';
/** Not removed by whoever comes later. */
export const KEEP_LABEL = 'kbtop.io/keep';
export const DEBUG_LABELS = { 'app.kubernetes.io/name': 'kbtop', 'app.kubernetes.io/component': 'debug' } as const;

/** Every process of the pod has it in its environment. */
export const SESSION_VARIABLE = 'KBTOP_SESSION';
/** Seconds between being told to end and being killed. */
export const GRACE_SECONDS = 2;

/**
 * What kbtop needs by name, beside what root in a container has. SYS_ADMIN: tracefs where nobody has mounted it, without
 * which opens and connects are seen in part, and what programs cost; SYS_RESOURCE: memory locks, before Linux 5.11.
 */
export const CAPABILITIES = ['BPF', 'PERFMON', 'SYS_ADMIN', 'SYS_RESOURCE'] as const;
/** For faults: hooks of cgroups, and what processes of others are about. */
export const CHAOS_CAPABILITIES = ['NET_ADMIN', 'SYS_PTRACE'] as const;

export interface DebugPodOptions {
  readonly namespace: string;
  readonly node: { readonly name: string; /** Null: not to be asked for. */ readonly uid: string | null };
  readonly session: string;
  /** Who has it made, for people: "anna@laptop". */
  readonly who: string;
  /** What is looked at, for people: "pod/web-1 -n shop". */
  readonly purpose: string;
  readonly since: Date;
  readonly image: string;
  readonly pullPolicy: 'Always' | 'IfNotPresent' | 'Never' | null;
  /** After so long the kubelet ends it, whatever happens; seconds. */
  readonly maxSeconds: number;
  /** Faults may be injected: the audit is kept on the node. */
  readonly chaos: boolean;
  /** All that the runtime can give, where capabilities by name are not enough. */
  readonly privileged: boolean;
  readonly keep: boolean;
  /** Of the main process, which holds the others. */
  readonly command: readonly string[];
  /** For every process: what the terminal and the locale here are. */
  readonly environment: Readonly<Record<string, string>>;
}

/** A label's value out of any text: what fits stays readable, and a hash tells the rest apart. */
export function labelValue(text: string): string {
  const readable = text.replaceAll(/[^A-Za-z0-9_.-]+/g, '-').replace(/^[^A-Za-z0-9]+/, '').replace(/[^A-Za-z0-9]+$/, '');
  if (readable === text && text.length <= 63) return text;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  return readable === '' ? hash : `${readable.slice(0, 50).replace(/[^A-Za-z0-9]+$/, '')}-${hash}`;
}

/** "kbtop-worker-1-x7f2k": a DNS label, so that it can be a host name, too. */
export function debugPodName(node: string, session: string): string {
  const readable = node.replaceAll(/[^a-z0-9-]+/g, '-').slice(0, 50).replace(/-+$/, '');
  return `kbtop-${readable}-${session.slice(0, 5)}`;
}

const hostPath = (name: string, path: string, type?: string): object => ({ name, hostPath: { path, ...(type !== undefined && { type }) } });

const VOLUMES = [
  { volume: hostPath('host', '/'), mount: { name: 'host', mountPath: '/host', readOnly: true } },
  { volume: hostPath('cgroup', '/sys/fs/cgroup'), mount: { name: 'cgroup', mountPath: '/sys/fs/cgroup', readOnly: true } },
  { volume: hostPath('debugfs', '/sys/kernel/debug'), mount: { name: 'debugfs', mountPath: '/sys/kernel/debug' } },
  { volume: hostPath('tracefs', '/sys/kernel/tracing'), mount: { name: 'tracefs', mountPath: '/sys/kernel/tracing' } },
];
/** The audit, and where faults are found: `kbtop chaos stop` on the node, or in another debug pod, ends them. */
const CHAOS_VOLUMES = [
  { volume: hostPath('audit', '/var/log/kbtop', 'DirectoryOrCreate'), mount: { name: 'audit', mountPath: '/var/log/kbtop' } },
  { volume: hostPath('faults', '/run/kbtop', 'DirectoryOrCreate'), mount: { name: 'faults', mountPath: '/run/kbtop' } },
];

/** A body for POST /api/v1/namespaces/NS/pods. */
export function debugPod(options: DebugPodOptions): object {
  const { node, session, chaos, privileged, keep, image, pullPolicy } = options;
  const mounts = chaos ? [...VOLUMES, ...CHAOS_VOLUMES] : VOLUMES;
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: {
      name: debugPodName(node.name, session), namespace: options.namespace,
      labels: { ...DEBUG_LABELS, [SESSION_LABEL]: session, [USER_LABEL]: labelValue(options.who), ...(keep && { [KEEP_LABEL]: 'true' }) },
      annotations: {
        'kbtop.io/who': options.who, 'kbtop.io/since': options.since.toISOString(), 'kbtop.io/purpose': options.purpose,
        // A node that is not needed may go, and this pod with it.
        'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true',
        'sidecar.istio.io/inject': 'false', 'linkerd.io/inject': 'disabled',
        // Before Kubernetes 1.30 there was no field for it.
        ...(!privileged && { [`container.apparmor.security.beta.kubernetes.io/${CONTAINER}`]: 'unconfined' }),
      },
      ...(node.uid !== null && { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node.name, uid: node.uid }] }),
    },
    spec: {
      nodeName: node.name, restartPolicy: 'Never', activeDeadlineSeconds: options.maxSeconds, terminationGracePeriodSeconds: GRACE_SECONDS,
      hostPID: true, automountServiceAccountToken: false, enableServiceLinks: false, tolerations: [{ operator: 'Exists' }],
      containers: [{
        name: CONTAINER, image, ...(pullPolicy !== null && { imagePullPolicy: pullPolicy }), command: options.command,
        // It lives as long as whoever is attached.
        stdin: true, stdinOnce: true,
        env: [
          { name: SESSION_VARIABLE, value: session },
          { name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
          ...Object.entries(options.environment).map(([name, value]) => ({ name, value })),
        ],
        // Small enough for a full node; the limit has room for the kernel's maps, which count for the pod.
        resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '1Gi' } },
        securityContext: {
          runAsUser: 0, runAsNonRoot: false, readOnlyRootFilesystem: false,
          ...(privileged ? { privileged: true } : {
            privileged: false, capabilities: { add: [...CAPABILITIES, ...(chaos ? CHAOS_CAPABILITIES : [])] },
            seccompProfile: { type: 'Unconfined' }, appArmorProfile: { type: 'Unconfined' }, seLinuxOptions: { type: 'spc_t' },
          }),
        },
        volumeMounts: mounts.map(({ mount }) => mount),
      }],
      volumes: mounts.map(({ volume }) => volume),
    },
  };
}
