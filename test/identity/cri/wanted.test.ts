import { describe, expect, it } from 'vitest';
import { Wanted } from '../../../src/identity/cri/wanted.ts';

const container = (containerId: string) => ({ podUid: null, containerId });

describe('wanted ids', () => {
  it('are due at once, then after pauses that double', () => {
    const wanted = new Wanted(100, 10_000);
    expect(wanted.next).toBe(Number.POSITIVE_INFINITY);
    wanted.add(container('a'), 1_000);
    const times = [];
    for (let i = 0; i < 5; i++) {
      const now = wanted.next;
      times.push(now);
      expect(wanted.due(now - 1)).toEqual([]);
      wanted.asked(wanted.due(now), now);
    }
    expect(times).toEqual([1_000, 1_100, 1_300, 1_700, 2_500]);
  });

  it('are wanted once each, and dropped when known or after long enough', () => {
    const wanted = new Wanted(100, 10_000);
    wanted.add(container('a'), 0);
    wanted.add(container('a'), 5_000);
    wanted.add({ podUid: 'u', containerId: null }, 5_000);
    wanted.add({ podUid: null, containerId: null }, 5_000);
    expect(wanted.size).toBe(2);
    wanted.settle(() => false, 9_999);
    expect(wanted.size).toBe(2);
    wanted.settle(() => false, 10_000);
    expect(wanted.due(10_000).map(({ subject }) => subject)).toEqual([{ podUid: 'u', containerId: null }]);
    wanted.settle(({ podUid }) => podUid === 'u', 10_000);
    expect(wanted.size).toBe(0);
  });

  it('are bounded: the oldest give way', () => {
    const wanted = new Wanted(100, 10_000);
    for (let i = 0; i < 5_000; i++) wanted.add(container(String(i)), 0);
    expect(wanted.size).toBe(4_096);
    expect(wanted.due(0)[0]?.subject).toEqual(container('904'));
  });
});
