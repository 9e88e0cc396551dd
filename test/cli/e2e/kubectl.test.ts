/** `kubectl kbtop` from its first request to its last, against an API server over TLS; behind exec and attach are real kbtops. */
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findCommand } from '../../../tools/lib/needs.mjs';
import { processesOf } from '../../../src/cluster/session-processes.ts';
import { endGuards } from '../../cluster/support/guards.ts';
import { failure, FakeCluster, type Pod } from '../../cluster/support/fake-cluster.ts';
import { sendJson } from '../../identity/kubernetes/support/server.ts';
import { kubeconfig } from '../../identity/kubernetes/support/source.ts';
import { Pty, plainEnv } from '../../pty/pty.ts';
import { until } from '../../ui/terminal/screen.ts';
import { type Ended, isRoot, KBTOP, onlyLine, start } from './kbtop.ts';

const PLUGIN = join(KBTOP, '../kubectl-kbtop');
const LIMIT_MS = 30_000;

let cluster: FakeCluster;
let dir: string;
let env: Record<string, string>;
const ptys: Pty[] = [];

beforeEach(async () => {
  cluster = await new FakeCluster().listen();
  cluster.addNode('node1');
  dir = mkdtempSync(join(tmpdir(), 'kbtop-kubectl-'));
  cluster.path = `${join(KBTOP, '..')}:${process.env['PATH']}`;
  const config = join(dir, 'kubeconfig');
  writeFileSync(config, JSON.stringify(kubeconfig(cluster.url)));
  env = { KUBECONFIG: config, HOME: dir, KBTOP_IMAGE: 'kbtop:test' };
});

afterEach(async () => {
  for (const pty of ptys.splice(0)) await pty.kill();
  await cluster.stop();
  endGuards(dir);
  rmSync(dir, { recursive: true, force: true });
});

const plugin = (args: readonly string[], more: Record<string, string> = {}) => start(args, { command: PLUGIN, env: { ...env, ...more } });
const run = (args: readonly string[]): Promise<Ended> => plugin(args).ended;

function onTerminal(args: readonly string[], size: { readonly columns: number; readonly rows: number } = { columns: 120, rows: 40 }): Pty {
  const pty = new Pty(PLUGIN, args, { ...size, env: plainEnv(env) });
  ptys.push(pty);
  return pty;
}

const sessionOf = (pod: Pod): string => pod.metadata.labels?.['kbtop.io/session'] ?? '';
/** The first pod that was asked for. */
const made = (): Pod => {
  const [post] = cluster.of('POST');
  if (!post) throw new Error('no pod was made');
  return post.body as Pod;
};
/** The only debug pod there is. */
const debugPod = async (): Promise<Pod> => (await until(() => cluster.debugPods[0], () => 'no debug pod', LIMIT_MS)) as Pod;

/** No pod, and no process of it. */
async function nothingLeft(session: string): Promise<void> {
  await until(() => cluster.debugPods.length === 0 && processesOf(session).length === 0, () => `left: ${cluster.debugPods.map(({ metadata }) => metadata.name).join(' ')}, processes ${processesOf(session).join(' ')}`, LIMIT_MS);
}

describe('a command on a node', () => {
  it('runs there, byte for byte, with its exit code, and leaves nothing behind', async () => {
    const ended = await run(['node/node1', '--', 'doctor', '-o', 'json']);
    expect(ended.stderr).toBe('');
    expect(JSON.parse(ended.stdout)).toMatchObject({ schema: 'kbtop.doctor/1' });
    expect(cluster.execs[0]?.command).toEqual(['kbtop', '--read-only', 'doctor', '-o', 'json']);
    expect(cluster.debugPods).toEqual([]);
    expect(cluster.of('DELETE')).toHaveLength(1);
    expect(cluster.of('DELETE')[0]?.body).toMatchObject({ gracePeriodSeconds: 2, preconditions: { uid: expect.any(String) as string } });
    await nothingLeft(sessionOf(made()));
  });

  it('hands on how it ended, and what it says on stderr', async () => {
    const ended = await run(['node/node1', '--', 'snapshot', '--pane', 'nonsense']);
    expect({ code: ended.code, stdout: ended.stdout }).toEqual({ code: 2, stdout: '' });
    expect(onlyLine(ended)).toContain('unknown pane "nonsense"');
    expect(cluster.debugPods).toEqual([]);
  });

  it('may read our stdin, if it is told to', async () => {
    const { child, ended } = plugin(['pod/web-1', '-n', 'shop', '-i', '--', 'chaos', 'plan', '-f', '-']);
    cluster.addPod('shop', 'web-1');
    child.stdin.end('nonsense: [');
    const { code } = await ended;
    expect(code).toBe(2);
    expect(cluster.execs[0]?.query.get('stdin')).toBe('true');
    expect(cluster.execs[0]?.command).toEqual(['kbtop', '--read-only', '--pod', 'shop/web-1', 'chaos', 'plan', '-f', '-']);
  });

  it('cannot change anything there unless that is allowed', async () => {
    const refused = await run(['node/node1', '--', 'chaos', 'run', '--cgroup', '/x', '--syscall', 'getpid', '--error', 'EIO']);
    expect(refused.code).toBe(3);
    expect(onlyLine(refused)).toContain('read-only');
    const allowed = await run(['node/node1', '--allow-chaos', '--', 'chaos', 'capabilities', '--nonsense']);
    expect(allowed.code).toBe(2);
    expect(cluster.execs[1]?.command).toEqual(['kbtop', 'chaos', 'capabilities', '--nonsense']);
    const volumes = cluster.of('POST').map(({ body }) => JSON.stringify((body as Pod).spec['volumes']).includes('/var/log/kbtop'));
    expect(volumes).toEqual([false, true]);
  });

  it('is about the pod that is meant, also where a namespace is called as a type is', async () => {
    for (const namespace of ['shop', 'deploy']) {
      cluster.addPod(namespace, 'web-1');
      await run(['pod/web-1', '-n', namespace, '--', 'snapshot', '--pane', 'nonsense']);
    }
    expect(cluster.execs.map(({ command }) => command.slice(2, 4))).toEqual([['--pod', 'shop/web-1'], ['--pod', 'deploy/pod/web-1']]);
  });

  it('is told in so many words that it is no command', async () => {
    const ended = await run(['node/node1']);
    expect(ended.code).toBe(2);
    expect(onlyLine(ended)).toMatch(/^the screen needs a terminal: .*-- snapshot -o json$/);
    expect(cluster.seen).toEqual([]);
  });

  it('ends with a Ctrl-C of ours, and so does all that it began', async () => {
    const { child, ended } = plugin(['node/node1', '--', 'snapshot', '--duration', '10m']);
    const pod = await debugPod();
    await until(() => cluster.execs.length > 0, () => 'no exec');
    child.kill('SIGINT');
    expect(await ended).toMatchObject({ code: 130, stdout: '', stderr: '' });
    await nothingLeft(sessionOf(pod));
  });

  it('whose reader goes away ends quietly', async () => {
    const shell = start(['-c', `"$0" node/node1 -- doctor -o json | head -c 1; exit "\${PIPESTATUS[0]}"`, PLUGIN], { command: '/bin/bash', env });
    const ended = await shell.ended;
    expect({ out: ended.stdout, err: ended.stderr }).toEqual({ out: '{', err: '' });
    await until(() => cluster.debugPods.length === 0, () => 'a pod is left');
  });
});

describe('what is to be found', () => {
  it.each<[string, readonly string[], number, RegExp]>([
    ['a node that is not there', ['node/node2'], 4, /^there is no node node2: did you mean node1\?$/],
    ['a pod that is not there', ['web-2', '-n', 'shop'], 4, /^there is no pod web-2 in namespace shop: did you mean web-1/],
    ['a pod of another namespace', ['pod/web-1'], 4, /^there is no pod web-1 in namespace default, but in shop: give -n shop$/],
    ['a container that is not there', ['web-1', '-n', 'shop', '-c', 'ap'], 4, /^pod web-1 has no container ap: it has app, sidecar$/],
    ['a pod without a node', ['pending', '-n', 'shop'], 3, /^pod pending in namespace shop has no node, so there is nothing to see yet \(Unschedulable: 0\/1 nodes are available\)$/],
    ['a pod that has ended', ['done', '-n', 'shop'], 3, /has ended \(Succeeded\), so nothing of it runs on node1: kubectl kbtop node\/node1 shows the node$/],
    ['a Deployment that is not there', ['deploy/wb', '-n', 'shop'], 4, /^there is no pod of deploy\/wb in namespace shop: did you mean web\?$/],
    ['labels that nothing has', ['-l', 'app=none', '-A'], 4, /^there is no pod of -l app=none in any namespace: /],
    ['a node that runs something else', ['node/win'], 3, /^node win runs windows, and kbtop needs Linux$/],
    ['nothing named', [], 2, /^say what to look at: /],
    ['a name that cannot be', ['node/No_1'], 2, /cannot be a node's name/],
    ['two names', ['web-1', 'web-2'], 2, /^one node, pod or workload at a time/],
    ['one pod of all namespaces', ['web-1', '-A'], 2, /^-A with one pod's name/],
  ])('%s', async (_, args, code, line) => {
    cluster.addNode('win', { nodeInfo: { operatingSystem: 'windows' } });
    cluster.addPod('shop', 'web-1', { labels: { app: 'web', 'pod-template-hash': '9d6c486f5' }, ownerReferences: [{ kind: 'ReplicaSet', name: 'web-9d6c486f5', controller: true }] });
    cluster.addPod('shop', 'pending', { node: null, status: { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes are available' }] } });
    cluster.addPod('shop', 'done', { status: { phase: 'Succeeded' } });
    const ended = await run([...args, '--', 'doctor']);
    expect(onlyLine(ended)).toMatch(line);
    expect({ code: ended.code, stdout: ended.stdout, made: cluster.of('POST') }).toEqual({ code, stdout: '', made: [] });
  });

  it('is one of a Deployment\'s pods, which is told', async () => {
    const owner = { labels: { 'pod-template-hash': '9d6c486f5' }, ownerReferences: [{ kind: 'ReplicaSet', name: 'web-9d6c486f5', controller: true }] };
    cluster.addNode('node2');
    cluster.addPod('shop', 'web-9d6c486f5-aaaaa', { ...owner, node: null, status: { phase: 'Pending', containerStatuses: [] } });
    cluster.addPod('shop', 'web-9d6c486f5-bbbbb', { ...owner, node: 'node2' });
    cluster.addPod('shop', 'other', { node: 'node1' });
    const ended = await run(['deploy/web', '-n', 'shop', '-c', 'app', '--', 'doctor', '--nonsense']);
    expect(ended.stderr.split('\n')[0]).toBe('kbtop: pod shop/web-9d6c486f5-bbbbb, one of 2 of deploy/web, on node node2');
    expect(cluster.of('POST')[0]?.body).toMatchObject({ spec: { nodeName: 'node2' }, metadata: { ownerReferences: [{ kind: 'Node', name: 'node2', uid: 'node-node2' }] } });
    expect(cluster.execs[0]?.command.slice(0, 6)).toEqual(['kbtop', '--read-only', '--pod', 'shop/web-9d6c486f5-bbbbb', '-c', 'app']);
  });

  it('is a static pod by the name of its mirror', async () => {
    cluster.addPod('kube-system', 'static-web-node1', { ownerReferences: [{ kind: 'Node', name: 'node1', controller: true }], annotations: { 'kubernetes.io/config.mirror': '2d2de79d1cfa69921b0c0b338cc98078' } });
    await run(['static-web-node1', '-n', 'kube-system', '--', 'doctor', '--nonsense']);
    expect(cluster.execs[0]?.command.slice(2, 4)).toEqual(['--pod', 'kube-system/static-web-node1']);
  });

  it('may be a node that this user must not ask about', async () => {
    cluster.refusals.push(({ path }, response) => {
      if (!path.startsWith('/api/v1/nodes')) return false;
      sendJson(response, failure(403, 'Forbidden', 'nodes "node1" is forbidden: User "anna" cannot get resource "nodes" in API group "" at the cluster scope'), 403);
      return true;
    });
    const ended = await run(['node/node1', '--', 'doctor', '--nonsense']);
    expect(ended.code).toBe(2);
    expect(made().metadata.ownerReferences).toBeUndefined();
  });
});

describe('kubectl\'s flags', () => {
  it('choose another cluster, another user, and whom to stand for', async () => {
    const file = join(dir, 'many');
    const base = kubeconfig(cluster.url) as { clusters: object[]; users: object[]; contexts: object[] };
    writeFileSync(file, JSON.stringify({
      ...base, 'current-context': 'wrong',
      clusters: [...base.clusters, { name: 'nowhere', cluster: { server: 'https://127.0.0.1:1' } }], users: [...base.users, { name: 'nobody', user: { token: 'none' } }],
      contexts: [{ name: 'wrong', context: { cluster: 'nowhere', user: 'nobody', namespace: 'ops' } }],
    }));
    const ended = await run(['node/node1', '--kubeconfig', file, '--cluster', 'test', '--user', 'test', '--as', 'anna', '--as-group', 'oncall', '--', 'doctor', '--nonsense']);
    expect(ended.code).toBe(2);
    for (const { headers } of cluster.seen) expect(headers).toMatchObject({ authorization: 'Bearer secret', 'impersonate-user': 'anna', 'impersonate-group': 'oncall' });
    // The debug pod is made where the context is.
    expect(made().metadata.namespace).toBe('ops');
    expect((await run(['node/node1', '--kubeconfig', file, '--cluster', 'none', '--', 'doctor'])).stderr).toContain('names the cluster none, which is not there');
  });

  it('bound the wait for a server that takes connections and says nothing', async () => {
    cluster.refusals.push(() => true);
    const ended = await run(['node/node1', '--request-timeout', '1', '--', 'doctor']);
    expect(onlyLine(ended)).toMatch(/it has not said anything for 1 s: see whether kubectl get nodes works$/);
    expect(ended.code).toBe(1);
  });

  it('say where the debug pod is made and what it runs, before the environment and the configuration do', async () => {
    writeFileSync(join(dir, 'kbtop.yaml'), 'image: kbtop:configured\ndebugNamespace: configured\n');
    const args = ['node/node1', '--config', join(dir, 'kbtop.yaml')];
    const images: string[] = [];
    for (const [flags, more] of [[[], { KBTOP_IMAGE: '' }], [[], { KBTOP_DEBUG_NAMESPACE: 'named' }], [['--image', 'kbtop:given', '--debug-namespace', 'given', '--image-pull-policy', 'never', '--max-time', '5m'], {}]] as const) {
      await plugin([...args, ...flags, '--', 'doctor', '--nonsense'], more).ended;
      const { spec, metadata } = (cluster.of('POST').at(-1)?.body ?? {}) as Pod;
      images.push(`${metadata.namespace} ${String(spec.containers[0]?.['image'])} ${String(spec.containers[0]?.['imagePullPolicy'])} ${String(spec['activeDeadlineSeconds'])}`);
    }
    expect(images).toEqual(['configured kbtop:configured undefined 3600', 'named kbtop:test undefined 3600', 'given kbtop:given Never 300']);
  });
});

/** The POST of a pod gets this answer. */
const denyPods = (code: number, reason: string, message: string): void => void cluster.refusals.push(({ method }, response) => {
  if (method !== 'POST') return false;
  sendJson(response, failure(code, reason, message), code);
  return true;
});

describe('a debug pod that is not wanted', () => {
  it.each<[string, number, string, string, number, RegExp]>([
    ['by PodSecurity', 403, 'Forbidden', 'pods "x" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true), hostPath volumes (volumes "host")', 3, /^namespace default forbids privileged pods \(PodSecurity baseline:latest\): give one that takes privileged pods by --debug-namespace, or allow them: kubectl label namespace default pod-security\.kubernetes\.io\/enforce=privileged$/],
    ['by RBAC', 403, 'Forbidden', 'pods is forbidden: User "anna" cannot create resource "pods" in API group "" in the namespace "default"', 3, /^cannot make the debug pod: anna may not create pods in namespace default; docs\/kubectl\.md/],
    ['by a quota', 403, 'Forbidden', 'pods "x" is forbidden: exceeded quota: compute, requested: pods=1, used: pods=10, limited: pods=10', 3, /^namespace default has no room for the debug pod \(exceeded quota: compute/],
    ['by a webhook', 400, 'BadRequest', 'admission webhook "validate.kyverno.svc" denied the request: no hostPath', 3, /^the cluster's policy validate\.kyverno\.svc forbids the debug pod \(no hostPath\)/],
    ['in a namespace that is not there', 404, 'NotFound', 'namespaces "default" not found', 4, /^there is no namespace default for the debug pod/],
    ['in a namespace that goes', 403, 'Forbidden', 'pods "x" is forbidden: unable to create new content in namespace default because it is being terminated', 3, /^namespace default is being deleted/],
    ['as invalid', 422, 'Invalid', 'Pod "x" is invalid: spec.containers[0].image: Required value', 3, /^cannot make the debug pod in namespace default: Pod "x" is invalid/],
    ['by a server that is ill', 500, 'InternalError', 'etcdserver: request timed out', 1, /^cannot make the debug pod in namespace default: etcdserver: request timed out$/],
  ])('%s', async (_, status, reason, message, code, line) => {
    denyPods(status, reason, message);
    const ended = await run(['node/node1', '--', 'doctor']);
    expect(onlyLine(ended)).toMatch(line);
    expect(ended.code).toBe(code);
  });

  it('is taken for made when the answer was lost on the way', async () => {
    cluster.refusals.push((seen, response) => {
      if (seen.method !== 'POST') return false;
      cluster.refusals.shift();
      const pod = seen.body as Pod;
      cluster.pods.set(`default/${pod.metadata.name}`, { ...pod, metadata: { ...pod.metadata, uid: 'lost', resourceVersion: '1' }, status: { phase: 'Pending' } });
      setTimeout(() => cluster.start(cluster.debugPods[0] as Pod), 50);
      response.socket?.destroy();
      return true;
    });
    const ended = await run(['node/node1', '--', 'doctor', '--nonsense']);
    expect(ended.code).toBe(2);
    expect(cluster.debugPods).toEqual([]);
  });
});

it('a server that dies while it makes the pod leaves it to the guard', async () => {
  cluster.refusals.push((seen, response) => {
    if (seen.method !== 'POST') return false;
    cluster.refusals.shift();
    const pod = seen.body as Pod;
    cluster.pods.set(`default/${pod.metadata.name}`, { ...pod, metadata: { ...pod.metadata, uid: 'lost', resourceVersion: '1' }, status: { phase: 'Pending' } });
    // The questions whether it was made are lost, too.
    cluster.refusals.push((_, again) => {
      again.socket?.destroy();
      return true;
    });
    response.socket?.destroy();
    return true;
  });
  const ended = await run(['node/node1', '--', 'doctor']);
  cluster.refusals.length = 0;
  expect(onlyLine(ended)).toMatch(/^cannot make the debug pod in namespace default: the connection was reset/);
  await until(() => cluster.debugPods.length === 0, () => 'still there', LIMIT_MS);
});

describe('a debug pod that does not start', () => {
  const waiting = (reason: string, message: string) => (pod: Pod): void => cluster.update(pod, { startTime: 'x', containerStatuses: [{ name: 'kbtop', state: { waiting: { reason, message } } }] });
  it.each<[string, (pod: Pod) => void, RegExp]>([
    ['for want of an image', waiting('ErrImagePull', 'failed to pull "kbtop:test": not found'), /does not start on node node1: ErrImagePull: failed to pull "kbtop:test": not found: give an image that the node can get by --image or KBTOP_IMAGE/],
    ['whose image is pulled no more', waiting('ImagePullBackOff', 'Back-off pulling image "kbtop:test"'), /ImagePullBackOff: .*--image/],
    ['whose image must not be pulled', waiting('ErrImageNeverPull', 'Container image "kbtop:test" is not present with pull policy of Never'), /--image-pull-policy IfNotPresent$/],
    ['as the node is full', (pod) => cluster.update(pod, { phase: 'Failed', reason: 'OutOfpods', message: 'Pod was rejected: Node didn\'t have enough resource: pods, requested: 1, used: 110, capacity: 110' }), /OutOfpods: .*: end a pod on that node first$/],
    ['as its image has no kbtop', (pod) => cluster.update(pod, { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 128, reason: 'StartError', message: 'exec: "kbtop": executable file not found in $PATH' } } }] }), /StartError: .*: give an image of kbtop/],
    ['as somebody deletes it', (pod) => cluster.remove(pod, 0), /does not start on node node1: it (?:was|is being) deleted$/],
  ])('%s, at once', async (_, kubelet, line) => {
    cluster.kubelet = kubelet;
    const ended = await run(['node/node1', '--timeout', '1h', '--', 'doctor']);
    expect(onlyLine(ended)).toMatch(line);
    expect(ended.code).toBe(1);
    expect(cluster.debugPods).toEqual([]);
  });

  it('in time is given up, with the last warning about it', async () => {
    cluster.kubelet = (pod) => {
      cluster.update(pod, { startTime: 'x', containerStatuses: [{ state: { waiting: { reason: 'ContainerCreating' } } }] });
      cluster.events.push({ type: 'Warning', lastTimestamp: '2026-11-21T02:00:00Z', message: 'MountVolume.SetUp failed for volume "host"', involvedObject: { uid: pod.metadata.uid } });
    };
    const ended = await run(['node/node1', '--timeout', '1s', '--', 'doctor']);
    expect(onlyLine(ended)).toMatch(/has not started on node node1 in 1 s \(MountVolume\.SetUp failed for volume "host"\): give it longer with --timeout/);
    expect(ended.code).toBe(1);
    expect(cluster.debugPods).toEqual([]);
  });

  it('on a node that does not answer was warned of', async () => {
    cluster.addNode('node1', { conditions: [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }] });
    cluster.kubelet = () => {};
    const ended = await run(['node/node1', '--timeout', '1s', '--', 'doctor']);
    expect(ended.stderr).toMatch(/^kbtop: node node1 is not ready \(NodeStatusUnknown\): it may not start the debug pod\nkbtop: .*the kubelet has not taken it yet.*\n$/);
  });

  it('may be looked at by those who must not watch', async () => {
    cluster.refusals.push(({ query }, response) => {
      if (query.get('watch') !== 'true') return false;
      sendJson(response, failure(403, 'Forbidden', 'pods is forbidden: User "anna" cannot watch resource "pods"'), 403);
      return true;
    });
    expect((await run(['node/node1', '--', 'doctor', '--nonsense'])).code).toBe(2);
  });
});

describe('whatever happens', () => {
  /** A session in its midst. */
  async function begun(...flags: string[]): Promise<{ readonly child: ReturnType<typeof plugin>['child']; readonly ended: Promise<Ended>; readonly pod: Pod; readonly session: string }> {
    const { child, ended } = plugin(['node/node1', ...flags, '--', 'snapshot', '--duration', '10m']);
    const pod = await debugPod();
    const session = sessionOf(pod);
    await until(() => cluster.execs.length > 0 && processesOf(session).length >= 2, () => 'nothing runs');
    return { child, ended, pod, session };
  }

  it('a plugin that is killed leaves nothing: what ran ends, and its guard removes the pod', async () => {
    const { child, ended, session } = await begun();
    child.kill('SIGKILL');
    expect(await ended).toMatchObject({ signal: 'SIGKILL' });
    await nothingLeft(session);
  });

  it('a killed plugin without a guard leaves a pod that is over, which the next session of the same user sweeps', async () => {
    const { child, ended, pod, session } = await begun('--keep');
    child.kill('SIGKILL');
    await ended;
    await until(() => pod.status['phase'] === 'Succeeded' && processesOf(session).length === 0, () => `phase ${String(pod.status['phase'])}`, LIMIT_MS);
    delete pod.metadata.labels?.['kbtop.io/keep'];
    await run(['node/node1', '--', 'doctor', '--nonsense']);
    await until(() => cluster.debugPods.length === 0, () => 'still there');
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)('%s ends it all', async (signal) => {
    const { child, ended, session } = await begun();
    child.kill(signal);
    expect(await ended).toMatchObject({ code: 130, stdout: '', stderr: '' });
    await nothingLeft(session);
  });

  it('an API server that drops the session is told, and the pod is gone', async () => {
    const { ended, session } = await begun();
    for (const stream of cluster.streams) stream.terminate();
    const { code, stderr } = await ended;
    expect(stderr).toMatch(/^kbtop: (?:the connection to the session was lost: .*|the debug pod has been ended: .*)\n$/);
    expect(code).toBe(1);
    await nothingLeft(session);
  });

  it('a pod that is evicted in the middle is told so', async () => {
    const { ended, pod, session } = await begun();
    cluster.update(pod, { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' });
    cluster.end(pod, 2);
    const done = await ended;
    expect(onlyLine(done)).toBe('the debug pod has been ended: Evicted: The node was low on resource: memory.');
    expect(done.code).toBe(1);
    await nothingLeft(session);
  });

  it('a pod that is deleted in the middle is told so', async () => {
    const { ended, pod } = await begun();
    cluster.remove(pod, 0);
    const done = await ended;
    expect(onlyLine(done)).toMatch(/^the debug pod has been ended: it (?:was deleted|is being deleted)$/);
  });

  it('a cluster that will not delete is asked again, and told of', async () => {
    let refused = 0;
    cluster.refusals.push(({ method }, response) => {
      if (method !== 'DELETE' || ++refused > 2) return false;
      sendJson(response, failure(500, 'InternalError', 'etcdserver: leader changed'), 500);
      return true;
    });
    expect(await run(['node/node1', '--', 'doctor', '--nonsense'])).toMatchObject({ code: 2 });
    expect(cluster.debugPods).toEqual([]);
    expect(refused).toBe(3);
  });

  it('somebody else\'s pod of the same name stays', async () => {
    const { child, ended, pod } = await begun();
    const other = { ...pod, metadata: { ...pod.metadata, uid: 'another' } };
    cluster.pods.set(`default/${pod.metadata.name}`, other);
    child.kill('SIGTERM');
    expect(await ended).toMatchObject({ code: 130, stderr: '' });
    expect([...cluster.pods.values()]).toContain(other);
  });
});

describe.skipIf(!isRoot || !existsSync('/sys/kernel/btf/vmlinux'))('the screen (root, BTF)', () => {
  it('is the other side\'s: numbers, keys, size and exit code', async () => {
    const pty = onTerminal(['node/node1'], { columns: 160, rows: 45 });
    await pty.shows(/6\/6 probes/);
    await until(() => pty.emulator.lines().at(-1)?.startsWith(' q Quit') && pty.emulator.lines()[1]?.length === 160, () => `not 160x45:\n${pty.emulator.text()}`);
    expect(cluster.execs[0]?.running.size).toEqual({ columns: 160, rows: 45 });
    expect(pty.emulator.alternate).toBe(true);
    pty.resize(100, 30);
    await until(() => pty.emulator.lines().at(-1)?.startsWith(' q Quit') && pty.emulator.lines()[1]?.length === 100, () => `not 100x30:\n${pty.emulator.text()}`);
    pty.write('?');
    await pty.shows('q Close');
    pty.write('\x1b');
    await pty.shows('q Quit');
    const session = sessionOf(await debugPod());
    pty.write('q');
    expect(await pty.ended()).toBe(0);
    expect(pty.emulator.alternate).toBe(false);
    expect(pty.emulator.cursorHidden).toBe(false);
    await nothingLeft(session);
  });

  it('takes Ctrl-C as its own, and Ctrl-Z is no end', async () => {
    const pty = onTerminal(['node/node1']);
    await pty.shows(/6\/6 probes/);
    pty.write('\x1a');
    await new Promise((resolve) => { setTimeout(resolve, 500); });
    pty.write('5z');
    await pty.shows('z Unzoom');
    pty.write('\x03');
    expect(await pty.ended()).toBe(130);
    await until(() => cluster.debugPods.length === 0, () => 'a pod is left');
  });

  it('that hangs is left by an impatient Ctrl-C, Ctrl-C, Ctrl-C', async () => {
    const pty = onTerminal(['node/node1']);
    await pty.shows(/6\/6 probes/);
    const session = sessionOf(await debugPod());
    process.kill(cluster.execs[0]?.running.pid ?? 0, 'SIGSTOP');
    await until(() => readFileSync(`/proc/${cluster.execs[0]?.running.pid}/stat`, 'utf8').includes(') T '), () => 'not stopped');
    pty.write('\x03');
    pty.write('\x03');
    pty.write('\x03');
    expect(await pty.ended()).toBe(130);
    expect(pty.emulator.alternate).toBe(false);
    await nothingLeft(session);
  });

  it('that has lost its connection gives the terminal back, with one line', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'kbtop-modes-'));
    const [before, after] = [join(directory, 'before'), join(directory, 'after')];
    const pty = new Pty('/bin/sh', ['-c', `stty -a > ${before}; "$0" node/node1; code=$?; stty -a > ${after}; echo "exit code $code."; read wait`, PLUGIN], { env: plainEnv(env) });
    ptys.push(pty);
    await pty.shows(/6\/6 probes/);
    const session = sessionOf(await debugPod());
    for (const stream of cluster.streams) stream.terminate();
    await pty.shows('exit code 1.');
    await pty.shows(/kbtop: the (?:connection to the session was lost|debug pod has been ended): /);
    expect(pty.emulator.alternate).toBe(false);
    expect(pty.emulator.cursorHidden).toBe(false);
    expect(pty.emulator.modes.bracketedPaste).toBe(false);
    expect(readFileSync(after, 'utf8')).toBe(readFileSync(before, 'utf8'));
    await nothingLeft(session);
  });

  it('whose terminal is closed, or whose plugin is killed, ends there, too, though it hangs in a write', async () => {
    for (const end of [(pty: Pty) => pty.hangUp(), (pty: Pty) => pty.signal('SIGKILL')]) {
      const pty = onTerminal(['node/node1']);
      await pty.shows(/6\/6 probes/);
      const session = sessionOf(await debugPod());
      // A screen that draws a lot, so that the terminal that nobody reads is soon full.
      pty.write('-');
      end(pty);
      await nothingLeft(session);
    }
  });
});

describe.skipIf(findCommand('kubectl') === null)('kubectl itself', () => {
  it('runs it as its plugin, with our arguments and its exit code', async () => {
    const { code, stdout, stderr } = await start(['kbtop', 'node/node1', '--', 'snapshot', '--pane', 'nonsense'], { command: findCommand('kubectl') ?? '', env: { ...env, PATH: `${join(KBTOP, '..')}:${process.env['PATH']}` } }).ended;
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('kbtop: unknown pane "nonsense"');
    expect(cluster.debugPods).toEqual([]);
  });
});

describe('bin/kubectl-kbtop', () => {
  it('is found through links, by a relative path and on PATH', async () => {
    symlinkSync(PLUGIN, join(dir, 'one'));
    symlinkSync('one', join(dir, 'kubectl-kbtop'));
    for (const [command, args] of [[join(dir, 'kubectl-kbtop'), []], ['/bin/sh', ['-c', `cd ${dir} && ./kubectl-kbtop --version`]], ['/bin/sh', ['-c', 'kubectl-kbtop --version']]] as const) {
      const ended = await start(args.length === 0 ? ['--version'] : args, { command, env: { ...env, PATH: `${dir}:${process.env['PATH']}` } }).ended;
      expect(ended).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string });
    }
  });

  it('says kubectl kbtop in its usage', async () => {
    const { stdout, code } = await run(['--help']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Usage: kubectl kbtop \[TYPE\/NAME \| NAME\] \[options\] \[-- COMMAND \.\.\.\]\n/);
  });
});
