import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Wanted } from '../../../src/ui/draw/columns.ts';
import { fitColumns } from '../../../src/ui/draw/columns.ts';

const column = (min: number, rank: number, more: Partial<Wanted['width']> & { need?: number; elastic?: boolean } = {}): Wanted => ({
  width: { min, max: more.max ?? min, grow: more.grow ?? 0, ...(more.ideal !== undefined && { ideal: more.ideal }) }, rank, need: more.need ?? min, ...(more.elastic && { elastic: true }),
});
const used = (fit: ReturnType<typeof fitColumns>, gap: number) => fit.columns.reduce((n, one) => n + one.width, 0) + gap * Math.max(0, fit.columns.length - 1);

describe('fitColumns', () => {
  const wanted = fc.array(fc.record({ min: fc.integer({ min: 1, max: 30 }), extra: fc.nat(60), grow: fc.nat(6), rank: fc.nat(12), need: fc.nat(80), ideal: fc.nat(40) })
    .map(({ min, extra, grow, rank, need, ideal }): Wanted => ({ width: { min, max: min + extra, grow, ideal }, rank, need })), { minLength: 1, maxLength: 16 });

  it('never takes more than the room, keeps order, and gives each at least its minimum', () => {
    fc.assert(fc.property(wanted, fc.integer({ min: 1, max: 250 }), fc.integer({ min: 1, max: 2 }), fc.nat(20), (columns, room, gap, offset) => {
      const fit = fitColumns(columns, room, gap, offset);
      expect(fit.columns.length).toBeGreaterThan(0);
      expect(used(fit, gap)).toBeLessThanOrEqual(room);
      for (const { index, width } of fit.columns) {
        if (fit.columns.length > 1) expect(width).toBeGreaterThanOrEqual(columns[index]!.width.min);
        expect(width).toBeLessThanOrEqual(columns[index]!.width.max);
      }
      if (offset === 0) expect(fit.columns.map((one) => one.index)).toEqual(fit.columns.map((one) => one.index).toSorted((a, b) => a - b));
    }), { numRuns: 2000 });
  });

  it('can scroll to every column', () => {
    fc.assert(fc.property(wanted, fc.integer({ min: 1, max: 100 }), (columns, room) => {
      const { lastOffset } = fitColumns(columns, room, 1);
      const seen = new Set<number>();
      for (let offset = 0; offset <= lastOffset; offset++) for (const { index } of fitColumns(columns, room, 1, offset).columns) seen.add(index);
      // A column that does not even fit beside the first cannot be shown.
      const first = fitColumns(columns, room, 1).columns[0]!.index;
      columns.forEach((one, i) => {
        if (columns[first]!.width.min + 1 + one.width.min <= room) expect(seen).toContain(i);
      });
    }));
  });

  it('keeps the important columns on a narrow screen', () => {
    const columns = [column(10, 0), column(6, 0), column(5, 8), column(5, 1), column(6, 2)];
    const shown = (room: number) => fitColumns(columns, room, 1).columns.map((one) => one.index);
    expect(shown(36)).toEqual([0, 1, 2, 3, 4]);
    expect(shown(30)).toEqual([0, 1, 3, 4]);
    expect(shown(24)).toEqual([0, 1, 3]);
    expect(shown(12)).toEqual([0]);
  });

  it('lets extras in only where the others have their ideal width', () => {
    const columns = [column(10, 0, { max: 40, grow: 1, ideal: 24, need: 40 }), column(6, 0), column(5, 6)];
    expect(fitColumns(columns, 34, 1).columns.map((one) => one.index)).toEqual([0, 1]);
    expect(fitColumns(columns, 37, 1).columns.map((one) => one.index)).toEqual([0, 1, 2]);
  });

  it('gives names their need before a trend gets more', () => {
    const columns = [column(10, 0, { max: 20, grow: 1, need: 16 }), column(6, 1, { max: 20, grow: 1, need: 20, elastic: true })];
    expect(fitColumns(columns, 25, 1).columns.map((one) => one.width)).toEqual([16, 8]);
  });

  it('does not grow a column beyond what it holds', () => {
    expect(fitColumns([column(10, 0, { max: 80, grow: 1, need: 12 })], 60, 1).columns[0]?.width).toBe(12);
  });
});
