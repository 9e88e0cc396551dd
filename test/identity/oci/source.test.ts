import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { BoundedFiles } from '../../../src/identity/files/bounded-files.ts';
import { Registry } from '../../../src/identity/registry.ts';
import { createOciSource } from '../../../src/identity/oci/source.ts';
import { cid, CONTAINERD, criConfig, fixture, Heard, sleep, TestHost } from '../test-host.ts';

const APP = '2731f42f88f800d3bab397435d27d2c3f1295bbb8a1e075ab32ea092d8566dbc';
const STATIC = 'ef397964dc1e36d556fe7bc1f2acbbbea0da8291d3d93a7861410947b1971776';
const CRIO = '043dfe5003afd8b83066bd6248a42c934d7d7f716a02d094201dededbe45ae43';
const CRIO_SANDBOX = 'b9f5d80869c9e8d85c7610ba5f413d12af6302de30a0f7da48ff0d14bbece217';
const PODMAN = 'fa92fb7db2f2da0bf970e37ea97958aab4b1e3c292a277ece2c4ffb4f1f8e7ad';
const APP_NAMES = {
  kind: 'pod', namespace: 'shop', pod: 'web-9d6c486f5-g6wg4', podUid: '185def3c-11ae-4a03-9203-d1a265548687', container: 'app', image: 'localhost/busybox:1',
};

const of = (containerId: string | null, podUid: string | null = null): { readonly containerId: string | null; readonly podUid: string | null } => ({ containerId, podUid });

describe('the source of runtime files', () => {
  let host: TestHost;
  let heard: Heard;
  const open = (): Heard => (heard = new Heard(createOciSource(host.options)));
  /** Open, notice, start. */
  const started = async (...ids: readonly string[]): Promise<Heard> => {
    open();
    for (const id of ids) heard.source.notice?.(of(id));
    await heard.source.start();
    return heard;
  };

  beforeEach(() => {
    host = new TestHost();
  });
  afterEach(() => {
    heard[Symbol.dispose]();
    host[Symbol.dispose]();
  });

  describe('names a container that runs already', () => {
    it.each([
      CONTAINERD, '/run/containerd/io.containerd.runtime.v2.task/default', '/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io',
      '/run/k0s/containerd/io.containerd.runtime.v2.task/k8s.io', '/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io',
    ])('of containerd at %s', async (place) => {
      host.write(`${place}/${APP}/config.json`, fixture('containerd-app.json'));
      await started(APP);
      expect(heard.source.lookup(of(APP))).toEqual(APP_NAMES);
      expect(heard.ids).toEqual(new Set([APP, APP_NAMES.podUid]));
      expect(heard.source.state).toEqual({ status: 'ok', reason: `reads ${host.path(dirname(place))} (${place.split('/').at(-1)})`, fix: null });
    });

    it('of a static pod, by the uid that the kubelet gave it', async () => {
      host.write(`${CONTAINERD}/${STATIC}/config.json`, fixture('containerd-static.json'));
      await started(STATIC);
      expect(heard.source.lookup(of(STATIC))).toMatchObject({ pod: 'static-web-node1', podUid: '2d2de79d1cfa69921b0c0b338cc98078', container: 'sw' });
      expect(heard.source.lookup(of(null, '2d2de79d1cfa69921b0c0b338cc98078'))).toEqual({ namespace: 'kube-system', pod: 'static-web-node1', podUid: '2d2de79d1cfa69921b0c0b338cc98078' });
    });

    it.each(['/run/containers/storage/overlay-containers', '/var/lib/containers/storage/overlay-containers', '/var/lib/containers/storage/btrfs-containers'])('of CRI-O at %s', async (place) => {
      host.write(`${place}/${CRIO}/userdata/config.json`, fixture('crio-app.json'));
      await started(CRIO);
      expect(heard.source.lookup(of(CRIO))).toEqual({
        kind: 'pod', namespace: 'shop', pod: 'web-1', podUid: 'fde8681b-9615-483e-b480-1c7e80f6fae7', container: 'app', image: 'localhost/busybox:1',
      });
    });

    it('of CRI-O, with the labels that only its sandbox tells', async () => {
      const storage = '/run/containers/storage/overlay-containers';
      const sandbox = JSON.stringify({ annotations: {
        'io.container.manager': 'cri-o', 'io.kubernetes.cri-o.ContainerType': 'sandbox', 'io.kubernetes.container.name': 'POD', 'io.kubernetes.pod.name': 'web-1',
        'io.kubernetes.pod.namespace': 'shop', 'io.kubernetes.pod.uid': 'fde8681b-9615-483e-b480-1c7e80f6fae7',
        'io.kubernetes.cri-o.Labels': JSON.stringify({ app: 'web', 'io.kubernetes.pod.name': 'web-1', 'io.kubernetes.container.name': 'POD' }),
      } });
      host.write(`${storage}/${CRIO}/userdata/config.json`, fixture('crio-app.json'));
      host.write(`${storage}/${CRIO_SANDBOX}/userdata/config.json`, sandbox);
      await started(CRIO);
      await heard.heard(CRIO_SANDBOX);
      expect(heard.source.lookup(of(CRIO))).toMatchObject({ kind: 'pod', container: 'app', labels: { app: 'web' } });
      const told = heard.source.lookup(of(CRIO_SANDBOX));
      expect(told).toMatchObject({ kind: 'sandbox', pod: 'web-1', labels: { app: 'web' } });
      expect(told).not.toHaveProperty('container');
    });

    it('of podman, by the name in its storage', async () => {
      host.write(`/var/lib/containers/storage/vfs-containers/${PODMAN}/userdata/config.json`, fixture('podman.json'));
      host.write('/var/lib/containers/storage/vfs-containers/containers.json', fixture('podman-containers.json'));
      await started(PODMAN);
      expect(heard.source.lookup(of(PODMAN))).toEqual({ kind: 'container', container: 'web_y' });
    });

    it('of podman run --rm, whose name is in another file', async () => {
      const volatile = JSON.stringify([{ id: PODMAN, names: ['once'], metadata: JSON.stringify({ 'image-name': 'docker.io/library/alpine:3', name: 'once' }) }]);
      host.write(`/var/lib/containers/storage/overlay-containers/${PODMAN}/userdata/config.json`, fixture('podman.json'));
      host.write('/var/lib/containers/storage/overlay-containers/containers.json', '[]');
      host.write('/var/lib/containers/storage/overlay-containers/volatile-containers.json', volatile);
      await started(PODMAN);
      expect(heard.source.lookup(of(PODMAN))).toEqual({ kind: 'container', container: 'once', image: 'docker.io/library/alpine:3' });
    });

    it('of Docker', async () => {
      host.write(`/var/lib/docker/containers/${APP}/config.v2.json`, JSON.stringify({ ID: APP, Name: '/web_1', Config: { Image: 'nginx:1', Labels: { 'com.example': 'x' } } }));
      await started(APP);
      expect(heard.source.lookup(of(APP))).toEqual({ kind: 'container', container: 'web_1', image: 'nginx:1', labels: { 'com.example': 'x' } });
    });

    it('of Docker with its files elsewhere, as the mounts of the task tell', async () => {
      const task = { mounts: [{ destination: '/etc/hosts', source: `/data/docker/containers/${APP}/hosts` }] };
      host.write(`/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/${APP}/config.json`, JSON.stringify(task));
      host.write(`/data/docker/containers/${APP}/config.v2.json`, JSON.stringify({ Name: '/web_1', Config: {} }));
      await started(APP);
      await heard.heard(APP);
      expect(heard.source.lookup(of(APP))).toEqual({ kind: 'container', container: 'web_1' });
    });

    it('of a pod by cri-dockerd', async () => {
      const labels = {
        'io.kubernetes.docker.type': 'container', 'io.kubernetes.pod.name': 'web-1', 'io.kubernetes.pod.namespace': 'shop',
        'io.kubernetes.pod.uid': 'fde8681b-9615-483e-b480-1c7e80f6fae7', 'io.kubernetes.container.name': 'app', 'io.kubernetes.sandbox.id': cid(1), 'annotation.io.kubernetes.container.hash': 'f',
      };
      const sandbox = { ...labels, 'io.kubernetes.docker.type': 'podsandbox', 'io.kubernetes.container.name': 'POD', app: 'web' };
      host.write(`/var/lib/docker/containers/${APP}/config.v2.json`, JSON.stringify({ Name: '/k8s_app_web-1', Config: { Image: `sha256:${APP}`, Labels: labels } }));
      host.write(`/var/lib/docker/containers/${cid(1)}/config.v2.json`, JSON.stringify({ Name: '/k8s_POD_web-1', Config: { Labels: sandbox } }));
      await started(APP);
      await heard.heard(cid(1));
      expect(heard.source.lookup(of(APP))).toEqual({
        kind: 'pod', namespace: 'shop', pod: 'web-1', podUid: 'fde8681b-9615-483e-b480-1c7e80f6fae7', container: 'app', labels: { app: 'web' },
      });
      expect(heard.source.lookup(of(cid(1)))).toMatchObject({ kind: 'sandbox', pod: 'web-1' });
    });

    it('of runc alone, by its state', async () => {
      const labels = ['bundle=/run/x', 'io.kubernetes.cri.container-type=container', 'io.kubernetes.cri.container-name=app', 'io.kubernetes.cri.sandbox-name=web-1', 'io.kubernetes.cri.sandbox-namespace=shop'];
      host.write(`/run/containerd/runc/k8s.io/${APP}/state.json`, JSON.stringify({ id: APP, config: { labels } }));
      await started(APP);
      expect(heard.source.lookup(of(APP))).toEqual({ kind: 'pod', namespace: 'shop', pod: 'web-1', container: 'app' });
    });

    it('through symbolic links that mean the root of the host', async () => {
      host.link('/var/lib/docker', '/data/docker');
      host.link('/data', '/../mnt/big');
      host.write(`/mnt/big/docker/containers/${APP}/config.v2.json`, JSON.stringify({ Name: '/web_1' }));
      await started(APP);
      expect(heard.source.lookup(of(APP))).toEqual({ kind: 'container', container: 'web_1' });
    });

    it('that is first asked for, not noticed', async () => {
      host.write(`${CONTAINERD}/${APP}/config.json`, fixture('containerd-app.json'));
      await started();
      expect(heard.source.lookup(of(APP))).toBeNull();
      await heard.heard(APP);
      expect(heard.source.lookup(of(APP))).toEqual(APP_NAMES);
    });
  });

  it('fills what the registry told before', async () => {
    open();
    const registry = new Registry([heard.source]);
    const path = `/kubepods/burstable/pod${APP_NAMES.podUid}/${APP}`;
    registry.notice(path);
    expect(registry.info('1', { path, pidNs: null, nodename: null }).unresolved).toBe('pod and container names: oci: not answered yet');
    host.write(`${CONTAINERD}/${APP}/config.json`, fixture('containerd-app.json'));
    await heard.source.start();
    expect([...registry.stale]).toEqual(['1']);
    expect(registry.info('1', { path, pidNs: null, nodename: null })).toMatchObject({ ...APP_NAMES, containerId: APP, qos: 'Burstable', nameSource: 'oci', unresolved: null });
  });

  it('names 1,000 containers in a few calls', async () => {
    for (let i = 0; i < 1_000; i++) host.write(`${CONTAINERD}/${cid(i)}/config.json`, criConfig(`web-${i >> 2}`, `c${i}`, { 'io.kubernetes.cri.sandbox-uid': `u${i >> 2}` }));
    await started(...Array.from({ length: 1_000 }, (_, i) => cid(i)));
    expect(heard.ids.size).toBe(1_250);
    expect(heard.calls.length).toBeLessThan(100);
    for (let i = 0; i < 1_000; i++) expect(heard.source.lookup(of(cid(i)))).toMatchObject({ pod: `web-${i >> 2}`, container: `c${i}` });
  });

  describe('names a container that begins', () => {
    beforeEach(async () => {
      host.mkdir(CONTAINERD);
      await started();
    });

    // A stall of the whole machine may eat the 60 ms: another go then.
    it('and is gone 60 ms later, though nobody asked', { retry: 2 }, async () => {
      const directory = host.mkdir(`${CONTAINERD}/${APP}`);
      await sleep(10);
      writeFileSync(`${directory}/config.json`, fixture('containerd-app.json'));
      await sleep(50);
      rmSync(directory, { recursive: true });
      await heard.heard(APP);
      expect(heard.source.lookup(of(APP))).toEqual(APP_NAMES);
    });

    it('100 of them at once, each alive for 150 ms', { retry: 2 }, async () => {
      const ids = Array.from({ length: 100 }, (_, i) => cid(i));
      await Promise.all(ids.map(async (id, i) => {
        await sleep(i);
        const directory = host.mkdir(`${CONTAINERD}/${id}`);
        heard.source.notice?.(of(id));
        await sleep(10);
        writeFileSync(`${directory}/config.json`, criConfig(`web-${i}`, 'app'));
        await sleep(140);
        rmSync(directory, { recursive: true });
      }));
      await Promise.all(ids.map((id) => heard.heard(id)));
      for (const [i, id] of ids.entries()) expect(heard.source.lookup(of(id))).toMatchObject({ pod: `web-${i}` });
    });

    it('and whose file is written in pieces', async () => {
      const text = fixture('containerd-app.json').replace('"annotations":', '"annotations" :'); // no short way
      const directory = host.mkdir(`${CONTAINERD}/${APP}`);
      writeFileSync(`${directory}/config.json`, '');
      for (let at = 0; at < text.length; at += 100) {
        await sleep(5);
        expect(heard.source.lookup(of(APP))).toBeNull();
        appendFileSync(`${directory}/config.json`, text.slice(at, at + 100));
      }
      await heard.heard(APP);
      expect(heard.source.lookup(of(APP))).toEqual(APP_NAMES);
    });

    it('and was noticed before its directory was made', async () => {
      heard.source.notice?.(of(APP));
      await sleep(50);
      host.write(`${CONTAINERD}/${APP}/config.json`, fixture('containerd-app.json'));
      await heard.heard(APP, 500);
    });

    it('in a namespace that is new', async () => {
      host.write(`/run/containerd/io.containerd.runtime.v2.task/other/${APP}/config.json`, fixture('containerd-app.json'));
      heard.source.notice?.(of(APP));
      await heard.heard(APP, 900);
    });

    it('again after its place was made anew', async () => {
      host.remove('/run/containerd/io.containerd.runtime.v2.task');
      host.write(`${CONTAINERD}/${APP}/config.json`, fixture('containerd-app.json'));
      heard.source.notice?.(of(APP));
      await heard.heard(APP, 8_000);
      host.write(`${CONTAINERD}/${STATIC}/config.json`, fixture('containerd-static.json'));
      await heard.heard(STATIC, 500);
    });
  });

  it('finds a runtime that is started later', async () => {
    await started(APP);
    expect(heard.source.state.status).toBe('absent');
    expect(heard.source.state.reason).toContain(`${host.root}/run/containerd/io.containerd.runtime.v2.task, `);
    expect(heard.source.state.fix).toContain('--host-root');
    host.write(`${CONTAINERD}/${APP}/config.json`, fixture('containerd-app.json'));
    await heard.heard(APP);
    expect(heard.source.state.status).toBe('ok');
  });

  describe('is not harmed by', () => {
    it.each([
      ['a FIFO', (path: string) => { execFileSync('mkfifo', [path]); }],
      ['a directory', (path: string) => { mkdirSync(path); }],
      ['a device', (path: string) => { execFileSync('mknod', [path, 'c', '1', '5']); }],
      ['a symbolic link', (path: string) => { execFileSync('ln', ['-s', '/etc/passwd', path]); }],
      ['a file without end', (path: string) => { execFileSync('truncate', ['-s', '5G', path]); }],
      ['binary rubbish', (path: string) => { writeFileSync(path, Buffer.from([0, 255, 254, 123, 0])); }],
      ['JSON of another shape', (path: string) => { writeFileSync(path, '[{"annotations":{}}]'); }],
      ['annotations that are no strings', (path: string) => { writeFileSync(path, '{"annotations":{"io.kubernetes.cri.container-type":{},"io.kubernetes.cri.sandbox-name":[1]}}'); }],
    ] as const)('%s in place of a file', async (_, make) => {
      make(`${host.mkdir(`${CONTAINERD}/${cid(1)}`)}/config.json`);
      host.write(`${CONTAINERD}/${APP}/config.json`, fixture('containerd-app.json'));
      const begin = performance.now();
      await started(cid(1), APP);
      expect(performance.now() - begin).toBeLessThan(1_000);
      expect(heard.source.lookup(of(cid(1)))).toBeNull();
      expect(heard.source.lookup(of(APP))).toEqual(APP_NAMES);
      expect(heard.source.state.status).toBe('ok');
    });

    it('ids that are none', async () => {
      host.write(`${CONTAINERD}/secret/config.json`, fixture('containerd-app.json'));
      await started('../k8s.io/secret', 'secret', '', '\0');
      await sleep(20);
      for (const id of ['../k8s.io/secret', 'secret', '', '\0']) expect(heard.source.lookup(of(id))).toBeNull();
      expect(heard.calls).toEqual([]);
    });
  });

  it.runIf(process.getuid?.() === 0)('says that it needs root', async () => {
    host.write(`${CONTAINERD}/${APP}/config.json`, fixture('containerd-app.json'));
    execFileSync('chmod', ['755', host.root]);
    execFileSync('chmod', ['700', host.path(`${CONTAINERD}/${APP}`)]);
    process.seteuid?.(65_534);
    try {
      await started(APP);
    } finally {
      process.seteuid?.(0);
    }
    expect(heard.source.lookup(of(APP))).toBeNull();
    expect(heard.source.state).toEqual({ status: 'failing', reason: `cannot read ${host.path(CONTAINERD)}/${APP}/config.json: permission denied`, fix: 'run kbtop as root' });
  });

  it('waits for no file system that hangs, and reads the others', async () => {
    host.write(`/var/lib/docker/containers/${cid(1)}/config.v2.json`, '{}');
    host.write(`${CONTAINERD}/${APP}/config.json`, fixture('containerd-app.json'));
    let hung = 0;
    const fs = await import('node:fs');
    const calls = { ...fs, open: ((path: string, ...rest: [never, never]) => {
      if (path.includes('docker')) hung += 1;
      else fs.open(path, ...rest);
    }) as typeof fs.open };
    heard = new Heard(createOciSource(host.options, new BoundedFiles({ concurrency: 2, timeoutMs: 500, calls })));
    heard.source.notice?.(of(cid(1)));
    heard.source.notice?.(of(cid(2)));
    heard.source.notice?.(of(APP));
    await heard.source.start();
    expect(heard.source.lookup(of(APP))).toEqual(APP_NAMES);
    expect(heard.source.state).toEqual({ status: 'failing', reason: `${host.root}/var does not answer; nothing more is read there until it does`, fix: 'look for a dead disk or network file system' });
    for (let i = 3; i < 20; i++) heard.source.notice?.(of(cid(i)));
    await sleep(200);
    expect(hung).toBe(1);
  });

  it('tells nothing after close, and can be closed twice and before start', async () => {
    host.mkdir(CONTAINERD);
    await started();
    heard.source.close();
    heard.source.close();
    host.write(`${CONTAINERD}/${APP}/config.json`, fixture('containerd-app.json'));
    heard.source.notice?.(of(APP));
    await sleep(100);
    expect(heard.calls).toEqual([]);
    const other = createOciSource(host.options);
    other.close();
    await other.start();
  });
});
