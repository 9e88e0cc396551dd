import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SeriesMap } from '../../../src/ui/history/series.ts';

describe('SeriesMap', () => {
  it('is zero where a key was silent and unknown before its first value', () => {
    const series = new SeriesMap(8);
    series.at('a', 2)[0] = 5;
    series.at('a', 5)[0] = 7;
    expect([...series.sum(['a'], 6, 6)]).toEqual([Number.NaN, 5, 0, 0, 7, 0]);
    expect([...series.sum(['b'], 6, 2)]).toEqual([Number.NaN, Number.NaN]);
  });

  it('keeps only the last ticks', () => {
    const series = new SeriesMap(3);
    for (let tick = 1; tick <= 10; tick++) series.at('a', tick)[0] = tick;
    expect([...series.sum(['a'], 10, 5)]).toEqual([Number.NaN, Number.NaN, 8, 9, 10]);
    // A long silence overwrites all of it with zeros.
    series.at('a', 100)[0] = 1;
    expect([...series.sum(['a'], 100, 3)]).toEqual([0, 0, 1]);
  });

  it('adds keys up', () => {
    const series = new SeriesMap(4);
    series.at('a', 1)[0] = 1;
    series.at('a', 2)[0] = 2;
    series.at('b', 2)[0] = 10;
    expect([...series.sum(['a', 'b'], 2, 2)]).toEqual([1, 12]);
    expect(series.mean(['a', 'b'], 2, 2)).toBe(6.5);
    expect(series.mean(['c'], 2, 2)).toBeNull();
  });

  it('agrees with a plain array, whatever comes when', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 10 }), fc.array(fc.option(fc.integer({ min: 1, max: 1000 }), { nil: null, freq: 3 }), { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (capacity, values, samples) => {
      const series = new SeriesMap(capacity);
      values.forEach((value, i) => { if (value !== null) series.at('k', i + 1)[0] = value; });
      const first = values.findIndex((value) => value !== null);
      const expected = Array.from({ length: samples }, (_, i) => {
        const at = values.length - samples + i;
        return at < 0 || values.length - at > capacity || first === -1 || at < first ? Number.NaN : values[at] ?? 0;
      });
      expect([...series.sum(['k'], values.length, samples)]).toEqual(expected);
    }));
  });

  it('forgets what has been silent for long, and only that', () => {
    const series = new SeriesMap(4);
    series.at('old', 1)[0] = 1;
    series.at('new', 200)[0] = 1;
    series.forget(200);
    expect(series.size).toBe(1);
  });

  it('holds several lanes', () => {
    const series = new SeriesMap(2, 3);
    series.at('a', 1).set([1, 2, 3]);
    expect([0, 1, 2].map((lane) => series.sum(['a'], 1, 1, lane)[0])).toEqual([1, 2, 3]);
  });

  it('has copies that stay as they are', () => {
    const series = new SeriesMap(2);
    series.at('a', 1)[0] = 1;
    const copy = series.clone();
    series.at('a', 2)[0] = 9;
    expect([...copy.sum(['a'], 1, 1)]).toEqual([1]);
  });
});
