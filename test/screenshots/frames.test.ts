import fc from 'fast-check';
import { expect, it } from 'vitest';
import { FrameCutter } from '../../screenshots/frames.ts';

const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';

it('passes output without marks at once', () => {
  const cutter = new FrameCutter();
  expect(cutter.push('plain \x1b[31mred\x1b[0m')).toBe('plain \x1b[31mred\x1b[0m');
});

it('holds an unfinished frame back until its end mark', () => {
  const cutter = new FrameCutter();
  expect(cutter.push(`a${BEGIN}one`)).toBe('a');
  expect(cutter.push(' frame')).toBe('');
  expect(cutter.push(`${END}b${BEGIN}`)).toBe(`${BEGIN}one frame${END}b`);
  expect(cutter.flush()).toBe(BEGIN);
});

it('loses nothing and never shows a part of a frame, however output is cut into pieces', () => {
  const piece = fc.oneof(fc.constantFrom('x', '\x1b[2J', '\x1b'), fc.constantFrom('f', 'g\n').map((body) => `${BEGIN}${body}${END}`));
  fc.assert(
    fc.property(fc.array(piece), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (pieces, sizes) => {
      const output = pieces.join('');
      const cutter = new FrameCutter();
      let shown = '';
      for (let at = 0, i = 0; at < output.length; i++) {
        const size = sizes[i % sizes.length] ?? 1;
        shown += cutter.push(output.slice(at, at + size));
        at += size;
        expect(shown.split(BEGIN).length).toBe(shown.split(END).length);
      }
      expect(shown + cutter.flush()).toBe(output);
    }),
  );
});
