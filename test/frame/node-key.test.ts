import { describe, expect, it } from 'vitest';
import { freshRows, intervalsOf, keyOn, nodeOfKey, nodeSuffix } from '../../src/frame/node-key.ts';
import { clockSpread, clockText, nodesText, worstState } from '../../src/frame/nodes.ts';
import { okStatus } from '../cluster/fleet.ts';
import { FakeNode } from '../ui/fixtures.ts';

const frame = new FakeNode().next();

describe('keys on nodes', () => {
  it('know their node, and those of a node alone know none', () => {
    const key = keyOn('72057594037932926', 'ip-10-0-0-1.eu.internal');
    expect([nodeOfKey(key), nodeSuffix(key)]).toEqual(['ip-10-0-0-1.eu.internal', '@ip-10-0-0-1.eu.internal']);
    expect([nodeOfKey('4990'), nodeSuffix('4990'), nodeSuffix('*')]).toEqual([null, '', '']);
  });

  it('lead to their node\'s interval, and to whether its rows are new', () => {
    const several = { ...frame, intervalMs: 1000, nodes: [okStatus('a', frame, { intervalMs: 5000, repeated: true }), okStatus('b', frame, { intervalMs: null })] };
    expect(['4990@a', '4990@b', '4990@gone'].map(intervalsOf(several))).toEqual([5000, 1000, 1000]);
    const rows = [{ container: '4990@a' }, { container: '4990@b' }];
    expect(freshRows(several, rows)).toEqual([{ container: '4990@b' }]);
    expect(intervalsOf(frame)('4990')).toBe(frame.intervalMs);
    expect(freshRows(frame, rows)).toBe(rows);
  });
});

describe('nodes in words', () => {
  it('count those that are missing, the worst first', () => {
    const of = (...states: readonly Parameters<typeof okStatus>[2][]) => states.map((more, i) => okStatus(`n${i}`, frame, more));
    expect(nodesText(of({}))).toBe('1 node');
    expect(nodesText(of({}, { state: 'late' }, { state: 'refused' }, { state: 'late' }, { state: 'connecting' }))).toBe('5 nodes, 1 refused, 2 late, 1 connecting');
    expect(worstState(of({}, { state: 'late' }, { state: 'lost' }))).toBe('lost');
    expect(worstState([])).toBe('ok');
  });

  it('tell how far clocks are apart, the one here among them, where it is more than the way', () => {
    const of = (...skews: readonly (number | null)[]) => skews.map((skewMs, i) => okStatus(`n${i}`, frame, { skewMs }));
    expect(clockSpread(of(3000, 5000))).toBe(5000);
    expect(clockSpread(of(-3000, 5000, null))).toBe(8000);
    expect(clockText(of(-3000, 5000))).toBe('clocks 8.0s apart');
    expect(clockText(of(-40, 30))).toBeNull();
    expect(clockText(of(null))).toBeNull();
  });
});
