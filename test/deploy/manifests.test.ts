import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { AGENT_CONTAINER, AGENT_LABELS, AGENT_NAMESPACE } from '../../src/cluster/agents.ts';
import { type Container, DEPLOY, type Manifest, type PodSpec, VARIANTS, type Variant, canKustomize, capabilitiesOf, containerIn, files, kustomized, parsed } from './manifests.ts';

const of = (variant: Variant, kind: string): Manifest => {
  const found = kustomized(variant).filter((one) => one.kind === kind);
  expect(found.length, `${kind} in ${variant}`).toBe(1);
  return found[0] as Manifest;
};
const podOf = (variant: Variant): PodSpec => of(variant, 'DaemonSet').spec!.template.spec;
const containerOf = (variant: Variant): Container => podOf(variant).containers[0];

describe('the files of deploy/', () => {
  it('are YAML without a key twice, and every one is of some variant', () => {
    const used = new Set<string>();
    for (const [name, text] of files()) {
      expect(() => parsed(text), name).not.toThrow();
      if (!name.endsWith('kustomization.yaml')) continue;
      used.add(name);
      const { resources = [], patches = [] } = parse(text) as { resources?: string[]; patches?: { path: string }[] };
      for (const path of [...resources, ...patches.map((patch) => patch.path)]) {
        expect(existsSync(join(DEPLOY, dirname(name), path)), `${path} of ${name}`).toBe(true);
        used.add(join(dirname(name), path));
      }
    }
    // Beside them lies what kubectl's plugin manager reads.
    for (const name of files().keys()) if (name.includes('/')) expect(used, name).toContain(name);
  });

  it('name capabilities as Kubernetes does, and say of each what it is for', () => {
    for (const file of ['base/daemonset.yaml', 'overlays/chaos/daemonset.yaml'] as const) {
      const lines = (files().get(file) ?? '').split('\n');
      for (const capability of capabilitiesOf(file)) {
        expect(capability).toMatch(/^(?!CAP_)[A-Z_]+$/);
        const at = lines.findIndex((line) => line.trim() === `- ${capability}`);
        expect(lines[at - 1], `${capability} in ${file}`).toMatch(/^\s+# \S/);
      }
    }
  });

  it('ask for few capabilities to look, and for few more to break', () => {
    expect(capabilitiesOf('base/daemonset.yaml')).toEqual(['BPF', 'PERFMON']);
    expect(capabilitiesOf('overlays/chaos/daemonset.yaml')).toEqual(['BPF', 'PERFMON', 'NET_ADMIN', 'SYS_PTRACE']);
    expect(containerIn('base/daemonset.yaml').args).toEqual(['serve']);
    expect(containerIn('overlays/chaos/daemonset.yaml').args).toEqual(['serve', '--allow-control']);
  });

  it('name this version', () => {
    const { version } = JSON.parse(readFileSync(join(DEPLOY, '../package.json'), 'utf8')) as { version: string };
    expect((parse(files().get('base/kustomization.yaml') ?? '') as { images: { newTag: string }[] }).images[0]?.newTag).toBe(version);
  });
});

describe.skipIf(!canKustomize)('what kubectl makes of deploy/ (needs kubectl 1.21 or later)', () => {
  it.each(VARIANTS)('%s is complete, in the namespace that the client looks in', (variant) => {
    const all = kustomized(variant);
    expect(all.length).toBeGreaterThan(0);
    for (const { apiVersion, kind, metadata } of all) {
      expect(apiVersion).toMatch(/^(?:[a-z0-9.]+\/)?v1$/);
      if (!['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'PriorityClass'].includes(kind)) expect(metadata.namespace, kind).toBe(AGENT_NAMESPACE);
    }
  });

  it('finds the agents by the labels that they have', () => {
    const { spec } = of('base', 'DaemonSet');
    const labels = Object.entries(spec!.template.metadata.labels).map(([name, value]) => `${name}=${value}`).join(',');
    expect(labels.split(',').toSorted()).toEqual(AGENT_LABELS.split(',').toSorted());
    expect(spec!.selector.matchLabels).toEqual(spec!.template.metadata.labels);
    expect(containerOf('base').name).toBe(AGENT_CONTAINER);
    expect(of('base', 'Namespace').metadata.name).toBe(AGENT_NAMESPACE);
  });

  it.each(['base', 'overlays/chaos', 'overlays/metrics'] as const)('%s is privileged by name only, with host paths read-only but for its own', (variant) => {
    const pod = podOf(variant), { securityContext, volumeMounts } = containerOf(variant);
    expect(securityContext).toMatchObject({ privileged: false, allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, runAsUser: 0 });
    expect(securityContext.capabilities.drop).toEqual(['ALL']);
    expect(securityContext.capabilities.add).toEqual(capabilitiesOf(variant === 'overlays/chaos' ? 'overlays/chaos/daemonset.yaml' : 'base/daemonset.yaml'));
    expect(pod).toMatchObject({ hostPID: true, tolerations: [{ operator: 'Exists' }] });
    expect(pod.hostNetwork ?? false).toBe(false);
    expect(pod.hostIPC ?? false).toBe(false);
    expect(pod.initContainers ?? []).toEqual([]);
    const own = variant === 'overlays/chaos' ? ['/run/kbtop', '/var/log/kbtop'] : ['/run/kbtop'];
    expect(volumeMounts.filter(({ readOnly }) => readOnly !== true).map(({ mountPath }) => mountPath).toSorted()).toEqual(own);
    // Each mount has its volume and the other way round, and none of them is the host's /.
    expect(pod.volumes.map(({ name }) => name).toSorted()).toEqual(volumeMounts.map(({ name }) => name).toSorted());
    for (const { hostPath } of pod.volumes) expect(hostPath?.path).toMatch(/^\/(?:run|var\/log|sys\/(?:fs\/cgroup|kernel\/(?:tracing|debug)))(?:\/kbtop)?$/);
  });

  it('lets agents list and watch pods, and nothing else', () => {
    for (const variant of ['base', 'overlays/chaos', 'overlays/metrics'] as const) {
      expect(of(variant, 'ClusterRole').rules).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }]);
      expect(kustomized(variant).filter(({ kind }) => kind === 'Role' || kind === 'RoleBinding')).toEqual([]);
      const { roleRef, subjects } = of(variant, 'ClusterRoleBinding');
      expect(roleRef).toMatchObject({ kind: 'ClusterRole', name: of(variant, 'ClusterRole').metadata.name });
      expect(subjects).toEqual([{ kind: 'ServiceAccount', name: podOf(variant).serviceAccountName, namespace: AGENT_NAMESPACE }]);
      expect(of(variant, 'ServiceAccount').metadata.name).toBe(podOf(variant).serviceAccountName);
    }
  });

  it('lets viewers list agents and open streams into them, in that namespace only', () => {
    expect(kustomized('viewer').map(({ kind }) => kind)).toEqual(['Role']);
    expect(of('viewer', 'Role').rules).toEqual([{ apiGroups: [''], resources: ['pods'], verbs: ['list', 'watch'] }, { apiGroups: [''], resources: ['pods/exec'], verbs: ['get', 'create'] }]);
  });

  it('tells the agent its node, asks for little and pushes nobody out', () => {
    expect(containerOf('base').env).toEqual([{ name: 'NODE_NAME', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } }]);
    expect(containerOf('base').resources.limits).toEqual({ memory: '512Mi' });
    expect(Object.keys(containerOf('base').resources.requests)).toEqual(['cpu', 'memory']);
    expect(of('base', 'PriorityClass')).toMatchObject({ metadata: { name: podOf('base').priorityClassName }, preemptionPolicy: 'Never', globalDefault: false });
    expect(of('base', 'DaemonSet').spec?.updateStrategy).toMatchObject({ type: 'RollingUpdate' });
    expect(of('base', 'Namespace').metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'privileged' });
  });

  it('opens a port only for metrics, with probes on it and a policy before it', () => {
    for (const variant of ['base', 'overlays/chaos'] as const) {
      expect(containerOf(variant).ports).toBeUndefined();
      expect(containerOf(variant).livenessProbe).toBeUndefined();
      expect(kustomized(variant).some(({ kind }) => kind === 'NetworkPolicy')).toBe(false);
    }
    const { args, ports, readinessProbe, livenessProbe } = containerOf('overlays/metrics');
    const port = ports?.[0]?.containerPort;
    expect(args).toEqual(['serve', '--metrics', `0.0.0.0:${port}`]);
    expect(of('overlays/metrics', 'DaemonSet').spec?.template.metadata.annotations).toMatchObject({ 'prometheus.io/port': String(port) });
    for (const probe of [readinessProbe, livenessProbe]) expect(probe?.httpGet).toEqual({ path: '/healthz', port: ports?.[0]?.name });
    expect(of('overlays/metrics', 'NetworkPolicy')).toMatchObject({ spec: { podSelector: { matchLabels: of('base', 'DaemonSet').spec?.selector.matchLabels }, policyTypes: ['Ingress'] } });
  });
});
