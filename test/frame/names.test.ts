import { describe, expect, it } from 'vitest';
import type { ContainerInfo, Frame } from '../../src/frame/frame.ts';
import { containerName, contextOf, fullName, podName } from '../../src/frame/names.ts';

const info = (part: Partial<ContainerInfo>): ContainerInfo => ({
  kind: 'unknown', cgroupId: '77', cgroup: null, namespace: null, pod: null, podUid: null, container: null, containerId: null, image: null,
  labels: {}, labelSource: null, owner: null, qos: null, podStatus: null, pidNs: null, nodename: null, nameSource: null, unresolved: null, ...part,
});

describe('names', () => {
  it('says what is known and never nothing', () => {
    expect(fullName(info({ kind: 'pod', namespace: 'shop', pod: 'web-1', container: 'app' }))).toBe('shop/web-1/app');
    expect(fullName(info({ kind: 'pod', podUid: '2d2de79d-0000', containerId: 'ab'.repeat(32) }))).toBe('pod 2d2de79d/abababababab');
    expect(fullName(info({ kind: 'host', cgroup: '/' }))).toBe('host');
    expect(fullName(info({ cgroup: '/a/b' }))).toBe('b');
    expect(fullName(info({ cgroup: null }))).toBe('cgroup 77');
    expect(containerName(info({ container: 'nginx.service', kind: 'service' }))).toBe('nginx.service');
    expect(podName(info({}))).toBeNull();
  });

  it('stands in for a key that the frame lacks', () => {
    expect(contextOf({ containers: {} } as unknown as Frame).container('9').unresolved).toBe('no such container in this frame');
  });
});
