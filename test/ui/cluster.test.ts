/** The screen on a cluster's Frames: nodes as a column, a group, a scope, and a list of their own. */
import { describe, expect, it } from 'vitest';
import type { ContainerRow, Frame } from '../../src/frame/frame.ts';
import { History } from '../../src/ui/history/history.ts';
import type { State } from '../../src/ui/model.ts';
import { withPane } from '../../src/ui/model.ts';
import { drawScreen } from '../../src/ui/screen.ts';
import { paneView } from '../../src/ui/view.ts';
import { Fleet } from '../cluster/fleet.ts';
import { plain } from './cells.ts';
import { emptyState, liveState, press, shows, type } from './states.ts';

const NAMES = ['worker-1', 'worker-2', 'worker-3'];
const CLUSTER = { can: { setInterval: true, setLevel: false }, size: { width: 160, height: 45 } };

function clusterState({ ticks = 4, silent = [] as readonly string[], quiet = 0, fleet = new Fleet(NAMES) } = {}): State {
  const history = new History();
  let state = emptyState(CLUSTER);
  for (let i = 0; i < ticks; i++) state = shows(state, history, fleet.tick());
  for (let i = 0; i < quiet; i++) state = shows(state, history, fleet.tick(silent));
  return state;
}

const text = (state: State): string => drawScreen(state).map(plain).join('\n');
const titles = (state: State, pane: Parameters<typeof paneView>[1]): string[] => paneView(state, pane)!.columns.map((column) => column.title);
const rowsOf = (state: State) => paneView(state, 'containers')!.rows as readonly { readonly row: ContainerRow; readonly members: readonly string[] }[];
const cell = (state: State, column: string, row: ContainerRow) => {
  const { pane, context } = paneView(state, 'containers')!;
  return pane.columns.find(({ id }) => id === column)!.value(row, context);
};
const frameOf = (state: State): Frame => state.shown!.frame;
const byNode = (state: State): State => withPane({ ...state, focus: 'containers' }, 'containers', { grouping: 'node' });

describe('a cluster on the screen', () => {
  it('has a column NODE in every pane whose rows are of one, and a node alone has none', () => {
    const state = clusterState(), alone = liveState(CLUSTER);
    for (const pane of ['runqueue', 'opens', 'tcp', 'containers', 'processes'] as const) {
      expect(titles(state, pane), pane).toContain('NODE');
      expect(titles(alone, pane), pane).not.toContain('NODE');
    }
    // Rows of all containers together are of no node.
    expect(titles(state, 'syscalls')).not.toContain('NODE');
    expect(titles(press(state, 'u'), 'syscalls')).toContain('NODE');
  });

  it('filters and sorts by it, where it is', () => {
    const state = type({ ...clusterState(), focus: 'processes' }, '/node=worker-2');
    const { rows, context, total } = paneView(state, 'processes')!;
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.length).toBeLessThan(total);
    for (const { row } of rows) expect(context.container(row.container).node).toBe('worker-2');
    expect(type({ ...liveState(CLUSTER), focus: 'processes' }, '/node=worker-2').prompt?.error).toMatch(/no column node/);
    const sorted = withPane(clusterState(), 'containers', { sort: { column: 'node', descending: false } });
    const nodes = rowsOf(sorted).map(({ row }) => cell(sorted, 'node', row));
    expect(nodes).toEqual(nodes.toSorted());
    expect(text(press({ ...clusterState(), focus: 'containers' }, 's'))).toMatch(/sort by[^]*NODE/);
  });

  it('keeps processes of the same number on several nodes apart', () => {
    const { rows } = paneView(clusterState(), 'processes')!;
    expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
    expect(rows.length).toBe(frameOf(clusterState()).panes.processes.rows.length);
  });

  it('adds up the pods of a workload over the nodes', () => {
    const state = withPane(clusterState(), 'containers', { grouping: 'workload' });
    const { containers, panes } = frameOf(state);
    const oracle = Map.groupBy(panes.containers.rows.filter((row) => containers[row.container]?.owner != null), (row) => {
      const { namespace, owner } = containers[row.container]!;
      return `${namespace} ${owner?.kind} ${owner?.name}`;
    });
    for (const members of oracle.values()) {
      const found = rowsOf(state).find((one) => one.members.includes(members[0]!.container))!;
      expect(found.members.length).toBe(members.length);
      expect(found.row.tasks).toBe(members.reduce((n, row) => n + row.tasks!, 0));
      expect(cell(state, 'node', found.row)).toBe('3 nodes');
    }
    expect(oracle.size).toBeGreaterThan(3);
  });

  it('groups by node only where there are several, with all that a node has', () => {
    const groups = (state: State): (string | null)[] => {
      const seen: (string | null)[] = [];
      for (let now: State = { ...state, focus: 'containers' }; !seen.includes(now.panes.containers.grouping); now = press(now, 'u')) seen.push(now.panes.containers.grouping);
      return seen;
    };
    expect(groups(clusterState())).toEqual(['container', 'pod', 'workload', 'namespace', 'node']);
    expect(groups(liveState(CLUSTER))).toEqual(['container', 'pod', 'workload', 'namespace']);
    const state = byNode(clusterState());
    const rows = rowsOf(state);
    expect(rows.map(({ row }) => cell(state, 'node', row)).toSorted()).toEqual(NAMES);
    for (const { row, members } of rows) {
      const own = frameOf(state).panes.containers.rows.filter(({ container }) => members.includes(container));
      expect(own.length).toBe(16);
      expect(row.cpuPct).toBeCloseTo(own.reduce((n, one) => n + one.cpuPct!, 0), 6);
      expect(cell(state, 'container', row)).toMatch(/^\d+ containers$/);
    }
    expect(titles(state, 'containers')[0]).toBe('NODE');
  });

  it('goes from a node to its namespaces, workloads and pods without leaving it', () => {
    let state = press({ ...byNode(clusterState()), focus: 'containers' }, 'down', 'enter');
    const node = state.scope?.node as string;
    expect(NAMES).toContain(node);
    expect(state.panes.containers.grouping).toBe('namespace');
    for (const grouping of ['workload', 'pod', 'container']) {
      const { rows, context } = paneView(state, 'containers')!;
      expect(rows.every(({ members }) => members.every((key) => context.container(key).node === node))).toBe(true);
      expect(rows.length).toBeGreaterThan(0);
      expect(titles(state, 'containers')).not.toContain('NODE');
      state = press({ ...withPane(state, 'containers', { selected: rows.find(({ row }) => context.container(row.container).namespace === 'shop')?.key ?? rows[0]!.key }), focus: 'containers' }, 'enter');
      expect(state.scope?.node).toBe(node);
      expect(state.panes.containers.grouping).toBe(grouping);
    }
    expect(state.scope?.crumbs?.[0]).toBe(`node:${node}`);
    expect(text(state)).toContain(`node:${node}`);
    for (let i = 0; i < 4; i++) state = press(state, 'esc');
    expect(state.scope).toBeNull();
    expect(state.panes.containers.grouping).toBe('node');
  });

  it('says in the header how many nodes there are, who is missing, and that clocks differ', () => {
    expect(text(clusterState()).split('\n')[0]).toMatch(/prod\s+3 nodes\s/);
    const late = clusterState({ silent: ['worker-2'], quiet: 6 });
    expect(text(late).split('\n')[0]).toMatch(/3 nodes, 1 late/);
    expect(rowsOf(byNode(late)).length).toBe(2);
    const [first, ...others] = frameOf(late).nodes!;
    const apart: Frame = { ...frameOf(late), nodes: [{ ...first!, skewMs: 12_340 }, ...others] };
    expect(text(shows(late, new History(), apart)).split('\n')[0]).toContain('clocks 12.3s apart');
    expect(text(liveState(CLUSTER)).split('\n')[0]).toMatch(/worker-1\s+linux.*cgroup v2/);
  });

  it('lists the nodes with their reasons, and has no such list on a node alone', () => {
    const screen = text(press(clusterState({ silent: ['worker-2'], quiet: 6 }), 'N'));
    expect(screen).toMatch(/worker-1\s+ok\s+\d\d:\d\d:\d\d/);
    expect(screen).toMatch(/worker-2\s+late/);
    expect(screen).toContain('nothing from it for 6 s');
    expect(screen).toMatch(/ 0\.0s\s+1\.0s/);
    expect(press(liveState(CLUSTER), 'N').overlay).toBeNull();
    for (const [width, height] of [[80, 24], [40, 10], [20, 6], [8, 3]] as const) {
      const lines = drawScreen(press({ ...clusterState(), size: { width, height } }, 'N'));
      expect(lines.length).toBe(height);
      for (const line of lines) expect(plain(line).length).toBe(width);
    }
  });

  it('tells the node of a row in its details', () => {
    const state = press({ ...clusterState(), focus: 'containers' }, 'down', 'd');
    expect(text(state)).toMatch(/node\s+worker-\d/);
    expect(text(press({ ...liveState(CLUSTER), focus: 'containers' }, 'down', 'd'))).not.toMatch(/^.*\bnode {2,}\S/m);
  });

  it('tells on which node somebody else\'s fault is armed, and has no key to arm one', () => {
    const state = clusterState();
    const fault = { id: 1, node: 'worker-2', rule: 'openat ENOSPC', target: '5001@worker-2', targets: ['5001@worker-2'], targetName: 'shop/web-1', backend: 'lsm', hits: 3, remainingMs: 9000, remainingHits: 97, dryRun: false, state: 'armed' } as const;
    const armed = shows(state, new History(), { ...frameOf(state), chaos: [fault] });
    expect(text(armed)).toMatch(/CHAOS openat ENOSPC on shop\/web-1 on worker-2 9s left 3\/100 hits/);
    expect(press(armed, 'c')).toBe(armed);
  });

  it('counts what a node tells once, however often its Frame is shown', () => {
    const fleet = new Fleet(['worker-1']);
    const told = clusterState({ fleet, ticks: 2 });
    const rows = told.shown!.history.totals().syscalls.reduce((n, row) => n + row.count, 0);
    const events = told.shown!.history.stream('opens').length, lost = told.shown!.history.lost();
    // Nothing new comes for two ticks, but rates go on.
    const history = told.shown!.history;
    let state = told;
    for (let i = 0; i < 2; i++) state = shows(state, history, fleet.tick(['worker-1']));
    expect(frameOf(state).nodes?.[0]?.repeated).toBe(true);
    expect(frameOf(state).panes.syscalls.rows.length).toBeGreaterThan(0);
    expect(history.totals().syscalls.reduce((n, row) => n + row.count, 0)).toBe(rows);
    expect(history.stream('opens').length).toBe(events);
    expect(history.lost()).toBe(lost);
    const rates = history.rates('opens', ['*'], 4);
    expect(rates[3]).toBeGreaterThan(0);
    expect(rates[3]).toBe(rates[1]);
  });

  it('has the rates of a node with a longer interval right', () => {
    const fleet = new Fleet(['worker-1'], { intervalMs: 5000 });
    const { shown } = clusterState({ fleet, ticks: 1 });
    const [rate = Number.NaN] = shown!.history.rates('opens', ['*'], 1);
    expect(rate).toBeCloseTo(shown!.frame.panes.opens.ratePerSec, 6);
  });
});
