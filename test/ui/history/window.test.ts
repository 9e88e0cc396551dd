/** A history looked at from any of its ticks, grown at either end, against one that had just come that far. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import type { Frame } from '../../../src/frame/frame.ts';
import { CHART_TICKS, History, TREND_TICKS } from '../../../src/ui/history/history.ts';
import { SeriesMap } from '../../../src/ui/history/series.ts';
import { FakeNode } from '../fixtures.ts';
import { seen } from './seen.ts';

const node = new FakeNode({ containers: 3, events: 3 });
const frames = Array.from({ length: CHART_TICKS + 90 }, () => node.next());

/** As a live screen had it after these Frames. */
function live(upTo: number, from = 0): History {
  const history = new History();
  for (const frame of frames.slice(from, upTo + 1)) history.push(frame);
  return history;
}

const keys = frames[0]!;
const SLACK = 60;

describe('a history', () => {
  it('looks, from any tick of its window, as it did when that tick was the newest', () => {
    const end = 100;
    const history = live(end).fork(SLACK);
    const { last } = history.window;
    for (const back of [1, 2, 30, 0, 99]) {
      history.seek(last - back);
      expect(seen(history, keys, false)).toEqual(seen(live(end - back), keys, false));
    }
  });

  it('is the same grown from its newest Frame backwards', () => {
    const history = new History(SLACK);
    history.append(frames[80] as Frame);
    for (let i = 79; i >= 0; i--) history.prepend(frames[i] as Frame);
    expect(seen(history, keys, false)).toEqual(seen(live(80), keys, false));
    history.append(frames[81] as Frame);
    expect(seen(history, keys, false)).toEqual(seen(live(81), keys, false));
  });

  it('goes back farther than it reaches, and on again, without losing anything of what is looked at', () => {
    const end = frames.length - 1;
    const history = live(end).fork(SLACK);
    const { last } = history.window;
    // As far as there is room, then back to where the newest ones were let go.
    let oldest = end - (history.window.last - history.window.first);
    for (let at = end; at >= end - 80; at--) {
      history.seek(last - (end - at));
      while (oldest > 0 && oldest > at - CHART_TICKS - SLACK / 2 + 1) history.prepend(frames[--oldest] as Frame);
      expect(history.window.last).toBeGreaterThanOrEqual(history.tick);
    }
    expect(seen(history, keys, true)).toEqual(seen(live(end - 80), keys, true));
    for (let at = end - 79; at <= end; at++) {
      const tick = last - (end - at);
      if (tick <= history.window.last) history.seek(tick);
      else history.append(frames[at] as Frame);
    }
    expect(seen(history, keys, true)).toEqual(seen(live(end), keys, true));
  });

  it('does not touch the one that it was copied from', () => {
    const one = live(50);
    const before = seen(one, keys, false);
    const copy = one.fork(SLACK);
    copy.seek(copy.window.last - 20);
    copy.append(frames[51] as Frame);
    copy.sums.back(frames[50] as Frame, copy.window.last);
    expect(seen(one, keys, false)).toEqual(before);
  });

  it('refuses to look where it has nothing', () => {
    const history = live(5);
    expect(() => history.seek(history.window.last + 1)).toThrow(RangeError);
    expect(() => history.seek(history.window.first - 1)).toThrow(RangeError);
  });
});

describe('SeriesMap, grown at either end', () => {
  /** What a key said at each tick; null: nothing. */
  const values = fc.array(fc.option(fc.integer({ min: 1, max: 1000 }), { nil: null, freq: 2 }), { minLength: 2, maxLength: 30 });

  it('agrees with a plain array, wherever it began and whichever way it grew', () => {
    fc.assert(fc.property(values, values, fc.nat(), fc.array(fc.boolean(), { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), fc.nat(6), (a, b, start, ways, capacity, slack) => {
      const series = new SeriesMap(capacity, 1, slack);
      const length = Math.min(a.length, b.length);
      let first = start % length, last = first;
      const write = (tick: number): void => {
        series.open(tick);
        if (a[tick] != null) series.at('a', tick)[0] = a[tick];
        if (b[tick] != null) series.at('b', tick)[0] = b[tick];
      };
      write(first);
      for (const forward of ways) {
        if (forward && last + 1 < length) {
          write(++last);
          first = Math.max(first, last - capacity - slack + 1);
        } else if (!forward && first > 0) {
          write(--first);
          last = Math.min(last, first + capacity + slack - 1);
        }
      }
      for (const [key, said] of [['a', a], ['b', b]] as const) {
        const got = series.sum([key], last, capacity);
        got.forEach((value, i) => {
          const tick = last - capacity + 1 + i;
          if (tick < first) return expect(value).toBeNaN();
          // Silent is zero; before its first value it may be known from ticks that are gone.
          if (said[tick] != null) expect(value).toBe(said[tick]);
          else expect(value === 0 || Number.isNaN(value)).toBe(true);
          if (said.slice(first, tick).some((one) => one != null)) expect(value).not.toBeNaN();
        });
      }
    }), { numRuns: 500 });
  });

  it('has copies with more room that hold the same', () => {
    fc.assert(fc.property(values, fc.integer({ min: 1, max: 6 }), fc.nat(8), (said, capacity, slack) => {
      const series = new SeriesMap(capacity, 2);
      said.forEach((value, tick) => {
        if (value !== null) series.at('k', tick).set([value, -value]);
      });
      const copy = series.clone(slack);
      const last = said.length - 1;
      for (const lane of [0, 1]) expect(copy.sum(['k'], last, capacity, lane)).toEqual(series.sum(['k'], last, capacity, lane));
    }));
  });
});

it('has room for a trend and a chart', () => expect(TREND_TICKS).toBeLessThanOrEqual(CHART_TICKS));
