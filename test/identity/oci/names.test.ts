import { describe, expect, it } from 'vitest';
import { fromContainerd, fromCrio, fromDocker, fromPodman, isPodman } from '../../../src/identity/oci/names.ts';
import { cid } from '../test-host.ts';

const CRI = { 'io.kubernetes.cri.container-type': 'container', 'io.kubernetes.cri.sandbox-name': 'web-1', 'io.kubernetes.cri.sandbox-namespace': 'shop', 'io.kubernetes.cri.container-name': 'app' };
const CRIO = {
  'io.container.manager': 'cri-o', 'io.kubernetes.pod.name': 'web-1', 'io.kubernetes.pod.namespace': 'shop', 'io.kubernetes.pod.uid': 'u', 'io.kubernetes.container.name': 'app',
  'io.kubernetes.cri-o.ContainerType': 'container', 'io.kubernetes.cri-o.SandboxID': cid(1),
};

describe('names by containerd', () => {
  it('of a container, without a uid where an old one tells none', () => {
    expect(fromContainerd(CRI)).toEqual({ names: { kind: 'pod', namespace: 'shop', pod: 'web-1', container: 'app' }, sandboxId: null });
  });

  it('of a sandbox, which has no container name', () => {
    expect(fromContainerd({ ...CRI, 'io.kubernetes.cri.container-type': 'sandbox', 'io.kubernetes.cri.sandbox-uid': 'u' })?.names).toEqual({ kind: 'sandbox', namespace: 'shop', pod: 'web-1', podUid: 'u' });
  });

  it('of nerdctl, whose namespace is none of Kubernetes', () => {
    expect(fromContainerd({ 'nerdctl/name': 'web', 'nerdctl/namespace': 'default' })?.names).toEqual({ kind: 'container', container: 'web' });
  });

  it('of nothing that another runtime would write', () => {
    expect(fromContainerd(CRIO)).toBeNull();
    expect(fromContainerd({})).toBeNull();
    expect(fromContainerd({ 'io.kubernetes.cri.container-type': 'container' })).toBeNull();
  });
});

describe('names by CRI-O', () => {
  it('of a container, whose image may be told by its id only', () => {
    expect(fromCrio({ ...CRIO, 'io.kubernetes.cri-o.ImageName': cid(7), 'io.kubernetes.cri-o.Image': 'nginx:1' })).toEqual({
      names: { kind: 'pod', namespace: 'shop', pod: 'web-1', podUid: 'u', container: 'app', image: 'nginx:1' }, sandboxId: cid(1),
    });
  });

  it.each([
    ['', undefined], ['null', undefined], ['{}', undefined], ['{"io.kubernetes.pod.name":"web-1"}', undefined], ['{"app":"web","io.kubernetes.pod.uid":"u"}', { app: 'web' }],
    [JSON.stringify({ a: 'x'.repeat(40_000) }), undefined],
  ])('has labels only whole: %.40s', (text, labels) => {
    expect(fromCrio({ ...CRIO, 'io.kubernetes.cri-o.ContainerType': 'sandbox', 'io.kubernetes.cri-o.Labels': text })?.names.labels).toEqual(labels);
  });

  it('believes only containers of its own, not annotations that users choose', () => {
    const { 'io.container.manager': _, ...others } = CRIO;
    expect(fromCrio(others)).toBeNull();
    expect(fromCrio({ ...CRIO, 'io.container.manager': 'libpod' })).toBeNull();
    expect(fromCrio({ ...CRIO, ...CRI, 'io.kubernetes.cri.sandbox-name': 'another' })?.names.pod).toBe('web-1');
  });
});

describe('names by podman', () => {
  it('are those of its storage', () => {
    const annotations = { 'io.container.manager': 'libpod' };
    expect([isPodman(annotations), isPodman(CRIO)]).toEqual([true, false]);
    expect(fromPodman(annotations, { name: 'web', image: 'nginx' })?.names).toEqual({ kind: 'container', container: 'web', image: 'nginx' });
    expect(fromPodman({ ...annotations, 'io.kubernetes.cri-o.ContainerType': 'sandbox' }, { name: 'x-infra', image: null })?.names).toEqual({ kind: 'sandbox', container: 'x-infra' });
    expect(fromPodman(annotations, { name: 'x'.repeat(2_000), image: null })).toBeNull();
  });
});

describe('names by Docker', () => {
  const config = { name: 'web', image: 'nginx', labels: { app: 'x' } };
  const pod = { 'io.kubernetes.docker.type': 'container', 'io.kubernetes.pod.name': 'web-1', 'io.kubernetes.pod.namespace': 'shop', 'io.kubernetes.container.name': 'app' };

  it('of a container of its own', () => {
    expect(fromDocker(config)).toEqual({ names: { kind: 'container', container: 'web', image: 'nginx', labels: { app: 'x' } }, sandboxId: null });
    expect(fromDocker({ name: '', image: null, labels: {} })).toBeNull();
    expect(fromDocker({ name: null, image: 'nginx', labels: {} })).toBeNull();
  });

  it('of a pod, where cri-dockerd says so', () => {
    expect(fromDocker({ ...config, image: `sha256:${cid(1)}`, labels: pod })?.names).toEqual({ kind: 'pod', namespace: 'shop', pod: 'web-1', container: 'app' });
    expect(fromDocker({ ...config, labels: { ...pod, 'io.kubernetes.docker.type': 'podsandbox' } })?.names).toMatchObject({ kind: 'sandbox', pod: 'web-1' });
    expect(fromDocker({ ...config, labels: { ...pod, 'io.kubernetes.docker.type': 'x' } })?.names).toMatchObject({ kind: 'container', container: 'web' });
  });
});
