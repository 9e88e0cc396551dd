import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { Target, type TargetRequest } from '../../src/frame/target.ts';
import { paneDef } from '../../src/output/any-pane.ts';
import { isEmpty, select } from '../../src/output/select.ts';
import { parseSort } from '../../src/output/sort.ts';
import { FRAME, anyFrame } from './frames.ts';

const asked = (request: TargetRequest): Target => {
  const target = Target.parse(request);
  if (target === null) throw new Error('nothing was asked for');
  return target;
};

describe('select', () => {
  it('turns off the panes that were not asked for and keeps only containers that a row needs', () => {
    const { panes, containers } = select(FRAME, { panes: ['containers'], limit: 1 });
    expect(panes.containers.rows.map((row) => row.container)).toEqual(['web']);
    expect(Object.keys(containers)).toEqual(['web']);
    expect(panes.syscalls).toMatchObject({ state: { status: 'off', reason: 'not asked for' }, rows: [], loss: { seen: 0 } });
    expect(panes.opens).toMatchObject({ ratePerSec: 0, totals: [], rows: [] });
  });

  it('keeps a failed pane as it is', () => {
    const failed = { ...FRAME, panes: { ...FRAME.panes, tcp: { ...FRAME.panes.tcp, state: { status: 'error', reason: 'no', level: null } as const } } };
    expect(select(failed, { panes: ['opens'] }).panes.tcp.state).toEqual({ status: 'error', reason: 'no', level: null });
  });

  it('sorts by the default or the given order, then limits', () => {
    expect(select(FRAME, { panes: PANE_IDS }).panes.syscalls.rows.map((row) => row.count)).toEqual([12_345, 123, 4]);
    const order = parseSort(paneDef('syscalls'), 'count:asc');
    if (!order) throw new Error('no order');
    expect(select(FRAME, { panes: PANE_IDS, sort: { syscalls: order }, limit: 2 }).panes.syscalls.rows.map((row) => row.count)).toEqual([4, 123]);
  });

  it('filters rows and totals, and counts the rate of what is left', () => {
    const { panes, containers } = select(FRAME, { panes: PANE_IDS, filter: asked({ containers: ['app'] }).matches });
    for (const id of PANE_IDS) expect(new Set(panes[id].rows.map((row) => row.container))).toEqual(new Set(['web']));
    expect(panes.opens.totals).toEqual([{ container: 'web', count: 190, errors: {} }]);
    expect(panes.opens.ratePerSec).toBe(38);
    // Who preempted it is still named.
    expect(Object.keys(containers).sort()).toEqual(['evil', 'web']);
  });

  it('needs a container and a pod to match when both are given', () => {
    const left = (containers: string[], pods: string[]): number => select(FRAME, { panes: ['containers'], filter: asked({ containers, pods }).matches }).panes.containers.rows.length;
    expect(left(['app'], ['web-1'])).toBe(1);
    expect(left(['app'], ['other'])).toBe(0);
    expect(left(['app', 'evil'], [])).toBe(2);
  });

  it('says when nothing is left', () => {
    expect(isEmpty(FRAME)).toBe(false);
    expect(isEmpty(select(FRAME, { panes: PANE_IDS, filter: () => false }))).toBe(true);
  });

  it('never changes the Frame, and names every container that a row refers to', () => {
    fc.assert(fc.property(anyFrame, fc.subarray([...PANE_IDS]), fc.nat(4), (frame, panes, limit) => {
      const before = JSON.stringify(frame);
      const selected = select(frame, { panes, limit });
      expect(JSON.stringify(frame)).toBe(before);
      for (const id of PANE_IDS) {
        expect(selected.panes[id].rows.length).toBe(panes.includes(id) ? Math.min(limit, frame.panes[id].rows.length) : 0);
        for (const row of selected.panes[id].rows) expect(selected.containers[row.container]).toEqual(frame.containers[row.container]);
      }
    }));
  });
});
