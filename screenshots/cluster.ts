/**
 * What makes the demo's containers pods to kbtop: the files that their runtime would have on the node, below a root of
 * their own, and an API that tells the rest. Nothing of the machine's own is touched.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Pod, TestCluster } from '../test/identity/kubernetes/support/cluster.ts';
import { kubeconfig } from '../test/identity/kubernetes/support/source.ts';

export const NODE = 'worker-1';
const BUNDLES = 'run/containerd/io.containerd.runtime.v2.task/k8s.io';
const HOUR = 3_600_000;

export interface DemoPod {
  readonly namespace: string;
  readonly name: string;
  readonly container: string;
  readonly podUid: string;
  readonly containerId: string;
  readonly qosClass: string;
  /** Kind, name as kubectl shows it, and the hash or number that its controller put between. */
  readonly owner: readonly [kind: string, name: string, suffix: string];
  readonly restarts: number;
  /** Since it was made. */
  readonly ageHours: number;
}

/** The controller that made the pod, and the label that it leaves. */
function made({ owner: [kind, name, suffix] }: DemoPod): { readonly owner: object; readonly labels: Record<string, string> } {
  const reference = (kindOf: string, nameOf: string): object => ({ apiVersion: 'apps/v1', kind: kindOf, name: nameOf, uid: '0', controller: true });
  if (kind === 'Deployment') return { owner: reference('ReplicaSet', `${name}-${suffix}`), labels: { app: name, 'pod-template-hash': suffix } };
  if (kind === 'CronJob') return { owner: reference('Job', `${name}-${suffix}`), labels: { app: name, 'batch.kubernetes.io/job-name': `${name}-${suffix}` } };
  return { owner: reference(kind, name), labels: { app: name } };
}

function podObject(pod: DemoPod): Pod {
  const { owner, labels } = made(pod);
  const image = `registry.example/${pod.container}:1.4`;
  return {
    metadata: { name: pod.name, namespace: pod.namespace, uid: pod.podUid, labels, ownerReferences: [owner], creationTimestamp: new Date(Date.now() - pod.ageHours * HOUR).toISOString().replace(/\.\d+Z$/, 'Z') },
    spec: { nodeName: NODE, containers: [{ name: pod.container, image }] },
    status: { phase: 'Running', qosClass: pod.qosClass, containerStatuses: [{ name: pod.container, image, ready: true, restartCount: pod.restarts, state: { running: {} }, containerID: `containerd://${pod.containerId}` }] },
  };
}

export class DemoCluster {
  readonly #root = mkdtempSync(join(tmpdir(), 'kbtop-demo-'));
  readonly #api = new TestCluster();

  /** Flags with which kbtop finds it. */
  get flags(): readonly string[] {
    return ['--host-root', this.#root, '--kubeconfig', join(this.#root, 'kubeconfig'), '--node', NODE];
  }

  async start(pods: readonly DemoPod[]): Promise<void> {
    for (const pod of pods) {
      const directory = join(this.#root, BUNDLES, pod.containerId);
      mkdirSync(directory, { recursive: true });
      const annotations = {
        'io.kubernetes.cri.container-type': 'container', 'io.kubernetes.cri.container-name': pod.container, 'io.kubernetes.cri.sandbox-name': pod.name,
        'io.kubernetes.cri.sandbox-namespace': pod.namespace, 'io.kubernetes.cri.sandbox-uid': pod.podUid,
      };
      writeFileSync(join(directory, 'config.json'), JSON.stringify({ ociVersion: '1.0.2', annotations }));
    }
    this.#api.pods = pods.map(podObject);
    await this.#api.server.listen();
    writeFileSync(join(this.#root, 'kubeconfig'), JSON.stringify(kubeconfig(this.#api.server.url)));
  }

  async stop(): Promise<void> {
    await this.#api.server.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }
}
