/** Views that no screen would share: they come from a socket. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SharedView } from '../../../src/frame/company.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { applyView } from '../../../src/ui/company/apply.ts';
import { initialCompany } from '../../../src/ui/company/model.ts';
import { parseView } from '../../../src/ui/company/parse.ts';
import { viewOf } from '../../../src/ui/company/view.ts';
import { sortable } from '../../../src/ui/commands/find.ts';
import { LAYOUTS } from '../../../src/ui/layout.ts';
import type { State } from '../../../src/ui/model.ts';
import { paneOf } from '../../../src/ui/rows.ts';
import { drawScreen } from '../../../src/ui/screen.ts';
import { hostile } from '../arbitrary.ts';
import { plain } from '../cells.ts';
import { FakeNode } from '../fixtures.ts';
import { liveState, press, type } from '../states.ts';
import { FakeSession } from './fake-session.ts';
import { LARGE, seen, sit } from './rig.ts';

const anything = fc.oneof(fc.anything({ withNullPrototype: true, withSparseArray: true, withBigInt: true }), hostile, fc.constantFrom(null, undefined, -1, 2 ** 60, Number.NaN, '__proto__', 'x'.repeat(100_000)));

/** A view in which some fields, at any depth, are something else. */
function spoiled(view: SharedView): fc.Arbitrary<SharedView> {
  const paths = Array.from(function* walk(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
    if (path.length > 0) yield path;
    if (typeof value === 'object' && value !== null) for (const [key, inner] of Object.entries(value)) yield* walk(inner, [...path, key]);
  }(view));
  return fc.array(fc.tuple(fc.constantFrom(...paths), anything), { minLength: 1, maxLength: 6 }).map((changes) => {
    const copy = structuredClone(view) as Record<string, unknown>;
    for (const [path, value] of changes) {
      let at: Record<string, unknown> | undefined = copy;
      for (const key of path.slice(0, -1)) at = at?.[key] as Record<string, unknown> | undefined;
      if (typeof at === 'object' && at !== null) at[path.at(-1) ?? ''] = value;
    }
    return copy;
  });
}

const node = () => new FakeNode({ containers: 20, events: 20 });
const start = (): State => liveState({ size: LARGE, company: { ...initialCompany, self: 2, viewers: [{ id: 1, name: 'alice', uid: 0, drives: true, follows: false, control: false, skipped: 0 }, { id: 2, name: 'bob', uid: 0, drives: false, follows: true, control: false, skipped: 0 }] } }, { node: node() });
const START = start();
/** With everything in it that a view can hold. */
const rich = (): SharedView => viewOf(press(type(press(liveState({ size: LARGE }, { node: node() }), '5', 'u', 'u', 'down', 'enter', 'enter', 'enter', 'enter', '1', 'enter', '/'), 'read'), 'enter', '!', 's', 'down', 'enter', '3', 'down', 'd'));

/** What a view may change; all else stays as it is. */
const ALLOWED: readonly (keyof State)[] = ['focus', 'fronts', 'zoomed', 'layout', 'totals', 'heatMap', 'scope', 'breakdown', 'trail', 'panes', 'overlay', 'company'];

function check(raw: unknown): void {
  const before = START;
  const view = parseView(raw);
  if (view === null) return;
  const after = applyView(before, view);
  for (const key of Object.keys(before) as (keyof State)[]) if (!ALLOWED.includes(key)) expect(after[key]).toBe(before[key]);
  expect(after.company).toEqual({ ...before.company, notes: after.company?.notes });
  expect(Object.keys(after).toSorted()).toEqual(Object.keys(before).toSorted());
  expect(PANE_IDS).toContain(after.focus);
  expect(after.layout in LAYOUTS).toBe(true);
  expect(new Set(after.fronts).size).toBe(after.fronts.length);
  for (const flag of [after.zoomed, after.totals, after.heatMap]) expect(typeof flag).toBe('boolean');
  expect(after.trail.length).toBeLessThanOrEqual(50);
  expect(Object.keys(after.panes)).toEqual(Object.keys(before.panes));
  for (const id of PANE_IDS) {
    const { sort, filter, grouping, selected, errorsOnly, index } = after.panes[id];
    expect(Number.isInteger(index) && index >= 0 && index <= 1e6).toBe(true);
    expect(sortable(paneOf(id)).map((column) => column.id)).toContain(sort.column);
    expect([typeof sort.descending, typeof errorsOnly]).toEqual(['boolean', 'boolean']);
    expect((filter?.text ?? '').length).toBeLessThanOrEqual(200);
    expect([...(paneOf(id).groupings ?? []).map((one) => one.id), ...(paneOf(id).groupings ? [] : [null])]).toContain(grouping);
    expect(selected === null || selected.length <= 256 || paneOf(id).kind === 'stream').toBe(true);
  }
  expect((after.scope?.label ?? '').length).toBeLessThanOrEqual(400);
  const lines = drawScreen(after);
  expect(lines).toHaveLength(LARGE.height);
  for (const line of lines) expect(plain(line)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  // And it can be left again.
  drawScreen(press(after, 'esc', 'esc', 'esc', 'esc'));
}

describe('a shared view', () => {
  it('is read back as it was written', () => {
    const view = rich();
    expect(Object.values(view)).not.toContain(undefined);
    const parsed = parseView(JSON.parse(JSON.stringify(view)))!;
    expect(parsed.trail).toHaveLength((view['trail'] as unknown[]).length);
    expect(parsed.trail!.length).toBeGreaterThan(2);
    expect(parsed.overlay).toMatchObject({ kind: 'details', pane: 'opens' });
    expect(parsed.scope?.process?.pid).toBeGreaterThan(0);
    expect({ ...view, layout: 0 }).toEqual({ ...parsed });
  });

  it('of any kind never throws and changes nothing it may not', () => {
    fc.assert(fc.property(anything, check), { numRuns: 150 });
  });

  it('with any fields spoiled never throws and changes nothing it may not', () => {
    fc.assert(fc.property(spoiled(rich()), check), { numRuns: 150 });
  });

  it('with one bad field still has the others', () => {
    const after = applyView(start(), parseView({ focus: 'nonsense', zoomed: true, layout: 7, panes: { opens: { filter: 'nosuch=1', errorsOnly: true, sort: { column: 'nosuch', descending: true } }, nonsense: { errorsOnly: true }, tcp: 3 } })!);
    expect(after).toMatchObject({ focus: 'syscalls', zoomed: true, layout: 0 });
    expect(after.panes.opens).toMatchObject({ filter: null, errorsOnly: true, sort: { column: 'time' } });
    expect(after.company?.notes).toEqual([expect.stringMatching(/^the filter \/nosuch=1 of opens is not understood here: no column nosuch/)]);
  });

  it('cannot call one thing by the name of another', () => {
    const before = start();
    const [key, info] = Object.entries(before.shown!.frame.containers).find(([, one]) => one.pod?.startsWith('etcd'))!;
    const id = `container:${info.podUid}/${info.containerId}`;
    const known = applyView(before, parseView({ scope: { level: 'container', id, label: 'shop/web-1/nginx', process: null } })!);
    expect(known.scope?.label).toContain('etcd');
    expect(known.scope?.matches(key, info)).toBe(true);
    const unknown = applyView(before, parseView({ scope: { level: 'container', id: 'container:nobody/none', label: '\x1b[2Jshop', process: null } })!);
    expect(unknown.company?.notes).toEqual(['\x1b[2Jshop is not known here yet']);
    for (const [one, other] of Object.entries(before.shown!.frame.containers)) expect(unknown.scope?.matches(one, other)).toBe(false);
    expect(drawScreen(unknown).map(plain).join('\n')).toContain('\\e[2Jshop is not known here yet');
  });

  it('stays small, however long the way and the names are', () => {
    let state = liveState({ size: LARGE }, { node: node() });
    const [step] = press(state, '5', 'enter').trail;
    const filters = Array.from({ length: 50 }, (_, i) => ({ text: `${i}`.padEnd(200, 'é'), matches: () => true }));
    state = { ...state, trail: filters.map((filter) => ({ ...step!, panes: Object.fromEntries(PANE_IDS.map((id) => [id, { ...state.panes[id], filter, selected: 'k'.repeat(5000) }])) as unknown as State['panes'] })) };
    const view = viewOf(state);
    expect(Buffer.byteLength(JSON.stringify(view))).toBeLessThanOrEqual(14 * 1024);
    // The newest steps are those that are kept.
    const { trail } = parseView(view)!;
    expect(trail!.length).toBeGreaterThan(1);
    expect(trail!.length).toBeLessThan(50);
    expect(trail!.at(-1)?.panes.containers?.filter).toMatch(/^49/);
  });
});

const FRAME = node().next();

describe('names that are too long to be shared', () => {
  it('end in nothing shown, never in something else', () => {
    const base = node().next();
    const pod = `web-${'x'.repeat(400)}`;
    const containers = Object.fromEntries(Object.entries(base.containers).map(([key, info]) => [key, info.pod === null ? info : { ...info, pod: `${pod}${key}`, podUid: null, owner: null, containerId: null }]));
    const frame = { ...base, containers };
    const session = new FakeSession();
    const alice = sit(session, 'alice'), bob = sit(session, 'bob');
    for (const one of [alice, bob]) one.frame(frame);
    alice.press('D', '5', 'u', '/', ...'web-', 'enter', 'enter');
    expect(alice.state.scope?.level).toBe('pod');
    expect(bob.state.company?.notes).toEqual([expect.stringMatching(/is not known here yet$/)]);
    for (const [key, info] of Object.entries(containers)) expect(bob.state.scope?.matches(key, info)).toBe(false);
  });
});

describe('on a screen that follows', () => {
  it('nonsense from the driver leaves it as it is', () => {
    fc.assert(fc.property(fc.array(fc.oneof(spoiled(rich()), fc.jsonValue().map((value) => value as SharedView)), { maxLength: 5 }), (views) => {
      const session = new FakeSession();
      const alice = session.join('alice'), bob = sit(session, 'bob');
      bob.frame(FRAME);
      alice.drive(true);
      for (const view of views) {
        const wire = JSON.parse(JSON.stringify(view, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)) ?? 'null') as SharedView;
        alice.share(wire);
        drawScreen(bob.state);
      }
      bob.press('esc');
      expect(seen(bob.state).focus).toBe(bob.state.focus);
      bob.controller.disconnect();
    }), { numRuns: 40 });
  });
});
