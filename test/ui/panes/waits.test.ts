import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { latencyOf, HIST_BUCKETS, bucketOf } from '../../../src/frame/histogram.ts';
import { History, OCTAVES, octaveUs } from '../../../src/ui/history/history.ts';
import { countsOf, exactRange, heatMap, histogram, octaveLabel, rangeLabel, split, usualRange } from '../../../src/ui/panes/waits.ts';
import { PENS, expectCells, pen, plain } from '../cells.ts';
import { FakeNode } from '../fixtures.ts';
import { withRows } from '../states.ts';

const latency = (samples: Readonly<Record<number, number>>) => {
  const counts = new Float64Array(HIST_BUCKETS);
  for (const [us, n] of Object.entries(samples)) counts[bucketOf(Number(us))] = n;
  return latencyOf(counts, 0, null, 1);
};
const range = fc.tuple(fc.nat(OCTAVES - 1), fc.nat(OCTAVES - 1)).map(([a, b]) => ({ first: Math.min(a, b), end: Math.max(a, b) + 1 }));

describe('the parts of a scale', () => {
  it('lie beside each other, hold everything, and are at most as many as asked', () => {
    fc.assert(fc.property(range, fc.integer({ min: 1, max: 40 }), (range, rows) => {
      const parts = split(range, rows);
      expect(parts.length).toBeLessThanOrEqual(rows);
      expect(parts[0]?.first).toBe(0);
      expect(parts.at(-1)?.end).toBe(OCTAVES);
      parts.slice(1).forEach((part, i) => expect(part.first).toBe(parts[i]?.end));
    }));
  });

  it('lose no sample', () => {
    fc.assert(fc.property(range, fc.integer({ min: 1, max: 20 }), fc.dictionary(fc.nat(HIST_BUCKETS - 1).map(String), fc.integer({ min: 1, max: 1000 })), (range, rows, samples) => {
      const counts = new Float64Array(HIST_BUCKETS);
      for (const [i, n] of Object.entries(samples)) counts[Number(i)] = n;
      const total = counts.reduce((a, b) => a + b, 0);
      expect(countsOf(latencyOf(counts, 0, null, 1), split(range, rows)).reduce((a, b) => a + b, 0)).toBe(total);
    }));
  });

  it('are called in round numbers', () => {
    expect([1, 2, 3, 13, 17, 23, 28].map((octave) => octaveLabel(octave, 'µ'))).toEqual(['256ns', '512ns', '1µs', '1ms', '16ms', '1s', '32s']);
    expect(rangeLabel({ first: 7, end: 9 }, 'µ')).toBe('16-64µs');
    expect(rangeLabel({ first: 11, end: 13 }, 'µ')).toBe('256µs-1ms');
    expect(rangeLabel({ first: 0, end: 5 }, 'u')).toBe('<4us');
    expect(rangeLabel({ first: 15, end: OCTAVES }, 'µ')).toBe('>4ms');
    expect(rangeLabel({ first: 0, end: OCTAVES }, 'µ')).toBe('all');
    for (let octave = 1; octave < 24; octave++) {
      const [, number, unit] = /^(\d+)(\D+)$/.exec(octaveLabel(octave, 'µ'))!;
      const us = Number(number) * { ns: 0.001, 'µs': 1, ms: 1e3, s: 1e6 }[unit!]!;
      expect(Math.abs(us / octaveUs(octave) - 1)).toBeLessThan(0.08);
    }
  });
});

describe('the scale', () => {
  const frameWith = (us: number) => {
    const frame = new FakeNode().next();
    return withRows(frame, 'runqueue', frame.panes.runqueue.rows.map((row) => ({ ...row, latency: latency({ [us]: 5 }) })));
  };
  const rangeAfter = (...waits: number[]) => {
    const history = new History();
    const frames = waits.map(frameWith);
    for (const frame of frames) history.push(frame);
    return usualRange({ frame: frames.at(-1)!, history });
  };

  it('is the usual one, and wider while a longer wait is remembered', () => {
    expect(rangeAfter(1.024)).toEqual({ first: 3, end: 17 });
    expect(rangeAfter(1048.576)).toEqual({ first: 3, end: 17 });
    expect(rangeAfter(1_073_741.824, 1.024)).toEqual({ first: 3, end: 24 });
  });

  it('can be just what was seen', () => {
    expect(exactRange([5, 9, 7])).toEqual({ first: 5, end: 10 });
    expect(split(exactRange([]), 5).length).toBeGreaterThan(0);
  });
});

describe('histogram and heat map', () => {
  it('are exactly as wide as asked, and no higher', () => {
    fc.assert(fc.property(fc.constantFrom(...PENS), range, fc.integer({ min: 1, max: 160 }), fc.integer({ min: 1, max: 30 }), fc.array(fc.nat(1e6), { maxLength: 60 }), (pen, range, width, height, values) => {
      const bars = histogram(pen, latency({ 1.024: 3, 1048.576: 70_000 }), range, width, height);
      expectCells(bars, width);
      expect(bars.length).toBeLessThanOrEqual(height);
      const map = heatMap(pen, Array.from({ length: OCTAVES }, (_, i) => values.map((value) => value * (i % 3))), range, width, height);
      expectCells(map, width);
      expect(map.length).toBeLessThanOrEqual(height);
    }), { numRuns: 500 });
  });

  it('show where the waits are', () => {
    const lines = histogram(pen, latency({ 1.024: 100, 131.072: 50, 33554.432: 1 }), { first: 3, end: 17 }, 40, 5).map(plain);
    expect(lines.map((line) => line.trimEnd())).toEqual([
      '      <8µs   100 ████████████████████████',
      '    8-64µs     -',
      '  64-512µs    50 ████████████',
      ' 512µs-4ms     -',
      '      >4ms     1 ▎',
    ].map((line) => line.slice(1)));
  });

  it('has slow waits on top of the map, and now on the right', () => {
    const octaves = Array.from({ length: OCTAVES }, (_, octave) => (octave === 16 ? [0, 0, 9] : octave === 3 ? [9, 9, 0] : [0, 0, 0]));
    const lines = heatMap(pen, octaves, { first: 3, end: 17 }, 20, 5).map(plain);
    expect(lines[0]).toMatch(/>4ms .* {2}█$/);
    expect(lines.at(-1)).toMatch(/<8µs .*██ $/);
  });
});
