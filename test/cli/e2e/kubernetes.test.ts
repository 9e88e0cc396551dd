/** The built program beside a stub of the API server that tells a real node's recorded pods, with cgroups of their ids. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/frame/frame.ts';
import { recordedPods, status, TestCluster } from '../../identity/kubernetes/support/cluster.ts';
import { kubeconfig } from '../../identity/kubernetes/support/source.ts';
import { canLoadBpf, end, firstLine, runIn, TestCgroup } from '../../workloads/cgroup.ts';
import { kbtop, onlyLine } from './kbtop.ts';

const GUAR = { uid: 'ae68c3d4-9b8c-4308-9f6e-e9cca9b5cf3e', id: '84fd5ededb7dbda5ad1d355eecfcea3171e727a11bdd16f2d2a61a6ea8ba7446' };
const STATIC = { uid: '2d2de79d1cfa69921b0c0b338cc98078', id: 'ef397964dc1e36d556fe7bc1f2acbbbea0da8291d3d93a7861410947b1971776' };

describe.skipIf(!canLoadBpf)('kbtop beside a Kubernetes API', () => {
  let directory: string, cluster: TestCluster, config: string;
  const groups: TestCgroup[] = [];
  const children: ReturnType<typeof runIn>[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'kbtop-api-'));
    for (const { uid, id } of [GUAR, STATIC]) {
      const group = new TestCgroup(`/kubepods/pod${uid}/${id}`);
      groups.push(group);
      const child = runIn([group], 'echo; exec sleep 600');
      children.push(child);
      await firstLine(child);
    }
  });
  afterAll(async () => {
    for (const child of children) await end(child);
    for (const group of groups) await group.remove();
    rmSync(directory, { recursive: true, force: true });
  });
  beforeEach(async () => {
    cluster = new TestCluster();
    await cluster.server.listen();
    cluster.pods = recordedPods();
    config = join(directory, 'kubeconfig');
    writeFileSync(config, JSON.stringify(kubeconfig(cluster.server.url)));
  });
  afterEach(() => cluster.server.stop());

  // An empty host root: no other source tells anything.
  const snapshot = (...more: string[]) => kbtop(['snapshot', '--pane', 'containers', '--duration', '900ms', '-o', 'json', '--host-root', directory, '--node', 'node1', '--kubeconfig', config, ...more]);
  const infoOf = (frame: Frame, i: number) => frame.containers[groups[i]?.key ?? ''];

  it('has names, status and owner from there', async () => {
    const { code, stdout, stderr } = await snapshot();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const frame = JSON.parse(stdout) as Frame;
    expect(frame.node.name).toBe('node1');
    expect(infoOf(frame, 0)).toMatchObject({
      namespace: 'shop', pod: 'guar', container: 'g', image: 'localhost/busybox:1', labels: { app: 'guar' }, labelSource: 'api', owner: null, qos: 'Guaranteed', nameSource: 'api', unresolved: null,
      podStatus: { ready: 1, containers: 1, status: 'Running', restarts: 0, createdAt: '2026-11-21T02:07:27Z' },
    });
    // The API calls a static pod's uid another than its cgroup does.
    expect(infoOf(frame, 1)).toMatchObject({ namespace: 'kube-system', pod: 'static-web-node1', container: 'sw', podUid: STATIC.uid, owner: { kind: 'Node', name: 'node1' }, unresolved: null });
  });

  it('waits for labels that a target asks for, however short it measures', async () => {
    const { code, stdout } = await snapshot('--duration', '100ms', '-l', 'app=guar');
    expect(code).toBe(0);
    expect(Object.values((JSON.parse(stdout) as Frame).containers).map(({ pod }) => pod)).toEqual(['guar']);
  });

  it('goes on without it where it is forbidden, and says why names are missing', async () => {
    cluster.refuse = status(403);
    // Time enough for every source to have answered, whatever else the machine does.
    const { code, stdout } = await snapshot('--duration', '3s');
    expect(code).toBe(0);
    const info = infoOf(JSON.parse(stdout) as Frame, 0);
    expect(info).toMatchObject({ pod: null, podUid: GUAR.uid, containerId: GUAR.id, podStatus: null });
    expect(info?.unresolved).toMatch(/^pod and container names: .*api: .*403/);
    const doctor = await kbtop(['doctor', '-o', 'json', '--host-root', directory, '--node', 'node1', '--kubeconfig', config]);
    const { checks } = JSON.parse(doctor.stdout) as { checks: { check: string; ok: string; reason: string; fix: string | null }[] };
    expect(checks.find(({ check }) => check === 'api')).toMatchObject({ ok: 'no', reason: expect.stringContaining('403') as string, fix: expect.stringMatching(/list|watch|pods/) as string });
  });

  it('is not held up where it hangs', async () => {
    cluster.refuse = () => true;
    const from = performance.now();
    const { code, stdout } = await snapshot();
    expect(code).toBe(0);
    const frame = JSON.parse(stdout) as Frame;
    expect(frame.intervalMs).toBeLessThan(1500);
    expect(infoOf(frame, 0)?.unresolved).toMatch(/api: not answered yet/);
    expect(performance.now() - from).toBeLessThan(10_000);
  });

  it('refuses a kubeconfig that is not there before it measures', async () => {
    const ended = await kbtop(['snapshot', '--kubeconfig', join(directory, 'none'), '--duration', '1h']);
    expect(ended.code).toBe(2);
    expect(onlyLine(ended)).toMatch(/^--kubeconfig .*none.*no such file/);
  });
});
