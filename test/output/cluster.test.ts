/** Exports of a cluster's Frame: each row with its node. */
import { describe, expect, it } from 'vitest';
import type { PaneId } from '../../src/frame/frame.ts';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { csvHeader, csvRows } from '../../src/output/csv.ts';
import { frameTable } from '../../src/output/frame-table.ts';
import { frameJson } from '../../src/output/json.ts';
import { openMetrics } from '../../src/output/openmetrics.ts';
import { paneDef } from '../../src/output/any-pane.ts';
import { select } from '../../src/output/select.ts';
import { parseSort } from '../../src/output/sort.ts';
import { merged } from '../cluster/fleet.ts';
import { contractProblems } from '../frame/contract.ts';
import { FakeNode } from '../ui/fixtures.ts';
import { parseCsv } from './csv-parser.ts';

const one = new FakeNode({ seed: 1 }).next();
const frame = merged({ 'worker-1': one, 'worker-2': new FakeNode({ seed: 2, intervalMs: 5000 }).next() });
const table = { panes: PANE_IDS, titles: true, headings: true };

describe('exports of a cluster', () => {
  it('as CSV have the columns of any other, and the node of each row', () => {
    expect(csvHeader(PANE_IDS)).toMatch(/^frameTime,intervalMs,node,pane,/);
    const nodes = (text: string) => new Set(parseCsv(text).map((record) => record[2]));
    for (const pane of PANE_IDS) expect(nodes(csvRows(frame, [pane])), pane).toEqual(new Set(['worker-1', 'worker-2']));
    expect(nodes(csvRows(one, PANE_IDS))).toEqual(new Set(['worker-1']));
  });

  it('as tables have the column NODE, which a node alone has not', () => {
    const text = frameTable(frame, table);
    expect(text.split('\n')[0]).toMatch(/^cluster prod {2}2 nodes {2}linux/);
    expect(text.match(/\bNODE\b/g)?.length).toBe(PANE_IDS.length);
    expect(frameTable(one, table)).not.toMatch(/\bNODE\b/);
    expect(frameTable(one, table).split('\n')[0]).toMatch(/^node worker-1 {2}linux/);
  });

  it('as JSON are a Frame of the contract, also of some panes and rows', () => {
    expect(contractProblems(JSON.parse(frameJson(frame)))).toEqual([]);
    const part = select(frame, { panes: ['opens', 'runqueue'], limit: 3, filter: (_key, info) => info.node === 'worker-2' });
    expect(contractProblems(part)).toEqual([]);
    expect(new Set(Object.values(part.containers).map(({ node }) => node))).toEqual(new Set(['worker-2']));
    // Its own five seconds, not the cluster's one.
    expect(part.panes.opens.ratePerSec).toBeCloseTo(part.panes.opens.totals.reduce((n, { count }) => n + count, 0) / 5, 6);
  });

  it('sort by node', () => {
    const order = parseSort(paneDef('containers' satisfies PaneId), 'node:desc');
    const { rows } = select(frame, { panes: PANE_IDS, sort: order === undefined ? {} : { containers: order } }).panes.containers;
    const nodes = rows.map(({ container }) => container.split('@')[1]);
    expect(nodes).toEqual(nodes.toSorted().toReversed());
  });

  it('as metrics have a label for the node, so that no series stands for two', () => {
    expect(openMetrics(frame)).toMatch(/kbtop_container_cpu_cores\{namespace="shop".*node="worker-2"\}/);
    expect(openMetrics(one)).not.toMatch(/kbtop_container_cpu_cores\{.*node=/);
  });
});
