import { describe, expect, it } from 'vitest';
import { Registry } from '../../src/identity/registry.ts';
import type { Names, NameSource } from '../../src/identity/source.ts';
import { cgroupIdOf, cgroupKey, hierarchyOf } from '../../src/identity/key.ts';

const UID = '7e299a8d-c8cc-4b92-ad99-98e453d358e8';
const CID = '05ace0336205ec28b4084793ada1de91b6a9c294e55e99086bdec24a811f38a4';
const POD = { path: `/kubepods/burstable/pod${UID}/${CID}`, pidNs: 4026532182, nodename: 'web-1' };
const GONE = { path: null, pidNs: null, nodename: null };

const source = (id: NameSource['id'], lookup: () => Names | null): NameSource => ({ id, lookup });

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
      kind: 'pod', cgroupId: '82', cgroup: POD.path, namespace: null, pod: null, podUid: UID, container: CID.slice(0, 12), containerId: CID,
      image: null, labels: {}, owner: null, qos: 'Burstable', pidNs: 4026532182, nodename: 'web-1', nameSource: 'cgroup',
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
      pod: 'web-1', namespace: 'shop', container: 'app', containerId: CID, labels: { app: 'web' }, qos: 'Burstable', nameSource: 'cri', unresolved: null,
    });
  });

  it('says which sources did not know', () => {
    const registry = new Registry([source('oci', () => null), source('cri', () => null)]);
    expect(registry.info('82', POD).unresolved).toBe('pod and container names: not known to oci, cri');
  });

  it('asks again when a source has learned more, and keeps a broken one from harming', () => {
    let learn = (): void => {};
    let known: Names | null = null;
    const late: NameSource = { id: 'api', lookup: () => known, onChange: (changed) => { learn = changed; } };
    const broken = source('oci', () => { throw new Error('broken'); });
    const registry = new Registry([broken, late]);
    expect(registry.info('82', POD).pod).toBeNull();
    known = { pod: 'web-1' };
    expect(registry.info('82', POD).pod).toBeNull();
    learn();
    expect(registry.info('82', POD)).toMatchObject({ pod: 'web-1', nameSource: 'api' });
  });
});
