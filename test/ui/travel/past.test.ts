/** The past of a screen, against screens that were live at that moment. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/frame/frame.ts';
import { History } from '../../../src/ui/history/history.ts';
import { Past } from '../../../src/ui/travel/past.ts';
import { FakeNode } from '../fixtures.ts';
import { seen, summedOf } from '../history/seen.ts';
import { withRows } from '../states.ts';
import { ArrayTimeline } from './array-timeline.ts';

const node = new FakeNode({ containers: 3, events: 3 });
/** Some lose events, and a container comes late and goes. */
const frames = Array.from({ length: 180 }, (_, i) => {
  const frame = node.next();
  const some = i % 40 < 25 ? frame : withRows(frame, 'syscalls', frame.panes.syscalls.rows.filter((row) => row.container !== '5001'));
  return i % 7 === 0 ? withRows(some, 'opens', some.panes.opens.rows, { loss: { ...some.panes.opens.loss, lostRing: i } }) : some;
});
const keys = frames[0] as Frame;

function live(upTo: number, from = 0): History {
  const history = new History();
  for (const frame of frames.slice(from, upTo + 1)) history.push(frame);
  return history;
}

/** Do all the work that is left. */
function settle(past: Past, sums = true): number {
  let units = 0;
  while (past.work(sums)) units += 1;
  return units;
}

function expectLive(past: Past, index: number, from = 0): void {
  const { frame, history } = past.shown;
  expect(frame).toBe(frames[index]);
  expect(past.settled).toBe(true);
  expect(seen(history, keys, false, true)).toEqual(seen(live(index, from), keys, false, true));
}

const noLive = (): null => null;

describe('the history of a Frame of the past', () => {
  it('is what a live screen had, wherever one goes from wherever, in a recording', () => {
    const timeline = new ArrayTimeline(frames);
    const expected = new Map<number, unknown>();
    fc.assert(fc.property(fc.nat(frames.length - 1), fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer({ min: -179, max: 179 })), { maxLength: 6 }), fc.boolean(), (start, moves, hurried) => {
      const past = new Past(timeline, start, noLive);
      let index = start;
      for (const move of moves) {
        // Whoever is quick moves on before the work is done.
        if (!hurried) settle(past);
        else past.work(true);
        index = Math.max(0, Math.min(frames.length - 1, index + move));
        past.show(index);
      }
      settle(past);
      if (!expected.has(index)) expected.set(index, seen(live(index), keys, false, true));
      expect(past.shown.frame).toBe(frames[index]);
      expect(seen(past.shown.history, keys, false, true)).toEqual(expected.get(index));
    }), { numRuns: 25 });
  }, 240_000);

  it('is what the live screen had, gone back to from it, with what was added up before memory begins', () => {
    const timeline = new ArrayTimeline(frames.slice(0, 150));
    timeline.first = 60;
    const history = live(149);
    const past = new Past(timeline, 149, () => ({ index: 149, history }));
    expectLive(past, 149);
    for (const index of [148, 147, 137, 60, 61, 100, 149]) {
      past.show(index);
      settle(past);
      expect(past.settled).toBe(true);
      expect(summedOf(past.shown.history)).toEqual(summedOf(live(index)));
      expect(past.shown.frame).toBe(frames[index]);
    }
    past.show(148);
    settle(past);
    expectLive(past, 148);
    // The live one has not noticed.
    expect(summedOf(history)).toEqual(summedOf(live(149)));
  });

  it('is there at once for a step back: nothing but the Frame is read, and sums stand', () => {
    const timeline = new ArrayTimeline(frames);
    const history = live(179);
    const past = new Past(timeline, 179, () => ({ index: 179, history }));
    for (let index = 178; index > 100; index--) {
      const before = timeline.reads;
      past.show(index);
      expect(timeline.reads - before).toBe(1);
      expect(past.settled).toBe(true);
    }
    expectLive(past, 101);
  });

  it('counts from a reset on, also when that is in the past', () => {
    const timeline = new ArrayTimeline(frames);
    const history = new History();
    for (const [i, frame] of frames.slice(0, 150).entries()) {
      history.push(frame);
      if (i === 99) history.reset();
    }
    const past = new Past(timeline, 149, () => ({ index: 149, history }));
    past.show(120);
    settle(past);
    expect(summedOf(past.shown.history)).toEqual(summedOf(live(120, 100)));
    past.show(50);
    settle(past);
    expect(past.shown.history.totals()).toEqual({ syscalls: [], runqueue: [], elapsedMs: 0 });
    past.reset();
    past.show(55);
    settle(past);
    expect(summedOf(past.shown.history)).toEqual(summedOf(live(55, 51)));
  });

  it('takes sums from the live screen when what lies between was let go of', () => {
    const timeline = new ArrayTimeline(frames);
    const history = live(179);
    const past = new Past(timeline, 20, () => ({ index: 179, history }));
    settle(past);
    timeline.first = 100;
    past.show(150);
    settle(past);
    expect(summedOf(past.shown.history)).toEqual(summedOf(live(150)));
  });

  it('does not carry sums far that nobody looks at', () => {
    const long = Array.from({ length: 1200 }, (_, i) => ({ ...(frames[i % frames.length] as Frame), time: new Date(i * 1000).toISOString() }));
    const timeline = new ArrayTimeline(long);
    const past = new Past(timeline, 1199, noLive);
    settle(past, false);
    expect(past.settled).toBe(false);
    settle(past, true);
    expect(past.settled).toBe(true);
    expect(past.shown.history.totals().elapsedMs).toBe(1_200_000);
  });

  it('ends where a Frame cannot be read, and stays where it is when that is the one asked for', () => {
    const timeline = new ArrayTimeline(frames);
    timeline.damaged.add(90);
    const past = new Past(timeline, 100, noLive);
    settle(past);
    expect(past.shown.history.window.first).toBe(past.shown.history.tick - 9);
    expect(() => past.show(90)).toThrow('damaged');
    expect(past.index).toBe(100);
    expect(past.shown.frame).toBe(frames[100]);
    past.show(85);
    past.show(95);
    expect(past.shown.frame).toBe(frames[95]);
  });
});
