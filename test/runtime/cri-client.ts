/** A client of the CRI, as a kubelet's: makes and ends pods. One method per call that the tests need. */
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { CRI } from './cri-schema.ts';

/** Which namespace a pod or container gets: its pod's, its own, the node's. */
export const NamespaceMode = { POD: 0, CONTAINER: 1, NODE: 2 } as const;
export const ContainerState = { CREATED: 0, RUNNING: 1, EXITED: 2, UNKNOWN: 3 } as const;

export interface NamespaceOptions {
  readonly network: number;
  readonly pid: number;
  readonly ipc: number;
}

export interface SandboxConfig {
  readonly metadata: { readonly name: string; readonly uid: string; readonly namespace: string; readonly attempt: number };
  readonly hostname: string;
  readonly logDirectory: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: { readonly cgroupParent: string; readonly securityContext: { readonly namespaceOptions: NamespaceOptions } };
}

export interface SecurityContext {
  readonly namespaceOptions: NamespaceOptions;
  readonly capabilities?: { readonly addCapabilities: readonly string[] };
  readonly privileged?: boolean;
  readonly runAsUser?: { readonly value: number };
  /** 1: none. */
  readonly seccomp?: { readonly profileType: number };
}

export interface ContainerConfig {
  readonly metadata: { readonly name: string; readonly attempt: number };
  readonly image: { readonly image: string };
  readonly command: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Below the sandbox's logDirectory. */
  readonly logPath: string;
  readonly linux: { readonly resources: object; readonly securityContext: SecurityContext };
  readonly envs?: readonly { readonly key: string; readonly value: string }[];
  readonly mounts?: readonly { readonly containerPath: string; readonly hostPath: string; readonly readonly: boolean }[];
  readonly stdin?: boolean;
  readonly stdinOnce?: boolean;
}

/** Which streams of a process are wanted. */
export interface Streams {
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

export interface ContainerStatus {
  readonly id: string;
  readonly metadata: { readonly name: string };
  readonly state: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
}

export interface ListedContainer {
  readonly id: string;
  readonly podSandboxId: string;
  readonly metadata: { readonly name: string };
  readonly state: number;
  readonly labels: Readonly<Record<string, string>>;
}

const DEADLINE_MS = 30_000;

export class CriClient {
  readonly #client: Client;

  /** @param socket absolute path */
  constructor(socket: string) {
    this.#client = new Client(`unix://${socket}`, credentials.createInsecure(), { 'grpc.default_authority': 'localhost' });
  }

  /** @throws ServiceError when the runtime does not listen within the deadline */
  async ready(deadlineMs: number): Promise<void> {
    await new Promise<void>((resolve, reject) => this.#client.waitForReady(Date.now() + deadlineMs, (error) => (error ? reject(error) : resolve())));
  }

  /** One call; its answer with every field present. @throws ServiceError */
  #call(method: string, request: object, service = 'RuntimeService'): Promise<Record<string, unknown>> {
    const [requestType, responseType] = [CRI.lookupType(`${method}Request`), CRI.lookupType(`${method}Response`)];
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(
        `/runtime.v1.${service}/${method}`,
        (message: object) => Buffer.from(requestType.encode(requestType.fromObject(message)).finish()),
        (bytes) => responseType.toObject(responseType.decode(bytes), { defaults: true, longs: Number }),
        request,
        { deadline: Date.now() + DEADLINE_MS },
        (error: ServiceError | null, response?: Record<string, unknown>) => (error || !response ? reject(new Error(`${method}: ${error?.message ?? 'no answer'}`, { cause: error })) : resolve(response)),
      );
    });
  }

  async version(): Promise<{ readonly runtimeName: string; readonly runtimeVersion: string }> {
    return (await this.#call('Version', {})) as { runtimeName: string; runtimeVersion: string };
  }

  /** Whether the CRI has taken notice of an image. */
  async hasImage(image: string): Promise<boolean> {
    return (await this.#call('ImageStatus', { image: { image } }, 'ImageService'))['image'] !== null;
  }

  /** Resolves with the sandbox's id. */
  async runPodSandbox(config: SandboxConfig): Promise<string> {
    return (await this.#call('RunPodSandbox', { config }))['podSandboxId'] as string;
  }

  async stopPodSandbox(podSandboxId: string): Promise<void> {
    await this.#call('StopPodSandbox', { podSandboxId });
  }

  async removePodSandbox(podSandboxId: string): Promise<void> {
    await this.#call('RemovePodSandbox', { podSandboxId });
  }

  /** Resolves with the container's id. */
  async createContainer(podSandboxId: string, config: ContainerConfig, sandboxConfig: SandboxConfig): Promise<string> {
    return (await this.#call('CreateContainer', { podSandboxId, config, sandboxConfig }))['containerId'] as string;
  }

  async startContainer(containerId: string): Promise<void> {
    await this.#call('StartContainer', { containerId });
  }

  /** @param timeout seconds until it is killed */
  async stopContainer(containerId: string, timeout: number): Promise<void> {
    await this.#call('StopContainer', { containerId, timeout });
  }

  /** URL at which the runtime's streaming server waits for whoever wants to run the command. */
  async exec(containerId: string, cmd: readonly string[], streams: Streams): Promise<string> {
    return (await this.#call('Exec', { containerId, cmd, ...streams }))['url'] as string;
  }

  async attach(containerId: string, streams: Streams): Promise<string> {
    return (await this.#call('Attach', { containerId, ...streams }))['url'] as string;
  }

  async removeContainer(containerId: string): Promise<void> {
    await this.#call('RemoveContainer', { containerId });
  }

  async containerStatus(containerId: string): Promise<ContainerStatus> {
    return (await this.#call('ContainerStatus', { containerId }))['status'] as ContainerStatus;
  }

  /** Process id, in this pid namespace, of a container's first process. */
  async containerPid(containerId: string): Promise<number> {
    const { info } = (await this.#call('ContainerStatus', { containerId, verbose: true })) as { info: Record<string, string> };
    return (JSON.parse(info['info'] ?? '{}') as { pid: number }).pid;
  }

  async sandboxPid(podSandboxId: string): Promise<number> {
    const { info } = (await this.#call('PodSandboxStatus', { podSandboxId, verbose: true })) as { info: Record<string, string> };
    return (JSON.parse(info['info'] ?? '{}') as { pid: number }).pid;
  }

  async listContainers(): Promise<readonly ListedContainer[]> {
    return (await this.#call('ListContainers', {}))['containers'] as ListedContainer[];
  }

  close(): void {
    this.#client.close();
  }
}
