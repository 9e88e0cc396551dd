/**
 * Whom no rule may hit. Facts come in as plain data: every cgroup that the target covers, with everything below it, and
 * the tasks in each.
 */
import type { ContainerInfo } from '../frame/frame.ts';
import { fullName } from '../frame/names.ts';

export interface TargetTask {
  readonly pid: number;
  readonly comm: string;
  readonly kernelThread: boolean;
}

/** One cgroup that the rule would hit. */
export interface TargetCgroup {
  readonly key: string;
  readonly info: ContainerInfo;
  readonly tasks: readonly TargetTask[];
}

/** kbtop itself. */
export interface OwnFacts {
  /** This process, those that it started and all its ancestors. */
  readonly pids: ReadonlySet<number>;
  /** Path of its cgroup below the mount; null when it cannot be told. */
  readonly cgroup: string | null;
}

export interface Refusal {
  readonly rule: RefusalRule;
  /** One line, with what to do where something can be done. Raw, not escaped. */
  readonly reason: string;
  /** What allows it nevertheless: an option of the command; null: nothing does. */
  readonly unless: '--allow-system' | '--expert' | null;
}

export type RefusalRule =
  | 'nothing' | 'host' | 'init' | 'own' | 'kernel-thread' | 'service' | 'all-pods' | 'runtime' | 'sandbox' | 'system-pod'
  | 'call' | 'error' | 'kernel-fault' | 'panic' | 'long-delay';

const refuse = (rule: RefusalRule, reason: string, unless: Refusal['unless'] = null): Refusal => ({ rule, reason, unless });

/** Names of threads, as the kernel keeps them: 15 bytes at most. */
const RUNTIMES = /^(?:kubelet|containerd|containerd-shim.*|crio|conmon(?:rs)?|dockerd|cri-dockerd|docker-containe|runc|crun|youki|k3s.*|k0s|rke2|microk8s.*|podman|kata-.*|virtiofsd|systemd(?:-.*)?)$/;
const ALL_PODS = /^kubepods(?:-(?:burstable|besteffort))?(?:\.slice)?$|^(?:burstable|besteffort)$/;
const SYSTEM_PATH = /^\/(?:system\.slice|init\.scope|runtime\.slice|podruntime(?:\.slice)?|kubelet(?:\.slice|\.service)?|system)(?:\/|$)/;
const SYSTEM_NAMESPACES = new Set(['kube-system', 'kube-public', 'kube-node-lease', 'calico-system', 'calico-apiserver', 'tigera-operator', 'kube-flannel', 'cilium', 'longhorn-system', 'rook-ceph', 'openebs', 'gmp-system', 'gke-managed-system', 'amazon-vpc-cni', 'openshift-sdn', 'openshift-ovn-kubernetes', 'openshift-multus']);
/** Network and storage of the node run in pods, in whatever namespace. */
const NODE_POD = /^(?:calico|cilium|canal|flannel|kube-flannel|weave-net|antrea|multus|kube-multus|kube-router|kube-proxy|kindnet|aws-node|azure-(?:cni|ip-masq|npm)|ovnkube-node|coredns|node-local-dns)(?:-|$)/;
const STORAGE_POD = /(?:^|-)csi(?:-|$)/;

/** A pod's pause container. */
export const isSandbox = ({ info, tasks }: TargetCgroup): boolean => info.kind === 'sandbox' || (tasks.length > 0 && tasks.every(({ comm }) => comm === 'pause'));
const isBelow = (path: string, above: string): boolean => above === '/' || path === above || path.startsWith(`${above}/`);
const lastPart = (path: string): string => path.slice(path.lastIndexOf('/') + 1);
/** Runtimes enter a container on their way to start its program: such tasks are left alone, and are no reason to refuse. */
export const isRuntimeInit = (comm: string): boolean => comm.startsWith('runc:[') || comm.startsWith('crun:[');

function systemPod({ namespace, pod }: ContainerInfo): string | null {
  if (namespace !== null && SYSTEM_NAMESPACES.has(namespace)) return `namespace ${namespace} runs the cluster`;
  if (pod !== null && NODE_POD.test(pod)) return `pod ${pod} runs the node or its network`;
  return pod !== null && STORAGE_POD.test(pod) ? `pod ${pod} runs the node's storage` : null;
}

function refusalsOfTasks({ info, tasks }: TargetCgroup, own: OwnFacts): Refusal[] {
  const refusals: Refusal[] = [];
  const name = fullName(info);
  if (tasks.some(({ pid }) => pid === 1)) refusals.push(refuse('init', `${name} holds the node's first process`));
  const mine = tasks.find(({ pid }) => own.pids.has(pid));
  if (mine !== undefined) refusals.push(refuse('own', `${name} holds kbtop itself or a process that kbtop depends on (${mine.comm}, pid ${mine.pid})`));
  const kernel = tasks.find(({ kernelThread }) => kernelThread);
  if (kernel !== undefined) refusals.push(refuse('kernel-thread', `${name} holds kernel threads (${kernel.comm})`));
  const runtime = tasks.find(({ comm }) => RUNTIMES.test(comm));
  if (runtime !== undefined) refusals.push(refuse('runtime', `${name} holds ${runtime.comm} (pid ${runtime.pid}), which runs containers or the node`));
  return refusals;
}

function refusalsOfPlace({ info }: TargetCgroup, own: OwnFacts): Refusal[] {
  const refusals: Refusal[] = [];
  const name = fullName(info);
  const path = info.cgroup;
  if (info.kind === 'host' || path === '/') refusals.push(refuse('host', 'the target is the whole node: choose a pod or container'));
  else if (path !== null && ALL_PODS.test(lastPart(path))) refusals.push(refuse('all-pods', `${path} holds all pods or all of a class: choose one`));
  else if (info.kind === 'service' || (path !== null && SYSTEM_PATH.test(path))) refusals.push(refuse('service', `${name} is a service of the node, not a container`));
  if (path !== null && path !== '/' && own.cgroup !== null && isBelow(own.cgroup, path)) refusals.push(refuse('own', `${path} holds kbtop itself`));
  return refusals;
}

export interface TargetVerdict {
  /** None: the target may be hit. Each rule at most once, with the first cgroup that it refuses. */
  readonly refusals: readonly Refusal[];
  /** Cgroups of the target that are left out: a pod's pause container. */
  readonly excluded: readonly string[];
}

/** @param allowSystem pods that run the node or cluster may be hit (--allow-system) */
export function judgeTarget(cgroups: readonly TargetCgroup[], own: OwnFacts, allowSystem = false): TargetVerdict {
  if (cgroups.length === 0) return { refusals: [refuse('nothing', 'no running container matches the target')], excluded: [] };
  const sandboxes = cgroups.filter(isSandbox);
  const rest = cgroups.filter((one) => !sandboxes.includes(one));
  // A pod's own cgroup holds no tasks: without a container there is nothing but the pause container.
  if (sandboxes.length > 0 && rest.every(({ tasks }) => tasks.length === 0)) return { refusals: [refuse('sandbox', 'the target is a pod\'s pause container: choose one that runs a program')], excluded: [] };
  const refusals = new Map<RefusalRule, Refusal>();
  for (const cgroup of cgroups) {
    const system = allowSystem ? null : systemPod(cgroup.info);
    const found = [
      ...refusalsOfPlace(cgroup, own), ...refusalsOfTasks(cgroup, own),
      ...(system === null ? [] : [refuse('system-pod', `${system}: --allow-system hits it nevertheless`, '--allow-system')]),
    ];
    for (const refusal of found) if (!refusals.has(refusal.rule)) refusals.set(refusal.rule, refusal);
  }
  return { refusals: [...refusals.values()], excluded: sandboxes.map(({ key }) => key) };
}
