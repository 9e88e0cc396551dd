import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OpenRow, PaneId, ProcessRow } from '../../../src/frame/frame.ts';
import { GROUPS } from '../../../src/frame/grouping.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { History } from '../../../src/ui/history/history.ts';
import type { State } from '../../../src/ui/model.ts';
import { withPane } from '../../../src/ui/model.ts';
import { drawScreen } from '../../../src/ui/screen.ts';
import { contextFor, paneView } from '../../../src/ui/view.ts';
import { anyFrame } from '../arbitrary.ts';
import { plain } from '../cells.ts';
import { FakeNode } from '../fixtures.ts';
import { emptyState, liveState, press, shows, type } from '../states.ts';

const node = () => new FakeNode({ containers: 40, events: 60 });
const start = (more: Partial<State> = {}) => press(liveState({ size: { width: 160, height: 45 }, ...more }, { node: node() }), '5');
const text = (state: State) => drawScreen({ ...state, message: null }).map(plain).join('\n');
const rowsOf = (state: State, id: PaneId) => paneView(state, id)!.rows;
const infosOf = (state: State, id: PaneId) => rowsOf(state, id).map(({ row, of }) => contextFor(state.shown!).container(of ?? row.container));

/** The containers pane with this row selected. */
function on(state: State, names: RegExp): State {
  const view = paneView(state, 'containers')!;
  const cell = (id: string, row: (typeof view.rows)[number]['row']) => view.pane.columns.find((column) => column.id === id)!.value(row, view.context) ?? '-';
  const row = view.rows.find((one) => names.test(['namespace', 'owner', 'pod', 'container'].map((id) => cell(id, one.row)).join(' ')))!;
  return withPane(state, 'containers', { selected: row.key, index: view.rows.indexOf(row) });
}

/** What steps change and Esc must bring back; not who is selected where. */
const place = ({ scope, breakdown, focus, zoomed, panes, trail }: State) =>
  ({ scope, breakdown, focus, zoomed, trail: trail.length, groupings: PANE_IDS.map((id) => panes[id].grouping), filters: PANE_IDS.map((id) => panes[id].filter?.text ?? null), errorsOnly: PANE_IDS.map((id) => panes[id].errorsOnly) });

describe('Enter', () => {
  const workloads = press(start(), 'u', 'u');
  const workload = press(on(workloads, /deploy\/web/), 'enter');
  const pod = press(on(workload, /web-5d9f6c7b8-iz6xk/), 'enter');
  const container = press(on(pod, /nginx/), 'enter');
  const process = press(container, 'enter');

  it('goes from a workload to its pods', () => {
    expect(workload.panes.containers.grouping).toBe('pod');
    expect(workload.focus).toBe('containers');
    for (const id of PANE_IDS) for (const info of infosOf(workload, id)) if (info.pod !== null || id === 'containers') expect(info).toMatchObject({ namespace: 'shop', owner: { name: 'web' } });
    expect(rowsOf(workload, 'containers')).toHaveLength(5);
  });

  it('to a pod\'s containers', () => {
    expect(pod.panes.containers.grouping).toBe('container');
    expect(rowsOf(pod, 'containers')).toHaveLength(2);
    expect(infosOf(pod, 'opens').every((info) => info.pod === 'web-5d9f6c7b8-iz6xk')).toBe(true);
  });

  it('to a container\'s processes', () => {
    expect(container.focus).toBe('processes');
    expect(rowsOf(container, 'processes').map(({ row }) => (row as ProcessRow).comm).toSorted()).toEqual(['nginx', 'worker']);
    expect(new Set(infosOf(container, 'syscalls').map((info) => info.containerId)).size).toBe(1);
  });

  it('to a process\'s events, with its container where processes are not told apart', () => {
    expect(process.focus).toBe('opens');
    const { pid } = rowsOf(container, 'processes')[0]!.row as ProcessRow;
    expect(process.scope?.process?.pid).toBe(pid);
    for (const id of ['opens', 'tcp', 'processes'] as const) for (const { row } of rowsOf(process, id)) expect((row as OpenRow).pid).toBe(pid);
    expect(rowsOf(process, 'syscalls')).toEqual(rowsOf(container, 'syscalls'));
    expect(text(process)).toMatch(/1 syscalls whole container[\s\S]*2 run queue whole container[\s\S]*3 opens [─━]+ .*container \S+\/s/);
    expect(text(container)).not.toContain('whole container');
  });

  it('shows the way in the header', () => {
    const header = (state: State) => text({ ...state, size: { width: 200, height: 45 } }).split('\n')[0];
    expect(header(workload)).toContain('› shop › deploy/web  ');
    expect(header(pod)).toContain('› shop › deploy/web › web-5d9f6c7b8-iz6xk  ');
    expect(header(process)).toMatch(/› shop › deploy\/web › web-5d9f6c7b8-iz6xk › nginx › (nginx|worker) \d+ {2}/);
  });

  it('is taken back step by step', () => {
    const steps = [workloads, workload, pod, container, process];
    let state = process;
    for (const before of steps.slice(0, -1).toReversed()) {
      state = press(state, 'esc');
      expect(place(state)).toEqual(place(before));
    }
    expect(state.panes.containers.selected).toBe(on(workloads, /deploy\/web/).panes.containers.selected);
    expect(press(state, 'esc').message?.text).toMatch(/nothing to step back from/);
  });

  it('takes a pod without an owner and a service for what they are', () => {
    const envoy = press(on(workloads, /ingress - envoy/), 'enter');
    expect(envoy.scope?.level).toBe('pod');
    expect(envoy.panes.containers.grouping).toBe('container');
    const service = press(on(workloads, /containerd\.service/), 'enter');
    expect(service).toMatchObject({ focus: 'processes', scope: { only: '77', level: 'container' } });
    expect(rowsOf(service, 'processes')).toHaveLength(2);
    expect(place(press(service, 'esc'))).toEqual(place(workloads));
  });

  it('leaves what is in no namespace together when it comes from there', () => {
    const namespaces = press(start(), 'U');
    const none = press(on(namespaces, /^\(no namespace\)/), 'enter');
    expect(infosOf(none, 'containers').map((info) => info.kind).toSorted()).toEqual(['host', 'service']);
    const shop = press(on(namespaces, /^shop/), 'enter');
    expect(shop.panes.containers.grouping).toBe('workload');
    expect(new Set(infosOf(shop, 'containers').map((info) => info.namespace))).toEqual(new Set(['shop']));
  });

  it('holds all cgroups of a container, and matches by its id', () => {
    const etcd = press(on(start(), /etcd-28e2-0 etcd/), 'enter');
    expect(etcd.scope?.only).toBeNull();
    expect(new Set(rowsOf(etcd, 'processes').map(({ row }) => row.container))).toEqual(new Set(['5002', '78']));
    expect(rowsOf(etcd, 'containers')).toHaveLength(1);
    expect(rowsOf(etcd, 'syscalls').every(({ row, members }) => members.length === 2 ? row.container.startsWith('container:') : true)).toBe(true);
  });

  it('goes from an event to its container, then to its process', () => {
    const first = press(liveState({}, { node: node() }), '3', 'down', 'enter');
    expect(first.scope?.level).toBe('container');
    expect(first.focus).toBe('opens');
    const chosen = rowsOf(first, 'opens')[paneView(first, 'opens')!.selected]!.row as OpenRow;
    const second = press(first, 'enter');
    expect(second.scope?.process?.pid).toBe(chosen.pid);
    expect(second.focus).toBe('opens');
    expect(press(second, 'enter').message?.text).toMatch(/already show this process/);
    expect(place(press(second, 'esc', 'esc'))).toEqual(place(press(liveState({}, { node: node() }), '3')));
  });

  it('needs a chosen row in a stream', () => {
    expect(press(start(), '3', 'enter').message?.text).toMatch(/no row is chosen/);
  });

  it('goes on to the processes from the containers pane inside a container', () => {
    const back = press(container, '5', 'enter');
    expect(back.focus).toBe('processes');
    expect(back.scope).toBe(container.scope);
    expect(press(back, 'esc').focus).toBe('containers');
  });

  it('does not filter pods by what was typed for workloads, and Esc brings it back', () => {
    const filtered = press(type(press(workloads, '/'), 'deploy/cart'), 'enter');
    const pods = press(filtered, 'enter');
    expect(pods.panes.containers.filter).toBeNull();
    expect(rowsOf(pods, 'containers')).toHaveLength(5);
    const again = press(type(press(pods, '/'), 'tz'), 'enter');
    expect(press(again, 'esc').panes.containers.filter).toBeNull();
    expect(place(press(again, 'esc', 'esc'))).toEqual(place(filtered));
  });

  it('takes back a zoom, a filter and errors only in the order in which they came', () => {
    const state = press(type(press(press(start(), 'z'), '1', '!', 'down', 'enter', '/'), 'e'), 'enter');
    expect(place(press(state, 'esc')).filters[0]).toBeNull();
    expect(press(state, 'esc').breakdown).not.toBeNull();
    const two = press(state, 'esc', 'esc');
    expect(two.breakdown).toBeNull();
    expect(two.panes.syscalls.errorsOnly).toBe(true);
    expect(press(two, 'esc').panes.syscalls.errorsOnly).toBe(false);
    expect(press(two, 'esc').zoomed).toBe(true);
    expect(press(two, 'esc', 'esc').zoomed).toBe(false);
    const inside = press(container, 'z');
    expect(press(inside, 'esc')).toMatchObject({ zoomed: false, scope: container.scope });
  });

  it('is not taken back twice when a key has done so already', () => {
    const broken = press(start(), '1', 'down', 'enter');
    expect(press(broken, 'u').breakdown).toBeNull();
    expect(press(broken, 'u', 'esc').message?.text).toMatch(/nothing to step back from/);
  });

  it('leaves the focus alone that a person has moved since', () => {
    const scoped = press(start(), '2', 'z', 'down', 'enter', '1');
    expect(scoped.scope).not.toBeNull();
    expect(press(scoped, 'esc')).toMatchObject({ scope: null, focus: 'syscalls' });
  });
});

describe('Esc', () => {
  it('undoes every sequence of Enters, whatever the Frame holds', () => {
    const frames = fc.oneof(anyFrame, fc.constant(null));
    const moves = fc.array(fc.constantFrom('down', 'down', 'up', 'G', 'enter', 'enter', 'enter'), { maxLength: 14 });
    fc.assert(fc.property(frames, fc.constantFrom(...PANE_IDS), fc.constantFrom(...GROUPS), moves, fc.boolean(), (frame, focus, grouping, keys, small) => {
      const history = new History();
      let state = shows(emptyState({ focus, size: small ? { width: 60, height: 20 } : { width: 120, height: 40 } }), history, frame ?? node().next());
      state = withPane(state, 'containers', { grouping });
      const places = [place(state)];
      for (const key of keys) {
        state = press(state, key);
        if (JSON.stringify(place(state)) !== JSON.stringify(places.at(-1))) places.push(place(state));
      }
      for (const before of places.slice(0, -1).toReversed()) {
        state = press(state, 'esc');
        expect(place({ ...state })).toEqual({ ...before, trail: state.trail.length });
      }
      expect(press(state, 'esc').message?.text).toMatch(/nothing to step back from/);
    }), { numRuns: 300 });
  }, 120_000);

  it('keeps to the last fifty steps', () => {
    let state = start();
    for (let i = 0; i < 130; i++) state = press(state, 'n', i % 2 === 0 ? 's' : 'm', 'enter');
    expect(state.trail).toHaveLength(50);
  });
});
