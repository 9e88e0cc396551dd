/** What the command line tells the sources of names. */
export interface SourceOptions {
  /** Directory that stands for the host's /: '/' on the node itself, '/host' or the like in a pod. */
  readonly hostRoot: string;
  /** The CRI socket to use, a path or unix:// URL; null: CONTAINER_RUNTIME_ENDPOINT, then the known places. */
  readonly runtimeEndpoint: string | null;
  /** --kubeconfig and --context; null: as kubectl would find them. */
  readonly kubeconfig: string | null;
  readonly context: string | null;
  /** Name of this node in Kubernetes. */
  readonly nodeName: string;
  /** Receives what --debug prints. */
  readonly debug: (text: string) => void;
}
