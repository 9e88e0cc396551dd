/** A node that the test makes up, and may change at any time. */
import type { ContainerInfo } from '../../../src/frame/frame.ts';
import type { TargetTask } from '../../../src/chaos/refused-targets.ts';
import type { Place } from '../../../src/chaos/service/targets.ts';
import type { Who } from '../../../src/chaos/service/who.ts';

export type Inhabitant = Partial<ContainerInfo> & { readonly key: string; readonly comms?: readonly string[] };

export function place(given: Inhabitant): Place {
  const { key } = given;
  const info: ContainerInfo = {
    kind: given.pod != null ? 'container' : 'unknown', cgroupId: key, cgroup: `/kubepods/${key}`, namespace: null, pod: null, podUid: null, container: null, containerId: null, image: null, labels: {}, labelSource: null,
    owner: null, qos: null, podStatus: null, pidNs: null, nodename: null, nameSource: null, unresolved: null, ...given,
  };
  return { key, info };
}

/** A pod with the container app and its pause container. */
export const WEB: readonly Inhabitant[] = [
  { key: '10', kind: 'pod', namespace: 'shop', pod: 'web-1', podUid: 'uid-1', cgroup: '/kubepods/poduid-1' },
  { key: '11', namespace: 'shop', pod: 'web-1', podUid: 'uid-1', container: 'app', containerId: 'a'.repeat(64), cgroup: '/kubepods/poduid-1/a', comms: ['nginx'] },
  { key: '12', kind: 'sandbox', namespace: 'shop', pod: 'web-1', podUid: 'uid-1', containerId: 'b'.repeat(64), cgroup: '/kubepods/poduid-1/b', comms: ['pause'] },
  { key: '20', namespace: 'kube-system', pod: 'coredns-1', podUid: 'uid-2', container: 'coredns', containerId: 'c'.repeat(64), cgroup: '/kubepods/poduid-2/c', comms: ['coredns'] },
];

export class FakeWho implements Who {
  readonly cgroupMode = 'v2';
  readonly inhabitants: () => readonly Inhabitant[];

  constructor(inhabitants: () => readonly Inhabitant[] = () => WEB) {
    this.inhabitants = inhabitants;
  }

  async ready(): Promise<void> {}

  all(): readonly Place[] {
    return this.inhabitants().map(place);
  }

  below(keys: readonly string[]): readonly Place[] {
    const all = this.inhabitants();
    const paths = all.filter(({ key }) => keys.includes(key)).map((one) => place(one).info.cgroup ?? '');
    return all.filter((one) => (one.comms ?? []).length > 0 || paths.some((path) => `${place(one).info.cgroup}/`.startsWith(`${path}/`))).map(place);
  }

  tasks(key: string): readonly TargetTask[] {
    // No process has such a number.
    return (this.inhabitants().find((one) => one.key === key)?.comms ?? []).map((comm, i) => ({ pid: 2 ** 30 + i, comm, kernelThread: false }));
  }

  scope(key: string): { key: string; directory: null } {
    return { key, directory: null };
  }

  own(): { pids: ReadonlySet<number>; cgroup: string } {
    return { pids: new Set([process.pid]), cgroup: '/user.slice' };
  }

  unnamed(): null {
    return null;
  }

  close(): void {}
}
