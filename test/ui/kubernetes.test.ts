/** What Kubernetes knows, on the screen: which columns find room where, and what the details tell. */
import { describe, expect, it } from 'vitest';
import type { ContainerInfo, Frame } from '../../src/frame/frame.ts';
import { History } from '../../src/ui/history/history.ts';
import type { State } from '../../src/ui/model.ts';
import { withPane } from '../../src/ui/model.ts';
import { drawScreen } from '../../src/ui/screen.ts';
import { paneView } from '../../src/ui/view.ts';
import { plain } from './cells.ts';
import { FakeNode } from './fixtures.ts';
import { emptyState, liveState, press, shows } from './states.ts';

const text = (state: State) => drawScreen(state).map(plain);
/** The headings of a pane's table where it stands. */
const heading = (state: State, first: RegExp) => (text(state).find((line) => first.test(line) && !/[╭┏]/.test(line)) ?? '').split(/[│┃▶]/).find((part) => first.test(part))?.trim().split(/\s{1,}(?!P99)/) ?? [];
const sized = (width: number, height: number) => liveState({ size: { width, height } }, { node: new FakeNode({ containers: 20 }) });

/** The same Frame on a node where nobody but the cgroup path tells anything. */
function without(fields: Partial<ContainerInfo>): Frame {
  const frame = new FakeNode().next();
  return { ...frame, containers: Object.fromEntries(Object.entries(frame.containers).map(([key, info]) => [key, { ...info, ...fields }])) };
}

describe('the columns of the containers pane', () => {
  it('at 80 columns are who, and the totals of all other panes', () => {
    expect(heading(sized(80, 24), /CPU%/)).toEqual(['NAMESPACE', 'POD', 'CONTAINER', 'CPU%▼', 'MEM', 'SYSC/s', 'RQ P99', 'OPEN/s', 'TCP/s']);
    for (const column of ['syscallsPerSec', 'runqueueP99Us', 'opensPerSec', 'memoryBytes', 'connectsPerSec']) {
      expect(heading(withPane(sized(80, 24), 'containers', { sort: { column, descending: true } }), /CPU%/)).toHaveLength(9);
    }
  });

  it('at 160 columns are those of kubectl besides', () => {
    const titles = heading(sized(160, 45), /CPU%/);
    expect(titles).toEqual(expect.arrayContaining(['NAMESPACE', 'POD', 'CONTAINER', 'CPU%▼', 'MEM', 'SYSC/s', 'RQ P99', 'OPEN/s', 'TCP/s', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'QOS']));
    expect(text(sized(160, 45)).join('\n')).toMatch(/cart-7b4e\S+ .* 0\/1 {2}CrashLoopBackOff! +\*17 /);
    expect(heading(sized(250, 60), /CPU%/)).toEqual(expect.arrayContaining(['OWNER', 'ERR/s', 'IMAGE']));
  });

  it('take no room where nobody knows them, and stay while a filter hides those that do', () => {
    const bare = shows(emptyState({ size: { width: 160, height: 45 } }), new History(), without({ podStatus: null, qos: null, owner: null, image: null }));
    for (const title of ['READY', 'STATUS', 'RESTARTS', 'AGE', 'QOS', 'OWNER', 'IMAGE']) expect(heading(bare, /CPU%/)).not.toContain(title);
    const nowhere = shows(emptyState({ size: { width: 80, height: 24 } }), new History(), without({ podStatus: null, qos: null, namespace: null, pod: null, podUid: null }));
    expect(heading(nowhere, /CPU%/).slice(0, 2)).toEqual(['CONTAINER', 'CPU%▼']);
    const filtered = press(press(sized(160, 45), '5', '/'), ...'container=host', 'enter');
    expect(paneView(filtered, 'containers')!.rows).toHaveLength(1);
    expect(heading(filtered, /CPU%/)).toContain('STATUS');
    // The column that rows are sorted by does not leave.
    expect(heading(withPane(bare, 'containers', { sort: { column: 'status', descending: false } }), /CPU%/)).toContain('STATUS▲');
  });

  it('leave out what the scope says', () => {
    const scoped = (...keys: string[]) => heading(press(sized(160, 45), '5', ...keys), /CPU%/);
    expect(scoped('n', 'p', 'a', 'y', 'enter')[0]).toBe('POD');
    expect(scoped('u', '/', ...'web-5d9f', 'enter', 'enter')[0]).toBe('CONTAINER');
    expect(scoped('u', 'u')).toEqual(expect.arrayContaining(['NAMESPACE', 'OWNER', 'POD', 'CONTAINER']));
    expect(scoped('u', 'u').indexOf('OWNER')).toBe(1);
    expect(heading(press(sized(80, 24), '5', 'u', 'u'), /CPU%/)).toEqual(expect.arrayContaining(['OWNER', 'CONTAINER', 'CPU%▼']));
  });

  it('mark what is wrong in colour and without', () => {
    const crash = (depth: 0 | 16) => drawScreen({ ...press(sized(160, 45), '5', 'z'), depth }).find((line) => line.includes('CrashLoopBackOff') && !line.includes('\x1b[7m')) ?? '';
    expect(plain(crash(0))).toContain('CrashLoopBackOff!');
    expect(crash(16)).toMatch(/\x1b\[1;31mCrashLoopBackOff!?/);
    expect(crash(16)).toMatch(/\x1b\[33m +\*?17/);
  });
});

describe('pids', () => {
  it('are those of the host and of the container, side by side, at 160 columns', () => {
    expect(heading(sized(160, 45), /PATH/).slice(0, 3)).toEqual(['PID', 'NSPID', 'COMM']);
    expect(text(sized(160, 45)).join('\n')).toMatch(/PID +NSPID +COMM .* REMOTE/);
  });

  it('leave the host\'s in opens at 80 columns, and the container\'s own in a container', () => {
    expect(heading(sized(80, 24), /PATH/)).toEqual(['PID', 'COMM', 'RET', 'PATH']);
    const inside = press(sized(80, 24), '5', 'enter');
    expect(heading(inside, /PATH/)).toEqual(['NSPID', 'COMM', 'RET', 'PATH']);
    expect(heading(press(inside, 'enter'), /PATH/)).not.toContain('NSPID');
  });

  it('are never cut', () => {
    const frame = new FakeNode().next();
    const big = { ...frame, panes: { ...frame.panes, opens: { ...frame.panes.opens, rows: frame.panes.opens.rows.map((row) => ({ ...row, pid: 4_194_300 })) } } };
    for (const width of [80, 100, 120, 160]) {
      const state = shows(emptyState({ size: { width, height: 40 } }), new History(), big);
      expect(text(state).join('\n')).not.toMatch(/41943…|419…/);
    }
  });
});

describe('a container without a name', () => {
  it('shows its short id and that something is missing', () => {
    const state = sized(160, 60);
    const id = state.shown!.frame.containers['99']!.containerId!.slice(0, 12);
    expect(text(state).join('\n')).toMatch(new RegExp(`pod 0b9e4c1e +${id}\\?`));
    // A search finds it without the mark.
    expect(paneView(press(press(state, '5', '/'), ...`container=${id}`, 'enter'), 'containers')!.rows).toHaveLength(1);
  });

  it('says in the details why', () => {
    const state = press(sized(100, 200), '5');
    const row = paneView(state, 'containers')!.rows.find(({ members }) => members.includes('99'))!;
    expect(text(press(withPane(state, 'containers', { selected: row.key }), 'd')).join('\n')).toMatch(/not known {6}no OCI bundle/);
  });
});

describe('details', () => {
  const details = (names: readonly string[], grouping = 'container') => {
    const state = withPane(press(liveState({ size: { width: 109, height: 200 } }), '5'), 'containers', { grouping });
    const row = paneView(state, 'containers')!.rows.find(({ members }) => names.every((name) => members.includes(name)))!;
    return press(withPane(state, 'containers', { selected: row.key }), 'd');
  };

  it('tell the pod\'s status, owner, age and labels, one a line', () => {
    const joined = text(details(['5001'])).join('\n');
    for (const line of [/status +CrashLoopBackOff/, /ready +0 of 1 containers/, /restarts +17/, /age +166m, since 2026-11-2\dT/, /owner +Deployment\/cart/, /labels +app=app/, / {15}pod-template-hash=5d9f6c7b8/, /image +registry\.local\/app:1\.1/, /qos +Burstable/]) expect(joined).toMatch(line);
  });

  it('tell of a group what its containers have in common', () => {
    const joined = text(details(['5000', '5008'], 'pod')).join('\n');
    expect(joined).toMatch(/container +2 containers/);
    expect(joined).toMatch(/labels +pod-template-hash=5d9f6c7b8/);
    expect(joined).not.toMatch(/app=nginx/);
  });

  it('go on to know who a group was when it is gone', () => {
    const state = details(['5000', '5008'], 'pod');
    const frame = state.shown!.frame;
    const next = shows(state, state.shown!.history, { ...frame, panes: { ...frame.panes, containers: { ...frame.panes.containers, rows: [] } } });
    const joined = text(next).join('\n');
    expect(joined).toContain('not in this interval');
    expect(joined).toMatch(/POD +web-5d9f6c7b8-iz6xk/);
  });

  it('are of the scope where calls are ranked by container', () => {
    const state = press(liveState({ size: { width: 160, height: 200 } }, { node: new FakeNode({ containers: 20 }) }), 'n', ...'shop', 'enter', '1', 'down', 'd');
    const joined = text(state).join('\n');
    expect(joined).toMatch(/Per second by container[\s\S]*shop\/web/);
    expect(joined).not.toContain('kube-system/');
  });
});

describe('names that come late', () => {
  it('are in rows that are shown already, and group them', () => {
    const history = new History();
    const known = new FakeNode();
    const frame = known.next();
    const nameless = Object.fromEntries(Object.entries(frame.containers).map(([key, info]) => [key, { ...info, namespace: null, pod: null, container: null, owner: null, unresolved: 'nobody has answered yet' }]));
    let state = shows(emptyState({ size: { width: 160, height: 45 } }), history, { ...frame, containers: nameless });
    expect(text(state).join('\n')).not.toContain('shop/');
    const next = known.next();
    state = shows(state, history, { ...next, panes: { ...next.panes, opens: { ...next.panes.opens, rows: [] } }, containers: {}, learned: frame.containers });
    const names = paneView(state, 'opens')!.rows.map(({ row }) => paneView(state, 'opens')!.context.container(row.container));
    expect(names.every((info) => info.kind !== 'pod' || info.pod !== null || info.cgroupId === '99')).toBe(true);
    expect(names.length).toBeGreaterThan(0);
  });
});
