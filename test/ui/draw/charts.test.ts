import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bar } from '../../../src/ui/draw/bar.ts';
import { lineChart } from '../../../src/ui/draw/chart.ts';
import { heatLine, heatStep } from '../../../src/ui/draw/heat.ts';
import { penOf } from '../../../src/ui/draw/pen.ts';
import { areaChart, areaSamples, lastValues, scaleTop, sparkline } from '../../../src/ui/draw/spark.ts';
import { formatRate } from '../../../src/frame/units.ts';
import { PENS, expectCells, pen, plain } from '../cells.ts';

const values = fc.array(fc.oneof(fc.double({ min: 0, max: 1e9 }), fc.constantFrom(Number.NaN, Infinity, -Infinity, -1, 0, 1e-300)), { maxLength: 120 });
const anyPen = fc.constantFrom(...PENS);
const ascii = penOf(0, 'ascii');

describe('sparkline', () => {
  it('is exactly as wide as asked', () => {
    fc.assert(fc.property(anyPen, values, fc.nat(80), (pen, values, width) => expectCells([sparkline(pen, values, width)], width)));
  });

  it('has the newest value on the right, zero at the bottom and nothing where nothing is known', () => {
    expect(sparkline(pen, [0, 1, 2, 3, 4, 5, 6], 9)).toBe('  ▁▂▃▄▅▆▇');
    expect(sparkline(pen, [5, Number.NaN, 0], 3)).toBe('▇ ▁');
    expect(sparkline(pen, [0, 0], 2)).toBe('▁▁');
    expect(sparkline(ascii, [0, 6], 2)).toBe('_*');
    expect(sparkline(pen, [], 3)).toBe('   ');
  });

  it('is not flattened by one outlier', () => {
    const line = sparkline(pen, [...Array.from({ length: 39 }, () => 10), 1000], 40);
    expect(line.slice(0, 39)).toBe('▇'.repeat(39));
    expect(scaleTop([1, 2, Number.NaN])).toBe(2);
    expect(scaleTop([])).toBe(0);
  });

  it('takes the last values', () => {
    expect([...lastValues([1, 2, 3], 2)]).toEqual([2, 3]);
    expect([...lastValues([1], 3)]).toEqual([Number.NaN, Number.NaN, 1]);
  });
});

describe('areaChart', () => {
  it('is exactly as large as asked', () => {
    fc.assert(fc.property(anyPen, values, fc.nat(60), fc.nat(6), (pen, values, width, height) => expectCells(areaChart(pen, values, width, height), width, height)));
  });

  it('fills up to the value, two values to a cell in braille', () => {
    expect(areaSamples(pen, 10)).toBe(20);
    expect(areaChart(pen, [0, 1, 2, 4], 2, 1)).toEqual(['⢀⣼']);
    expect(areaChart(penOf(0, 'block'), [8, 16], 2, 2)).toEqual([' █', '██']);
    expect(areaChart(ascii, [7, 14], 2, 2)).toEqual([' *', '**']);
  });

  it('leaves a mark for what is small but not nothing', () => {
    expect(areaChart(pen, [0, 0.001, 0, 1000], 2, 2)[1]).toMatch(/^[^ ]/);
  });
});

describe('bar', () => {
  it('is exactly as wide as asked', () => {
    fc.assert(fc.property(anyPen, fc.oneof(fc.double(), fc.double({ min: 0, max: 1 })), fc.nat(60), (pen, share, width) => expectCells([bar(pen, share, width)], width)));
  });

  it('is full at one, empty at zero, and never empty above', () => {
    expect(bar(pen, 1, 4)).toBe('████');
    expect(bar(pen, 0, 4)).toBe('    ');
    expect(bar(pen, 0.00001, 4)).toBe('▏   ');
    expect(bar(pen, 0.5, 3)).toBe('█▌ ');
    expect(bar(ascii, 0.5, 4)).toBe('==  ');
  });
});

describe('heatLine', () => {
  it('is exactly as wide as its values', () => {
    fc.assert(fc.property(anyPen, values, fc.double({ min: 0, max: 1e6, noNaN: true }), (pen, values, top) => expectCells([heatLine(pen, values, top)], values.length)));
  });

  it('shows one among very many, and more as hotter', () => {
    expect(heatStep(0, 100, 10)).toBe(0);
    expect(heatStep(1, 1e6, 10)).toBe(1);
    expect(heatStep(1e6, 1e6, 10)).toBe(10);
    expect([10, 100, 1000, 10_000].map((value) => heatStep(value, 10_000, 10))).toEqual([1, 2, 4, 10]);
  });

  it('uses colour where there is one and shades where there is none', () => {
    expect(plain(heatLine(penOf(16, 'braille'), [0, 1, 100], 100))).toBe(' ██');
    expect(heatLine(penOf(0, 'braille'), [0, 1, 100], 100)).toBe(' ░█');
    expect(heatLine(penOf(256, 'braille'), [100], 100)).toMatch(/\x1b\[38;5;196m/);
  });
});

describe('lineChart', () => {
  it('is exactly as large as asked and never throws', () => {
    fc.assert(fc.property(anyPen, values, fc.nat(100), fc.nat(12), (pen, values, width, height) => expectCells(lineChart(pen, values, width, height, formatRate), width, height)));
  });

  it('draws an axis from zero to the largest value, newest on the right', () => {
    const lines = lineChart(pen, [0, 50, 100], 14, 3, String, 6);
    expect(lines).toEqual(['   100┼     ╭ ', '    50┤    ╭╯ ', '     0┼    ╯  ']);
  });

  it('is blank without values', () => {
    expect(lineChart(pen, [], 20, 2, String)).toEqual([' '.repeat(20), ' '.repeat(20)]);
    expect(lineChart(pen, [Number.NaN, Infinity], 20, 2, String)).toEqual([' '.repeat(20), ' '.repeat(20)]);
  });
});
