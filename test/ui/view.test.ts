import { describe, expect, it } from 'vitest';
import type { Frame, SyscallRow } from '../../src/frame/frame.ts';
import { callKey } from '../../src/frame/panes/syscalls.ts';
import { History } from '../../src/ui/history/history.ts';
import { parseFilter } from '../../src/ui/filter.ts';
import type { State } from '../../src/ui/model.ts';
import { withPane } from '../../src/ui/model.ts';
import { paneOf } from '../../src/ui/rows.ts';
import { containerScope, namespaceScope } from '../../src/ui/scope.ts';
import { contextFor, paneView, selectedRow, windowOffset } from '../../src/ui/view.ts';
import { FakeNode } from './fixtures.ts';
import { OPTIONS, emptyState, liveState, shows, withRows } from './states.ts';

const rowsOf = (state: State, pane: Parameters<typeof paneView>[1]) => paneView(state, pane)?.rows ?? [];
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const frameOf = (state: State): Frame => state.shown!.frame;
const scopeOn = (state: State, key: string) => containerScope(key, contextFor(state.shown!).container(key));

describe('paneView', () => {
  it('is null before the first Frame', () => {
    expect(paneView(emptyState(), 'syscalls')).toBeNull();
    expect(selectedRow(emptyState(), 'syscalls')).toBeNull();
  });

  it('shows a call of all containers as one row, with nothing lost', () => {
    const state = liveState();
    const merged = rowsOf(state, 'syscalls');
    expect(merged.length).toBe(new Set(frameOf(state).panes.syscalls.rows.map((row) => row.syscall)).size);
    expect(sum(merged.map(({ row }) => (row as SyscallRow).count))).toBe(sum(frameOf(state).panes.syscalls.rows.map((row) => row.count)));
    expect(merged.flatMap((row) => row.members).length).toBe(frameOf(state).panes.syscalls.rows.length);
  });

  it('shows each container by itself when ungrouped, scoped to one, or broken down', () => {
    const state = liveState();
    const rows = frameOf(state).panes.syscalls.rows;
    const apart = rows.filter((row) => row.container !== '78').length + rows.filter((row) => row.container === '78' && !rows.some((other) => other.container === '5002' && other.nr === row.nr)).length;
    expect(rowsOf(withPane(state, 'syscalls', { grouping: 'container' }), 'syscalls').length).toBe(apart);
    expect(rowsOf({ ...state, scope: scopeOn(state, '5000') }, 'syscalls').length).toBe(rows.filter((row) => row.container === '5000').length);
    const read = rows.find((row) => row.syscall === 'read')!;
    const broken = rowsOf({ ...state, breakdown: { key: callKey(read), label: 'read' } }, 'syscalls');
    expect(broken.length).toBe(rows.filter((row) => row.syscall === 'read' && row.container !== '78').length);
  });

  it('keeps the key of a merged row when only one container is left in it', () => {
    const node = new FakeNode(), history = new History();
    const frame = node.next();
    const state = shows(emptyState(), history, frame);
    const before = rowsOf(state, 'syscalls').find(({ row }) => (row as SyscallRow).syscall === 'read')?.key;
    const after = shows(state, history, withRows(node.next(), 'syscalls', frame.panes.syscalls.rows.filter((row) => row.container === '5000')));
    expect(rowsOf(after, 'syscalls').some(({ key }) => key === before)).toBe(true);
  });

  it('scopes every pane, the command line\'s scope and the screen\'s together', () => {
    const state = liveState({ scope: namespaceScope('shop') });
    for (const id of ['syscalls', 'runqueue', 'opens', 'tcp', 'containers'] as const) {
      const view = paneView(withPane(state, 'syscalls', { grouping: 'container' }), id)!;
      expect(view.rows.length).toBeGreaterThan(0);
      for (const { row } of view.rows) expect(view.context.container(row.container).namespace).toBe('shop');
    }
    const both = { ...state, baseScope: namespaceScope('payments') };
    expect(rowsOf(both, 'containers')).toEqual([]);
  });

  it('finds the container of an old row that the Frame does not name any more', () => {
    const node = new FakeNode(), history = new History();
    let state = shows(emptyState(), history, node.next());
    state = shows(state, history, { ...node.next(), containers: {} });
    expect(contextFor(state.shown!).container('5000').namespace).toBe('shop');
    expect(contextFor(state.shown!).container('none').kind).toBe('unknown');
  });

  it('filters, and says how many there were', () => {
    const { filter } = parseFilter('read', paneOf('syscalls').columns);
    const view = paneView(withPane(liveState(), 'syscalls', { filter }), 'syscalls')!;
    expect(view.rows.map(({ row }) => (row as SyscallRow).syscall)).toEqual(['read']);
    expect(view.total).toBeGreaterThan(5);
  });

  it('shows only rows with trouble on request', () => {
    for (const id of ['syscalls', 'opens', 'tcp', 'containers', 'runqueue'] as const) {
      const state = withPane(liveState({}, { ticks: 20 }), id, { errorsOnly: true });
      for (const { row } of rowsOf(state, id)) expect(paneOf(id).isTrouble(row, paneView(state, id)!.context)).toBe(true);
    }
    expect(rowsOf(withPane(liveState({}, { ticks: 20 }), 'opens', { errorsOnly: true }), 'opens').length).toBeGreaterThan(0);
  });

  it('sorts by any column in both directions, unknown last', () => {
    const state = liveState();
    const column = (id: string, descending: boolean) => rowsOf(withPane(state, 'containers', { sort: { column: id, descending } }), 'containers').map(({ row }) => paneOf('containers').columns.find((one) => one.id === id)!.value(row, contextFor(state.shown!)));
    const memory = column('memoryBytes', true);
    expect(memory.at(-1)).toBeNull();
    expect(memory.slice(0, -1)).toEqual(memory.slice(0, -1).toSorted((a, b) => Number(b) - Number(a)));
    const ascending = column('memoryBytes', false);
    expect(ascending.at(-1)).toBeNull();
    expect(ascending[0]).toBe(memory.at(-2));
    const names = column('namespace', false).filter((name) => name !== null);
    expect(names).toEqual(names.toSorted());
  });

  it('puts clearly larger values first, and leaves alike ones in the order of their means', () => {
    const node = new FakeNode(), history = new History();
    const rows = (a: number, b: number, c: number) => {
      const frame = node.next();
      const [one] = frame.panes.containers.rows;
      return withRows(frame, 'containers', [['5000', a], ['5001', b], ['5002', c]].map(([container, cpuPct]) => ({ ...one!, container: String(container), cpuPct: Number(cpuPct) })));
    };
    const order = (state: State) => rowsOf(state, 'containers').map(({ members }) => members[0]);
    let state = shows(emptyState(), history, rows(50, 40, 90));
    expect(order(state)).toEqual(['5002', '5000', '5001']);
    // 41 and 42 are alike: who used more over the last ticks stays above.
    state = shows(state, history, rows(41, 42, 90));
    expect(order(state)).toEqual(['5002', '5000', '5001']);
    // Twice as much is not.
    state = shows(state, history, rows(41, 99, 30));
    expect(order(state)).toEqual(['5001', '5000', '5002']);
  });

  it('has the newest event first', () => {
    const times = rowsOf(liveState(), 'opens').map(({ row }) => (row as { time: string }).time);
    expect(times).toEqual(times.toSorted().reverse());
    const oldest = rowsOf(withPane(liveState(), 'opens', { sort: { column: 'time', descending: false } }), 'opens').map(({ row }) => (row as { time: string }).time);
    expect(oldest).toEqual(times.toReversed());
  });

  it('leaves out columns that would say nothing', () => {
    const state = liveState();
    const columns = (one: State, id: 'syscalls' | 'opens') => paneView(one, id)!.columns.map((column) => column.id);
    expect(columns(state, 'syscalls')).not.toContain('container');
    expect(columns(withPane(state, 'syscalls', { grouping: 'container' }), 'syscalls').slice(0, 2)).toEqual(['syscall', 'container']);
    expect(columns(state, 'opens')).toContain('container');
    expect(columns({ ...state, scope: scopeOn(state, '5000') }, 'opens')).not.toContain('container');
    expect(columns(state, 'syscalls')).not.toContain('injected');
    const frame = withRows(frameOf(state), 'syscalls', frameOf(state).panes.syscalls.rows.map((row, i) => ({ ...row, injected: i === 0 ? 3 : 0 })));
    expect(columns({ ...state, shown: { ...state.shown!, frame } }, 'syscalls')).toContain('injected');
  });

  it('shows sums since the start in place of the last interval', () => {
    const state = liveState({ totals: true }, { ticks: 7 });
    const counts = (one: State) => sum(rowsOf(one, 'syscalls').map(({ row }) => (row as SyscallRow).count));
    expect(counts(state)).toBeGreaterThan(5 * counts({ ...state, totals: false }));
    // Events and containers have no sums.
    expect(rowsOf(state, 'containers')).toEqual(rowsOf({ ...state, totals: false }, 'containers'));
  });
});

describe('the window on the rows', () => {
  const state = liveState({}, { ticks: 30 });
  const open = (selected: number, more = {}) => {
    const rows = rowsOf(state, 'opens');
    return withPane(state, 'opens', { selected: rows[selected]!.key, index: selected, ...more });
  };
  const offset = (one: State, id: 'opens' | 'containers', height: number) => windowOffset(paneView(one, id)!, one.panes[id], height);

  it('shows the first rows while nothing is selected', () => {
    expect(offset(state, 'opens', 5)).toBe(0);
  });

  it('always holds the selected row', () => {
    for (const selected of [0, 3, 50, 200]) {
      for (const line of [0, 4, 100, -3]) {
        const at = offset(open(selected, { line }), 'opens', 10);
        expect(selected).toBeGreaterThanOrEqual(at);
        expect(selected).toBeLessThan(at + 10);
      }
    }
  });

  it('keeps the line of a selected event while new ones come in above it', () => {
    const node = new FakeNode(), history = new History();
    let one = emptyState();
    for (let i = 0; i < 5; i++) one = shows(one, history, node.next());
    const { key } = rowsOf(one, 'opens')[2]!;
    one = withPane(one, 'opens', { selected: key, index: 2, line: 2 });
    for (let i = 0; i < 3; i++) {
      one = shows(one, history, node.next());
      const view = paneView(one, 'opens')!;
      expect(view.rows[view.selected]?.key).toBe(key);
      expect(view.selected - offset(one, 'opens', 6)).toBe(2);
    }
  });

  it('stays where a row was that is gone', () => {
    const gone = withPane(state, 'containers', { selected: 'no such row', index: 4 });
    expect(paneView(gone, 'containers')?.selected).toBe(4);
    const far = withPane(state, 'containers', { selected: 'no such row', index: 4000 });
    expect(paneView(far, 'containers')?.selected).toBe(rowsOf(state, 'containers').length - 1);
  });
});

describe('the options', () => {
  it('set scope, filters and orders to start with', () => {
    const filter = parseFilter('etcd', paneOf('containers').columns).filter;
    const state = emptyState({}, { ...OPTIONS, scope: namespaceScope('payments'), sort: { containers: { column: 'memoryBytes', descending: false } } });
    expect(state.panes.containers.sort).toEqual({ column: 'memoryBytes', descending: false });
    const live = shows(withPane(state, 'containers', { filter }), new History(), new FakeNode().next());
    expect(rowsOf(live, 'containers').length).toBeGreaterThan(0);
    for (const { row } of rowsOf(live, 'containers')) expect(paneView(live, 'containers')!.context.container(row.container).container).toBe('etcd');
  });
});
