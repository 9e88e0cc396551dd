import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Names } from '../../../src/identity/source.ts';
import { Store } from '../../../src/identity/oci/store.ts';
import { cid } from '../test-host.ts';

const reading = (names: Names): { names: Names; sandboxId: null } => ({ names, sandboxId: null });

describe('what is known of containers', () => {
  let forgotten: string[];
  let store: Store;
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance'] });
    forgotten = [];
    store = new Store((id) => forgotten.push(id));
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('tells whose answers are others now: a pod is told once, and again with its labels', () => {
    expect(store.learn('a', reading({ kind: 'pod', pod: 'web', podUid: 'u', container: 'x' }))).toEqual(['a', 'u']);
    expect(store.learn('b', reading({ kind: 'pod', pod: 'web', podUid: 'u', container: 'y' }))).toEqual(['b']);
    expect(store.learn('s', reading({ kind: 'sandbox', pod: 'web', podUid: 'u', labels: { l: '1' } }))).toEqual(['s', 'u']);
    expect(store.names('a', null)).toEqual({ kind: 'pod', pod: 'web', podUid: 'u', container: 'x', labels: { l: '1' } });
    expect(store.names(null, 'u')).toEqual({ pod: 'web', podUid: 'u', labels: { l: '1' } });
    expect(store.names('unknown', 'u')).toEqual({ pod: 'web', podUid: 'u', labels: { l: '1' } });
    expect(store.names('unknown', null)).toBeNull();
  });

  it('gives a container outside of pods no pod\'s labels', () => {
    store.learn('s', reading({ kind: 'sandbox', pod: 'web', podUid: 'u', labels: { l: '1' } }));
    store.learn('d', reading({ kind: 'container', container: 'web' }));
    expect(store.names('d', 'u')).toEqual({ kind: 'container', container: 'web' });
  });

  it('forgets the least asked for beyond 20,000, and a pod with its last container', () => {
    store.learn('old', reading({ pod: 'web', podUid: 'u' }));
    store.learn('kept', reading({ pod: 'web', podUid: 'v' }));
    for (let i = 0; i < 19_998; i++) store.looking(cid(i));
    expect(store.touch('kept')).toBe(true);
    expect(forgotten).toEqual([]);
    store.looking('one more');
    expect(forgotten).toEqual(['old']);
    expect([store.names('old', 'u'), store.names('kept', null)?.pod]).toEqual([null, 'web']);
  });

  it('forgets what has been gone for ten minutes', () => {
    store.learn('a', reading({ container: 'x' }));
    store.looking('b');
    expect([store.mayBeGone('a'), store.mayBeGone('b'), store.mayBeGone('c')]).toEqual([true, false, false]);
    vi.advanceTimersByTime(9 * 60_000);
    store.sweep();
    expect(store.touch('a')).toBe(true);
    vi.advanceTimersByTime(61_000);
    store.sweep();
    expect([store.touch('a'), forgotten]).toEqual([false, ['a']]);
    expect(store.unknown()).toEqual(['b']);
  });
});
