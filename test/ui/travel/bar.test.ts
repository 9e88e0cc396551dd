import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calculateLayout } from '../../../src/ui/layout.ts';
import type { State } from '../../../src/ui/model.ts';
import { drawScreen } from '../../../src/ui/screen.ts';
import { drawTimeBar, track } from '../../../src/ui/travel/bar.ts';
import type { Travel } from '../../../src/ui/travel/model.ts';
import { PENS, expectCells, pen, plain } from '../cells.ts';
import { effectsOf, emptyState, liveState, press } from '../states.ts';

const T0 = new Date(2026, 10, 21, 2).getTime();
const travel = (more: Partial<Travel> = {}): Travel => ({ index: 40, first: 0, end: 101, time: T0 + 40_000, firstTime: T0, lastTime: T0 + 100_000, playing: false, speed: 1, gaps: [], settled: true, ...more });
const state = (more: Partial<Travel> = {}, reach: State['reach'] = 'memory', width = 120): State => liveState({ travel: travel(more), reach, size: { width, height: 40 } });
const bar = (one: State): string => plain(drawTimeBar(one, pen, one.size.width));

describe('the line of time', () => {
  it('says when, how far from now, where, and that it stands or how fast it goes', () => {
    expect(bar(state())).toMatch(/^ 2026-11-21 02:00:40 {2}1m00s before now {2}━+█─+ +41\/101 +PAUSED +$/);
    expect(bar(state({ playing: true, speed: 4 }))).toContain('PLAY 4x');
    expect(bar(state({ speed: 0.5 }))).toMatch(/0\.5x .*PAUSED/);
    expect(bar(state({ index: 100, time: T0 + 100_000 }))).toContain('newest');
    expect(bar(state({ settled: false }))).toContain('adding up');
  });

  it('counts from the start in a recording', () => {
    expect(bar(state({}, 'recording', 80))).toMatch(/^ 2026-11-21 02:00:40 {2}\+40s of 1m40s /);
  });

  it('marks gaps, the Frame that is shown, and both ends', () => {
    expect(track(travel({ index: 0 }), 11, false)).toBe('█──────────');
    expect(track(travel({ index: 100 }), 11, false)).toBe('━━━━━━━━━━█');
    expect(track(travel({ index: 50, gaps: [{ index: 20, ms: 9000 }, { index: 70, ms: 9000 }] }), 11, false)).toBe('━━╎━━█─╎───');
    expect(track(travel({ index: 50, gaps: [{ index: 20, ms: 9000 }] }), 11, true)).toBe('==:==#-----');
    expect(track(travel({ first: 7, index: 7, end: 8 }), 5, false)).toBe('█────');
    expect(bar(state({ gaps: [{ index: 20, ms: 9000 }] }))).toContain('1 gap');
  });

  it('takes exactly its line, whatever it tells and however narrow it is', () => {
    const gap = fc.record({ index: fc.integer({ min: -5, max: 5000 }), ms: fc.nat() });
    const travels = fc.record({ index: fc.nat(2000), first: fc.nat(10), end: fc.integer({ min: 11, max: 3000 }), time: fc.nat(4e12), firstTime: fc.nat(4e12), lastTime: fc.nat(4e12), playing: fc.boolean(), speed: fc.constantFrom(0.25, 1, 32), gaps: fc.array(gap, { maxLength: 5 }), settled: fc.boolean() });
    fc.assert(fc.property(travels, fc.integer({ min: 1, max: 250 }), fc.integer({ min: 1, max: 60 }), fc.constantFrom('none', 'memory', 'recording'), fc.constantFrom(...PENS), fc.option(fc.constantFrom('REPLAY', 'DEMO'), { nil: null }), (one, width, height, reach, anyPen, replay) => {
      const now = { ...emptyState({ size: { width, height } }), travel: one, reach, replay };
      expectCells([drawTimeBar(now, anyPen, width)], width);
      expectCells(drawScreen(now), width, height);
      const layout = calculateLayout(now);
      expect(layout.header + layout.banner + layout.tabs + layout.timeBar + layout.footer + layout.bodyHeight).toBe(height);
    }), { numRuns: 300 });
  });

  it('takes its cells from the panes at 80x24, and leaves each of them rows', () => {
    const layout = calculateLayout(liveState({ travel: travel(), reach: 'memory', size: { width: 80, height: 24 } }));
    expect(layout.timeBar).toBe(1);
    expect(layout.bodyHeight).toBe(21);
    for (const pane of layout.rows.flat()) expect(pane.height).toBeGreaterThanOrEqual(5);
  });
});

describe('keys of time', () => {
  const live = { reach: 'memory' } as const;
  it.each([
    ['p', { kind: 'pause' }], [' ', { kind: 'pause' }], ['[', { kind: 'frames', by: -1 }], ['T', { kind: 'frames', by: -1 }], [']', { kind: 'frames', by: 1 }], ['{', { kind: 'frames', by: -10 }], ['}', { kind: 'frames', by: 10 }],
    ['(', { kind: 'moment', moment: { kind: 'relative', ms: -60_000 } }], [')', { kind: 'moment', moment: { kind: 'relative', ms: 60_000 } }], ['^', { kind: 'oldest' }], ['$', { kind: 'live' }], ['|', { kind: 'speed', by: 1 }], ['\\', { kind: 'speed', by: -1 }],
  ] as const)('%s asks for %j, from the panes and from what covers them', (key, go) => {
    expect(effectsOf(liveState(live), key)).toEqual([{ kind: 'travel', go }]);
    expect(effectsOf(liveState(live), '5', 'down', 'd', key)).toEqual([{ kind: 'travel', go }]);
    if (key !== 'p') expect(effectsOf(liveState(), key)).toEqual([]);
  });

  it('hold and go on: p live again, Space from there', () => {
    const held = liveState({ ...live, travel: travel() });
    expect(effectsOf(held, 'p')).toEqual([{ kind: 'travel', go: { kind: 'live' } }]);
    expect(effectsOf(held, ' ')).toEqual([{ kind: 'travel', go: { kind: 'play' } }]);
    const playing = liveState({ ...live, travel: travel({ playing: true }) });
    for (const key of ['p', ' ']) expect(effectsOf(playing, key)).toEqual([{ kind: 'travel', go: { kind: 'pause' } }]);
    expect(effectsOf(liveState({ reach: 'recording', travel: travel() }), 'p')).toEqual([{ kind: 'travel', go: { kind: 'play' } }]);
  });

  it('W asks to keep what is held, where that can be', () => {
    expect(effectsOf(liveState({ ...live, canSaveTimeline: true }), 'W')).toEqual([{ kind: 'saveTimeline' }]);
    expect(effectsOf(liveState(live), 'W')).toEqual([]);
  });

  it('t asks for sums that are not there yet', () => {
    expect(effectsOf(liveState({ ...live, travel: travel({ settled: false }) }), 't')).toEqual([{ kind: 'travel', go: { kind: 'settle' } }]);
    expect(effectsOf(liveState({ ...live, travel: travel() }), 't')).toEqual([]);
  });

  it('type a time: everything goes into the line, and Ctrl-C still leaves', () => {
    const typing = press(liveState(live), 'b', '-', '5', 'q');
    expect(typing.jump).toMatchObject({ text: '-5q', error: null });
    expect(press(typing, 'enter').jump?.error).toMatch(/not a duration/);
    expect(press(typing, 'enter', 'backspace', 'm').jump).toMatchObject({ text: '-5m', error: null });
    expect(effectsOf(typing, 'ctrl-c')).toEqual([{ kind: 'quit', code: 130 }]);
    expect(effectsOf(typing, 'backspace', 'm', 'enter')).toEqual([{ kind: 'travel', go: { kind: 'moment', moment: { kind: 'relative', ms: -300_000 } } }]);
    expect(press(liveState(live), 'b', 'enter').jump).toBeNull();
    expect(press(liveState(live), 'b', 'backspace').jump).toBeNull();
    const lines = drawScreen(typing).map(plain);
    expect(lines.at(-1)).toMatch(/^ time: -5q /);
  });
});
