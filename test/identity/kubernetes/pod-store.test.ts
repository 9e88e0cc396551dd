import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { PodStore } from '../../../src/identity/kubernetes/pod-store.ts';
import { type PodContainer, type PodRecord, readPod } from '../../../src/identity/kubernetes/pod.ts';

const id = (n: number): string => n.toString(16).padStart(64, '0');
const container = (n: number, name = 'app'): PodContainer => ({ id: id(n), name, image: `${name}:1` });
const pod = (name: string, uid: string, containers: readonly PodContainer[] = [], more: Partial<PodRecord> = {}): PodRecord => ({
  uids: [uid], name, namespace: 'shop', labels: {}, owner: null, qos: null, node: 'node1', containers,
  status: { ready: 0, containers: 1, status: 'Running', restarts: 0, createdAt: null }, ...more,
});
const of = (containerId: string | null, podUid: string | null = null) => ({ containerId, podUid });

describe('the pods that are known', () => {
  it('are found by container and by uid; a container not told of yet has the names of its pod', () => {
    const store = new PodStore(() => 0);
    store.put(pod('web', 'u1', [container(1)], { owner: { kind: 'Deployment', name: 'web' }, qos: 'Burstable', labels: { a: 'b' } }));
    const names = { namespace: 'shop', pod: 'web', podUid: 'u1', labels: { a: 'b' }, owner: { kind: 'Deployment', name: 'web' }, qos: 'Burstable', podStatus: { ready: 0, containers: 1, status: 'Running', restarts: 0, createdAt: null } };
    expect(store.find(of(id(1)))).toEqual({ ...names, container: 'app', containerId: id(1), image: 'app:1' });
    expect(store.find(of(null, 'u1'))).toEqual(names);
    expect(store.find(of(id(2), 'u1'))).toEqual(names);
    expect(store.find(of(id(2)))).toBeNull();
    expect(store.find(of(id(1)))).toBe(store.find(of(id(1), 'u1')));
    expect([store.knows(of(id(1))), store.knows(of(id(2), 'u1')), store.knows(of(null, 'u1'))]).toEqual([true, false, true]);
  });

  it('tell which ids have new answers, and none when nothing is new', () => {
    const store = new PodStore(() => 0);
    expect(store.put(pod('web', 'u1'))).toEqual(['u1']);
    expect(store.put(pod('web', 'u1', [container(1)]))).toEqual(['u1', id(1)]);
    expect(store.put(pod('web', 'u1', [container(1)]))).toEqual([]);
    expect(store.replace([pod('web', 'u1', [container(1)]), pod('db', 'u2')])).toEqual(['u2']);
  });

  it('keep a pod of a file under both uids, also when its mirror is made anew', () => {
    const store = new PodStore(() => 0);
    const hash = '2d2de79d1cfa69921b0c0b338cc98078';
    const mirror = (uid: string): PodRecord => pod('static', hash, [container(1)], { uids: [hash, uid] });
    store.put(mirror('u1'));
    store.put(mirror('u2'));
    store.remove(mirror('u1'));
    for (const uid of [hash, 'u1', 'u2']) expect(store.find(of(null, uid))).toMatchObject({ pod: 'static', podUid: hash });
    expect(store.size).toBe(1);
  });

  it('keep those that are gone for ten minutes, and not longer', () => {
    let now = 0;
    const store = new PodStore(() => now);
    store.put(pod('job', 'u1', [container(1)]));
    store.remove(pod('job', 'u1'));
    expect([store.size, store.find(of(id(1)))]).toEqual([0, expect.objectContaining({ pod: 'job' })]);
    now = 599_000;
    store.replace([]);
    expect(store.find(of(id(1)))).not.toBeNull();
    now = 601_000;
    store.replace([]);
    expect([store.find(of(id(1))), store.find(of(null, 'u1')), store.size]).toEqual([null, null, 0]);
  });

  it('see what is gone by its absence from a list, and take back what comes again', () => {
    let now = 0;
    const store = new PodStore(() => now);
    store.replace([pod('a', 'u1'), pod('b', 'u2')]);
    store.replace([pod('b', 'u2')]);
    expect(store.size).toBe(1);
    store.put(pod('a', 'u1'));
    now = 700_000;
    store.replace([pod('a', 'u1')]);
    expect([store.size, store.find(of(null, 'u1'))]).toEqual([1, expect.objectContaining({ pod: 'a' })]);
  });

  it('tell two pods of one name apart by uid', () => {
    const store = new PodStore(() => 0);
    store.put(pod('db-0', 'u1', [container(1)]));
    store.remove(pod('db-0', 'u1'));
    store.put(pod('db-0', 'u2', [container(2, 'new')]));
    expect([store.find(of(id(1)))?.podUid, store.find(of(id(2)))?.podUid, store.find(of(null, 'u1'))?.podUid]).toEqual(['u1', 'u2', 'u1']);
  });

  it('remember containers that the statuses have dropped, a bounded number of them', () => {
    const store = new PodStore(() => 0);
    for (let n = 0; n < 200; n++) store.put(pod('crash', 'u1', [container(n)]));
    expect(store.find(of(id(199)))?.container).toBe('app');
    expect(store.find(of(id(140)))?.container).toBe('app');
    expect(store.find(of(id(10)))).toBeNull();
  });

  it('are bounded, however many come and go', () => {
    const store = new PodStore(() => 0);
    for (let n = 0; n < 5_000; n++) {
      store.put(pod('job', `u${n}`, [container(n)]));
      store.remove(pod('job', `u${n}`));
    }
    expect([store.find(of(null, 'u0')), store.find(of(id(3_000))), store.size]).toEqual([null, null, 0]);
    expect(store.find(of(null, 'u4999'))).not.toBeNull();
  });

  it('take 1,000 of them into less than 6 MB, whatever their objects weigh', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const list = readFileSync(join(import.meta.dirname, 'fixtures/pods.json'), 'utf8');
    const heap = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const store = new PodStore(() => 0);
    const before = heap();
    for (let n = 0; n < 1_000; n++) {
      const { items } = JSON.parse(list) as { items: { metadata: Record<string, unknown>; status: Record<string, unknown> }[] };
      const item = items[n % items.length];
      if (!item) continue;
      item.metadata['uid'] = `u${n}`;
      item.metadata['annotations'] = { note: 'x'.repeat(20_000) };
      item.status['containerStatuses'] = [{ name: 'a', image: 'app:1', containerID: id(2 * n) }, { name: 'b', image: 'app:1', containerID: id(2 * n + 1) }];
      const record = readPod(item);
      if (record) store.put(record);
    }
    for (let n = 0; n < 2_000; n++) store.find(of(id(n)));
    expect(store.size).toBe(1_000);
    expect(heap() - before).toBeLessThan(6_000_000);
    expect(store.find(of(id(1_999)))).not.toBeNull();
  });
});
