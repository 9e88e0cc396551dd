/** The harness itself: its pods look to kbtop as a kubelet's do, and nothing of them stays. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/bpf/load.ts';
import type { Frame } from '../../src/frame/frame.ts';
import { parseProcCgroup } from '../../src/identity/hierarchies.ts';
import { Identity } from '../../src/identity/identity.ts';
import { cgroupIdOf } from '../../src/identity/key.ts';
import { canLoadBpf, firstLine, until } from '../workloads/cgroup.ts';
import { cgroupDirectories, pidsBelow } from './cgroups.ts';
import { insiders } from './clean-up.ts';
import { kbtopOn } from './kbtop.ts';
import { Lives } from './lives.ts';
import { placeIn } from './place.ts';
import { Pod, type RunningContainer, v2Directory } from './pods.ts';
import { Runtime, unavailable } from './runtime.ts';
import { nest } from './shapes.ts';
import { runShortLived } from './short-lived.ts';

const why = unavailable();

interface Bundle {
  readonly annotations: Readonly<Record<string, string>>;
  readonly linux: { readonly cgroupsPath: string };
  readonly hostname?: string;
}

const namespaceOf = (pid: number, kind: string): string => readlinkSync(`/proc/${pid}/ns/${kind}`);
const alive = (pid: number): boolean => existsSync(`/proc/${pid}/exe`);

/** What of the machine a runtime might touch, and must not. */
const MACHINES = ['/run/containerd', '/run/mount', '/run/netns', '/var/lib/containerd', '/var/lib/cni', '/opt/containerd', '/opt/cni', '/etc/cni', '/var/log/pods', '/var/log/containers'];
const machine = (): unknown => ({
  mounts: readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter((line) => /kbtop-cri-|overlay|netns/.test(line)),
  directories: MACHINES.map((path) => [path, existsSync(path) && readdirSync(path)]),
});

describe.skipIf(why !== null)(`real pods (${why ?? 'containerd'})`, () => {
  const before = machine();
  let runtime: Runtime;
  let web: Pod;

  beforeAll(async () => {
    runtime = await Runtime.start();
    web = await Pod.start(runtime, {
      name: 'web-1', namespace: 'shop', labels: { app: 'web' }, containers: [{ name: 'app', command: ['sh', '-c', 'hostname; exec sleep 100000'] }, { name: 'side' }],
    });
  });
  afterAll(() => runtime?.stop());

  const bundleOf = ({ id }: RunningContainer): Bundle => JSON.parse(readFileSync(join(runtime.bundle(id), 'config.json'), 'utf8')) as Bundle;

  it('are in the cgroups that a kubelet would give them, in every hierarchy', () => {
    for (const { pid, cgroup } of [web.sandbox, ...web.containers]) {
      const lines = parseProcCgroup(readFileSync(`/proc/${pid}/cgroup`, 'utf8'));
      expect(new Set(lines.map((line) => line.path))).toEqual(new Set([cgroup]));
    }
    expect(web.container('app').cgroup).toBe(`/kubepods/burstable/pod${web.uid}/${web.container('app').id}`);
  });

  it('have bundles at the usual place, with the annotations of containerd', () => {
    const sandbox = { 'io.kubernetes.cri.sandbox-id': web.sandbox.id, 'io.kubernetes.cri.sandbox-name': 'web-1', 'io.kubernetes.cri.sandbox-namespace': 'shop', 'io.kubernetes.cri.sandbox-uid': web.uid };
    expect(bundleOf(web.sandbox)).toMatchObject({ hostname: 'web-1', annotations: { ...sandbox, 'io.kubernetes.cri.container-type': 'sandbox' }, linux: { cgroupsPath: web.sandbox.cgroup } });
    for (const container of web.containers) {
      expect(bundleOf(container)).toMatchObject({
        annotations: { ...sandbox, 'io.kubernetes.cri.container-type': 'container', 'io.kubernetes.cri.container-name': container.name },
        linux: { cgroupsPath: container.cgroup },
      });
    }
  });

  it('are listed by the CRI with the labels of a kubelet', async () => {
    const listed = await runtime.cri.listContainers();
    expect(listed.filter((one) => one.podSandboxId === web.sandbox.id).map(({ id, labels }) => [id, labels['io.kubernetes.pod.name'], labels['io.kubernetes.container.name']]).sort())
      .toEqual(web.containers.map(({ id, name }) => [id, 'web-1', name]).sort());
  });

  it('have logs, and links to them that hold all names', async () => {
    const { id } = web.container('app');
    expect(await until('the log', () => existsSync(web.logFile('app')) && readFileSync(web.logFile('app'), 'utf8'))).toMatch(/ stdout F web-1\n$/);
    expect(readlinkSync(join(runtime.hostRoot, `var/log/containers/web-1_shop_app-${id}.log`))).toBe(`/var/log/pods/shop_web-1_${web.uid}/app/0.log`);
    expect(statSync(join(runtime.hostRoot, `var/log/pods/shop_web-1_${web.uid}/app/0.log`)).isFile()).toBe(true);
  });

  it('have the namespaces that they were asked to have', async () => {
    const [app, side] = [web.container('app').pid, web.container('side').pid];
    expect(namespaceOf(app, 'pid')).not.toBe(namespaceOf(side, 'pid'));
    expect(namespaceOf(app, 'uts')).toBe(namespaceOf(side, 'uts'));
    expect(namespaceOf(app, 'uts')).not.toBe(namespaceOf(process.pid, 'uts'));
    await using onNode = await Pod.start(runtime, { name: 'agent', hostNetwork: true, shareProcessNamespace: true, qos: 'BestEffort', containers: [{ name: 'a' }, { name: 'b' }] });
    const [a, b] = [onNode.container('a').pid, onNode.container('b').pid];
    expect([namespaceOf(a, 'uts'), namespaceOf(a, 'net')]).toEqual([namespaceOf(process.pid, 'uts'), namespaceOf(process.pid, 'net')]);
    expect(new Set([a, b, onNode.sandbox.pid].map((pid) => namespaceOf(pid, 'pid'))).size).toBe(1);
    expect(onNode.hostname).toBe(hostname());
    expect(onNode.cgroup).toBe(`/kubepods/besteffort/pod${onNode.uid}`);
  });

  it.skipIf(!canLoadBpf)('have cgroup ids, as BPF tells them, that are the inodes of their directories (needs BTF)', async () => {
    const identity = new Identity();
    try {
      await identity.start(loadAddon());
      await using pod = await Pod.start(runtime, { name: 'later', qos: 'Guaranteed', containers: [{ name: 'app' }] });
      identity.drain();
      for (const { key, cgroup } of [pod.sandbox, pod.container('app'), web.sandbox, ...web.containers]) {
        expect(identity.path(key)).toBe(cgroup);
        expect(cgroupIdOf(key)).toBe(statSync(v2Directory(cgroup), { bigint: true }).ino.toString());
      }
    } finally {
      identity.close();
    }
  });

  it('let kbtop run where the usual places are theirs, and the machine keeps its own', async () => {
    const [command, ...args] = runtime.inside;
    const ls = (path: string): string[] => execFileSync(command, [...args, 'ls', path], { encoding: 'utf8' }).trim().split('\n');
    expect(ls('/run/containerd')).toContain('containerd.sock');
    expect(ls('/run/containerd/io.containerd.runtime.v2.task/k8s.io')).toEqual(expect.arrayContaining(web.containers.map(({ id }) => id)));
    expect(execFileSync(command, [...args, 'readlink', '-e', `/var/log/containers/web-1_shop_app-${web.container('app').id}.log`], { encoding: 'utf8' })).toContain('/app/0.log');
    expect(machine()).toEqual(before);
    if (!canLoadBpf) return;
    const { code, stdout, stderr } = await kbtopOn(runtime, ['snapshot', '--pane', 'containers', '--duration', '300ms', '-o', 'json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const frame = JSON.parse(stdout) as Frame;
    for (const { id, key } of web.containers) expect(frame.containers[key]).toMatchObject({ kind: 'pod', podUid: web.uid, containerId: id, qos: 'Burstable' });
  });

  it('may hold cgroups of their own making', async () => {
    await using pod = await Pod.start(runtime, { name: 'builder', containers: [{ name: 'init', command: ['sh', '-c', 'sleep 100000 & sleep 100000'] }] });
    const inner = await nest(pod.container('init'), 'payload');
    expect(parseProcCgroup(readFileSync(`/proc/${inner.pid}/cgroup`, 'utf8')).find((line) => line.hierarchy === 0)?.path).toBe(inner.cgroup);
    expect(namespaceOf(inner.pid, 'pid')).toBe(namespaceOf(pod.container('init').pid, 'pid'));
  });

  it('come and go within a moment: the bundle before the cgroup and after it, the link while it runs', async () => {
    await using pod = await Pod.start(runtime, { name: 'batch', qos: 'BestEffort', containers: [] });
    const [cgroups, bundles, links] = [new Lives(v2Directory(pod.cgroup)), new Lives(runtime.bundles), new Lives(join(runtime.hostRoot, 'var/log/containers'))];
    try {
      const names = await runShortLived(runtime, pod, { count: 8, lifeMs: 50, parallel: 2 });
      expect([...names.values()].sort()).toEqual(Array.from({ length: 8 }, (_, i) => `job-${i}`));
      await until('all to go', () => cgroups.durations.length === 8 && links.durations.length === 8);
      for (const [id, name] of names) {
        const [cgroup, bundle] = [cgroups.seen.get(id), bundles.seen.get(id)];
        expect(links.seen.has(`batch_default_${name}-${id}.log`)).toBe(true);
        expect((cgroup?.to ?? 0) - (cgroup?.from ?? 0)).toBeGreaterThan(50);
        expect(bundle?.from).toBeLessThan(cgroup?.from ?? 0);
      }
    } finally {
      for (const lives of [cgroups, bundles, links]) lives.close();
    }
  });

  it('leave nothing when they are removed', async () => {
    const pod = await Pod.start(runtime, { name: 'gone', qos: 'Guaranteed', containers: [{ name: 'app' }] });
    const { id, pid } = pod.container('app');
    await pod.remove();
    expect(alive(pid) || alive(pod.sandbox.pid)).toBe(false);
    expect([cgroupDirectories(pod.cgroup), pidsBelow(pod.cgroup)]).toEqual([[], []]);
    expect(existsSync(runtime.bundle(id))).toBe(false);
    expect(lstatSync(pod.logLink('app', id), { throwIfNoEntry: false })).toBeUndefined();
    expect((await runtime.cri.listContainers()).map((one) => one.id)).not.toContain(id);
  });

  it('leave nothing when the runtime ends with pods in it', async () => {
    const other = await Runtime.start();
    const pod = await Pod.start(other, { name: 'last', containers: [{ name: 'app' }, { name: 'nest', command: ['sh', '-c', 'sleep 100000 & sleep 100000'] }] });
    await nest(pod.container('nest'), 'inner');
    expect(insiders(other.place).length).toBeGreaterThanOrEqual(2);
    await other.stop();
    expect([pod.sandbox, ...pod.containers].filter(({ pid }) => alive(pid))).toEqual([]);
    expect([insiders(other.place), cgroupDirectories(pod.cgroup), existsSync(other.place.directory)]).toEqual([[], [], false]);
    // The neighbour's pods live on.
    expect(alive(web.container('app').pid)).toBe(true);
    expect(machine()).toEqual(before);
  });

  it('leave nothing when the test that made them is killed', async () => {
    const child = spawn(process.execPath, ['--no-warnings', join(import.meta.dirname, 'children/leave-behind.ts')], { stdio: ['ignore', 'pipe', 'inherit'] });
    const { directory, cgroup, pids } = JSON.parse(await firstLine(child)) as { directory: string; cgroup: string; pids: number[] };
    expect(pids.every(alive)).toBe(true);
    child.kill('SIGKILL');
    await until('the watchdog', () => !existsSync(directory));
    expect([pids.filter(alive), insiders(placeIn(directory)), cgroupDirectories(cgroup)]).toEqual([[], [], []]);
  });
});
