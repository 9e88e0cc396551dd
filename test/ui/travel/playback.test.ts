import { describe, expect, it } from 'vitest';
import { Gaps, gapBefore } from '../../../src/ui/travel/gaps.ts';
import { GAP_MS, SPEEDS, nextSpeed, stay } from '../../../src/ui/travel/playback.ts';
import { FakeNode } from '../fixtures.ts';
import { ArrayTimeline } from './array-timeline.ts';

const frame = new FakeNode({ containers: 1, events: 1 }).next();

/** Frames so many seconds apart, one after the other. */
function timelineOf(...steps: readonly number[]): ArrayTimeline {
  let time = Date.parse(frame.time);
  const timeline = new ArrayTimeline([frame]);
  for (const step of steps) timeline.push({ ...frame, time: new Date(time += step * 1000).toISOString() });
  return timeline;
}

const gapsOf = (timeline: ArrayTimeline) => new Gaps(timeline).get().map(({ index, ms }) => [index, ms / 1000]);

describe('a gap', () => {
  it.each([
    ['none', [1, 1, 1, 1], []],
    ['one', [1, 1, 60, 1, 1], [[3, 60]]],
    ['one at the end', [1, 1, 1, 60], [[4, 60]]],
    ['two', [1, 1, 60, 1, 1, 1, 90, 1], [[3, 60], [7, 90]]],
    ['another interval', [1, 1, 1, 10, 10, 10, 10], []],
    ['an interval of minutes', [120, 120, 120], []],
    ['a tick that was late', [1, 1, 2.5, 1, 1], []],
  ] as const)('%s', (_name, steps, gaps) => {
    expect(gapsOf(timelineOf(...steps))).toEqual(gaps);
  });

  it('is found once while a timeline grows, and let go of with its Frames', () => {
    const timeline = timelineOf(1, 1);
    const gaps = new Gaps(timeline);
    expect(gaps.get()).toEqual([]);
    const later = timelineOf(1, 1, 60, 1);
    timeline.push(later.frame(3));
    timeline.push(later.frame(4));
    expect(gaps.get()).toEqual([{ index: 3, ms: 60_000 }]);
    expect(gaps.get()).toBe(gaps.get());
    timeline.first = 3;
    expect(gaps.get()).toEqual([]);
  });

  it('is not before the first Frame, nor outside', () => {
    const timeline = timelineOf(60, 1, 1);
    for (const index of [-1, 0, 4, 9]) expect(gapBefore(timeline, index)).toBeNull();
  });
});

describe('playing', () => {
  it('takes as long as it took, by the speed', () => {
    const timeline = timelineOf(1, 2, 1);
    expect(stay(timeline, 0, 1)).toEqual({ ms: 1000, gap: null });
    expect(stay(timeline, 1, 4)).toEqual({ ms: 500, gap: null });
    expect(stay(timeline, 0, 0.25).ms).toBe(4000);
  });

  it('makes a gap short, and says which', () => {
    const timeline = timelineOf(1, 1, 600, 1, 1);
    expect(stay(timeline, 2, 1)).toEqual({ ms: GAP_MS, gap: { index: 3, ms: 600_000 } });
    expect(stay(timeline, 2, 2).ms).toBe(GAP_MS / 2);
  });

  it('has speeds that the keys go through', () => {
    expect(SPEEDS.map((speed) => nextSpeed(speed, 1))).toEqual([...SPEEDS.slice(1), 32]);
    expect(SPEEDS.map((speed) => nextSpeed(speed, -1))).toEqual([0.25, ...SPEEDS.slice(0, -1)]);
  });
});
