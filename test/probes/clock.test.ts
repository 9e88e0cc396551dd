import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BeatClock } from '../../src/probes/clock.ts';

describe('the beat clock', () => {
  let beats: number[];
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    beats = [];
  });
  afterEach(() => vi.useRealTimers());
  const clockOf = (period: number) => new BeatClock(period, () => beats.push(performance.now()));
  const since = (start: number) => beats.map((beat) => Math.round(beat - start));

  it('beats on its grid, after a first delay of its own', () => {
    const clock = clockOf(1000);
    const start = performance.now();
    clock.start(250);
    vi.advanceTimersByTime(3300);
    expect(since(start)).toEqual([250, 1250, 2250, 3250]);
    clock.stop();
    vi.advanceTimersByTime(3000);
    expect(beats).toHaveLength(4);
  });

  it('leaves out what a stall made it miss, and stays on its grid', () => {
    const start = performance.now();
    let stall = 0;
    const now = () => performance.now() + stall;
    const clock = new BeatClock(1000, () => beats.push(now()), now);
    clock.start();
    vi.advanceTimersByTime(1000);
    stall = 2600; // the timer that is due at 2000 runs at 4600
    vi.advanceTimersByTime(4000);
    expect(since(start)).toEqual([1000, 4600, 5000, 6000, 7000]);
    clock.stop();
  });

  it('takes another period from the last beat on', () => {
    const start = performance.now();
    const clock = clockOf(10_000);
    clock.start();
    vi.advanceTimersByTime(11_500);
    clock.setPeriod(2000);
    vi.advanceTimersByTime(3000);
    expect(since(start)).toEqual([10_000, 12_000, 14_000]);
    clock.stop();
  });

  it('hurries, but never delays', () => {
    const start = performance.now();
    const clock = clockOf(10_000);
    clock.start();
    vi.advanceTimersByTime(1000);
    clock.hurry(250);
    clock.hurry(5000);
    vi.advanceTimersByTime(10_300);
    expect(since(start)).toEqual([1250, 11_250]);
    clock.stop();
  });

  it('does not start by being changed', () => {
    const clock = clockOf(100);
    clock.setPeriod(50);
    clock.hurry(10);
    vi.advanceTimersByTime(1000);
    expect(beats).toEqual([]);
  });
});
