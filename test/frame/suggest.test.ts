import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editDistance, near, nearest, oneOf } from '../../src/frame/suggest.ts';

const PANES = ['syscalls', 'runqueue', 'opens', 'tcp', 'containers'];

describe('editDistance', () => {
  it.each([['', '', 0], ['a', '', 1], ['abc', 'abc', 0], ['abc', 'acb', 1], ['kitten', 'sitting', 3], ['ca', 'abc', 3]])('%s to %s is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  it('is symmetric and at most the longer length', () => {
    fc.assert(fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }));
  });
});

describe('near', () => {
  const pods = ['api-7c9-x2', 'shop-web-1', 'web-0', 'wex', 'web-1', 'db-0'];

  it('puts what begins so first, then what is mistyped, then what has it inside', () => {
    expect(near('web', pods, 9)).toEqual(['web-0', 'web-1', 'wex', 'shop-web-1']);
    expect(near('web', pods, 2)).toEqual(['web-0', 'web-1']);
    expect(near('wbe-0', pods, 9)).toEqual(['web-0']);
  });

  it('has nothing to say to nothing', () => {
    for (const typed of ['', 'zzzzzz']) expect(near(typed, pods, 9)).toEqual([]);
    expect(near('web', [], 9)).toEqual([]);
  });
});

describe('nearest', () => {
  it.each([['sycalls', 'syscalls'], ['SYSCALLS', 'syscalls'], ['runq', 'runqueue'], ['open', 'opens'], ['tpc', 'tcp'], ['container', 'containers']])('%s is %s', (typed, meant) => {
    expect(nearest(typed, PANES)).toBe(meant);
  });

  it.each(['', 'x', 'memory', 'disk'])('%j is nothing of these', (typed) => expect(nearest(typed, PANES)).toBeUndefined());

  it('lists all names in any case', () => {
    expect(oneOf('tpc', PANES, 'panes')).toBe(`; did you mean tcp? (panes are ${PANES.join(', ')})`);
    expect(oneOf('disk', PANES, 'panes')).toBe(`; panes are ${PANES.join(', ')}`);
  });
});
