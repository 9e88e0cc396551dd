import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { NameSource } from '../../../src/identity/source.ts';
import { FakeRuntime, KUBELET_LABELS, recorded, type WireContainer, type WireSandbox } from './fake-runtime.ts';
import { after, criSource, temporaryDirectory, until } from './support.ts';

const id = (digit: string): string => digit.repeat(64);
const UID = '0b1c6a52-6a3b-4d0e-9f3e-0c4f9a6d7e11';
const sandboxOf = (uid: string, pod: string, sandboxId: string, labels: Record<string, string> = {}): WireSandbox =>
  ({ id: sandboxId, metadata: { name: pod, uid, namespace: 'shop' }, labels: { ...labels, ...KUBELET_LABELS('shop', pod, uid) } });
const containerOf = (uid: string, pod: string, sandboxId: string, name: string, containerId: string): WireContainer =>
  ({ id: containerId, podSandboxId: sandboxId, metadata: { name }, image: { image: 'localhost/app:2' }, labels: { 'io.kubernetes.container.name': name, ...KUBELET_LABELS('shop', pod, uid) } });

async function runtime(node?: FakeRuntime['node'], path = join(temporaryDirectory(), 'runtime.sock')): Promise<FakeRuntime> {
  const fake = await new FakeRuntime(path, node).listen();
  after(() => fake.close());
  return fake;
}

describe('what containerd told on a real node', () => {
  const CONTAINER = '2731f42f88f800d3bab397435d27d2c3f1295bbb8a1e075ab32ea092d8566dbc';
  const SANDBOX = 'd6a24aad1cd6b6c62c374fe7534516e86315c796f57e6654fa0f19851bced241';
  const POD_UID = '185def3c-11ae-4a03-9203-d1a265548687';
  const POD = { namespace: 'shop', pod: 'web-9d6c486f5-g6wg4', podUid: POD_UID, labels: { app: 'web', 'pod-template-hash': '9d6c486f5', tier: 'front' } };

  it('names containers, sandboxes and pods once start() resolves, with the pod\'s own labels alone', async () => {
    const fake = await runtime(recorded('containerd'));
    const { source, told } = criSource(fake.path);
    expect(source.state.status).toBe('starting');
    expect(source.lookup({ podUid: POD_UID, containerId: CONTAINER })).toBeNull();
    await source.start();
    expect(source.lookup({ podUid: POD_UID, containerId: CONTAINER })).toMatchObject({ kind: 'pod', ...POD, container: 'app' });
    expect(source.lookup({ podUid: null, containerId: CONTAINER })).toMatchObject({ kind: 'pod', ...POD, container: 'app' });
    expect(source.lookup({ podUid: POD_UID, containerId: SANDBOX })).toEqual({ kind: 'sandbox', ...POD });
    expect(source.lookup({ podUid: POD_UID, containerId: null })).toEqual(POD);
    expect(source.lookup({ podUid: POD_UID, containerId: id('9') })).toEqual(POD);
    expect(source.lookup({ podUid: UID, containerId: id('9') })).toBeNull();
    expect(source.lookup({ podUid: '2d2de79d1cfa69921b0c0b338cc98078', containerId: null })).toMatchObject({ namespace: 'kube-system', pod: 'static-web-node1' });
    expect(source.state).toEqual({ status: 'ok', reason: `containerd 1.6.20 at ${fake.path}: 7 pods, 10 containers`, fix: null });
    expect(told[0]).toHaveLength(7 + 7 + 10);
    expect(told[0]).toEqual(expect.arrayContaining([CONTAINER, SANDBOX, POD_UID]));
  });

  it('shares one labels object among a pod\'s containers', async () => {
    const { source } = criSource((await runtime(recorded('containerd'))).path);
    await source.start();
    const labels = source.lookup({ podUid: POD_UID, containerId: null })?.labels;
    expect(source.lookup({ podUid: POD_UID, containerId: CONTAINER })?.labels).toBe(labels);
    expect(source.lookup({ podUid: POD_UID, containerId: SANDBOX })?.labels).toBe(labels);
  });

  it('asks for the name of an image once, where the list holds its id only', async () => {
    const fake = await runtime(recorded('containerd'));
    const { source, told } = criSource(fake.path);
    await source.start();
    await until(() => told.length === 2, 'the image');
    expect(source.lookup({ podUid: POD_UID, containerId: CONTAINER })?.image).toBe('localhost/busybox:1');
    expect(fake.count('ContainerStatus')).toBe(1);
    expect(told[1]).toHaveLength(10);
  });

  it('has no image rather than an id, when the runtime knows no name', async () => {
    const { sandboxes, containers } = recorded('containerd');
    const fake = await runtime({ sandboxes, containers: containers.map((one) => ({ ...one, statusImage: one.image?.image ?? '' })) });
    const { source } = criSource(fake.path);
    await source.start();
    await until(() => fake.count('ContainerStatus') === 1);
    await sleep(30);
    expect(source.lookup({ podUid: POD_UID, containerId: CONTAINER })).not.toHaveProperty('image');
    expect(fake.count('ContainerStatus')).toBe(1);
  });

  it('asks another container for the image when the first is gone', async () => {
    const { sandboxes, containers } = recorded('containerd');
    const fake = await runtime({ sandboxes, containers });
    fake.instead.set('ContainerStatus', { code: 5, details: 'not found' });
    const { source, told } = criSource(fake.path, { tuning: { refreshMs: 50 } });
    await source.start();
    await until(() => fake.count('ContainerStatus') >= 3, 'three attempts');
    fake.instead.clear();
    await until(() => told.length === 2, 'the image, after the next list');
    expect(source.state.status).toBe('ok');
    expect(source.lookup({ podUid: POD_UID, containerId: CONTAINER })?.image).toBe('localhost/busybox:1');
  });

  it('prefers the image as the pod\'s author wrote it', async () => {
    const { sandboxes, containers } = recorded('containerd');
    const fake = await runtime({ sandboxes, containers: containers.map((one) => ({ ...one, image: { ...one.image, userSpecifiedImage: 'busybox:1' } })) });
    const { source } = criSource(fake.path);
    await source.start();
    expect(source.lookup({ podUid: POD_UID, containerId: CONTAINER })?.image).toBe('busybox:1');
  });
});

it('names what CRI-O told on a real node', async () => {
  const fake = await runtime(recorded('cri-o'));
  const { source, told } = criSource(fake.path);
  await source.start();
  await until(() => told.length === 2, 'the image');
  expect(source.lookup({ podUid: 'fde8681b-9615-483e-b480-1c7e80f6fae7', containerId: '043dfe5003afd8b83066bd6248a42c934d7d7f716a02d094201dededbe45ae43' })).toEqual({
    kind: 'pod', namespace: 'shop', pod: 'web-1', podUid: 'fde8681b-9615-483e-b480-1c7e80f6fae7', container: 'app', image: 'localhost/busybox:1', labels: {},
  });
});

describe('many images by id', () => {
  const image = (i: number): string => `sha256:${i.toString(16).padStart(64, '0')}`;
  const names = (source: NameSource): (string | undefined)[] => Array.from({ length: 20 }, (_, i) => source.lookup({ podUid: null, containerId: `c${i}` })?.image);
  const wanted = Array.from({ length: 20 }, (_, i) => `localhost/app:${i}`);

  async function busy(): Promise<FakeRuntime> {
    return runtime({ sandboxes: [], containers: wanted.map((statusImage, i) => ({ id: `c${i}`, image: { image: image(i) }, statusImage })) });
  }

  it('are named by one list, and what it leaves out by containers', async () => {
    const fake = await busy();
    fake.images = [{ id: image(0) }, ...wanted.slice(1, 19).map((name, i) => ({ id: image(i + 1), repoTags: [name, 'other'] })), { id: image(19), repoDigests: [`localhost/app@${image(7)}`] }, { id: 'x', repoTags: ['y'] }];
    const { source, told } = criSource(fake.path);
    await source.start();
    await until(() => told.length === 3, 'all names');
    expect(names(source)).toEqual([...wanted.slice(0, 19), `localhost/app@${image(7)}`]);
    expect([fake.count('ListImages'), fake.count('ContainerStatus')]).toEqual([1, 1]);
  });

  it('are named by containers where the runtime lists no images', async () => {
    const fake = await busy();
    fake.instead.set('ListImages', { code: 12, details: 'unknown service runtime.v1.ImageService' });
    const { source } = criSource(fake.path);
    await source.start();
    await until(() => fake.count('ContainerStatus') === 20 && names(source).every((name) => name !== undefined), 'all names');
    expect([names(source), fake.count('ListImages'), source.state.status]).toEqual([wanted, 1, 'ok']);
  });
});

describe('a container that is noticed', () => {
  it('is asked for at once, by its pod, and told of alone', async () => {
    const fake = await runtime(recorded('containerd'));
    const { source, told } = criSource(fake.path);
    await source.start();
    await until(() => told.length === 2, 'the image');
    fake.node.sandboxes.push(sandboxOf(UID, 'late-1', id('a'), { app: 'late' }));
    fake.node.containers.push(containerOf(UID, 'late-1', id('a'), 'main', id('b')));
    fake.calls.length = 0;
    source.notice?.({ podUid: UID, containerId: id('b') });
    await until(() => told.length === 3, 'its names');
    expect(new Set(told[2])).toEqual(new Set([UID, id('a'), id('b')]));
    expect(source.lookup({ podUid: UID, containerId: id('b') })).toEqual({
      kind: 'pod', namespace: 'shop', pod: 'late-1', podUid: UID, container: 'main', image: 'localhost/app:2', labels: { app: 'late' },
    });
    expect(fake.calls.map(({ method, request }) => [method, request.filter?.labelSelector])).toEqual([
      ['ListPodSandbox', { 'io.kubernetes.pod.uid': UID }], ['ListContainers', { 'io.kubernetes.pod.uid': UID }],
    ]);
  });

  it('outside a pod\'s cgroup is asked for by its id, then for its sandbox', async () => {
    const fake = await runtime();
    const { source, told } = criSource(fake.path);
    await source.start();
    fake.node.sandboxes.push({ id: id('a'), metadata: { name: 'alone', uid: 'x', namespace: 'default' } });
    fake.node.containers.push({ id: id('b'), podSandboxId: id('a'), metadata: { name: 'main' }, image: { image: 'app:1' } });
    source.notice?.({ podUid: null, containerId: id('b') });
    await until(() => told.length === 1, 'its names');
    expect(source.lookup({ podUid: null, containerId: id('b') })).toEqual({ kind: 'pod', namespace: 'default', pod: 'alone', podUid: 'x', container: 'main', image: 'app:1', labels: {} });
    expect(fake.calls.slice(3).map(({ method, request }) => [method, request.filter?.id])).toEqual([['ListPodSandbox', id('b')], ['ListContainers', id('b')], ['ListPodSandbox', id('a')]]);
  });

  it('is found by a whole list when its pod carries no labels', async () => {
    const fake = await runtime();
    const { source, told } = criSource(fake.path);
    await source.start();
    fake.node.sandboxes.push({ id: id('a'), metadata: { name: 'bare', uid: UID, namespace: 'default' } });
    fake.node.containers.push({ id: id('b'), podSandboxId: id('a'), metadata: { name: 'main' } });
    source.notice?.({ podUid: UID, containerId: id('b') });
    await until(() => told.length === 1, 'its names');
    expect(source.lookup({ podUid: UID, containerId: id('b') })).toEqual({ kind: 'pod', namespace: 'default', pod: 'bare', podUid: UID, container: 'main', labels: {} });
  });

  it('that the runtime tells of later is asked for again, with growing pauses', async () => {
    const fake = await runtime();
    const { source, told } = criSource(fake.path, { tuning: { giveUpMs: 2_000 } });
    await source.start();
    source.notice?.({ podUid: UID, containerId: null });
    await until(() => fake.count('ListPodSandbox') === 5, 'four questions');
    fake.node.sandboxes.push(sandboxOf(UID, 'late-1', id('a')));
    await until(() => told.length === 1, 'its names');
    expect(source.lookup({ podUid: UID, containerId: null })).toEqual({ namespace: 'shop', pod: 'late-1', podUid: UID, labels: {} });
  });

  it('that the runtime does not know is given up', async () => {
    const fake = await runtime();
    const { source, told } = criSource(fake.path, { tuning: { askMs: 10, giveUpMs: 150 } });
    await source.start();
    source.notice?.({ podUid: null, containerId: id('d') });
    await sleep(400);
    // Asked at 0, 10, 30, 70 and 150 ms, less what the machine was slow.
    const asked = fake.count('ListContainers') - 1;
    expect(asked).toBeGreaterThanOrEqual(2);
    expect(asked).toBeLessThanOrEqual(6);
    await sleep(100);
    expect(fake.count('ListContainers') - 1).toBe(asked);
    expect(told).toEqual([]);
  });

  it('is not asked for when it is known, or asked for already', async () => {
    const fake = await runtime(recorded('containerd'));
    const { source, told } = criSource(fake.path);
    await source.start();
    await until(() => told.length === 2, 'the image');
    const before = fake.calls.length;
    source.notice?.({ podUid: '185def3c-11ae-4a03-9203-d1a265548687', containerId: '2731f42f88f800d3bab397435d27d2c3f1295bbb8a1e075ab32ea092d8566dbc' });
    await sleep(30);
    expect(fake.calls).toHaveLength(before);
    for (let i = 0; i < 100; i++) source.notice?.({ podUid: null, containerId: id('d') });
    await until(() => fake.calls.length > before, 'a question');
    expect(fake.calls.length - before).toBe(2);
  });

  it('before start() is asked for once there is a connection', async () => {
    const fake = await runtime();
    const { source, told } = criSource(fake.path, { tuning: { giveUpMs: 3_000 } });
    source.notice?.({ podUid: UID, containerId: id('b') });
    await source.start();
    expect(told).toEqual([]);
    fake.node.sandboxes.push(sandboxOf(UID, 'late-1', id('a')));
    fake.node.containers.push(containerOf(UID, 'late-1', id('a'), 'main', id('b')));
    await until(() => told.length === 1, 'its names');
  });

  it('with many others is found by one whole list', async () => {
    const fake = await runtime();
    const { source, told } = criSource(fake.path);
    await source.start();
    fake.calls.length = 0;
    fake.node.sandboxes.push(sandboxOf(UID, 'many', id('a')));
    const ids = Array.from({ length: 100 }, (_, i) => i.toString(16).padStart(64, '0'));
    for (const one of ids) fake.node.containers.push(containerOf(UID, 'many', id('a'), `c${one}`, one));
    for (const one of ids) source.notice?.({ podUid: UID, containerId: one });
    await until(() => ids.every((one) => source.lookup({ podUid: null, containerId: one }) !== null), 'all names');
    expect([fake.count('ListContainers'), fake.count('ListContainers', 'whole'), told.length]).toEqual([1, 1, 1]);
  });

  it('costs a busy runtime at most a twentieth of its time', async () => {
    const fake = await runtime();
    const { source } = criSource(fake.path, { tuning: { pauseMs: 1, askMs: 1, giveUpMs: 5_000 } });
    await source.start();
    fake.delayMs = 20;
    const before = fake.count('ListContainers');
    for (let i = 0; i < 40; i++) {
      source.notice?.({ podUid: null, containerId: i.toString(16).padStart(64, '0') });
      await sleep(15);
    }
    expect(fake.count('ListContainers') - before).toBeLessThanOrEqual(10);
  });
});

describe('over time', () => {
  it('lists again, tells what is new alone, and remembers what left for a minute', async () => {
    const fake = await runtime({ sandboxes: [sandboxOf(UID, 'web-1', id('a'))], containers: [containerOf(UID, 'web-1', id('a'), 'app', id('b'))] });
    const { source, told } = criSource(fake.path, { tuning: { refreshMs: 40 } });
    await source.start();
    await until(() => fake.count('ListContainers', 'whole') >= 3, 'two more lists');
    expect(told).toEqual([[id('a'), UID, id('b')]]);
    fake.node.containers.splice(0, 1, containerOf(UID, 'web-1', id('a'), 'app', id('c')));
    await until(() => told.length === 2, 'the new container');
    expect(told[1]).toEqual([id('c')]);
    expect(source.lookup({ podUid: UID, containerId: id('b') })).toMatchObject({ container: 'app' });
    expect(source.state.reason).toContain(': 1 pod, 1 container');
  });

  it('keeps names through a restart of the runtime on the same path, and learns on', async () => {
    const path = join(temporaryDirectory(), 'runtime.sock');
    const first = await runtime({ sandboxes: [sandboxOf(UID, 'web-1', id('a'))], containers: [containerOf(UID, 'web-1', id('a'), 'app', id('b'))] }, path);
    const { source, told } = criSource(path, { tuning: { refreshMs: 30 } });
    await source.start();
    first.close();
    rmSync(path, { force: true });
    await until(() => source.state.status !== 'ok', 'the end to be seen');
    expect(source.state.reason).toContain(path);
    expect(source.lookup({ podUid: UID, containerId: id('b') })).toMatchObject({ container: 'app' });
    await runtime({ sandboxes: [sandboxOf(UID, 'web-1', id('a'))], containers: [containerOf(UID, 'web-1', id('a'), 'app', id('c'))] }, path);
    await until(() => source.state.status === 'ok', 'the new runtime');
    expect(source.lookup({ podUid: UID, containerId: id('c') })).toMatchObject({ container: 'app' });
    expect(told.at(-1)).toEqual([id('c')]);
  });

  it('finds a socket that appears later', async () => {
    const path = join(temporaryDirectory(), 'runtime.sock');
    const { source } = criSource(path);
    await source.start();
    expect(source.state).toMatchObject({ status: 'absent', reason: `--runtime-endpoint: ${path} is not there` });
    await runtime(recorded('cri-o'), path);
    await until(() => source.state.status === 'ok', 'the socket');
  });

  it('a runtime without pods gives way to one that has some', async () => {
    const root = temporaryDirectory();
    for (const directory of ['run/containerd', 'run/crio']) mkdirSync(join(root, directory), { recursive: true });
    const docker = await runtime(undefined, join(root, 'run/containerd/containerd.sock'));
    const crio = await runtime(undefined, join(root, 'run/crio/crio.sock'));
    crio.name = 'cri-o';
    const { source } = criSource(null, { hostRoot: root, tuning: { refreshMs: 30 } });
    await source.start();
    expect(source.state.reason).toBe(`containerd 1.6.20 at ${docker.path}: 0 pods, 0 containers`);
    crio.node.sandboxes.push(...recorded('cri-o').sandboxes);
    await until(() => source.state.reason === `cri-o 1.6.20 at ${crio.path}: 1 pod, 0 containers`, 'the other runtime');
  });
});

describe('places', () => {
  it('are tried in turn: a runtime with its CRI plugin disabled is passed over, and said to be', async () => {
    const root = temporaryDirectory();
    for (const directory of ['run/containerd', 'run/crio']) mkdirSync(join(root, directory), { recursive: true });
    const docker = await runtime(undefined, join(root, 'run/containerd/containerd.sock'));
    docker.instead.set('Version', { code: 12, details: 'unknown service runtime.v1.RuntimeService' });
    const crio = await runtime(recorded('cri-o'), join(root, 'run/crio/crio.sock'));
    const { source } = criSource(null, { hostRoot: root });
    await source.start();
    expect(source.state.status).toBe('ok');
    expect(source.state.reason).toContain(`at ${crio.path}: 1 pod, 1 container; ${docker.path} offers no CRI v1`);
  });

  it('are named when none has a runtime', async () => {
    const { source } = criSource(null, { hostRoot: temporaryDirectory() });
    await source.start();
    expect(source.state.status).toBe('absent');
    expect(source.state.reason).toMatch(/^no container runtime's socket at .*\/run\/containerd\/containerd\.sock, .*\/run\/crio\/crio\.sock, /);
    expect(source.state.fix).toContain('--runtime-endpoint');
  });

  it('that are no unix socket are refused for good', async () => {
    const { source } = criSource('tcp://127.0.0.1:1234');
    await source.start();
    expect(source.state).toEqual({
      status: 'failing', reason: '--runtime-endpoint is tcp://127.0.0.1:1234, which is not a unix socket', fix: 'give the path of a socket, as in unix:///run/containerd/containerd.sock',
    });
  });

  it('may lie deeper than a socket\'s address is long', async () => {
    const directory = temporaryDirectory();
    const fake = await runtime(recorded('cri-o'), join(directory, 's'));
    const deep = join(directory, 'd'.repeat(120));
    // The listener itself cannot be bound so deep: it is moved there.
    mkdirSync(deep);
    const { renameSync } = await import('node:fs');
    renameSync(fake.path, join(deep, 'runtime.sock'));
    const { source } = criSource(join(deep, 'runtime.sock'));
    await source.start();
    expect(source.state.reason).toContain(`${join(deep, 'runtime.sock')}: 1 pod`);
  });

  it.skipIf(process.getuid?.() !== 0)('that need root say so', async () => {
    const directory = temporaryDirectory();
    const fake = await runtime(recorded('cri-o'), join(directory, 'runtime.sock'));
    chmodSync(directory, 0o700);
    process.seteuid?.(65_534);
    try {
      const { source } = criSource(fake.path);
      await source.start();
      expect(source.state).toEqual({ status: 'failing', reason: `--runtime-endpoint: ${fake.path} needs root (EACCES)`, fix: 'run kbtop as root' });
      source.close();
    } finally {
      process.seteuid?.(0);
    }
  });
});
