import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { clean, fit, widthOf, wrap } from '../../../src/ui/draw/text.ts';
import { UNSAFE } from '../cells.ts';
import { terminalText } from '../ink/text.ts';

/** Strings that containers could choose as names and paths. */
const hostile = fc.oneof(
  terminalText,
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('\x1b[2J\x1b[H', '\x1b]0;owned\x07', '\x9b31m', 'a\nb\r\n', '\u202egpj.exe', 'e\u0301', '👨‍👩‍👧‍👦', '👍🏽', '🇩🇪', 'ﷺ', 'ก็', 'नि', '각', '\u1100\u1161', '\u0301', '漢字漢字', '\ud800'),
);

describe('fit', () => {
  it('takes exactly the asked cells, whatever the text', () => {
    fc.assert(fc.property(hostile, fc.integer({ min: 0, max: 60 }), fc.constantFrom('left' as const, 'right' as const), fc.constantFrom('start' as const, 'middle' as const, 'end' as const), fc.boolean(), (text, width, align, cut, ascii) => {
      const cell = fit(text, width, align, cut, ascii ? '~' : '…', ascii);
      expect(stringWidth(cell)).toBe(width);
      expect(cell).not.toMatch(UNSAFE);
      if (ascii) expect(cell).toMatch(/^[ -~]*$/);
    }), { numRuns: 3000 });
  });

  it('takes the cells that its characters take one by one, as terminals without clusters count', () => {
    fc.assert(fc.property(hostile, (text) => {
      const cell = fit(text, 40);
      const marksOnly = /\p{Mn}/gu;
      const oneByOne = [...cell.replace(marksOnly, '')].reduce((n, char) => n + stringWidth(char), 0);
      expect(oneByOne).toBe(40);
    }), { numRuns: 3000 });
  });

  it('leaves text that fits as it is', () => {
    expect(fit('nginx', 8)).toBe('nginx   ');
    expect(fit('nginx', 8, 'right')).toBe('   nginx');
    expect(fit('größe 漢字', 10)).toBe('größe 漢字');
    expect(fit('cafe\u0301', 4)).toBe('café');
  });

  it('cuts where it is told, never through a wide character', () => {
    expect(fit('/usr/lib/libc.so.6', 10, 'left', 'start')).toBe('…libc.so.6');
    expect(fit('coredns-7a16bd4c9-md6pw', 11, 'left', 'middle')).toBe('cored…md6pw');
    expect(fit('prometheus', 6)).toBe('prome…');
    expect(fit('漢字漢字', 6)).toBe('漢字… ');
    expect(fit('abc', 1)).toBe('…');
    expect(fit('abc', 0)).toBe('');
  });

  it('spells out what a terminal would obey', () => {
    expect(fit('\x1b[31mred', 12)).toBe('\\e[31mred   ');
    expect(fit('a\nb', 6)).toBe('a\\nb  ');
    expect(fit('\u202eexe', 12)).toBe('\\u{202e}exe ');
  });

  it('spells out all that is not ASCII where the terminal knows no more', () => {
    expect(fit('é', 8, 'left', 'end', '~', true)).toBe('\\u{e9}  ');
    expect(fit('5µs', 4, 'left', 'end', '~', true)).toBe('5us ');
  });
});

describe('clean', () => {
  it('is done once: cleaning again changes nothing', () => {
    fc.assert(fc.property(hostile, (text) => {
      const once = clean(text);
      expect(clean(once)).toBe(once);
    }), { numRuns: 2000 });
  });

  it('gives back the same plain text', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'abc /.:-_0189µ…▲█→') }), (text) => {
      expect(clean(text)).toBe(text);
    }));
  });
});

describe('wrap', () => {
  it('makes lines of at most the asked cells and loses nothing but spaces', () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'abc漢 \x1b') }), fc.integer({ min: 2, max: 30 }), (text, width) => {
      const lines = wrap(text, width);
      for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
      expect(lines.join('').replaceAll(' ', '')).toBe(clean(text).replaceAll(' ', ''));
    }));
  });

  it('breaks at spaces', () => {
    expect(wrap('cannot attach: EPERM: run as root', 14)).toEqual(['cannot attach:', 'EPERM: run as', 'root']);
    expect(wrap('', 5)).toEqual(['']);
    expect(wrap('x', 0)).toEqual([]);
  });
});
