import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawBox, innerWidth } from '../../../src/ui/draw/box.ts';
import { penOf } from '../../../src/ui/draw/pen.ts';
import { PENS, expectCells, pen, plain } from '../cells.ts';

const piece = (text: string, rank: number) => ({ text, role: 'text' as const, rank });
const pieces = fc.array(fc.tuple(fc.oneof(fc.string(), fc.constantFrom('漢字', '\x1b[2J', '81.8k/s', '')), fc.nat(6)).map(([text, rank]) => piece(text, rank)), { maxLength: 6 });

describe('a box', () => {
  it('is exactly as large as asked, whatever its title says', () => {
    fc.assert(fc.property(fc.constantFrom(...PENS), fc.integer({ min: 0, max: 120 }), fc.integer({ min: 0, max: 20 }), pieces, pieces, fc.boolean(), fc.integer({ min: 0, max: 1 }), (pen, width, height, title, facts, focused, pad) => {
      const body = { lines: [pen.fit('x', innerWidth(width, pad))], selected: 0, scroll: { offset: 3, shown: height, total: 50, firstLine: 0 } };
      expectCells(drawBox(pen, { width, height, title, facts, focused, pad }, body), width, height);
    }), { numRuns: 2000 });
  });

  it('drops the facts that matter least when there is no room', () => {
    const draw = (width: number) => plain(drawBox(pen, { width, height: 2, title: [piece('1 syscalls', 0)], facts: [piece('err 3', 6), piece('81.8k/s', 2), piece('lost 9', 1)], focused: false, pad: 0 }, { lines: [] })[0] ?? '');
    expect(draw(50)).toBe('╭─ 1 syscalls ──────────── err 3 81.8k/s lost 9 ─╮');
    expect(draw(36)).toBe('╭─ 1 syscalls ──── 81.8k/s lost 9 ─╮');
    expect(draw(30)).toContain('lost 9');
    expect(draw(30)).not.toContain('81.8k/s');
  });

  it('shows focus without colour', () => {
    const draw = (focused: boolean) => drawBox(penOf(0, 'braille'), { width: 20, height: 3, title: [], facts: [], focused, pad: 0 }, { lines: [], selected: 0 }).map(plain);
    expect(draw(true)[0]).toMatch(/^┏━+┓$/);
    expect(draw(true)[1]).toMatch(/^▶/);
    expect(draw(false)[1]).toMatch(/^│/);
  });

  it('has a scroll bar only when something is out of sight', () => {
    const side = (total: number, offset: number) => drawBox(pen, { width: 6, height: 6, title: [], facts: [], focused: false, pad: 0 }, { lines: [], scroll: { offset, shown: 4, total, firstLine: 0 } }).slice(1, 5).map((line) => plain(line).at(-1)).join('');
    expect(side(4, 0)).toBe('││││');
    expect(side(16, 0)).toBe('┃│││');
    expect(side(16, 12)).toBe('│││┃');
  });
});
