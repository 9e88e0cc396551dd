import { describe, expect, it } from 'vitest';
import type { ContainerInfo, Frame } from '../../../src/frame/frame.ts';
import { pickerItems, type Picker } from '../../../src/ui/commands/pick.ts';
import { History } from '../../../src/ui/history/history.ts';
import type { State } from '../../../src/ui/model.ts';
import { drawScreen } from '../../../src/ui/screen.ts';
import { expectCells, plain } from '../cells.ts';
import { FakeNode } from '../fixtures.ts';
import { effectsOf, emptyState, liveState, press, shows, type, withRows } from '../states.ts';

const items = (state: State) => pickerItems(state, state.menu as Picker);
const names = (state: State) => items(state).map(({ namespace }) => namespace);
const lines = (state: State) => drawScreen(state).map(plain);

/** A node whose containers all are in namespaces of their own. */
function crowd(n: number): Frame {
  const frame = new FakeNode({ containers: n }).next();
  const containers = Object.fromEntries(Object.entries(frame.containers).map(([key, info], i) => [key, { ...info, namespace: info.namespace === null ? null : `team-${String(i).padStart(3, '0')}` } satisfies ContainerInfo]));
  return { ...frame, containers };
}

describe('the namespace picker', () => {
  it('has all namespaces first, with what is in each', () => {
    const state = press(liveState({}, { node: new FakeNode({ containers: 20 }) }), 'n');
    expect(names(state)).toEqual([null, 'default', 'ingress', 'kube-system', 'monitoring', 'payments', 'shop']);
    const shop = items(state).at(-1)!;
    expect(shop).toMatchObject({ pods: 6, containers: 8 });
    const frame = state.shown!.frame;
    const used = (matches: (info: ContainerInfo) => boolean) => frame.panes.containers.rows.filter(({ container }) => matches(frame.containers[container]!)).reduce((n, row) => n + row.cpuPct!, 0);
    expect(shop.cpuPct).toBeCloseTo(used((info) => info.namespace === 'shop'), 6);
    expect(items(state)[0]).toMatchObject({ pods: 18, containers: 20 });
    expect(items(state)[0]!.cpuPct).toBeCloseTo(used((info) => info.namespace !== null), 6);
    // The second cgroup of a container is no second container.
    expect(items(state).find(({ namespace }) => namespace === 'payments')).toMatchObject({ pods: 2, containers: 2 });
  });

  it('is narrowed by letters, also by those that are commands elsewhere, and widened again', () => {
    const open = press(liveState(), 'n');
    expect(names(type(open, 'sy'))).toEqual(['kube-system']);
    expect(names(type(open, 'SHOP'))).toEqual(['shop']);
    expect(effectsOf(open, 'q')).toEqual([]);
    expect(names(type(open, 'q'))).toEqual([]);
    expect(press(type(open, 'xy'), 'backspace', 'backspace').menu).toMatchObject({ text: '' });
    expect(press(open, 'backspace').menu).toBeNull();
    expect(press(type(open, 'sy'), 'ctrl-u').menu).toMatchObject({ text: '' });
    expect(press(type(open, 'sy'), 'enter').scope?.label).toBe('ns:kube-system');
    expect(press(type(open, 'nowhere'), 'enter').menu).not.toBeNull();
    expect(press(type(open, 'sy'), 'esc')).toMatchObject({ menu: null, scope: null });
    expect(type(open, 'x'.repeat(200)).menu).toMatchObject({ text: 'x'.repeat(63) });
    expect(effectsOf(open, 'ctrl-c')).toEqual([{ kind: 'quit', code: 130 }]);
  });

  it('stands on the current one, and the same choice is no step', () => {
    const shop = press(type(press(liveState(), 'n'), 'shop'), 'enter');
    const again = press(shop, 'n');
    expect(again.menu).toMatchObject({ index: names(again).indexOf('shop') });
    expect(lines(again).join('\n')).toMatch(/▶ shop {2}\(current\)/);
    expect(press(again, 'enter').trail).toHaveLength(1);
    expect(press(again, 'home', 'enter')).toMatchObject({ scope: null, trail: [] });
    expect(press(type(press(shop, 'n'), 'pay'), 'enter', 'esc').scope?.label).toBe('ns:shop');
    expect(press(shop, 'esc').scope).toBeNull();
  });

  it('puts containers together one step finer when they were by namespace', () => {
    const state = press(type(press(liveState(), '5', 'U', 'n'), 'shop'), 'enter');
    expect(state.panes.containers.grouping).toBe('workload');
    expect(press(state, 'esc').panes.containers.grouping).toBe('namespace');
  });

  it('knows namespaces whose containers are idle or gone', () => {
    const node = new FakeNode(), history = new History();
    const frame = node.next();
    let state = shows(emptyState(), history, frame);
    const others = Object.fromEntries(Object.entries(frame.containers).filter(([, info]) => info.namespace !== 'shop'));
    const next = withRows(node.next(), 'containers', frame.panes.containers.rows.filter(({ container }) => others[container] !== undefined));
    state = press(shows(state, history, { ...next, containers: others }), 'n');
    expect(items(state).find(({ namespace }) => namespace === 'shop')).toEqual({ namespace: 'shop', pods: 0, containers: 0, cpuPct: null });
    // Without the pane that tells everything that lives, what is remembered counts.
    const off = { ...next, containers: others, panes: { ...next.panes, containers: { ...next.panes.containers, rows: [], state: { status: 'off', reason: 'x', level: null } } } } satisfies Frame;
    expect(items(shows(state, history, off)).find(({ namespace }) => namespace === 'shop')).toMatchObject({ pods: 4, containers: 5 });
  });

  it('scrolls through hundreds, by pages, and always shows the marked one', () => {
    for (const size of [{ width: 80, height: 24 }, { width: 160, height: 45 }, { width: 40, height: 10 }]) {
      let state = press(shows(emptyState({ size }), new History(), crowd(200)), 'n');
      expect(items(state)).toHaveLength(202);
      for (const key of ['pagedown', 'pagedown', 'down', 'end', 'pageup', 'up', 'home', 'pagedown', 'ctrl-d']) {
        state = press(state, key);
        expectCells(drawScreen(state), size.width, size.height);
        const marked = items(state)[state.menu?.index ?? -1]!;
        expect(lines(state).some((line) => line.includes(`▶ ${marked.namespace ?? 'all namespaces'}`))).toBe(true);
      }
      expect(press(state, 'end').menu?.index).toBe(201);
      expect(press(state, 'home', 'pagedown').menu?.index).toBe(Math.max(1, size.height - (size.height >= 6 ? 2 : 1) - 3));
      expect(names(type(state, '17'))).toHaveLength(12);
    }
  });

  it('is exactly as large as the terminal at every size', () => {
    const frame = crowd(30), history = new History();
    const state = press(shows(emptyState(), history, frame), 'n');
    for (let width = 1; width <= 250; width += 3) for (const height of [1, 2, 3, 5, 8, 24, 60]) {
      expectCells(drawScreen({ ...state, size: { width, height } }), width, height);
      expectCells(drawScreen(type({ ...state, size: { width, height } }, '漢b')), width, height);
    }
  });

  it('says which keys it takes', () => {
    expect(lines(press(liveState(), 'n')).at(-1)).toBe(' Enter Choose  Esc Back'.padEnd(120));
  });
});
