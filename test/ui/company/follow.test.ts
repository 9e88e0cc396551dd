/** Following, from the first viewer to the last: what is told, what keys do, and that two screens show the same. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { notesOf } from '../../../src/ui/company/notes.ts';
import { KEYMAP, bindingFor } from '../../../src/ui/keymap.ts';
import { drawScreen } from '../../../src/ui/screen.ts';
import { paneView } from '../../../src/ui/view.ts';
import { plain } from '../cells.ts';
import { ArrayTimeline } from '../travel/array-timeline.ts';
import { FakeNode } from '../fixtures.ts';
import { FakeSession } from './fake-session.ts';
import type { Seated } from './rig.ts';
import { LARGE, SMALL, seen, sit } from './rig.ts';

const text = ({ state }: Seated) => drawScreen(state).map(plain).join('\n');
const header = (one: Seated) => text(one).split('\n')[0] ?? '';
const footer = (one: Seated) => text(one).split('\n').at(-1) ?? '';

/** Alice drives, Bob follows on a smaller screen. */
function pair({ frames = 3, node = new FakeNode({ containers: 30, events: 30 }) } = {}) {
  const session = new FakeSession();
  const alice = sit(session, 'alice', LARGE), bob = sit(session, 'bob', SMALL);
  const tick = (): void => {
    const frame = node.next();
    alice.frame(frame);
    bob.frame(frame);
  };
  for (let i = 0; i < frames; i++) tick();
  alice.press('D');
  return { session, alice, bob, node, tick };
}

describe('following', () => {
  it('begins by itself when somebody takes the wheel, and is told', () => {
    const { session, alice, bob } = pair();
    expect(alice.state.message?.text).toMatch(/^you drive/);
    expect(bob.state.message?.text).toBe('alice drives, this screen follows; any step of your own ends that');
    expect(session.viewers.map(({ name, drives, follows }) => ({ name, drives, follows }))).toEqual([{ name: 'alice', drives: true, follows: false }, { name: 'bob', drives: false, follows: true }]);
    alice.press('5', 'z');
    expect(bob.state).toMatchObject({ focus: 'containers', zoomed: true });
  });

  it('takes a new viewer along at once, wherever the driver stands', () => {
    const { session, alice, tick } = pair();
    alice.press('5', 'u', 'u', 'down', 'enter');
    const carol = sit(session, 'carol', SMALL);
    expect(carol.state.scope?.label).toBe(alice.state.scope?.label);
    expect(carol.state.company?.notes).toEqual([`${alice.state.scope?.label} is not known here yet`]);
    tick();
    carol.frame(alice.state.shown!.frame);
    expect(carol.state.company?.notes).toEqual([]);
    expect(carol.state.scope?.crumbs).toEqual(alice.state.scope?.crumbs);
  });

  it('does not take along who has looked around before', () => {
    const session = new FakeSession();
    const alice = sit(session, 'alice'), bob = sit(session, 'bob');
    bob.press('5');
    alice.press('D', '3');
    expect(bob.state.focus).toBe('containers');
    expect(bob.state.message?.text).toBe('alice has taken the wheel: F follows');
    bob.press('F');
    expect(bob.state.focus).toBe('opens');
    expect(bob.state.message?.text).toBe('this screen follows alice');
    bob.press('F');
    expect(bob.state.message?.text).toBe('you look around alone; F follows alice again');
    alice.press('4');
    expect(bob.state.focus).toBe('opens');
  });

  it('can be asked for before anybody drives', () => {
    const session = new FakeSession();
    const alice = sit(session, 'alice'), bob = sit(session, 'bob');
    bob.press('5', 'F');
    expect(bob.state.message?.text).toBe('nobody drives yet; this screen will follow whoever does');
    alice.press('D');
    expect(bob.state.focus).toBe('syscalls');
    expect(header(bob)).toContain('following alice');
  });

  it.each([['tab'], ['2'], ['z'], ['down'], ['G'], ['enter'], ['d'], ['/'], ['s'], ['n'], ['!'], ['>'], ['r'], ['p'], ['t'], ['m'], ['u'], ['v'], ['esc']])('ends with %s, and the line says how to follow again', (key) => {
    const { session, alice, bob } = pair();
    bob.press(key);
    expect(session.viewers.find(({ name }) => name === 'bob')?.follows).toBe(false);
    expect(bob.state.message?.text).toMatch(/you look around alone: F follows alice again$/);
    const before = seen(bob.state);
    alice.press('5', 'z', 't');
    expect(seen(bob.state)).toEqual(before);
  });

  it.each([['?'], ['ctrl-l'], ['q'], ['ctrl-z'], ['V'], ['w'], ['right'], ['left'], ['+'], ['f24']])('goes on after %s', (key) => {
    const { session, alice, bob } = pair();
    bob.press(key);
    expect(session.viewers.find(({ name }) => name === 'bob')?.follows).toBe(true);
    alice.press('5', 'z');
    expect(bob.state).toMatchObject({ focus: 'containers', zoomed: true });
  });

  it('goes on after a new size', () => {
    const { alice, bob } = pair();
    bob.controller.store.dispatch({ type: 'resize', size: { width: 200, height: 60 } });
    alice.press('5');
    expect(bob.state).toMatchObject({ focus: 'containers', size: { width: 200, height: 60 } });
  });

  it('has a word for each key: what is not local ends it', () => {
    const local = ['suspend', 'redraw', 'help', 'viewers', 'nodes', 'quit', 'interrupt', 'save', 'saveTimeline', 'reset', 'slower', 'faster', 'level', 'columnsLeft', 'columnsRight'];
    for (const { command, keys } of KEYMAP.filter((binding) => binding.context.includes('main') && !binding.dangerous && binding.command !== 'follow' && binding.command !== 'drive')) {
      const { session, bob } = pair({ frames: 1 });
      const bound = bindingFor(bob.state, keys[0]!) !== null;
      bob.press(keys[0]!);
      expect([command, session.viewers.find(({ name }) => name === 'bob')?.follows]).toEqual([command, !bound || local.includes(command)]);
    }
  });

  it('keeps own help open while the driver goes on, and has the driver\'s details after it', () => {
    const { session, alice, bob } = pair();
    bob.press('?', 'down');
    alice.press('5', 'down', 'd');
    expect(bob.state.overlay).toMatchObject({ kind: 'help', scroll: 1 });
    bob.press('q');
    expect(bob.state.overlay).toMatchObject({ kind: 'details', pane: 'containers' });
    expect(session.viewers.find(({ name }) => name === 'bob')?.follows).toBe(true);
    bob.press('down');
    expect(bob.state.overlay).toMatchObject({ kind: 'details', scroll: 1 });
    alice.press('q');
    expect(bob.state.overlay).toBeNull();
    alice.press('d');
    bob.press('q');
    expect(bob.state.overlay).toBeNull();
    expect(session.viewers.find(({ name }) => name === 'bob')?.follows).toBe(false);
  });

  it('stays where it is when the driver lets go or leaves, and is told', () => {
    for (const [way, said] of [[(one: Seated) => one.press('D'), 'alice has let go of the wheel'], [(one: Seated) => one.seat.leave(), 'alice has left']] as const) {
      const { alice, bob } = pair();
      alice.press('5', 'z', '/', 'w', 'e', 'b', 'enter');
      const before = seen(bob.state);
      way(alice);
      expect(bob.state.message?.text).toBe(`${said}: the screen stays as it is; D takes the wheel`);
      expect(seen(bob.state)).toEqual(before);
      expect(header(bob)).not.toContain('following');
    }
  });

  it('passes the wheel on, and moves nobody who drove', () => {
    const { session, alice, bob } = pair();
    alice.press('5');
    bob.press('D');
    expect(bob.state.focus).toBe('containers');
    expect(alice.state.message?.text).toBe('bob has taken the wheel from you: F follows');
    bob.press('3');
    expect(alice.state.focus).toBe('containers');
    alice.press('F');
    expect(alice.state.focus).toBe('opens');
    expect(session.viewers.map(({ drives }) => drives)).toEqual([false, true]);
    bob.press('F');
    expect(bob.state.message?.text).toMatch(/you drive/);
  });

  it('shares only what has changed, and nothing that it follows', () => {
    const { alice, bob, tick } = pair();
    const before = alice.seat.shared.length;
    alice.press('5', 'ctrl-l', 'right', 'left', 'V', 'q');
    expect(alice.seat.shared).toHaveLength(before + 1);
    tick();
    tick();
    expect(alice.seat.shared).toHaveLength(before + 1);
    expect(bob.seat.shared).toEqual([]);
    expect(bob.seat.followed).toEqual([false, true]);
  });

  it('survives a lost connection on either side', () => {
    const { session, alice, bob } = pair();
    alice.press('5');
    bob.seat.lose();
    expect(header(bob)).toContain('session out of reach');
    bob.press('D');
    expect(bob.state.message?.text).toBe('the session is out of reach');
    alice.press('3');
    expect(bob.state.focus).toBe('containers');
    bob.seat.find('bob');
    expect(bob.state.focus).toBe('opens');
    expect(session.viewers.find(({ name }) => name === 'bob')?.follows).toBe(true);
    alice.seat.lose();
    expect(bob.state.message?.text).toMatch(/^alice has left/);
    alice.seat.find('alice');
    expect(alice.state.message?.text).toBe('the wheel was lost with the connection: D takes it again');
  });

  it('stands still and goes on with the driver', () => {
    const { alice, bob, tick } = pair();
    alice.press('p');
    expect(bob.state.travel).not.toBeNull();
    tick();
    expect(bob.state.travel).toMatchObject({ end: (bob.state.travel?.index ?? 0) + 2 });
    expect(seen(bob.state).time).toBe(seen(alice.state).time);
    alice.press('p');
    expect(bob.state.travel).toBeNull();
    expect(bob.state.shown?.frame).toBe(alice.state.shown?.frame);
  });

  it('goes through the past with the driver, Frame by Frame, and back to what is new', () => {
    const session = new FakeSession(), node = new FakeNode({ containers: 3, events: 3 });
    const held = new ArrayTimeline(), lately = new ArrayTimeline();
    const alice = sit(session, 'alice', LARGE, { timeline: held }), bob = sit(session, 'bob', SMALL, { timeline: lately });
    const tick = (): void => {
      const frame = node.next();
      held.push(frame);
      alice.frame(frame);
      // Bob came later.
      if (held.end > 2) {
        lately.push(frame);
        bob.frame(frame);
      }
    };
    for (let i = 0; i < 6; i++) tick();
    alice.press('D', 'p');
    expect(bob.state.shown?.frame.time).toBe(held.frame(5).time);
    expect(bob.state.travel).toMatchObject({ playing: false, time: held.time(5) });
    tick();
    alice.press('[', '[');
    expect(bob.state.shown?.frame).toBe(held.frame(3));
    expect(notesOf(bob.state)).toEqual([]);
    alice.press('^');
    expect(bob.state.shown?.frame).toBe(lately.frame(0));
    expect(notesOf(bob.state)).toEqual([expect.stringMatching(/^alice stands at .*, this screen at /)]);
    alice.press('$');
    expect(bob.state.travel).toBeNull();
    expect(bob.state.shown?.frame).toBe(held.frame(6));
  });

  it('says where it stands when it came too late for the driver\'s moment', () => {
    const { session, alice, node } = pair();
    alice.press('p');
    const carol = sit(session, 'carol');
    expect(carol.state.travel).toBeNull();
    carol.frame(node.next());
    expect(carol.state.travel).not.toBeNull();
    expect(carol.state.shown).not.toBeNull();
    alice.press('5');
    expect(notesOf(carol.state)).toEqual([expect.stringMatching(/^alice stands at \d\d:\d\d:\d\d, this screen at \d\d:\d\d:\d\d$/)]);
    carol.press('ctrl-l');
    expect(footer(carol)).toContain('alice stands at');
  });

  it('tells of the driver\'s own limits and of its chaos panel, which stays the driver\'s', async () => {
    const [{ FakeDoor }, { STOCK }] = await Promise.all([import('../chaos/fake-door.ts'), import('../../chaos/capabilities-fixture.ts')]);
    const session = new FakeSession();
    const node = new FakeNode(), frame = node.next();
    const door = new FakeDoor({ capabilities: STOCK, containers: () => frame.containers });
    const alice = sit(session, 'alice', LARGE, { chaos: door, scope: { label: '-n shop', only: null, matches: (_key, info) => info.namespace === 'shop' } }), bob = sit(session, 'bob');
    for (const one of [alice, bob]) one.frame(frame);
    alice.press('D', '5', 'down', 'c');
    expect(bob.state.company?.notes).toEqual(['alice has the chaos panel open', 'alice sees only -n shop']);
    expect(bob.state.chaos).toBeNull();
    expect(footer({ ...bob, state: { ...bob.state, message: null } })).toMatch(/^ alice has the chaos panel open \(\+1, V\)/);
    bob.press('V');
    expect(text(bob)).toMatch(/alice has the chaos panel open[\s\S]*alice sees only -n shop/);
    alice.controller.disconnect();
  });

  it('marks an event on every screen that has it, and says so where it is missing', () => {
    const { session, alice, bob, tick } = pair();
    alice.press('3', 'down', 'down', 'down');
    const row = paneView(bob.state, 'opens')!;
    expect(row.rows[row.selected]?.row).toEqual(paneView(alice.state, 'opens')!.rows[2]?.row);
    const carol = sit(session, 'carol');
    tick();
    carol.frame(alice.state.shown!.frame);
    expect(carol.state.company?.notes).toEqual(['the marked row of opens is not on this screen']);
    expect(carol.state.panes.opens.selected).toBeNull();
  });
});

describe('a row that is gone', () => {
  it('is marked in its place also on a screen that never saw it', () => {
    const session = new FakeSession(), node = new FakeNode({ containers: 10 });
    const alice = sit(session, 'alice'), frame = node.next();
    alice.frame(frame);
    alice.press('D', '6', 'down', 'down', 'down');
    const { selected } = alice.state.panes.processes;
    const without = { ...frame, panes: { ...frame.panes, processes: { ...frame.panes.processes, rows: frame.panes.processes.rows.filter(({ pid }) => String(pid) !== selected) } } };
    alice.frame(without);
    const bob = sit(session, 'bob', SMALL);
    bob.frame(without);
    const row = ({ state }: Seated) => { const view = paneView(state, 'processes')!; return view.rows[view.selected]?.row; };
    expect(paneView(bob.state, 'processes')!.selected).toBe(3);
    expect(row(bob)).toEqual(row(alice));
    for (const one of [alice, bob]) one.frame(frame);
    expect(row(bob)).toEqual(row(alice));
    expect(row(bob)).toMatchObject({ pid: Number(selected) });
    expect(bob.state.panes.processes.selected).toBe(selected);
  });
});

const KEYS = ['1', '2', '3', '4', '5', '6', 'tab', 'z', 'v', 'down', 'down', 'down', 'pagedown', 'G', 'g', 'up', 'enter', 'enter', 'enter', 'esc', 'esc', 'd', 's', 'r', '>', '<', '!', 't', 'm', 'u', 'U', 'n', 'p', '?', 'q!', '/web', '/p99>1ms', '/nosuchcolumn=1', 'X', 'tick', 'tick'] as const;

describe('any keys of the driver', () => {
  it('show the same on a screen of another size', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(...KEYS), { maxLength: 60 }), fc.constantFrom(SMALL, LARGE, { width: 60, height: 18 }, { width: 250, height: 70 }), (keys, size) => {
      const { session, alice, bob, tick } = pair({ frames: 2 });
      bob.controller.store.dispatch({ type: 'resize', size });
      for (const key of keys) {
        if (key === 'tick') tick();
        else if (key.startsWith('/')) {
          // In a menu or overlay, a slash is something else.
          if (alice.state.menu !== null || alice.state.overlay !== null) alice.press('esc');
          alice.press('/', 'ctrl-u', ...key.slice(1), 'enter', 'esc');
        } else if (key === 'q!') alice.press(...(alice.state.overlay === null ? [] : ['q']));
        else alice.press(key);
        expect(seen(bob.state)).toEqual(seen(alice.state));
      }
      expect(session.viewers.map(({ follows }) => follows)).toEqual([false, true]);
      // What is marked is in sight.
      const { focus, panes } = bob.state;
      const view = paneView(bob.state, focus)!;
      if (panes[focus].selected !== null && view.rows.some(({ key }) => key === panes[focus].selected)) expect(drawScreen(bob.state)).toHaveLength(size.height);
      // And the way back is the same, too.
      if (alice.state.menu !== null) alice.press('esc');
      bob.press('F');
      for (let i = 0; i < 8; i++) {
        alice.press('esc');
        bob.press('esc');
        expect(seen(bob.state)).toEqual(seen(alice.state));
      }
    }), { numRuns: 40 });
  });
});
