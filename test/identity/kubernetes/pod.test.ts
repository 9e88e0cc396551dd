import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readPod } from '../../../src/identity/kubernetes/pod.ts';

const items = (file: string): unknown[] => (JSON.parse(readFileSync(join(import.meta.dirname, 'fixtures', file), 'utf8')) as { items: unknown[] }).items;
const CID = (n: number): string => n.toString(16).padStart(64, '0');

describe('a pod of a real node', () => {
  const pods = new Map(items('pods.json').map(readPod).map((pod) => [pod?.name, pod]));

  it('has names, owner, QoS, status and containers', () => {
    expect(pods.get('web-9d6c486f5-g6wg4')).toMatchObject({
      namespace: 'shop', node: 'node1', owner: { kind: 'Deployment', name: 'web' }, labels: { 'pod-template-hash': '9d6c486f5' },
      status: { status: 'Running', createdAt: expect.stringMatching(/^2026-11-21T02:07:/) as string },
    });
    expect(pods.get('guar')).toMatchObject({ qos: 'Guaranteed', owner: null, containers: [{ id: '84fd5ededb7dbda5ad1d355eecfcea3171e727a11bdd16f2d2a61a6ea8ba7446', name: 'g', image: 'localhost/busybox:1' }] });
    expect(pods.get('shared-pid')?.containers.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(pods.get('agent-48jhb')?.owner).toEqual({ kind: 'DaemonSet', name: 'agent' });
  });

  it('of a file has the uid of the node first, in the API and in the kubelet', () => {
    const mirror = pods.get('static-web-node1');
    const own = items('kubelet-pods.json').map(readPod).find((pod) => pod?.name === 'static-web-node1');
    expect(mirror?.uids).toHaveLength(2);
    expect(mirror?.uids[0]).toBe('2d2de79d1cfa69921b0c0b338cc98078');
    expect(own?.uids).toEqual(['2d2de79d1cfa69921b0c0b338cc98078']);
    for (const pod of [mirror, own]) expect(pod?.owner).toEqual({ kind: 'Node', name: 'node1' });
  });
});

describe('reading a pod', () => {
  const base = { metadata: { name: 'p', namespace: 'n', uid: 'u' } };

  it('takes container ids of every kind of container, of any runtime, and of those that ended', () => {
    const status = {
      containerStatuses: [{ name: 'app', image: 'nginx:1', containerID: `containerd://${CID(1)}`, lastState: { terminated: { containerID: `containerd://${CID(2)}` } } }],
      initContainerStatuses: [{ name: 'init', image: 'busybox', state: { terminated: { containerID: `cri-o://${CID(3)}` } } }],
      ephemeralContainerStatuses: [{ name: 'debug', image: 'bash', containerID: `docker://${CID(4)}` }],
    };
    expect(readPod({ ...base, status })?.containers.map(({ id, name }) => [id, name])).toEqual([[CID(1), 'app'], [CID(2), 'app'], [CID(3), 'init'], [CID(4), 'debug']]);
  });

  it('has the image as written where the runtime tells a digest', () => {
    const status = { containerStatuses: [{ name: 'app', image: `sha256:${CID(9)}`, containerID: CID(1) }] };
    expect(readPod({ ...base, spec: { containers: [{ name: 'app', image: 'nginx:1' }] }, status })?.containers[0]?.image).toBe('nginx:1');
    expect(readPod({ ...base, status })?.containers[0]?.image).toBe(`sha256:${CID(9)}`);
  });

  it.each<[string, unknown]>([
    ['no object', 7], ['no metadata', {}], ['no name', { metadata: { namespace: 'n', uid: 'u' } }], ['no namespace', { metadata: { name: 'p', uid: 'u' } }],
    ['no uid', { metadata: { name: 'p', namespace: 'n', uid: 5 } }],
  ])('is null with %s', (_, value) => expect(readPod(value)).toBeNull());

  it('leaves out what has a wrong shape', () => {
    const annotations = { 'kubernetes.io/config.hash': 'file', 'kubernetes.io/config.mirror': 3 };
    expect(readPod({
      metadata: { ...base.metadata, annotations, labels: { a: 'b', c: 3, d: null }, ownerReferences: 'x' }, spec: { nodeName: 5, containers: {} },
      status: { qosClass: 'Best', containerStatuses: [null, { name: 'x', containerID: 'containerd://short' }, { containerID: `containerd://${CID(1)}` }, { name: 'y', containerID: `containerd://${CID(2)}`, lastState: 7 }] },
    })).toEqual({
      uids: ['u'], name: 'p', namespace: 'n', labels: { a: 'b' }, owner: null, qos: null, node: null, containers: [{ id: CID(2), name: 'y', image: null }],
      status: { ready: 0, containers: 0, status: '', restarts: 0, createdAt: null },
    });
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), fc.anything(), (a, b) => {
      for (const value of [a, { metadata: a, spec: b, status: a }, { metadata: { ...base.metadata, labels: a, annotations: b, ownerReferences: [a] }, spec: { containers: [b] }, status: { containerStatuses: [a, { name: 'x', state: b }] } }]) readPod(value);
    }));
  });
});
