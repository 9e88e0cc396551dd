/** Where container runtimes keep a directory for each container. */

/** Who wrote the file, so who is believed about what. */
export type Format = 'containerd' | 'moby' | 'crio' | 'docker' | 'runc-containerd' | 'runc-crio';

export interface PlaceSpec {
  /** Path on the host. */
  readonly base: string;
  /** Which directories in it hold containers; null: it holds them itself. */
  readonly below: RegExp | null;
  /** The file, from the container's own directory. */
  readonly file: string;
  readonly format: Format;
  /** Asked when no other place knows: it is complete only after the container began. */
  readonly last: boolean;
}

/** One directory for each containerd namespace (k8s.io, default, ...); the one of Docker holds no names. */
const TASKS = [
  '/run/containerd/io.containerd.runtime.v2.task', // containerd, Docker on it, kind, kubeadm, EKS, GKE, AKS
  '/run/k3s/containerd/io.containerd.runtime.v2.task', // k3s, RKE2
  '/run/k0s/containerd/io.containerd.runtime.v2.task',
  '/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task',
  '/run/docker/containerd/daemon/io.containerd.runtime.v2.task', // the containerd that Docker starts
];
/** One directory for each storage driver: overlay-containers, vfs-containers, ... CRI-O writes to both, podman to the second. */
const STORAGE = ['/run/containers/storage', '/var/lib/containers/storage'];
const DOCKER = ['/var/lib/docker/containers', '/var/snap/docker/common/var-lib-docker/containers'];

export function dockerPlace(base: string): PlaceSpec {
  return { base, below: null, file: 'config.v2.json', format: 'docker', last: false };
}

/** Best first. */
export const PLACES: readonly PlaceSpec[] = [
  ...TASKS.map((base): PlaceSpec => ({ base, below: /^(?!moby$)/, file: 'config.json', format: 'containerd', last: false })),
  ...STORAGE.map((base): PlaceSpec => ({ base, below: /^[a-z0-9]+-containers$/, file: 'userdata/config.json', format: 'crio', last: false })),
  ...DOCKER.map(dockerPlace),
  ...TASKS.map((base): PlaceSpec => ({ base, below: /^moby$/, file: 'config.json', format: 'moby', last: true })),
  { base: '/run/crun', below: null, file: 'config.json', format: 'crio', last: true },
  { base: '/run/containerd/runc', below: /^(?!moby$)/, file: 'state.json', format: 'runc-containerd', last: true },
  { base: '/run/runc', below: null, file: 'state.json', format: 'runc-crio', last: true },
];
