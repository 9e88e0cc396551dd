/** Makes pods in a test's container runtime as a kubelet makes them: cgroups, labels, log directories and links. */
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { hostname as nodeName } from 'node:os';
import { join } from 'node:path';
import type { CgroupKey } from '../../src/identity/key.ts';
import { cgroupKey } from '../../src/identity/key.ts';
import { hierarchies } from '../workloads/cgroup.ts';
import { removeCgroup } from './cgroups.ts';
import { type ContainerConfig, NamespaceMode, type NamespaceOptions, type SandboxConfig } from './cri-client.ts';
import { BUSYBOX_IMAGE } from './image.ts';
import { noteCgroup } from './place.ts';
import type { Runtime } from './runtime.ts';

export interface ContainerSpec {
  readonly name: string;
  /** argv, for busybox; left out: it sleeps. */
  readonly command?: readonly string[];
}

export interface PodSpec {
  readonly name: string;
  readonly namespace?: string;
  /** Left out: a new one. A static pod's has 32 hex digits and no dashes. */
  readonly uid?: string;
  readonly qos?: 'Guaranteed' | 'Burstable' | 'BestEffort';
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** spec.hostname; left out: the pod's name. */
  readonly hostname?: string;
  readonly hostNetwork?: boolean;
  readonly shareProcessNamespace?: boolean;
  readonly containers: readonly ContainerSpec[];
}

/** One cgroup of a runtime's making, with its first process. */
export interface RunningContainer {
  readonly id: string;
  readonly pid: number;
  /** Path in the v2 hierarchy; it is the same in the others. */
  readonly cgroup: string;
  /** Of the cgroup v2 directory. */
  readonly key: CgroupKey;
}

export interface NamedContainer extends RunningContainer {
  readonly name: string;
}

const FOREVER = ['sleep', '100000'];
const QOS_DIRECTORY = { Guaranteed: '', Burstable: '/burstable', BestEffort: '/besteffort' } as const;

/** Absolute directory of a path in the v2 hierarchy. */
export function v2Directory(path: string): string {
  const directory = hierarchies.directory(0, path);
  if (directory === null) throw new Error('no cgroup v2 hierarchy is mounted');
  return directory;
}

/** Key of a cgroup v2 directory, from its inode. */
export const keyOf = (path: string): CgroupKey => cgroupKey(0, statSync(v2Directory(path), { bigint: true }).ino);

export class Pod {
  readonly name: string;
  readonly namespace: string;
  readonly uid: string;
  readonly qos: 'Guaranteed' | 'Burstable' | 'BestEffort';
  /** What its containers see as nodename. */
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Path of the pod's own cgroup. */
  readonly cgroup: string;
  readonly containers: NamedContainer[] = [];
  readonly #runtime: Runtime;
  readonly #config: SandboxConfig;
  readonly #namespaces: NamespaceOptions;
  #sandbox: RunningContainer | null = null;

  private constructor(runtime: Runtime, spec: PodSpec) {
    this.#runtime = runtime;
    this.name = spec.name;
    this.namespace = spec.namespace ?? 'default';
    this.uid = spec.uid ?? randomUUID();
    this.qos = spec.qos ?? 'Burstable';
    this.labels = spec.labels ?? {};
    const hostNetwork = spec.hostNetwork ?? false;
    // A nodename has at most 63 characters; the rest of a pod's name is lost.
    this.hostname = hostNetwork ? nodeName() : spec.hostname ?? spec.name.slice(0, 63);
    this.cgroup = `/kubepods${QOS_DIRECTORY[this.qos]}/pod${this.uid}`;
    this.#namespaces = {
      network: hostNetwork ? NamespaceMode.NODE : NamespaceMode.POD,
      pid: spec.shareProcessNamespace ? NamespaceMode.POD : NamespaceMode.CONTAINER,
      ipc: NamespaceMode.POD,
    };
    this.#config = {
      metadata: { name: this.name, uid: this.uid, namespace: this.namespace, attempt: 0 },
      // A pod in the node's network shares its UTS namespace, too.
      hostname: hostNetwork ? '' : this.hostname,
      logDirectory: `/var/log/pods/${this.namespace}_${this.name}_${this.uid}`,
      labels: { ...this.labels, ...this.#ownLabels() },
      annotations: { 'kubernetes.io/config.source': 'api', ...spec.annotations },
      linux: { cgroupParent: this.cgroup, securityContext: { namespaceOptions: this.#namespaces } },
    };
  }

  /** Start a pod with all its containers. @throws Error; what was made until then goes with the runtime */
  static async start(runtime: Runtime, spec: PodSpec): Promise<Pod> {
    const pod = new Pod(runtime, spec);
    noteCgroup(runtime.place, pod.cgroup);
    mkdirSync(pod.#onHost(pod.#config.logDirectory), { recursive: true });
    const id = await runtime.cri.runPodSandbox(pod.#config);
    pod.#sandbox = pod.#running(id, await runtime.cri.sandboxPid(id));
    for (const container of spec.containers) await pod.startContainer(container);
    return pod;
  }

  get sandbox(): RunningContainer {
    if (!this.#sandbox) throw new Error(`pod ${this.name} has no sandbox`);
    return this.#sandbox;
  }

  /** The container of this name, as it runs. */
  container(name: string): NamedContainer {
    const found = this.containers.find((one) => one.name === name);
    if (!found) throw new Error(`pod ${this.name} has no container ${name}`);
    return found;
  }

  /** Start one more container. */
  async startContainer(spec: ContainerSpec): Promise<NamedContainer> {
    const id = await this.create(spec);
    await this.launch(spec.name, id);
    const container = { ...this.#running(id, await this.#runtime.cri.containerPid(id)), name: spec.name };
    this.containers.push(container);
    return container;
  }

  /** Let the runtime prepare a container; it does not run yet. Resolves with its id. */
  create(spec: ContainerSpec): Promise<string> {
    const config: ContainerConfig = {
      metadata: { name: spec.name, attempt: 0 },
      image: { image: BUSYBOX_IMAGE },
      command: spec.command ?? FOREVER,
      labels: { ...this.#ownLabels(), 'io.kubernetes.container.name': spec.name },
      annotations: { 'io.kubernetes.container.restartCount': '0', 'io.kubernetes.pod.terminationGracePeriod': '30' },
      logPath: `${spec.name}/0.log`,
      linux: { resources: { cpuShares: 102 }, securityContext: { namespaceOptions: this.#namespaces } },
    };
    mkdirSync(this.#onHost(join(this.#config.logDirectory, spec.name)), { recursive: true });
    return this.#runtime.cri.createContainer(this.sandbox.id, config, this.#config);
  }

  /** Start what create() prepared, and link its log. */
  async launch(name: string, id: string): Promise<void> {
    await this.#runtime.cri.startContainer(id);
    // The link points where it does on a real host, even if nothing is there as seen from outside.
    symlinkSync(join(this.#config.logDirectory, name, '0.log'), this.logLink(name, id));
  }

  /** Remove a container, running or not, and its log. */
  async removeContainer(name: string, id: string): Promise<void> {
    await this.#runtime.cri.removeContainer(id);
    rmSync(this.logLink(name, id), { force: true });
    rmSync(this.#onHost(join(this.#config.logDirectory, name)), { recursive: true, force: true });
  }

  /** The link in /var/log/containers, as seen from outside. */
  logLink(name: string, id: string): string {
    return this.#onHost(`/var/log/containers/${this.name}_${this.namespace}_${name}-${id}.log`);
  }

  /** The log file that the link stands for, as seen from outside. */
  logFile(name: string): string {
    return this.#onHost(join(this.#config.logDirectory, name, '0.log'));
  }

  /** End it and remove all that belongs to it, as the kubelet does. */
  async remove(): Promise<void> {
    if (this.#sandbox) {
      await this.#runtime.cri.stopPodSandbox(this.#sandbox.id);
      await this.#runtime.cri.removePodSandbox(this.#sandbox.id);
    }
    for (const { name, id } of this.containers) rmSync(this.logLink(name, id), { force: true });
    rmSync(this.#onHost(this.#config.logDirectory), { recursive: true, force: true });
    if (existsSync(v2Directory(this.cgroup))) await removeCgroup(this.cgroup);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove();
  }

  #ownLabels(): Record<string, string> {
    return { 'io.kubernetes.pod.name': this.name, 'io.kubernetes.pod.namespace': this.namespace, 'io.kubernetes.pod.uid': this.uid };
  }

  #onHost(path: string): string {
    return join(this.#runtime.hostRoot, path);
  }

  #running(id: string, pid: number): RunningContainer {
    const cgroup = `${this.cgroup}/${id}`;
    return { id, pid, cgroup, key: keyOf(cgroup) };
  }
}
