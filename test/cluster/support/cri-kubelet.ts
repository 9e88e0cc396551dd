/** What a kubelet does with a debug pod, done with a real container runtime: sandbox, container, streams, and its end. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ContainerConfig, ContainerState, NamespaceMode, type SandboxConfig } from '../../runtime/cri-client.ts';
import { BUSYBOX_IMAGE } from '../../runtime/image.ts';
import { noteCgroup } from '../../runtime/place.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import type { FakeCluster, Pod, Seen } from './fake-cluster.ts';

interface Spec {
  readonly hostPID?: boolean;
  readonly containers: readonly [{
    readonly name: string;
    readonly command: readonly string[];
    readonly stdin?: boolean;
    readonly stdinOnce?: boolean;
    readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
    readonly securityContext: { readonly privileged: boolean; readonly capabilities?: { readonly add: readonly string[] } };
  }];
  readonly volumes: readonly { readonly name: string; readonly hostPath: { readonly path: string } }[];
}

/** In the order of their numbers, as far as debug pods go. */
const NUMBERS: Readonly<Record<string, number>> = { NET_ADMIN: 12, SYS_PTRACE: 19, SYS_ADMIN: 21, SYS_RESOURCE: 24, PERFMON: 38, BPF: 39 };

/** What this machine's root can give: nobody gets more than that. */
function given(names: readonly string[]): string[] {
  const bounding = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'}`);
  return names.filter((name) => ((bounding >> BigInt(NUMBERS[name] ?? 63)) & 1n) === 1n);
}

export class CriKubelet {
  readonly #runtime: Runtime;
  readonly #cluster: FakeCluster;
  /** Directories that stand for an image of kbtop: the host's libraries and this checkout. */
  readonly #image: readonly (readonly [host: string, inside: string])[];
  readonly #path: string;
  readonly containers = new Map<string, { readonly id: string; readonly sandbox: string }>();

  /** @param root the checkout */
  constructor(runtime: Runtime, cluster: FakeCluster, root: string) {
    this.#runtime = runtime;
    this.#cluster = cluster;
    this.#image = [['/usr/lib', '/lib'], ['/usr/lib', '/usr/lib'], ['/usr/lib64', '/lib64'], [root, root]];
    this.#path = `${join(root, 'bin')}:/bin`;
    cluster.kubelet = (pod) => void this.#start(pod).catch((error: unknown) => cluster.update(pod, { phase: 'Failed', reason: 'CreateContainerError', message: String(error) }));
    cluster.backend = (seen, pod, verb) => this.#stream(seen, pod, verb);
    cluster.terminate = (pod, graceSeconds) => this.#end(pod, graceSeconds);
  }

  /** Id of the pod's container. */
  of(pod: Pod): string {
    return this.containers.get(pod.metadata.uid)?.id ?? '';
  }

  async #start(pod: Pod): Promise<void> {
    const { name, namespace = '', uid } = pod.metadata;
    const spec = pod.spec as unknown as Spec;
    const [container] = spec.containers;
    const { cri, place } = this.#runtime;
    const namespaceOptions = { network: NamespaceMode.POD, pid: spec.hostPID === true ? NamespaceMode.NODE : NamespaceMode.CONTAINER, ipc: NamespaceMode.POD };
    const labels = { 'io.kubernetes.pod.name': name, 'io.kubernetes.pod.namespace': namespace, 'io.kubernetes.pod.uid': uid };
    const cgroupParent = `/kubepods/burstable/pod${uid}`;
    noteCgroup(place, cgroupParent);
    const sandboxConfig: SandboxConfig = {
      metadata: { name, uid, namespace, attempt: 0 }, hostname: name.slice(0, 63), logDirectory: `/var/log/pods/${namespace}_${name}_${uid}`, labels, annotations: {},
      linux: { cgroupParent, securityContext: { namespaceOptions } },
    };
    const sandbox = await cri.runPodSandbox(sandboxConfig);
    const mounts = container.volumeMounts.map(({ name: volume, mountPath, readOnly = false }) => ({ containerPath: mountPath, hostPath: spec.volumes.find((one) => one.name === volume)?.hostPath.path ?? '', readonly: readOnly }));
    const { PATH: _, HOME: __, ...environment } = this.#cluster.environmentOf(pod);
    const { privileged, capabilities } = container.securityContext;
    const config: ContainerConfig = {
      metadata: { name: container.name, attempt: 0 }, image: { image: BUSYBOX_IMAGE }, command: container.command, logPath: `${container.name}/0.log`,
      labels: { ...labels, 'io.kubernetes.container.name': container.name }, annotations: { 'io.kubernetes.container.restartCount': '0' },
      envs: Object.entries({ PATH: this.#path, ...environment }).map(([key, value]) => ({ key, value: value ?? '' })),
      mounts: [...this.#image.map(([hostPath, containerPath]) => ({ containerPath, hostPath, readonly: true })), ...mounts],
      stdin: container.stdin ?? false, stdinOnce: container.stdinOnce ?? false,
      linux: {
        resources: { cpuShares: 10 },
        securityContext: { namespaceOptions, privileged, runAsUser: { value: 0 }, seccomp: { profileType: 1 }, capabilities: { addCapabilities: given(capabilities?.add ?? []) } },
      },
    };
    const id = await cri.createContainer(sandbox, config, sandboxConfig);
    this.containers.set(uid, { id, sandbox });
    await cri.startContainer(id);
    this.#cluster.update(pod, { phase: 'Running', startTime: 'x', containerStatuses: [{ name: container.name, ready: true, state: { running: {} } }] });
    void this.#follow(pod, id);
  }

  /** Until it has ended, as a kubelet's own look around does. */
  async #follow(pod: Pod, id: string): Promise<void> {
    for (;;) {
      await sleep(100);
      const status = await this.#runtime.cri.containerStatus(id).catch(() => null);
      if (status === null) return;
      if (status.state !== ContainerState.EXITED) continue;
      this.#cluster.update(pod, { phase: status.exitCode === 0 ? 'Succeeded' : 'Failed', containerStatuses: [{ state: { terminated: { exitCode: status.exitCode, reason: status.reason, message: status.message } } }] });
      return;
    }
  }

  #stream({ query }: Seen, pod: Pod, verb: string): Promise<string> {
    const streams = { tty: query.get('tty') === 'true', stdin: query.get('stdin') === 'true', stdout: true, stderr: query.get('stderr') === 'true' };
    return verb === 'exec' ? this.#runtime.cri.exec(this.of(pod), query.getAll('command'), streams) : this.#runtime.cri.attach(this.of(pod), streams);
  }

  async #end(pod: Pod, graceSeconds: number): Promise<void> {
    const made = this.containers.get(pod.metadata.uid);
    if (!made) return;
    await this.#runtime.cri.stopContainer(made.id, graceSeconds);
    await this.#runtime.cri.stopPodSandbox(made.sandbox);
    await this.#runtime.cri.removePodSandbox(made.sandbox);
  }
}
