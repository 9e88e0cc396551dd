/** kubectl kbtop with a real container runtime behind the API server: its capabilities, mounts, streams and ends. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { processesOf } from '../../src/cluster/session-processes.ts';
import { KBTOP, start } from '../cli/e2e/kbtop.ts';
import { CriKubelet } from '../cluster/support/cri-kubelet.ts';
import { endGuards } from '../cluster/support/guards.ts';
import { FakeCluster, type Pod as ApiPod } from '../cluster/support/fake-cluster.ts';
import { kubeconfig } from '../identity/kubernetes/support/source.ts';
import { Pty, plainEnv } from '../pty/pty.ts';
import { until } from '../ui/terminal/screen.ts';
import { canLoadBpf } from '../workloads/cgroup.ts';
import { Pod } from './pods.ts';
import { Runtime, unavailable } from './runtime.ts';

const why = unavailable() ?? (canLoadBpf ? null : 'BPF cannot be loaded');
const PLUGIN = join(KBTOP, '../kubectl-kbtop');
const LIMIT_MS = 30_000;

describe.skipIf(why !== null)(`kubectl kbtop on a node (${why ?? 'containerd'})`, () => {
  let runtime: Runtime;
  let web: Pod;
  let cluster: FakeCluster;
  let kubelet: CriKubelet;
  let dir: string;
  let env: Record<string, string>;
  const ptys: Pty[] = [];

  beforeAll(async () => {
    runtime = await Runtime.start();
    web = await Pod.start(runtime, { name: 'web-1', namespace: 'shop', labels: { app: 'web' }, containers: [{ name: 'app', command: ['sh', '-c', 'while :; do stat /nowhere; sleep 0.05; done'] }] });
  });
  afterAll(() => runtime?.stop());

  beforeEach(async () => {
    cluster = await new FakeCluster().listen();
    cluster.addNode('node1');
    cluster.addPod('shop', web.name);
    kubelet = new CriKubelet(runtime, cluster, join(KBTOP, '../..'));
    dir = mkdtempSync(join(tmpdir(), 'kbtop-kubectl-'));
    writeFileSync(join(dir, 'config'), JSON.stringify(kubeconfig(cluster.url)));
    env = { KUBECONFIG: join(dir, 'config'), HOME: dir };
  });
  afterEach(async () => {
    for (const pty of ptys.splice(0)) await pty.kill();
    await until(() => cluster.debugPods.length === 0, () => 'a debug pod is left', LIMIT_MS);
    await cluster.stop();
    endGuards(dir);
    rmSync(dir, { recursive: true, force: true });
  });

  const debugPod = async (): Promise<ApiPod> => (await until(() => cluster.debugPods.find((pod) => kubelet.of(pod) !== ''), () => 'no debug pod', LIMIT_MS)) as ApiPod;
  const sessionOf = (pod: ApiPod): string => pod.metadata.labels?.['kbtop.io/session'] ?? '';
  const gone = (session: string): Promise<boolean> => until(() => cluster.debugPods.length === 0 && processesOf(session).length === 0, () => `left: ${cluster.debugPods.length} pods, processes ${processesOf(session).join(' ')}`, LIMIT_MS);

  it.each([['see', ['panes'], []], ['do', ['panes', 'programs', 'chaos'], ['--allow-chaos']]] as const)('can %s there what root can on the node itself, with capabilities by name', async (_, groups, flags) => {
    const able = (stdout: string): string[] => {
      const { checks } = JSON.parse(stdout) as { checks: { group: string; check: string; ok: string }[] };
      return checks.filter(({ group }) => groups.some((one) => one === group)).map(({ group, check, ok }) => `${group} ${check}: ${ok}`);
    };
    const { stdout, stderr, code } = await start(['node/node1', ...flags, '--', 'doctor', '-o', 'json'], { command: PLUGIN, env }).ended;
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const host = able((await start(['doctor', '-o', 'json']).ended).stdout);
    expect(host.length).toBeGreaterThan(5);
    expect(able(stdout)).toEqual(host);
  });

  it('sees the pod, by its name, and nothing else', async () => {
    const { stdout, stderr, code } = await start(['pod/web-1', '-n', 'shop', '--', 'snapshot', '--duration', '2s', '--pane', 'syscalls', '-o', 'json'], { command: PLUGIN, env }).ended;
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
    const frame = JSON.parse(stdout) as { node: { name: string }; containers: Record<string, { pod: string | null; namespace: string | null }>; panes: { syscalls: { rows: { container: string }[] } } };
    expect(frame.node.name).toBe('node1');
    const names = new Set(frame.panes.syscalls.rows.map(({ container }) => `${frame.containers[container]?.namespace}/${frame.containers[container]?.pod}`));
    expect([...names]).toEqual(['shop/web-1']);
  });

  it('injects faults into it where that is allowed, and keeps the audit on the node', async () => {
    const { stdout, stderr, code } = await start(['pod/web-1', '-n', 'shop', '--allow-chaos', '--', 'chaos', 'run', '--syscall', 'newfstatat,stat,statx', '--delay', '1ms', '--for', '3s', '--max-hits', '5', '--yes', '-o', 'ndjson'], { command: PLUGIN, env }).ended;
    expect(code, stderr).toBe(0);
    expect(stdout.split('\n').filter((line) => line.includes('"hit"')).length).toBeGreaterThanOrEqual(5);
    expect(readFileSync(join(runtime.hostRoot, 'var/log/kbtop/chaos.jsonl'), 'utf8')).toContain('kbtop.audit/1');
  });

  it('shows it live on a terminal that has no size at first, and takes keys', async () => {
    const pty = new Pty(PLUGIN, ['pod/web-1', '-n', 'shop'], { columns: 140, rows: 42, env: plainEnv(env) });
    ptys.push(pty);
    await pty.shows(/6\/6 probes[\s\S]*web-1/);
    await until(() => pty.emulator.lines()[1]?.length === 140 && pty.emulator.lines().at(-1)?.includes('q Quit'), () => `not 140x42:\n${pty.emulator.text()}`);
    const session = sessionOf(await debugPod());
    pty.write('q');
    expect(await pty.ended()).toBe(0);
    await gone(session);
  });

  it('ends with a plugin that is killed: by the end of its stdin alone', async () => {
    const pty = new Pty(PLUGIN, ['pod/web-1', '-n', 'shop', '--keep'], { columns: 140, rows: 42, env: plainEnv(env) });
    ptys.push(pty);
    await pty.shows(/6\/6 probes/);
    const pod = await debugPod();
    expect(processesOf(sessionOf(pod)).length).toBeGreaterThanOrEqual(2);
    pty.signal('SIGKILL');
    await until(() => processesOf(sessionOf(pod)).length === 0 && pod.status['phase'] === 'Succeeded', () => `phase ${String(pod.status['phase'])}, processes ${processesOf(sessionOf(pod)).join(' ')}`, LIMIT_MS);
    cluster.remove(pod, 0);
  });

  it('says what a runtime says of an image without kbtop', async () => {
    cluster.kubelet = ((usual) => (pod: ApiPod) => usual({ ...pod, spec: { ...pod.spec, containers: [{ ...pod.spec.containers[0], name: 'kbtop', command: ['no-such-kbtop', 'hold'] }] } } as ApiPod))(cluster.kubelet);
    const { stderr, code } = await start(['node/node1', '--timeout', '20s', '--', 'doctor'], { command: PLUGIN, env }).ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^kbtop: debug pod \S+ in namespace default (?:does not start|has not started) on node node1.*\n$/);
  });
});
