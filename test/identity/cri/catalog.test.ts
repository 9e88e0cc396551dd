import { describe, expect, it } from 'vitest';
import { Catalog } from '../../../src/identity/cri/catalog.ts';
import type { Container, Sandbox } from '../../../src/identity/cri/runtime.ts';

const sandbox = (over: Partial<Sandbox> = {}): Sandbox => ({ id: 's1', namespace: 'shop', pod: 'web-1', podUid: 'u1', attempt: 0, ready: true, labels: { app: 'web' }, ...over });
const container = (over: Partial<Container> = {}): Container => ({ id: 'c1', sandboxId: 's1', name: 'app', image: 'app:1', namespace: 'shop', pod: 'web-1', podUid: 'u1', ...over });
const POD = { namespace: 'shop', pod: 'web-1', podUid: 'u1', labels: { app: 'web' } };
const of = (containerId: string | null, podUid: string | null = null) => ({ podUid, containerId });

describe('the catalog', () => {
  it('tells nothing of what it was not told', () => {
    const catalog = new Catalog();
    expect([catalog.lookup(of('c1', 'u1')), catalog.lookup(of(null, 'u1')), catalog.knows(of('c1', 'u1')), catalog.knows(of(null, 'u1'))]).toEqual([null, null, false, false]);
  });

  it('keeps the same objects from list to list, and tells of nothing then', () => {
    const catalog = new Catalog();
    expect([...catalog.replace([sandbox()], [container()], 0)]).toEqual(['s1', 'u1', 'c1']);
    const before = ['s1', 'c1'].map((id) => catalog.lookup(of(id)));
    expect([...catalog.replace([sandbox()], [container()], 1)]).toEqual([]);
    for (const [i, id] of ['s1', 'c1'].entries()) expect(catalog.lookup(of(id))).toBe(before[i]);
    expect(catalog.lookup(of(null, 'u1'))).toEqual(POD);
  });

  it('tells of what changed alone', () => {
    const catalog = new Catalog();
    catalog.replace([sandbox()], [container(), container({ id: 'c2', name: 'sidecar' })], 0);
    expect([...catalog.replace([sandbox()], [container(), container({ id: 'c2', name: 'other' })], 1)]).toEqual(['c2']);
    expect([...catalog.replace([sandbox({ labels: { app: 'shop' } })], [], 2)]).toEqual(['s1', 'u1']);
  });

  it('knows a pod and still wants its unknown container', () => {
    const catalog = new Catalog();
    catalog.add([sandbox()], [], 0);
    expect([catalog.knows(of(null, 'u1')), catalog.knows(of('s1', 'u1')), catalog.knows(of('c1', 'u1'))]).toEqual([true, true, false]);
    expect(catalog.lookup(of('c1', 'u1'))).toEqual(POD);
  });

  it('takes a container\'s pod from its labels while its sandbox is not known', () => {
    const catalog = new Catalog();
    catalog.add([], [container()], 0);
    expect(catalog.lookup(of('c1'))).toEqual({ kind: 'pod', namespace: 'shop', pod: 'web-1', podUid: 'u1', container: 'app', image: 'app:1' });
    expect([...catalog.add([sandbox()], [container()], 1)]).toEqual(['s1', 'u1', 'c1']);
    expect(catalog.lookup(of('c1'))).toMatchObject(POD);
  });

  it.each([
    ['the one that runs', [sandbox({ id: 's2', attempt: 1, labels: { n: '2' } }), sandbox({ id: 's1', ready: false, labels: { n: '1' } })], { n: '2' }],
    ['the one that runs, listed last', [sandbox({ id: 's1', attempt: 1, ready: false, labels: { n: '1' } }), sandbox({ id: 's2', labels: { n: '2' } })], { n: '2' }],
    ['the latest of those that ended', [sandbox({ id: 's2', attempt: 1, ready: false, labels: { n: '2' } }), sandbox({ id: 's1', ready: false, labels: { n: '1' } })], { n: '2' }],
  ])('of a pod\'s sandboxes, %s speaks', (_, sandboxes, labels) => {
    const catalog = new Catalog();
    catalog.replace(sandboxes, [], 0);
    expect(catalog.lookup(of(null, 'u1'))?.labels).toEqual(labels);
    expect([catalog.lookup(of('s1'))?.labels, catalog.lookup(of('s2'))?.labels]).toEqual([{ n: '1' }, { n: '2' }]);
  });

  it('another sandbox of the same pod shares its objects and changes nothing for the pod', () => {
    const catalog = new Catalog();
    catalog.replace([sandbox()], [], 0);
    const labels = catalog.lookup(of('s1'))?.labels;
    expect([...catalog.replace([sandbox({ ready: false }), sandbox({ id: 's2', attempt: 1 })], [], 1)]).toEqual(['s2']);
    expect(catalog.lookup(of('s2'))?.labels).toBe(labels);
  });

  it('forgets what was in no list for a minute, not earlier', () => {
    const catalog = new Catalog();
    catalog.replace([sandbox()], [container()], 0);
    catalog.replace([], [], 60_000);
    expect(catalog.lookup(of('c1', 'u1'))).not.toBeNull();
    expect(catalog.listed).toEqual({ sandboxes: 0, containers: 0 });
    catalog.replace([], [], 60_001);
    expect([catalog.lookup(of('c1', 'u1')), catalog.lookup(of('s1')), catalog.lookup(of(null, 'u1'))]).toEqual([null, null, null]);
  });

  it('a pod whose older sandbox is forgotten stays', () => {
    const catalog = new Catalog();
    catalog.replace([sandbox({ ready: false })], [], 0);
    catalog.replace([sandbox({ id: 's2', attempt: 1 })], [], 60_001);
    expect([catalog.lookup(of('s1')), catalog.lookup(of(null, 'u1'))]).toEqual([null, POD]);
  });

  describe('images', () => {
    const ID = '5'.repeat(64);

    it('by id are asked for once each, and their names are told to all that run them', () => {
      const catalog = new Catalog();
      catalog.replace([sandbox()], [container({ image: ID }), container({ id: 'c2', image: `sha256:${ID}` }), container({ id: 'c3' })], 0);
      expect([...catalog.unnamedImages()]).toEqual([[ID, ['c1', 'c2']]]);
      expect([...catalog.nameImage(ID, 'app:5')]).toEqual(['c1', 'c2']);
      expect([...catalog.unnamedImages()]).toEqual([]);
      expect([catalog.lookup(of('c2'))?.image, catalog.lookup(of('c3'))?.image]).toEqual(['app:5', 'app:1']);
      // And of those that come later.
      expect([...catalog.replace([sandbox()], [container({ image: ID }), container({ id: 'c4', image: ID })], 1)]).toEqual(['c4']);
      expect(catalog.lookup(of('c4'))?.image).toBe('app:5');
    });

    it('without a name are asked for again when told to', () => {
      const catalog = new Catalog();
      catalog.replace([], [container({ image: ID })], 0);
      expect([...catalog.nameImage(ID, null)]).toEqual([]);
      expect(catalog.unnamedImages().size).toBe(0);
      catalog.forgetNamelessImages();
      expect(catalog.unnamedImages().size).toBe(1);
    });
  });
});
