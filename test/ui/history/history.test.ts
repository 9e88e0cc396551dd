import { describe, expect, it } from 'vitest';
import { mergeLatencies } from '../../../src/frame/histogram.ts';
import { History, OCTAVES, octaveOf, octaveUs } from '../../../src/ui/history/history.ts';
import { STREAM_ROWS } from '../../../src/ui/history/stream.ts';
import { containerScope, namespaceScope } from '../../../src/ui/scope.ts';
import { FakeNode } from '../fixtures.ts';
import { withRows } from '../states.ts';

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe('History', () => {
  it('remembers a row from tick to tick', () => {
    const history = new History(), node = new FakeNode();
    const frames = Array.from({ length: 4 }, () => node.next());
    for (const frame of frames) history.push(frame);
    const key = '5001';
    const expected = frames.map((frame) => frame.panes.containers.rows.find((row) => row.container === key)?.cpuPct ?? 0);
    expect([...history.trend('containers', 'cpuPct', [key], 4)].map((n) => n.toFixed(3))).toEqual(expected.map((n) => n.toFixed(3)));
  });

  it('adds the same call of several containers up', () => {
    const history = new History(), frame = new FakeNode().next();
    history.push(frame);
    const rows = frame.panes.syscalls.rows.filter((row) => row.syscall === 'read');
    const [value] = history.trend('syscalls', 'ratePerSec', rows.map((row) => `${row.container} ${row.abi} ${row.nr}`), 1);
    expect(value).toBeCloseTo(sum(rows.map((row) => row.ratePerSec)), 0);
  });

  it('counts events per second in a scope', () => {
    const history = new History(), frame = new FakeNode().next();
    history.push(frame);
    const all = sum(frame.panes.syscalls.rows.map((row) => row.ratePerSec));
    expect(history.rates('syscalls', history.keysOf(null), 1)[0]).toBeCloseTo(all, -1);
    const shop = frame.panes.syscalls.rows.filter((row) => frame.containers[row.container]?.namespace === 'shop');
    expect(history.rates('syscalls', history.keysOf(namespaceScope('shop')), 1)[0]).toBeCloseTo(sum(shop.map((row) => row.ratePerSec)), -1);
    const one = frame.panes.opens.totals.find((total) => total.count > 0);
    expect(history.rates('opens', history.keysOf(containerScope(one?.container ?? '', frame.containers[one?.container ?? '']!)), 1)[0]).toBeCloseTo((one?.count ?? 0) / (frame.intervalMs / 1000), 3);
  });

  it('keeps the run queue by octave, whole and per container', () => {
    const history = new History(), frame = new FakeNode().next();
    history.push(frame);
    const merged = mergeLatencies(frame.panes.runqueue.rows.map((row) => row.latency));
    const expected = Array.from({ length: OCTAVES }, (_, octave) => sum((merged?.buckets ?? []).filter(([lower]) => octaveOf(lower) === octave).map(([, n]) => n)));
    expect(history.heat(history.keysOf(null), 1).map((values) => values[0])).toEqual(expected);
    expect(sum(history.heat(['5000'], 1).map((values) => values[0] ?? 0))).toBe(frame.panes.runqueue.rows.find((row) => row.container === '5000')?.latency?.count);
  });

  it('knows every bucket by its octave', () => {
    expect(octaveOf(0)).toBe(0);
    expect([0.256, 0.32, 0.448, 0.512, 1.024, 1048.576].map(octaveOf)).toEqual([1, 1, 1, 2, 3, 13]);
    expect(octaveUs(3)).toBeCloseTo(1.024);
    expect(octaveOf(octaveUs(20))).toBe(20);
  });

  it('adds losses up, by pane and in all', () => {
    const history = new History(), node = new FakeNode();
    const lossy = (lostRing: number, lostMap: number) => {
      const frame = node.next();
      return withRows(frame, 'opens', frame.panes.opens.rows, { loss: { ...frame.panes.opens.loss, lostRing, lostMap } });
    };
    history.push(lossy(3, 0));
    history.push(lossy(0, 4));
    expect(history.lost('opens')).toBe(7);
    expect(history.lost()).toBe(7);
    // Rows over the budget are left out on purpose.
    expect(history.lost('tcp')).toBe(0);
  });

  it('remembers who a container was after it is gone', () => {
    const history = new History(), frame = new FakeNode().next();
    history.push(frame);
    history.push({ ...frame, containers: {} });
    expect(history.container('5000')?.namespace).toBe('shop');
    expect(history.container('nobody')).toBeUndefined();
  });

  it('adds rows up since the start', () => {
    const history = new History(), node = new FakeNode({ intervalMs: 2000 });
    const frames = [node.next(), node.next(), node.next()];
    for (const frame of frames) history.push(frame);
    const { syscalls, runqueue, elapsedMs } = history.totals();
    expect(elapsedMs).toBe(6000);
    const parts = frames.flatMap((frame) => frame.panes.syscalls.rows).filter((row) => row.container === '5000' && row.syscall === 'read');
    const total = syscalls.find((row) => row.container === '5000' && row.syscall === 'read');
    expect(total?.count).toBe(sum(parts.map((row) => row.count)));
    expect(total?.ratePerSec).toBeCloseTo(sum(parts.map((row) => row.count)) / 6);
    expect(total?.errors).toEqual(Object.fromEntries(Object.entries({ EAGAIN: sum(parts.map((row) => row.errors?.['EAGAIN'] ?? 0)) }).filter(([, n]) => n > 0)));
    const merged = mergeLatencies(parts.map((row) => row.latency));
    expect(total?.latency?.buckets).toEqual(merged?.buckets);
    expect(total?.latency?.maxUs).toBeCloseTo(merged?.maxUs ?? 0);
    expect(sum(runqueue.map((row) => row.count))).toBe(sum(frames.flatMap((frame) => frame.panes.runqueue.rows.map((row) => row.count))));
  });

  it('starts anew when reset', () => {
    const history = new History(), node = new FakeNode();
    for (let i = 0; i < 3; i++) history.push(node.next());
    history.reset();
    expect(history.window.last).toBeLessThan(history.window.first);
    expect(history.stream('opens')).toEqual([]);
    expect(history.totals().syscalls).toEqual([]);
    history.push(node.next());
    expect([...history.rates('syscalls', history.keysOf(null), 3)].map(Number.isNaN)).toEqual([true, true, false]);
  });

  it('has copies that stay as they are', () => {
    const history = new History(), node = new FakeNode();
    for (let i = 0; i < 3; i++) history.push(node.next());
    const copy = history.fork();
    const before = JSON.stringify([[...copy.rates('syscalls', ['*'], 5)], copy.stream('opens').length, copy.totals().elapsedMs, copy.lost()]);
    for (let i = 0; i < 5; i++) history.push(node.next());
    expect(JSON.stringify([[...copy.rates('syscalls', ['*'], 5)], copy.stream('opens').length, copy.totals().elapsedMs, copy.lost()])).toBe(before);
    expect(history.totals().elapsedMs).toBe(8000);
  });

  it('stays bounded when containers come and go for long', () => {
    const history = new History(), frame = new FakeNode({ containers: 1, events: 1 }).next();
    const [info] = Object.values(frame.containers), [row] = frame.panes.syscalls.rows;
    for (let i = 0; i < 4000; i++) history.push(withRows({ ...frame, containers: { [`c${i}`]: info! } }, 'syscalls', [{ ...row!, container: `c${i}` }]));
    expect(history.container('c0')).toBeUndefined();
    expect(history.container('c3999')).toBeDefined();
    expect(history.stream('opens').length).toBeLessThanOrEqual(STREAM_ROWS);
  });
});
