import { describe, expect, it } from 'vitest';
import { CgroupTree } from '../../src/identity/cgroup-tree.ts';
import { cgroupKey } from '../../src/identity/key.ts';

describe('the cgroup tree', () => {
  it('keeps the path of what was removed', () => {
    const tree = new CgroupTree();
    tree.apply({ change: 'mkdir', key: '7', path: '/a' });
    tree.apply({ change: 'rmdir', key: '7', path: null });
    expect([tree.path('7'), tree.removed('7'), tree.removed('8')]).toEqual(['/a', true, false]);
  });

  it('moves what lies below a renamed directory, in its hierarchy only', () => {
    const tree = new CgroupTree();
    const [a, below, sibling, other] = [cgroupKey(4, 1), cgroupKey(4, 2), cgroupKey(4, 3), cgroupKey(5, 2)];
    tree.apply({ change: 'seen', key: a, path: '/a' });
    tree.apply({ change: 'seen', key: below, path: '/a/b/c' });
    tree.apply({ change: 'seen', key: sibling, path: '/ab' });
    tree.apply({ change: 'seen', key: other, path: '/a/b/c' });
    tree.apply({ change: 'rename', key: a, path: '/z' });
    expect([a, below, sibling, other].map((key) => tree.path(key))).toEqual(['/z', '/z/b/c', '/ab', '/a/b/c']);
  });

  it('forgets the oldest of too many dead, and never the living', () => {
    const forgotten: string[] = [];
    const tree = new CgroupTree((key) => forgotten.push(key), 2);
    for (const key of ['1', '2', '3', '4']) tree.apply({ change: 'mkdir', key, path: `/${key}` });
    for (const key of ['2', '3', '4']) tree.apply({ change: 'rmdir', key, path: null });
    expect(forgotten).toEqual(['2']);
    expect(['1', '2', '3', '4'].map((key) => tree.path(key))).toEqual(['/1', undefined, '/3', '/4']);
    expect(tree.size).toBe(3);
  });
});
