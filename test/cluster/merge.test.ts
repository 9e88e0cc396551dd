import { describe, expect, it } from 'vitest';
import { mergeFrames } from '../../src/cluster/merge.ts';
import { MOST_EVENTS, withEventsOf, withoutEvents } from '../../src/cluster/events.ts';
import { onNode } from '../../src/cluster/on-node.ts';
import type { ChaosStatus, Frame, PaneState } from '../../src/frame/frame.ts';
import { PANES, PANE_IDS } from '../../src/frame/panes/index.ts';
import { keysOf } from '../../src/frame/references.ts';
import { contractProblems } from '../frame/contract.ts';
import { FakeNode } from '../ui/fixtures.ts';
import { TICK, merged, partOf } from './fleet.ts';

const three = (): Record<string, Frame> => ({ 'worker-1': new FakeNode({ seed: 1 }).next(), 'worker-2': new FakeNode({ seed: 2, intervalMs: 5000 }).next(), 'worker-3': new FakeNode({ seed: 3 }).next() });
const sum = (frames: Readonly<Record<string, Frame>>, of: (frame: Frame) => number): number => Object.values(frames).reduce((n, frame) => n + of(frame), 0);

describe('Frames of several nodes as one', () => {
  it('are a Frame of the contract, as each of them is', () => {
    const frames = three();
    for (const frame of Object.values(frames)) expect(contractProblems(frame)).toEqual([]);
    expect(contractProblems(merged(frames))).toEqual([]);
    expect(contractProblems(mergeFrames([], TICK))).toEqual([]);
  });

  it('have every row and total of each, under keys that no other node has', () => {
    const frames = three(), all = merged(frames);
    for (const id of PANE_IDS) {
      expect(all.panes[id].rows.length, id).toBe(sum(frames, (frame) => frame.panes[id].rows.length));
      const keys = all.panes[id].rows.map((row) => (PANES[id].rowKey as (row: unknown) => string)(row));
      if (PANES[id].kind === 'table') expect(new Set(keys).size, id).toBe(keys.length);
    }
    expect(all.panes.opens.totals.length).toBe(sum(frames, (frame) => frame.panes.opens.totals.length));
    for (const key of keysOf(all.panes)) {
      const [own = '', node = ''] = key.split('@');
      expect(all.containers[key]).toEqual({ ...frames[node]?.containers[own], node });
    }
  });

  it('change nothing in a row but its keys, also those of others that it names', () => {
    const frames = three(), all = merged(frames);
    const rows = Object.entries(frames).flatMap(([node, frame]) => frame.panes.runqueue.rows.map((row) => ({
      ...row, container: `${row.container}@${node}`, preemptedBy: row.preemptedBy.map((by) => ({ ...by, container: `${by.container}@${node}` })),
    })));
    expect(rows.some(({ preemptedBy }) => preemptedBy.length > 0)).toBe(true);
    expect(all.panes.runqueue.rows).toEqual(rows);
  });

  it('have the events of all in order of time, each node by its own clock', () => {
    const frames = three();
    const ahead = { ...frames['worker-1'] as Frame };
    for (const id of ['opens', 'tcp'] as const) {
      const times = merged({ ...frames, ahead }).panes[id].rows.map(({ time }) => time);
      expect(times.length).toBeGreaterThan(10);
      expect(times).toEqual(times.toSorted());
    }
  });

  it('add up rates, losses, CPUs and costs, and leave each count over its own interval', () => {
    const frames = three(), all = merged(frames);
    expect(all.panes.opens.ratePerSec).toBeCloseTo(sum(frames, (frame) => frame.panes.opens.ratePerSec), 6);
    expect(all.panes.opens.loss.overBudget).toBe(sum(frames, (frame) => frame.panes.opens.loss.overBudget));
    expect(all.panes.syscalls.loss.seen).toBe(sum(frames, (frame) => frame.panes.syscalls.loss.seen));
    expect(all.self.rssBytes).toBe(sum(frames, (frame) => frame.self.rssBytes ?? 0));
    expect(all.node).toMatchObject({ name: 'prod', cpus: 12, kernel: '6.1.0-18-amd64', cgroupMode: 'v2' });
    expect(all.nodes?.map(({ intervalMs }) => intervalMs)).toEqual([1000, 5000, 1000]);
    expect(all.intervalMs).toBe(1000);
  });

  it('say how many kernels and architectures there are, and never more of a cost than is known', () => {
    const frames = three(), [a, b] = Object.values(frames) as [Frame, Frame];
    const old: Frame = { ...b, node: { ...b.node, kernel: '5.15', arch: 'aarch64', cgroupMode: 'hybrid' }, self: { cpuPct: null, bpfCpuPct: null, rssBytes: null } };
    expect(merged({ a, old }).node).toMatchObject({ kernel: '2 kernels', arch: 'x86_64, aarch64' });
    expect(merged({ a, old }).self).toEqual(a.self);
    expect(merged({ old }).self.cpuPct).toBeNull();
    expect(merged({ a, old, other: old }).node.cgroupMode).toBe('hybrid');
  });

  it('tell whose a fault is, and which of its node\'s cgroups it hits', () => {
    const [frame] = Object.values(three()) as [Frame];
    const fault: ChaosStatus = { id: 1, rule: 'openat ENOSPC', target: '5001', targets: ['5001', '5002'], targetName: 'shop/web-1', backend: 'lsm', hits: 0, remainingMs: 1, remainingHits: 1, dryRun: false, state: 'armed' };
    const all = merged({ n1: { ...frame, chaos: [fault] }, n2: { ...frame, chaos: [{ ...fault, target: '', targets: [] }] } });
    expect(all.chaos).toMatchObject([{ id: 1, node: 'n1', target: '5001@n1', targets: ['5001@n1', '5002@n1'] }, { id: 1, node: 'n2', target: '', targets: [] }]);
    expect(contractProblems(all)).toEqual([]);
  });

  it('list the nodes that have nothing to show, by name', () => {
    const frame = new FakeNode().next();
    const lost = { status: { ...partOf('x', frame).status, name: 'a', state: 'lost' as const, reason: 'gone', time: null, info: null, self: null }, frame: null };
    const all = mergeFrames([partOf('b', frame), lost], TICK);
    expect(all.nodes?.map(({ name, state }) => [name, state])).toEqual([['a', 'lost'], ['b', 'ok']]);
    expect(all.node.cpus).toBe(4);
    expect(contractProblems(all)).toEqual([]);
  });

  it('learn names of a node\'s earlier containers under their keys', () => {
    const frame = new FakeNode().next();
    const late = { ...frame.containers['5001'] as NonNullable<Frame['containers'][string]>, pod: 'late' };
    expect(merged({ n1: { ...frame, learned: { 777: late, 5001: late } } }).learned).toEqual({ '777@n1': { ...late, node: 'n1' } });
  });
});

describe('states of a pane on several nodes', () => {
  const state = (status: PaneState['status'], reason: string | null = null, level: PaneState['level'] = null): PaneState => ({ status, reason, level });
  const of = (states: Readonly<Record<string, PaneState>>): PaneState => {
    const frame = new FakeNode().next();
    return merged(Object.fromEntries(Object.entries(states).map(([node, one]) => [node, { ...frame, panes: { ...frame.panes, tcp: { ...frame.panes.tcp, state: one } } }]))).panes.tcp.state;
  };

  it('are ok where any is, and the reason names the nodes that lack it', () => {
    expect(of({ a: state('ok'), b: state('ok') })).toEqual(state('ok'));
    expect(of({ a: state('ok'), b: state('error', 'no BTF') })).toEqual(state('ok', 'not on b: no BTF'));
    expect(of({ a: state('ok'), b: state('error', 'no BTF'), c: state('error', 'no BTF'), d: state('off', 'asked for') })).toEqual(state('ok', 'not on b, c: no BTF; d: asked for'));
    expect(of({ a: state('ok'), b: state('loading') })).toEqual(state('ok', 'not on b: it is loading'));
  });

  it('measure as the poorest of them', () => {
    expect(of({ a: state('ok', null, 'latency'), b: state('ok', 'over its budget', 'sampled') })).toEqual(state('ok', 'b: over its budget', 'sampled'));
    expect(of({ a: state('ok', null, 'latency'), b: state('ok', null, 'count') }).level).toBe('count');
  });

  it('are as they are where all say the same, and what may yet become otherwise', () => {
    expect(of({ a: state('off', 'not asked for'), b: state('off', 'not asked for') })).toEqual(state('off', 'not asked for'));
    expect(of({ a: state('error', 'x'), b: state('loading') }).status).toBe('loading');
    expect(of({ a: state('error', 'x'), b: state('off', 'y') })).toEqual(state('error', 'a: x; b: y'));
  });

  it('stay one short line for five hundred nodes', () => {
    const many = of({ ok: state('ok'), ...Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`n${i}`, state('error', `reason ${i % 7}`)])) });
    expect(many.reason).toBe('not on n0, n7, n14, 69 more: reason 0; n1, n8, n15, 69 more: reason 1; 5 more');
  });
});

describe('what is told once', () => {
  const node = () => new FakeNode({ events: 10 });

  it('comes with the next Frame when its own is not shown', () => {
    const fake = node(), a = onNode(fake.next(), 'n'), b = onNode(fake.next(), 'n');
    const both = withEventsOf(a, b);
    expect(both.panes.opens?.rows).toEqual([...a.panes.opens?.rows ?? [], ...b.panes.opens?.rows ?? []]);
    expect(both.panes.opens?.loss.overBudget).toBe((a.panes.opens?.loss.overBudget ?? 0) + (b.panes.opens?.loss.overBudget ?? 0));
    expect(both.panes.syscalls?.rows).toBe(b.panes.syscalls?.rows);
    expect(both.panes.syscalls?.loss.seen).toBe((a.panes.syscalls?.loss.seen ?? 0) + (b.panes.syscalls?.loss.seen ?? 0));
    expect(contractProblems(mergeFrames([{ ...partOf('n', fake.next()), frame: both }], TICK))).toEqual([]);
  });

  it('is never more than so many rows, and what is left out is counted', () => {
    const fake = new FakeNode({ events: 3000 }), a = onNode(fake.next(), 'n'), b = onNode(fake.next(), 'n');
    const { rows, loss } = withEventsOf(a, b).panes.opens!;
    expect(rows.length).toBe(MOST_EVENTS);
    expect(rows.at(-1)).toEqual(b.panes.opens?.rows.at(-1));
    expect(loss.kept).toBe(MOST_EVENTS);
    expect(loss.seen).toBe(loss.kept + loss.overBudget);
  });

  it('is not told again: rates and counts go on, events and losses do not', () => {
    const a = onNode(node().next(), 'n'), again = withoutEvents(a);
    expect(again.panes.opens).toEqual({ ...a.panes.opens, rows: [], loss: { seen: 0, kept: 0, lostRing: 0, lostMap: 0, lostFault: 0, unattributed: 0, overBudget: 0 } });
    expect(again.panes.syscalls?.rows).toBe(a.panes.syscalls?.rows);
  });
});
