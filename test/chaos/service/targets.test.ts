import { describe, expect, it } from 'vitest';
import { follow } from '../../../src/chaos/service/planner.ts';
import { notFoundText, pinOf, placesOf, targetName } from '../../../src/chaos/service/targets.ts';
import type { RuleTarget } from '../../../src/chaos/rule.ts';
import { FakeWho, place, WEB } from './fake-who.ts';

const places = WEB.map(place);
const keys = (target: RuleTarget): string[] | null => {
  const pin = pinOf(target, places);
  return pin === null ? null : placesOf(pin, places)?.map(({ key }) => key) ?? null;
};
const pod = (namespace: string, name: string, container: string | null = null): RuleTarget => ({ kind: 'pod', namespace, pod: name, container });

describe('a target', () => {
  it.each<[string, RuleTarget, string[] | null]>([
    ['a pod', pod('shop', 'web-1'), ['10', '11', '12']],
    ['a container', pod('shop', 'web-1', 'app'), ['11']],
    ['another namespace\'s pod', pod('kube-system', 'web-1'), null],
    ['no container of it', pod('shop', 'web-1', 'db'), null],
    ['a cgroup and all below it', { kind: 'cgroup', path: '/kubepods/poduid-1' }, ['10', '11', '12']],
    ['only a part of a name', { kind: 'cgroup', path: '/kubepods/poduid' }, null],
    ['a container by the start of its id', { kind: 'container', id: 'c'.repeat(12) }, ['20']],
  ])('can be %s', (_what, target, expected) => {
    expect(keys(target)).toEqual(expected);
  });

  it('with the start of several ids is none', () => {
    const twins = [...places, place({ key: '99', containerId: `${'c'.repeat(13)}${'d'.repeat(51)}` })];
    expect(() => pinOf({ kind: 'container', id: 'c'.repeat(12) }, twins)).toThrow(/is the start of 2 ids: give more of it, such as c{16}, c{13}ddd$/);
    expect(pinOf({ kind: 'container', id: 'c'.repeat(14) }, twins)).toMatchObject({ kind: 'container' });
  });

  it('that was pinned is not another one of its name', () => {
    const pin = pinOf(pod('shop', 'web-1'), places);
    if (pin === null) throw new Error('no pin');
    const anew = WEB.map((one) => place({ ...one, podUid: `${one.podUid}-anew` }));
    expect(placesOf(pin, anew)).toBe(null);
    // The old one may still be on its way out.
    expect(placesOf(pin, [...anew, ...places])?.map(({ key }) => key)).toEqual(['10', '11', '12']);
    const cgroup = pinOf({ kind: 'cgroup', path: '/kubepods/poduid-1' }, places);
    expect(cgroup !== null && placesOf(cgroup, [place({ key: '77', cgroup: '/kubepods/poduid-1' })])).toBe(null);
  });

  it('has a name for screens', () => {
    expect([pod('shop', 'web-1'), pod('shop', 'web-1', 'app'), { kind: 'cgroup', path: '/a' } as const].map((target) => targetName(target, places))).toEqual(['shop/web-1', 'shop/web-1/app', '/a']);
    expect(targetName({ kind: 'container', id: 'c'.repeat(12) }, places.slice(3))).toBe('kube-system/coredns-1/coredns');
  });

  it('that is not there is told with what is near, and why names may be missing', () => {
    expect(notFoundText(pod('shop', 'wbe-1'), places, null)).toBe('no pod shop/wbe-1 runs on this node; did you mean shop/web-1?');
    expect(notFoundText(pod('x', 'y'), places, 'the runtime does not answer')).toBe('no pod x/y runs on this node; some containers have no names (the runtime does not answer), see kbtop doctor');
    expect(notFoundText(pod('shop', 'web-1', 'db'), places, null)).toBe('no container db in pod shop/web-1 runs on this node; its containers are app');
  });
});

describe('an armed rule\'s target', () => {
  const pin = pinOf(pod('shop', 'web-1'), places);
  const next = (inhabitants: typeof WEB, known: readonly string[]): ReturnType<typeof follow> => {
    if (pin === null) throw new Error('no pin');
    const who = new FakeWho(() => inhabitants);
    return follow(pin, new Set(known), { expert: false, allowSystem: false }, who, who.all());
  };

  it('goes on without its pause container', () => {
    expect(next(WEB, ['10', '11'])).toMatchObject({ scope: [{ key: '10' }, { key: '11' }] });
    expect(next(WEB.filter(({ key }) => key !== '11'), ['10', '11'])).toMatchObject({ scope: [{ key: '10' }] });
  });

  it('ends when it is gone, or holds what must not be hit', () => {
    expect(next(WEB.slice(3), ['10', '11'])).toEqual({ end: 'target-gone', detail: null });
    const stranger = { ...WEB[1], key: '13', comms: ['containerd'] };
    expect(next([...WEB, stranger], ['10', '11'])).toMatchObject({ end: 'error', detail: expect.stringContaining('holds containerd') as string });
    // Judged once: what comes and goes in a container that is known ends nothing.
    expect(next([...WEB, stranger], ['10', '11', '13'])).toMatchObject({ scope: expect.arrayContaining([{ key: '13', directory: null }]) as unknown[] });
  });
});
