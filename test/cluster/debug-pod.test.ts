import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { debugPod, debugPodName, type DebugPodOptions, labelValue } from '../../src/cluster/debug-pod.ts';
import { dnsLabelMistake, labelValueMistake } from '../../src/frame/kube-names.ts';

const options = (more: Partial<DebugPodOptions> = {}): DebugPodOptions => ({
  namespace: 'ops', node: { name: 'worker-1', uid: 'n1' }, session: '0123456789abcdef', who: 'anna@laptop', purpose: 'pod/web-1 -n shop', since: new Date('2026-11-25T21:00:00Z'),
  image: 'kbtop:1', pullPolicy: null, maxSeconds: 3_600, chaos: false, privileged: false, keep: false, command: ['kbtop', 'hold'], environment: { LANG: 'C.UTF-8' }, ...more,
});

interface Made {
  readonly metadata: Record<string, Record<string, string>> & { readonly ownerReferences?: readonly object[] };
  readonly spec: { readonly [field: string]: unknown; readonly containers: readonly [{ readonly [field: string]: unknown; readonly securityContext: Record<string, unknown> }] };
}
const made = (more?: Partial<DebugPodOptions>): Made => debugPod(options(more)) as Made;

describe('a debug pod', () => {
  it('gets onto its node whatever that is like, ends by itself, and goes with the node', () => {
    expect(made().spec).toMatchObject({
      nodeName: 'worker-1', tolerations: [{ operator: 'Exists' }], restartPolicy: 'Never', activeDeadlineSeconds: 3_600, terminationGracePeriodSeconds: 2, hostPID: true,
    });
    expect(made().metadata.ownerReferences).toEqual([{ apiVersion: 'v1', kind: 'Node', name: 'worker-1', uid: 'n1' }]);
    expect(made({ node: { name: 'worker-1', uid: null } }).metadata.ownerReferences).toBeUndefined();
  });

  it('has no way into the cluster, and writes to nothing of the host but tracing', () => {
    const { spec } = made();
    expect(spec['automountServiceAccountToken']).toBe(false);
    expect(spec.containers[0]['volumeMounts']).toEqual([
      { name: 'host', mountPath: '/host', readOnly: true }, { name: 'cgroup', mountPath: '/sys/fs/cgroup', readOnly: true },
      { name: 'debugfs', mountPath: '/sys/kernel/debug' }, { name: 'tracefs', mountPath: '/sys/kernel/tracing' },
    ]);
  });

  it('has capabilities by name, or is privileged when asked for', () => {
    expect(made().spec.containers[0].securityContext).toMatchObject({ privileged: false, capabilities: { add: ['BPF', 'PERFMON', 'SYS_ADMIN', 'SYS_RESOURCE'] }, seccompProfile: { type: 'Unconfined' } });
    expect(made({ chaos: true }).spec.containers[0].securityContext['capabilities']).toMatchObject({ add: expect.arrayContaining(['NET_ADMIN', 'SYS_PTRACE']) as string[] });
    const { securityContext } = made({ privileged: true }).spec.containers[0];
    expect(securityContext).toMatchObject({ privileged: true });
    expect(securityContext).not.toHaveProperty('capabilities');
  });

  it('lives on the stdin of whoever holds it', () => {
    expect(made().spec.containers[0]).toMatchObject({ stdin: true, stdinOnce: true, command: ['kbtop', 'hold'] });
    expect(made().spec.containers[0]).not.toHaveProperty('tty');
  });

  it('tells who made it, and what for', () => {
    expect(made().metadata['labels']).toEqual({ 'app.kubernetes.io/name': 'kbtop', 'app.kubernetes.io/component': 'debug', 'kbtop.io/session': '0123456789abcdef', 'kbtop.io/user': expect.stringMatching(/^anna-laptop-/) as string });
    expect(made().metadata['annotations']).toMatchObject({ 'kbtop.io/who': 'anna@laptop', 'kbtop.io/purpose': 'pod/web-1 -n shop', 'kbtop.io/since': '2026-11-25T21:00:00.000Z' });
  });
});

describe('names', () => {
  it('can be read, and are of one session', () => {
    expect(debugPodName('worker-1.example.org', '0123456789')).toBe('kbtop-worker-1-example-org-01234');
  });

  it('are DNS labels, whatever the node is called', () => {
    fc.assert(fc.property(fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?$/), (node) => dnsLabelMistake(debugPodName(node, 'abcdef0123')) === null));
  });

  it('of users are label values, whatever they are, and tell users apart', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (who) => labelValueMistake(labelValue(who)) === null && labelValue(who).length <= 63));
    expect(labelValue('anna')).toBe('anna');
    expect(labelValue('an na')).not.toBe(labelValue('an/na'));
  });
});
