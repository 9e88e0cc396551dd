import { describe, expect, it } from 'vitest';
import { Registry } from '../../src/identity/registry.ts';
import type { Names, NameSource, Subject } from '../../src/identity/source.ts';
import { cgroupIdOf, cgroupKey, hierarchyOf } from '../../src/identity/key.ts';
import { SourceDouble } from '../probes/doubles.ts';

const UID = '7e299a8d-c8cc-4b92-ad99-98e453d358e8';
const CID = '05ace0336205ec28b4084793ada1de91b6a9c294e55e99086bdec24a811f38a4';
const CID2 = 'aa'.repeat(32);
const OTHER = '185def3c-11ae-4a03-9203-d1a265548687';
const POD = { path: `/kubepods/burstable/pod${UID}/${CID}`, pidNs: 4026532182, nodename: 'web-1' };
const GONE = { path: null, pidNs: null, nodename: null };

const source = (id: NameSource['id'], lookup: (subject: Subject) => Names | null): SourceDouble => new SourceDouble(id, lookup);

describe('keys', () => {
  it('hold a hierarchy and an inode, beyond 2^53', () => {
    const key = cgroupKey(4, 2609);
    expect(key).toBe('288230376151714353');
    expect([hierarchyOf(key), cgroupIdOf(key)]).toEqual([4, '2609']);
    expect([hierarchyOf('82'), cgroupIdOf('82')]).toEqual([0, '82']);
  });
});

describe('the registry', () => {
  it('has ids from the path, and says why there are no names', () => {
    expect(new Registry().info('82', POD)).toEqual({
      kind: 'pod', cgroupId: '82', cgroup: POD.path, namespace: null, pod: null, podUid: UID, container: null, containerId: CID,
      image: null, labels: {}, labelSource: null, owner: null, qos: 'Burstable', podStatus: null, pidNs: 4026532182, nodename: 'web-1', nameSource: 'cgroup',
      unresolved: 'pod and container names: the cgroup path holds only ids, and nothing else was asked',
    });
  });

  it.each([
    ['/docker/' + CID, 'container', 'container name: the cgroup path holds only ids, and nothing else was asked'], ['/system.slice/nginx.service', 'service', null], ['/', 'host', null],
    ['/user.slice/user-0.slice/session-1.scope', 'user', null], ['/custom', 'unknown', null],
  ] as const)('%s is a %s', (path, kind, reason) => {
    const info = new Registry().info('7', { ...POD, path });
    expect([info.kind, info.unresolved]).toEqual([kind, reason]);
  });

  it('returns the same object until something new is learned', () => {
    const registry = new Registry();
    const first = registry.info('82', POD);
    expect(registry.info('82', POD)).toBe(first);
    expect(registry.info('82', GONE)).toBe(first);
    expect(registry.info('82', { ...POD, nodename: 'web-2' })).toMatchObject({ nodename: 'web-2', podUid: UID });
  });

  it('names a cgroup that was not known at first', () => {
    const registry = new Registry();
    expect(registry.info('82', GONE)).toMatchObject({ kind: 'unknown', cgroup: null, nameSource: null });
    expect(registry.info('82', GONE).unresolved).toMatch(/gone/);
    expect(registry.info('82', POD)).toMatchObject({ kind: 'pod', podUid: UID });
  });

  it('asks sources in order: the first that tells a field wins, the path fills the rest', () => {
    const registry = new Registry([
      source('oci', () => null),
      source('cri', () => ({ pod: 'web-1', namespace: 'shop', container: 'app' })),
      source('api', () => ({ pod: 'other', labels: { app: 'web' } })),
    ]);
    expect(registry.info('82', POD)).toMatchObject({
      pod: 'web-1', namespace: 'shop', container: 'app', containerId: CID, labels: { app: 'web' }, labelSource: 'api', qos: 'Burstable', nameSource: 'cri', unresolved: null,
    });
  });

  it('says which sources did not know, and why the others were silent', () => {
    const [oci, cri, api, kubelet] = [source('oci', () => null), source('cri', () => null), source('api', () => null), source('kubelet', () => null)];
    const registry = new Registry([oci, cri, api, kubelet]);
    cri.state = { status: 'failing', reason: 'connection refused', fix: null };
    api.state = { status: 'starting', reason: 'connecting', fix: null };
    kubelet.state = { status: 'off', reason: 'not needed', fix: null };
    expect(registry.info('82', POD).unresolved).toBe('pod and container names: not known to oci; cri: connection refused; api: not answered yet');
  });

  it('asks again when a source has learned more, and keeps a broken one from harming', () => {
    let known: Names | null = null;
    const late = source('api', () => known);
    const broken = source('oci', () => { throw new Error('broken'); });
    const registry = new Registry([broken, late]);
    expect(registry.info('82', POD).pod).toBeNull();
    known = { pod: 'web-1' };
    expect(registry.info('82', POD).pod).toBeNull();
    late.changed();
    expect(registry.info('82', POD)).toMatchObject({ pod: 'web-1', nameSource: 'api' });
  });

  it('asks again only about those whose ids a source names', () => {
    const asked: string[] = [];
    const api = source('api', ({ podUid }) => { asked.push(podUid ?? ''); return null; });
    const registry = new Registry([api]);
    const other = { ...POD, path: `/kubepods/pod${OTHER}/${CID}` };
    registry.info('1', POD);
    registry.info('2', other);
    asked.length = 0;
    api.changed([OTHER]);
    expect([...registry.stale]).toEqual(['2']);
    registry.info('1', POD);
    registry.info('2', other);
    expect(asked).toEqual([OTHER]);
    expect(registry.stale.size).toBe(0);
  });

  it('takes labels from whoever knows them as they are now, else from the best', () => {
    const oci = source('oci', () => ({ pod: 'web-1' }));
    const cri = source('cri', () => ({ labels: { app: 'old' } }));
    const api = source('api', () => null);
    const registry = new Registry([oci, cri, api]);
    expect(registry.info('82', POD)).toMatchObject({ labels: { app: 'old' }, labelSource: 'cri' });
    api.lookup = () => ({ labels: {} });
    api.changed([UID]);
    expect(registry.info('82', POD)).toMatchObject({ labels: {}, labelSource: 'api', nameSource: 'oci' });
    api.lookup = () => null;
    api.changed([UID]);
    expect(registry.info('82', POD)).toMatchObject({ labels: { app: 'old' }, labelSource: 'cri' });
  });

  it('tells the owner by labels where nobody tells it, unless somebody knows that there is none', () => {
    const cri = source('cri', () => ({ pod: 'web-9d6c486f5-g6wg4', namespace: 'shop', container: 'app', labels: { 'pod-template-hash': '9d6c486f5' } }));
    const api = source('api', () => null);
    const registry = new Registry([cri, api]);
    expect(registry.info('82', POD).owner).toEqual({ kind: 'Deployment', name: 'web' });
    api.lookup = () => ({ podStatus: { ready: 1, containers: 1, status: 'Running', restarts: 0, createdAt: null } });
    api.changed([UID]);
    expect(registry.info('82', POD).owner).toBeNull();
  });

  it('takes a field that a source leaves undefined from the next one', () => {
    const oci = source('oci', () => ({ pod: 'web-1', container: undefined }) as unknown as Names);
    const registry = new Registry([oci, source('logs', () => ({ container: 'app' }))]);
    expect(registry.info('82', POD)).toMatchObject({ pod: 'web-1', container: 'app', unresolved: null });
  });

  it('keeps what was known when the source has forgotten it', () => {
    let known: Names | null = { pod: 'web-1', namespace: 'shop', container: 'app' };
    const oci = source('oci', () => known);
    const registry = new Registry([oci]);
    registry.info('82', POD);
    known = null;
    oci.changed();
    expect(registry.info('82', POD)).toMatchObject({ pod: 'web-1', namespace: 'shop', container: 'app', nameSource: 'oci', unresolved: null });
  });

  it('gives the same object when a source tells the same again', () => {
    const oci = source('oci', () => ({ pod: 'web-1', container: 'app', labels: { app: 'web' } }));
    const registry = new Registry([oci]);
    const first = registry.info('82', POD);
    oci.changed();
    expect(registry.info('82', POD)).toBe(first);
  });

  it('tells sources of each container once, as soon as its path is known', () => {
    const oci = source('oci', () => null);
    const registry = new Registry([oci]);
    registry.notice('/system.slice/nginx.service');
    registry.notice(`/kubepods/burstable/pod${UID}`);
    registry.notice(POD.path);
    registry.notice(`${POD.path}/init.scope`);
    expect(oci.noticed).toEqual([{ podUid: UID, containerId: null }, { podUid: UID, containerId: CID }]);
  });

  it('gives a nested cluster to the outermost pod that somebody knows, else to the innermost', () => {
    const nested = { ...POD, path: `/kubepods/pod${OTHER}/${CID}/kubelet/kubepods/burstable/pod${UID}/${CID2}` };
    let known: Names | null = null;
    const api = source('api', ({ podUid }) => (podUid === OTHER ? known : null));
    const registry = new Registry([api]);
    expect(registry.info('82', nested)).toMatchObject({ podUid: UID, containerId: CID2, qos: 'Burstable' });
    known = { pod: 'cluster-0', namespace: 'ci', container: 'kind' };
    api.changed([OTHER]);
    expect(registry.info('82', nested)).toMatchObject({ kind: 'pod', podUid: OTHER, containerId: CID, pod: 'cluster-0', qos: 'Guaranteed', unresolved: null });
  });

  it('misses no container name in a sandbox', () => {
    const cri = source('cri', () => ({ kind: 'sandbox', pod: 'web-1', namespace: 'shop' }));
    expect(new Registry([cri]).info('82', POD)).toMatchObject({ kind: 'sandbox', container: null, unresolved: null });
  });

  it('forgets', () => {
    const oci = source('oci', () => ({ pod: 'web-1' }));
    const registry = new Registry([oci]);
    registry.notice(POD.path);
    registry.info('82', POD);
    registry.forget('82');
    oci.changed();
    expect([registry.known('82'), registry.stale.size]).toEqual([undefined, 0]);
    registry.notice(POD.path);
    expect(oci.noticed).toHaveLength(2);
  });
});
