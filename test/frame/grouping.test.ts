import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContainerInfo, PodStatus } from '../../src/frame/frame.ts';
import { GROUPS, finer, finest, groupInfo, groupKey, groupTest, maxKnown, standsFor, sumKnown } from '../../src/frame/grouping.ts';
import { info } from '../output/frames.ts';

const status = (more: Partial<PodStatus> = {}): PodStatus => ({ ready: 1, containers: 1, status: 'Running', restarts: 0, createdAt: null, ...more });
const pod = (more: Partial<ContainerInfo> = {}): ContainerInfo => info({
  kind: 'pod', cgroup: '/kubepods/pod1/a', namespace: 'shop', pod: 'web-1', podUid: '1', container: 'app', containerId: 'a'.repeat(64), owner: { kind: 'Deployment', name: 'web' }, ...more,
});
const sidecar = pod({ container: 'proxy', containerId: 'b'.repeat(64), cgroup: '/kubepods/pod1/b' });
const sibling = pod({ pod: 'web-2', podUid: '2', containerId: 'c'.repeat(64), cgroup: '/kubepods/pod2/c' });
const bare = pod({ pod: 'debug', podUid: '3', owner: null, containerId: 'd'.repeat(64) });
const unnamed = pod({ namespace: null, pod: null, podUid: '44444444-5555', owner: null, container: null, containerId: 'e'.repeat(64), unresolved: 'nobody knows' });
const sandbox = pod({ kind: 'sandbox', container: null, containerId: 'f'.repeat(64), cgroup: '/kubepods/pod1/f' });
const service = info();
const docker = info({ kind: 'container', container: 'db', containerId: '9'.repeat(64) });

const maybe = <T>(...values: readonly T[]) => fc.constantFrom(null, ...values);
const anyInfo: fc.Arbitrary<ContainerInfo> = fc.record({
  namespace: maybe('shop', 'db'), pod: maybe('web-1', 'web-2'), podUid: maybe('1', '2'), containerId: maybe('a', 'b', 'c'), owner: maybe({ kind: 'Deployment', name: 'web' }, { kind: 'Job', name: 'web' }),
  kind: fc.constantFrom('pod', 'sandbox', 'service', 'host'), cgroup: maybe('/a', '/a/b'), container: maybe('app', 'proxy'), image: maybe('x', 'y'), qos: maybe('Burstable', 'Guaranteed'), unresolved: maybe('why'),
  node: fc.constantFrom(undefined, 'n1', 'n2'), podStatus: maybe(status(), status({ status: 'Error', restarts: 2, createdAt: '2026-11-20T00:00:00Z' })), labels: fc.dictionary(fc.constantFrom('app', 'tier'), fc.constantFrom('a', 'b')),
}).map(({ node, ...over }) => info({ ...over, ...(node !== undefined && { node }) } as Partial<ContainerInfo>));

describe('what a row stands for', () => {
  it('is the group that was asked for, or the finest there is', () => {
    expect(GROUPS.map((by) => standsFor(by, pod()))).toEqual(['container', 'pod', 'workload', 'namespace', 'node']);
    expect(GROUPS.map((by) => standsFor(by, bare))).toEqual(['container', 'pod', 'pod', 'namespace', 'node']);
    expect(GROUPS.map((by) => standsFor(by, service))).toEqual(['container', 'container', 'container', 'namespace', 'node']);
    expect(GROUPS.map((by) => standsFor(by, unnamed))).toEqual(['container', 'pod', 'pod', 'namespace', 'node']);
  });

  it('goes from coarse to fine', () => {
    expect(GROUPS.map(finer)).toEqual(['container', 'container', 'pod', 'workload', 'namespace']);
    expect(finest('workload', 'pod')).toBe('pod');
    expect(finest('container', 'namespace')).toBe('container');
  });
});

describe('the key of a group', () => {
  const same = (by: (typeof GROUPS)[number], a: ContainerInfo, b: ContainerInfo) => groupKey(by, '1', a) === groupKey(by, '2', b);

  it('is one for all cgroups of a container, and its own for every other cgroup', () => {
    expect(same('container', pod(), pod({ cgroup: '/kubepods/pod1/a/init.scope' }))).toBe(true);
    expect(same('container', pod(), sidecar)).toBe(false);
    expect(same('container', pod(), pod({ podUid: '2' }))).toBe(false);
    expect(same('container', service, service)).toBe(false);
  });

  it('is one for the containers of a pod, the pods of a workload, and a namespace', () => {
    expect(same('pod', pod(), sidecar)).toBe(true);
    expect(same('pod', pod(), sandbox)).toBe(true);
    expect(same('pod', pod(), sibling)).toBe(false);
    expect(same('workload', pod(), sibling)).toBe(true);
    expect(same('workload', pod(), pod({ namespace: 'db' }))).toBe(false);
    expect(same('workload', pod(), pod({ owner: { kind: 'Job', name: 'web' } }))).toBe(false);
    expect(same('workload', bare, bare)).toBe(true);
    expect(same('namespace', pod(), bare)).toBe(true);
  });

  it('is one for all of a node, and for the pods of a workload on any of them, but never for containers of two', () => {
    const on = (node: string, one: ContainerInfo): ContainerInfo => ({ ...one, node });
    expect(same('node', on('n1', pod()), on('n1', service))).toBe(true);
    expect(same('node', on('n1', pod()), on('n2', sibling))).toBe(false);
    expect(same('workload', on('n1', pod()), on('n2', sibling))).toBe(true);
    expect(same('namespace', on('n1', pod()), on('n2', sibling))).toBe(true);
    expect(same('container', on('n1', docker), on('n2', docker))).toBe(false);
  });

  it('keeps what is in no namespace apart from what is in one that nobody knows', () => {
    expect(same('namespace', service, docker)).toBe(true);
    expect(same('namespace', service, unnamed)).toBe(false);
    expect(same('pod', service, service)).toBe(false);
  });

  it('says what groupTest says, of any two containers', () => {
    fc.assert(fc.property(fc.constantFrom(...GROUPS), anyInfo, anyInfo, (by, a, b) => {
      const level = standsFor(by, a);
      expect(groupTest(by, '1', a)('2', b)).toBe(groupKey(level, '1', a) === groupKey(level, '2', b));
      expect(groupTest(by, '1', a)('1', a)).toBe(true);
    }), { numRuns: 3000 });
  });
});

describe('who a group is', () => {
  it('is the outermost cgroup for a container', () => {
    const inner = pod({ cgroup: '/kubepods/pod1/a/init.scope' });
    expect(groupInfo('container', [inner, pod()])).toEqual(pod());
  });

  it('says what is common, and counts what is not', () => {
    expect(groupInfo('pod', [pod(), sidecar, sandbox])).toMatchObject({ kind: 'pod', namespace: 'shop', pod: 'web-1', podUid: '1', container: '2 containers', containerId: null, owner: { kind: 'Deployment', name: 'web' } });
    expect(groupInfo('workload', [pod(), sidecar, sibling])).toMatchObject({ namespace: 'shop', pod: '2 pods', container: '3 containers', owner: { name: 'web' }, podUid: null });
    expect(groupInfo('namespace', [pod(), sibling, bare])).toMatchObject({ namespace: 'shop', pod: '3 pods', owner: null });
    expect(groupInfo('namespace', [service, docker])).toMatchObject({ namespace: '(no namespace)', pod: null, container: '2 cgroups' });
    expect(groupInfo('namespace', [unnamed, { ...unnamed, podUid: '6' }])).toMatchObject({ namespace: '(not known)', pod: '2 pods', unresolved: 'nobody knows' });
    expect(groupInfo('namespace', [unnamed, { ...unnamed, podUid: '6', unresolved: null }]).unresolved).toBe('1 of 2: nobody knows');
  });

  it('says on how many nodes it is, and counts the containers of one', () => {
    const on = (node: string, one: ContainerInfo): ContainerInfo => ({ ...one, node });
    expect(groupInfo('workload', [on('n1', pod()), on('n2', sibling)])).toMatchObject({ node: '2 nodes', pod: '2 pods', container: '2 containers' });
    expect(groupInfo('workload', [on('n1', pod()), on('n1', sibling)])).toMatchObject({ node: 'n1' });
    expect(groupInfo('node', [on('n1', service), on('n1', pod()), on('n1', sidecar)])).toMatchObject({ node: 'n1', namespace: null, pod: 'web-1', container: '2 containers' });
    expect(groupInfo('node', [on('n1', service)])).toMatchObject({ node: 'n1', container: '0 containers' });
    expect('node' in groupInfo('workload', [pod(), sibling])).toBe(false);
  });

  it('is called by its only container where a sandbox is the other', () => {
    expect(groupInfo('pod', [sandbox, pod()]).container).toBe('app');
    expect(groupInfo('pod', [sandbox, { ...sandbox, cgroup: '/kubepods/pod1', containerId: null }]).container).toBe('sandbox');
  });

  it('adds up the status of each pod once: the worst STATUS, since the first', () => {
    const first = status({ ready: 2, containers: 2, restarts: 1, createdAt: '2026-11-20T00:00:00Z' }), second = status({ ready: 0, status: 'CrashLoopBackOff', restarts: 7, createdAt: '2026-11-19T00:00:00Z' });
    const group = groupInfo('workload', [pod({ podStatus: first }), { ...sidecar, podStatus: first }, { ...sibling, podStatus: second }]);
    expect(group.podStatus).toEqual({ ready: 2, containers: 3, restarts: 8, status: 'CrashLoopBackOff', createdAt: '2026-11-19T00:00:00Z' });
    expect(groupInfo('pod', [pod({ podStatus: first }), { ...sidecar, podStatus: first }]).podStatus).toEqual(first);
    expect(groupInfo('pod', [pod(), sidecar]).podStatus).toBeNull();
  });

  it('has the labels and images that all have', () => {
    const group = groupInfo('pod', [pod({ labels: { app: 'web', tier: 'a' }, image: 'nginx:1' }), { ...sidecar, labels: { app: 'web', tier: 'b' }, image: 'envoy:2' }]);
    expect(group.labels).toEqual({ app: 'web' });
    expect(group.image).toBe('2 images');
  });

  it('never fails and always has a name, whoever is in it', () => {
    fc.assert(fc.property(fc.constantFrom(...GROUPS), fc.array(anyInfo, { minLength: 1, maxLength: 6 }), (by, infos) => {
      const groups = Map.groupBy(infos, (one) => groupKey(by, one.cgroupId, one));
      for (const members of groups.values()) {
        const group = groupInfo(by, members);
        if (standsFor(by, members[0]!) !== 'container') expect(group.container).not.toBeNull();
        if (by === 'namespace') expect(group.namespace).not.toBeNull();
      }
    }), { numRuns: 1000 });
  });
});

describe('numbers of a group', () => {
  it('leave out what is unknown, and are unknown when all is', () => {
    const of = (value: number | null) => value;
    expect(sumKnown([1, null, 2], of)).toBe(3);
    expect(sumKnown([null, null], of)).toBeNull();
    expect(sumKnown([0, null], of)).toBe(0);
    expect(maxKnown([1, null, 7, 2], of)).toBe(7);
    expect(maxKnown([null], of)).toBeNull();
    expect(maxKnown([-3, null], of)).toBe(-3);
  });
});
