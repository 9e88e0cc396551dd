import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bucket } from '../../../src/session/server/bucket.ts';
import { Bundler } from '../../../src/session/server/bundler.ts';

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => { vi.useRealTimers(); });

describe('what comes in numbers', () => {
  it('is told at once, then together', () => {
    const told: [string, number][] = [];
    const bundler = new Bundler<string>((item, times) => told.push([item, times]), 1000);
    for (let i = 1; i <= 5; i++) bundler.add('a', `a${i}`);
    bundler.add('b', 'b');
    expect(told).toEqual([['a1', 1], ['b', 1]]);
    vi.advanceTimersByTime(1000);
    expect(told).toEqual([['a1', 1], ['b', 1], ['a5', 4]]);
    bundler.add('a', 'a6');
    bundler.add('a', 'a7');
    bundler.flush();
    expect(told.slice(3)).toEqual([['a6', 1], ['a7', 1]]);
  });

  it('is bounded however different it is', () => {
    const told: [number, number][] = [];
    const bundler = new Bundler<number>((item, times) => told.push([item, times]), 1000);
    for (let i = 0; i < 10_000; i++) bundler.add(String(i), i);
    expect(told.length).toBeLessThanOrEqual(65);
    vi.advanceTimersByTime(1000);
    expect(told.reduce((sum, [, times]) => sum + times, 0)).toBe(10_000);
  });
});

describe('a bucket', () => {
  it('has so many at once, and so many a second', () => {
    let now = 0;
    const bucket = new Bucket(3, 2, () => now);
    expect([1, 2, 3, 4].map(() => bucket.take())).toEqual([true, true, true, false]);
    now = 500;
    expect([bucket.take(), bucket.take()]).toEqual([true, false]);
    now = 60_000;
    expect([bucket.full, ...[1, 2, 3, 4].map(() => bucket.take())]).toEqual([true, true, true, true, false]);
  });
});
