/** The screen's controller on a real timeline, with a clock that tests set. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Frame } from '../../../src/frame/frame.ts';
import { Controller } from '../../../src/ui/controller.ts';
import { History } from '../../../src/ui/history/history.ts';
import type { UiOptions } from '../../../src/ui/options.ts';
import { drawScreen } from '../../../src/ui/screen.ts';
import { applyTravel, travelView } from '../../../src/ui/travel/shared.ts';
import { paneView } from '../../../src/ui/view.ts';
import { plain } from '../cells.ts';
import { FakeNode, fakeSource } from '../fixtures.ts';
import { seen } from '../history/seen.ts';
import { OPTIONS } from '../states.ts';
import { ArrayTimeline } from './array-timeline.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.UTC(2026, 10, 21, 3) }));
afterEach(() => {
  open?.disconnect();
  vi.useRealTimers();
});

let open: Controller | null = null;

function rig(options: Partial<UiOptions>, size = { width: 160, height: 45 }) {
  const source = fakeSource(new FakeNode());
  const controller = open = new Controller(source, { options: { ...OPTIONS, ...options }, can: options.replay ? { setInterval: false, setLevel: false } : source.can, size, symbols: 'braille', depth: 0 }, { quit: () => {}, suspend: () => {}, redraw: () => {} });
  controller.connect((error) => { throw error; });
  return {
    controller, source,
    get state() { return controller.store.getState(); },
    get time() { return controller.store.getState().shown?.frame.time; },
    press: (...keys: readonly string[]) => controller.input(keys.map((name) => ({ kind: 'key', key: { name, text: [...name].length === 1 ? name : '' } }))),
    lines: () => drawScreen(controller.store.getState()).map(plain),
    bar: () => drawScreen(controller.store.getState()).map(plain).at(-2) ?? '',
  };
}

/** A live source whose Frames are kept in memory first. */
function live(frames: number, size?: { readonly width: number; readonly height: number }, options: Partial<UiOptions> = {}) {
  const node = new FakeNode({ containers: 3, events: 3 });
  const timeline = new ArrayTimeline();
  const one = rig({ timeline, ...options }, size);
  const emit = (change: (frame: Frame) => Frame = (frame) => frame): Frame => {
    const frame = change(node.next());
    timeline.push(frame);
    return one.source.emit(frame);
  };
  for (let i = 0; i < frames; i++) emit();
  return Object.assign(Object.create(one) as typeof one, { timeline, emit });
}

const REPLAY = { label: 'REPLAY', at: null, speed: 1, paused: true, notes: [], notesRole: 'accent', endHint: 'that was all' } as const;

function replay(frames: readonly Frame[], more: Partial<NonNullable<UiOptions['replay']>> = {}, size?: { readonly width: number; readonly height: number }) {
  const timeline = new ArrayTimeline(frames);
  return Object.assign(Object.create(rig({ timeline, replay: { ...REPLAY, ...more } }, size)) as ReturnType<typeof rig>, { timeline });
}

const made = (n: number): Frame[] => {
  const node = new FakeNode({ containers: 3, events: 3 });
  return Array.from({ length: n }, () => node.next());
};

const at = (i: number): string => new Date(Date.UTC(2026, 10, 21, 2, 0, i + 1)).toISOString();

describe('a live screen', () => {
  it('holds still on p while collection goes on, and p goes on with the newest', () => {
    const one = live(5);
    one.press('p');
    expect(one.time).toBe(at(4));
    one.emit();
    one.emit();
    expect(one.time).toBe(at(4));
    expect(one.lines()[0]).toContain('PAUSED +2');
    expect(one.bar()).toMatch(/02:00:05 .*2s before now .*5\/7 .*PAUSED/);
    one.press('p');
    expect(one.state.travel).toBeNull();
    expect(one.time).toBe(at(6));
    expect(one.state.shown?.history.totals().elapsedMs).toBe(7000);
  });

  it('does not change what is on screen by pausing', () => {
    const one = live(50);
    const before = one.lines();
    one.press('p');
    const after = one.lines();
    expect(after.slice(1, 10)).toEqual(before.slice(1, 10));
  });

  it.each([
    ['[', 98], ['T', 98], ['shift-left', 98], ['{', 89], ['(', 39], ['ctrl-left', 39], ['^', 0],
  ] as const)('%s goes back to Frame %i of 99', (key, index) => {
    const one = live(100);
    one.press(key);
    expect(one.time).toBe(at(index));
    expect(one.state.travel).toMatchObject({ index, first: 0, end: 100, playing: false });
  });

  it('goes on from there by ], } and ), and to the newest by $', () => {
    const one = live(100);
    one.press('^', ']');
    expect(one.state.travel?.index).toBe(1);
    one.press('}');
    expect(one.state.travel?.index).toBe(11);
    one.press(')');
    expect(one.state.travel?.index).toBe(71);
    one.press('shift-right', 'ctrl-right');
    expect(one.state.travel?.index).toBe(99);
    one.press(']');
    expect(one.state.message?.text).toContain('newest');
    one.press('$');
    expect(one.state.travel).toBeNull();
  });

  it('says where there is nothing more', () => {
    const one = live(3);
    one.press(']');
    expect(one.state.travel).toBeNull();
    expect(one.state.message?.text).toBe('this is the newest Frame');
    one.press('^', '[');
    expect(one.state.message?.text).toBe('this is the oldest Frame');
  });

  it('has the history of that moment, in charts, streams and totals', () => {
    const one = live(60);
    one.press('(', ']', '}');
    vi.advanceTimersByTime(5000);
    const index = one.state.travel?.index ?? 0;
    const expected = new History();
    for (let i = 0; i <= index; i++) expected.push(one.timeline.frame(i));
    expect(one.state.travel?.settled).toBe(true);
    expect(seen(one.state.shown!.history, one.timeline.frame(0), false, true)).toEqual(seen(expected, one.timeline.frame(0), false, true));
  });

  it('keeps selection, filter, sort, scope and zoom, and details follow', () => {
    const one = live(30);
    one.press('5', 'down', 'down', 'z', 's', 'down', 'enter', 'd');
    const { panes, zoomed, focus, overlay } = one.state;
    const key = panes.containers.selected;
    const rowOf = () => (one.state.overlay?.kind === 'details' ? one.state.overlay.row : null);
    one.press('[', '[', '[');
    expect(one.state).toMatchObject({ zoomed, focus, panes: { containers: { selected: key, sort: panes.containers.sort } } });
    expect(one.state.overlay).toMatchObject({ kind: 'details', key: (overlay as { key: string }).key });
    expect(rowOf()).toBe(one.timeline.frame(26).panes.containers.rows.find((row) => row.container === rowOf()?.container));
  });

  it('keeps the chosen row of a stream through a pause and back', () => {
    const one = live(30);
    one.press('3', 'down', 'down');
    const key = one.state.panes.opens.selected;
    const marked = () => {
      const view = paneView(one.state, 'opens')!;
      return view.rows[view.selected]?.row;
    };
    const row = marked();
    one.press('p');
    one.emit();
    expect(one.state.panes.opens.selected).toBe(key);
    expect(marked()).toBe(row);
    one.press('p');
    expect(marked()).toBe(row);
  });

  it('plays on from the past at its speed, and is live again when it has caught up', () => {
    const one = live(20);
    one.press('{', ' ');
    expect(one.state.travel).toMatchObject({ index: 9, playing: true, speed: 1 });
    vi.advanceTimersByTime(3050);
    expect(one.state.travel?.index).toBe(12);
    one.press('|', '|');
    expect(one.state.travel?.speed).toBe(4);
    vi.advanceTimersByTime(1100);
    expect(one.state.travel?.index).toBe(16);
    one.press(' ');
    vi.advanceTimersByTime(5000);
    expect(one.state.travel).toMatchObject({ index: 16, playing: false });
    one.press(' ');
    vi.advanceTimersByTime(2000);
    expect(one.state.travel).toBeNull();
    expect(one.state.message?.text).toBe('live again');
    expect(one.time).toBe(at(19));
  });

  it('shortens gaps and says so', () => {
    const one = live(10);
    for (let i = 0; i < 8; i++) one.emit((frame) => ({ ...frame, time: new Date(Date.parse(frame.time) + 600_000).toISOString() }));
    one.press('^', '}', '[', ' ');
    expect(one.state.travel?.index).toBe(9);
    expect(one.state.travel?.gaps).toEqual([{ index: 10, ms: 601_000 }]);
    expect(one.bar()).toContain('1 gap');
    vi.advanceTimersByTime(2050);
    expect(one.state.travel?.index).toBe(10);
    expect(one.state.message?.text).toBe('nothing was recorded for 10m01s: shortened');
  });

  it('moves to the oldest Frame when its own is let go of, and says so once', () => {
    const one = live(20);
    one.press('^', ']');
    one.timeline.first = 5;
    one.emit();
    expect(one.state.travel).toMatchObject({ index: 5, first: 5 });
    expect(one.state.message?.text).toMatch(/oldest that is still in memory/);
    one.press('down');
    one.timeline.first = 6;
    one.emit();
    expect(one.state.travel?.index).toBe(6);
    expect(one.state.message).toBeNull();
  });

  it('goes to a time that is typed, and says what is wrong with one that is none', () => {
    const one = live(120);
    one.press('b', ...'-30s', 'enter');
    expect(one.state.travel?.index).toBe(89);
    one.press('b', ...'+10s', 'enter');
    expect(one.state.travel?.index).toBe(99);
    one.press('b', ...'2026-11-21T02:00:05Z', 'enter');
    expect(one.time).toBe(at(4));
    const clock = new Date(at(70));
    one.press('b', ...[clock.getHours(), clock.getMinutes(), clock.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':'), 'enter');
    expect(one.time).toBe(at(70));
    one.press('b', ...'25:00:00', 'enter');
    expect(one.state.jump?.error).toMatch(/no time of day/);
    one.press('esc');
    expect(one.state.jump).toBeNull();
    one.press('b', ...'-5h', 'enter');
    expect(one.state.travel?.index).toBe(0);
    expect(one.state.message?.text).toMatch(/oldest Frame/);
    expect(one.state.panes.syscalls.filter).toBeNull();
  });

  it('stays where it is when a Frame cannot be read', () => {
    const one = live(20);
    one.press('[');
    one.timeline.damaged.add(17);
    one.press('[');
    expect(one.state.travel?.index).toBe(18);
    expect(one.state.message?.text).toMatch(/cannot be read: its block is damaged/);
  });

  it('saves all that is held, and says where or why not', async () => {
    const saved: unknown[] = [];
    const one = live(5, undefined, { saveTimeline: (timeline) => { saved.push(timeline); return saved.length === 1 ? Promise.resolve('kbtop-a.kbtop') : Promise.reject(new Error('ENOSPC: no space left')); } });
    one.press('W');
    await vi.advanceTimersByTimeAsync(0);
    expect(saved).toEqual([one.timeline]);
    expect(one.state.message?.text).toBe('saved kbtop-a.kbtop');
    one.press('W');
    await vi.advanceTimersByTimeAsync(0);
    expect(one.state.message?.text).toBe('not saved: ENOSPC: no space left');
  });

  it('without memory holds, and has no other key of time', () => {
    const node = new FakeNode();
    const one = rig({});
    one.source.emit(node.next());
    one.press('[', '^', ' ', 'b', 'W');
    expect(one.state.travel).toBeNull();
    expect(one.state.jump).toBeNull();
    one.press('p');
    one.source.emit(node.next());
    expect(one.lines()[0]).toContain('PAUSED +1');
    expect(one.lines().at(-2)).toMatch(/^╰/);
    one.press('p');
    expect(one.time).toBe(at(1));
  });

  it('starts anew on 0 in the past, too', () => {
    const one = live(30);
    one.press('{', '0', ']', ']');
    expect(one.state.shown?.history.totals().elapsedMs).toBe(2000);
    one.press('$');
    one.emit();
    expect(one.state.shown?.history.totals().elapsedMs).toBe(1000);
  });

  it('does no work and keeps no timer when the screen is left', () => {
    const one = live(100);
    one.press('^', ' ');
    one.controller.disconnect();
    expect(vi.getTimerCount()).toBe(0);
    open = null;
  });
});

describe('a recording', () => {
  it('begins where it was asked for, with what is to be said of it', () => {
    const one = replay(made(60), { at: Date.parse(at(30)), notes: ['its end is torn', 'and more'], notesRole: 'warn' });
    expect(one.time).toBe(at(30));
    expect(one.state.message?.text).toBe('its end is torn (and 1 more)');
    expect(one.lines()[0]).toMatch(/worker-1.* REPLAY .*2026-11-21/);
    expect(one.lines()[0]).not.toMatch(/every 1s/);
    expect(one.bar()).toMatch(/2026-11-21 .*\+30s of 59s .*31\/60 .*PAUSED/);
  });

  it('plays by itself, to its end, says so, and plays again', () => {
    const one = replay(made(6), { paused: false, speed: 2 });
    expect(one.state.travel).toMatchObject({ index: 0, playing: true });
    vi.advanceTimersByTime(1100);
    expect(one.state.travel?.index).toBe(2);
    vi.advanceTimersByTime(3000);
    expect(one.state.travel).toMatchObject({ index: 5, playing: false });
    expect(one.state.message?.text).toBe('that was all');
    one.press(' ');
    expect(one.state.travel).toMatchObject({ index: 0, playing: true });
    one.press('$');
    expect(one.state.travel).toMatchObject({ index: 5, playing: false });
    one.press('p', 'p');
    expect(one.state.travel).toMatchObject({ index: 0, playing: false });
  });

  it('has no keys for what cannot be changed', () => {
    const one = replay(made(5));
    one.press('+', '-', 'L', 'c', 'X');
    expect(one.source.asked).toEqual([]);
    expect(one.state.chaos).toBeNull();
    expect(one.lines().at(-1)).not.toMatch(/Chaos|Level|\+\/-/);
  });

  it('takes away what it has said after a while', () => {
    const one = replay(made(30), { paused: false, notes: ['a note'] });
    expect(one.state.message?.text).toBe('a note');
    vi.advanceTimersByTime(8000);
    expect(one.state.message).toBeNull();
  });

  it('adds up as far as it is looked at', () => {
    const one = replay(made(50));
    one.press('t', '$');
    vi.advanceTimersByTime(5000);
    expect(one.state.travel?.settled).toBe(true);
    expect(one.lines().join('\n')).toContain('total 50s');
  });
});

describe('what others may follow', () => {
  it('is the time of the Frame, and whether it stands', () => {
    const one = live(20);
    expect(travelView(one.state)).toEqual({ time: null, paused: false });
    one.press('[');
    expect(travelView(one.state)).toEqual({ time: Date.parse(at(18)), paused: true });
    one.press('{', ' ');
    expect(travelView(one.state)).toEqual({ time: Date.parse(at(8)), paused: false });
  });

  it('brings another screen there, by time', () => {
    const driver = live(20), other = live(30);
    other.timeline.first = 3;
    driver.press('{');
    const follow = () => other.controller.store.dispatch({ type: 'travelTo', view: JSON.parse(JSON.stringify(travelView(driver.state))) });
    follow();
    expect(other.time).toBe(driver.time);
    expect(applyTravel(other.state, travelView(driver.state)).effects).toEqual([]);
    driver.press('$');
    follow();
    expect(other.state.travel).toBeNull();
  });

  it.each([null, 5, 'x', [], {}, { time: '1' }, { time: Number.NaN, paused: true }, { time: 1e300, paused: true }, { time: 5 }, { time: 5, paused: 'yes' }, { paused: true }])('ignores %j', (view) => {
    const one = live(3);
    expect(applyTravel(one.state, view)).toEqual({ state: one.state, effects: [] });
  });
});

describe('the line of time', () => {
  it.each([[80, 24], [160, 45], [40, 12]])('is there at %ix%i, above the keys', (width, height) => {
    const one = live(100, { width, height });
    one.press('(');
    const lines = one.lines();
    expect(lines).toHaveLength(height);
    expect(lines.at(-2)).toMatch(/02:00:40 .*PAUSED/);
    if (width >= 80) expect(lines.at(-1)).toMatch(/q Quit.*\[ Back.*\] Next.*Space Play/);
    one.press('$');
    expect(one.lines().at(-2)).not.toMatch(/PAUSED/);
  });
});
