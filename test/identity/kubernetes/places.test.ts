import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findPlace, nodesOwn } from '../../../src/identity/kubernetes/places.ts';
import { World } from './support/source.ts';

let world: World;
beforeEach(() => {
  world = new World();
});
afterEach(() => world.close());

const find = (kubeconfig: string | null = null) => findPlace({ kubeconfig }, world.around.machine);

describe('the way into the cluster', () => {
  it('is --kubeconfig before all others, whether it is there or not', async () => {
    world.kubeconfig('https://x');
    world.env['KUBECONFIG'] = '/a';
    expect((await find('/given')).place).toEqual({ kind: 'files', files: ['/given'], required: true, person: null });
  });

  it('is KUBECONFIG, a list', async () => {
    world.kubeconfig('https://x');
    world.env['KUBECONFIG'] = '/a::/b:';
    expect((await find()).place).toMatchObject({ files: ['/a', '/b'], required: false });
  });

  it('is ~/.kube/config', async () => {
    const file = world.kubeconfig('https://x');
    expect((await find()).place).toMatchObject({ files: [file], person: null });
  });

  it('is the service account of a pod', async () => {
    world.file('serviceaccount/token', 'x');
    expect((await find()).place).toBeNull();
    world.env['KUBERNETES_SERVICE_HOST'] = '10.0.0.1';
    expect((await find()).place).toEqual({ kind: 'service account', directory: `${world.dir}/serviceaccount`, host: '10.0.0.1', port: '443' });
    world.env['KUBECONFIG'] = '/missing/a:/missing/b';
    expect((await find()).place?.kind).toBe('service account');
    world.env['KUBECONFIG'] = undefined;
    world.kubeconfig('https://x');
    expect((await find()).place?.kind).toBe('files');
  });

  it('is the one of whoever called sudo, and remembers whose it is', async () => {
    const file = world.file('home/anna/.kube/config', {});
    world.file('passwd', `root:x:0:0::/root:/bin/sh\nanna:x:1234:1235::${world.dir}/home/anna:/bin/sh\n`);
    Object.assign(world.env, { SUDO_UID: '1234', SUDO_USER: 'anna' });
    expect((await find()).place).toEqual({ kind: 'files', files: [file], required: false, person: { name: 'anna', uid: 1234, gid: 1235, home: `${world.dir}/home/anna` } });
    world.env['SUDO_UID'] = '0';
    expect((await find()).place).toBeNull();
    world.env['SUDO_UID'] = 'x';
    expect((await find()).place).toBeNull();
  });

  it('may be one of the node itself, which is but named', async () => {
    const root = `${world.dir}/host`;
    expect(await nodesOwn(root)).toBeNull();
    world.file('host/etc/kubernetes/admin.conf', {});
    world.file('host/etc/kubernetes/kubelet.conf', {});
    expect(await nodesOwn(root)).toBe(`${root}/etc/kubernetes/admin.conf`);
    const source = world.api();
    await source.start();
    expect(source.state).toMatchObject({ status: 'absent', fix: `give --kubeconfig FILE; this node has ${root}/etc/kubernetes/admin.conf` });
  });

  it('is none, and then it says where it looked', async () => {
    world.file('passwd', `anna:x:1234:1235::${world.dir}/home/anna:/bin/sh\n`);
    world.env['SUDO_UID'] = '1234';
    expect(await find()).toEqual({ place: null, looked: [`${world.dir}/home/.kube/config`, `${world.dir}/home/anna/.kube/config`] });
    world.env['HOME'] = undefined;
    world.env['SUDO_UID'] = undefined;
    expect(await find()).toEqual({ place: null, looked: [] });
  });
});
