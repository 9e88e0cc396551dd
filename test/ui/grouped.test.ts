/** Rows put together, against sums made by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContainerRow, Frame, RunqueueRow, SyscallRow } from '../../src/frame/frame.ts';
import { GROUPS } from '../../src/frame/grouping.ts';
import { History } from '../../src/ui/history/history.ts';
import type { State } from '../../src/ui/model.ts';
import { withPane } from '../../src/ui/model.ts';
import { paneView } from '../../src/ui/view.ts';
import { anyFrame } from './arbitrary.ts';
import { plain } from './cells.ts';
import { FakeNode } from './fixtures.ts';
import { emptyState, liveState, press, shows } from './states.ts';
import { drawScreen } from '../../src/ui/screen.ts';

const by = (state: State, grouping: string) => withPane(state, 'containers', { grouping });
const view = (state: State) => paneView(state, 'containers')!;
const rowsOf = (state: State) => view(state).rows as readonly { readonly key: string; readonly row: ContainerRow; readonly members: readonly string[] }[];
const frameOf = (state: State): Frame => state.shown!.frame;
const SUMS = ['cpuPct', 'memoryBytes', 'syscallsPerSec', 'errorsPerSec', 'opensPerSec', 'connectsPerSec', 'tasks'] as const;
const large = () => liveState({}, { node: new FakeNode({ containers: 40 }) });

/** What stands in the cells of a column, by the names of the row. */
function cells(state: State, column: string): Map<string, string | number | null> {
  const { rows, pane, context } = view(state);
  const value = (id: string, row: (typeof rows)[number]['row']) => pane.columns.find((one) => one.id === id)!.value(row, context);
  return new Map(rows.map(({ row }) => [['namespace', 'owner', 'pod', 'container'].map((id) => value(id, row) ?? '-').join(' '), value(column, row)]));
}

describe('containers put together', () => {
  it('are the cgroups of a container to begin with', () => {
    const state = liveState();
    const rows = rowsOf(state);
    expect(rows.length).toBe(frameOf(state).panes.containers.rows.length - 1);
    const etcd = rows.find(({ members }) => members.includes('5002'))!;
    expect(etcd.members.toSorted()).toEqual(['5002', '78']);
    const own = frameOf(state).panes.containers.rows.filter(({ container }) => container === '5002' || container === '78');
    expect(etcd.row.cpuPct).toBeCloseTo(own.reduce((n, row) => n + row.cpuPct!, 0), 9);
    expect(etcd.row.runqueueP99Us).toBe(Math.max(...own.map((row) => row.runqueueP99Us!)));
    expect(cells(state, 'cpuPct').get('payments sts/etcd-28e2 etcd-28e2-0 etcd')).toBe(etcd.row.cpuPct);
  });

  it('are what an oracle makes of them, by pod, workload and namespace', () => {
    const state = large();
    const { containers, panes } = frameOf(state);
    for (const grouping of ['pod', 'workload', 'namespace'] as const) {
      const oracle = Map.groupBy(panes.containers.rows, ({ container }) => {
        const { namespace, pod, podUid, owner, kind, cgroupId } = containers[container]!;
        if (grouping === 'namespace') return namespace ?? (kind === 'pod' ? '?' : '');
        if (grouping === 'workload' && owner !== null) return `${namespace} ${owner.kind} ${owner.name}`;
        return podUid === null ? cgroupId : `${namespace} ${pod} ${podUid}`;
      });
      const rows = rowsOf(by(state, grouping));
      expect(rows.length).toBe(oracle.size);
      for (const group of oracle.values()) {
        const found = rows.find(({ members }) => members.includes(group[0]!.container))!;
        expect(found.members.toSorted()).toEqual(group.map(({ container }) => container).toSorted());
        for (const field of SUMS) {
          const known = group.map((row) => row[field]).filter((n) => n !== null);
          expect(found.row[field]).toBeCloseTo(known.reduce((a, b) => a + b, 0), 6);
        }
        expect(found.row.runqueueP99Us).toBe(Math.max(...group.map((row) => row.runqueueP99Us!)));
      }
    }
  });

  it('never lose or double a number, whatever the Frame holds, in whatever scope', () => {
    fc.assert(fc.property(anyFrame, fc.constantFrom(...GROUPS), (frame, grouping) => {
      const state = by(shows(emptyState(), new History(), frame), grouping);
      if (frame.panes.containers.state.status !== 'ok') return;
      const rows = rowsOf(state);
      expect(rows.flatMap(({ members }) => members).toSorted()).toEqual(frame.panes.containers.rows.map((row) => row.container).toSorted());
      for (const field of SUMS) {
        const known = frame.panes.containers.rows.map((row) => row[field]).filter((n) => n !== null);
        const shown = rows.map(({ row }) => row[field]).filter((n) => n !== null);
        const [all, merged] = [known, shown].map((values) => values.reduce((a, b) => a + b, 0)) as [number, number];
        expect(Math.abs(all - merged)).toBeLessThanOrEqual(1e-9 * Math.abs(all));
        if (known.length === 0) expect(shown).toEqual([]);
      }
      const syscalls = paneView(withPane(state, 'syscalls', { grouping: 'container' }), 'syscalls')!.rows;
      expect(syscalls.reduce((n, { row }) => n + BigInt((row as SyscallRow).count), 0n)).toBe(frame.panes.syscalls.rows.reduce((n, row) => n + BigInt(row.count), 0n));
    }), { numRuns: 300 });
  });

  it('say what is common and how many there are of the rest', () => {
    const names = [...cells(by(large(), 'workload'), 'restarts')];
    expect(names).toContainEqual(['shop deploy/cart 5 pods 5 containers', 85]);
    expect(names.find(([name]) => name.startsWith('shop deploy/web'))).toEqual(['shop deploy/web 5 pods 9 containers', 0]);
    expect([...cells(by(large(), 'namespace'), 'status').keys()]).toEqual(expect.arrayContaining(['shop - 10 pods 14 containers', '(no namespace) - - 2 cgroups']));
    // Also a group of one says what it is.
    expect([...cells(by(large(), 'namespace'), 'status').keys()].some((name) => name.startsWith('(not known) - pod 0b9e4c1e '))).toBe(true);
    expect([...cells(by(liveState(), 'pod'), 'ready')]).toContainEqual(['shop deploy/web web-5d9f6c7b8-iz6xk 2 containers', '2/2']);
  });

  it('leave services, the host and pods without an owner by themselves', () => {
    const keys = [...cells(by(large(), 'workload'), 'cpuPct').keys()];
    expect(keys).toEqual(expect.arrayContaining(['- - - host', '- - - containerd.service']));
    expect(keys.filter((name) => name.startsWith('ingress'))).toHaveLength(4);
  });

  it('keep their keys, their selection and their trends from tick to tick', () => {
    const node = new FakeNode({ containers: 20 }), history = new History();
    let state = by(press(shows(emptyState(), history, node.next()), '5'), 'workload');
    state = press(state, 'down', 'down');
    const key = state.panes.containers.selected;
    for (let i = 0; i < 6; i++) state = shows(state, history, node.next());
    const selected = view(state).rows[view(state).selected]!;
    expect(selected.key).toBe(key);
    const trend = history.trend('containers', 'cpuPct', selected.members, 1);
    expect(trend[0]).toBeCloseTo((selected.row as ContainerRow).cpuPct!, 3);
  });

  it('sort and filter by the columns of Kubernetes', () => {
    const filtered = (text: string) => {
      const state = press(press(press(large(), '5', '/'), ...text), 'enter');
      expect(state.panes.containers.filter?.text).toBe(text);
      return view(state);
    };
    for (const [text, expected] of [['status=crashloopbackoff', 5], ['ns=payments', 5], ['owner=deploy/web', 9], ['workload=deploy/web ready=2/2', 9], ['restarts>0', 5], ['qos=guaranteed', 14], ['qos=ga', 14]] as const) {
      expect([text, filtered(text).rows.length]).toEqual([text, expected]);
    }
    const old = filtered('age>1d');
    const all = view(press(large(), '5'));
    const age = (one: typeof all, i: number) => one.pane.columns.find(({ id }) => id === 'ageSeconds')!.value(one.rows[i]!.row, one.context) as number | null;
    expect(old.rows.length).toBe(all.rows.filter((_, i) => (age(all, i) ?? 0) > 86_400).length);
    expect(old.rows.length).toBeGreaterThan(0);
    const sorted = view(withPane(large(), 'containers', { sort: { column: 'ageSeconds', descending: true } }));
    const ages = sorted.rows.map((_, i) => age(sorted, i)).filter((one) => one !== null);
    expect(ages).toEqual(ages.toSorted((a, b) => b - a));
  });

  it('are trouble when their pod is', () => {
    const state = press(liveState({}, { node: new FakeNode({ events: 0 }) }), '5', '!');
    expect(view(state).rows.some(({ members }) => members.includes('5001'))).toBe(true);
  });
});

describe('other panes', () => {
  it('put the cgroups of a container together, too', () => {
    const state = liveState();
    const waits = paneView(state, 'runqueue')!.rows;
    const own = frameOf(state).panes.runqueue.rows.filter(({ container }) => container === '5002' || container === '78');
    const etcd = waits.find(({ members }) => members.includes('5002'))!.row as RunqueueRow;
    expect(etcd.count).toBe(own.reduce((n, row) => n + row.count, 0));
    expect(etcd.latency?.count).toBe(own.reduce((n, row) => n + (row.latency?.count ?? 0), 0));
    const reads = paneView(withPane(state, 'syscalls', { grouping: 'container' }), 'syscalls')!.rows.filter(({ members }) => members.some((one) => one === '5002 x86_64 0' || one === '78 x86_64 0'));
    expect(reads).toHaveLength(1);
  });
});

describe('u', () => {
  it('goes through the groupings of the focused pane, U back', () => {
    let state = press(liveState(), '5');
    const seen = [0, 1, 2, 3].map(() => (state = press(state, 'u')).panes.containers.grouping);
    expect(seen).toEqual(['pod', 'workload', 'namespace', 'container']);
    expect(press(state, 'U').panes.containers.grouping).toBe('namespace');
    expect(press(liveState(), 'u').panes.syscalls.grouping).toBe('container');
    expect(press(liveState(), 'u', 'u').panes.syscalls.grouping).toBe('all');
    expect(press(liveState(), '3', 'u').message?.text).toMatch(/nothing to put together/);
  });

  it('says in the title what it has done', () => {
    const text = (state: State) => drawScreen({ ...state, message: null }).map(plain).join('\n');
    expect(text(press(liveState(), '5', 'u'))).toContain('5 containers by pod  6 processes');
    expect(text(press(liveState(), '5', 'u', 'u'))).toContain('5 containers by workload');
    expect(text(liveState())).not.toMatch(/containers by (container|pod)|all containers/);
    expect(text(press(liveState(), 'u'))).toContain('1 syscalls by container');
  });
});
