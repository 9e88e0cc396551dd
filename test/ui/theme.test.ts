import { describe, expect, it } from 'vitest';
import { symbolsOf, detectSymbols } from '../../src/ui/symbols.ts';
import { colorDepth, themeOf } from '../../src/ui/theme.ts';
import { penOf } from '../../src/ui/draw/pen.ts';
import stringWidth from 'string-width';

describe('colorDepth', () => {
  it.each([
    ['a terminal without colours', 'auto', {}, 1, 0],
    ['16 colours', 'auto', { TERM: 'xterm' }, 4, 16],
    ['256 colours', 'auto', { TERM: 'xterm-256color' }, 8, 256],
    ['true colour', 'auto', { COLORTERM: 'truecolor' }, 24, 256],
    ['NO_COLOR', 'auto', { NO_COLOR: '1', TERM: 'xterm-256color' }, 1, 0],
    ['empty NO_COLOR, which does not count', 'auto', { NO_COLOR: '', TERM: 'xterm' }, 4, 16],
    ['--color against NO_COLOR', 'always', { NO_COLOR: '1', TERM: 'xterm-256color' }, 1, 256],
    ['--color on a terminal that claims nothing', 'always', {}, 1, 16],
    ['--no-color', 'never', { TERM: 'xterm-256color' }, 24, 0],
    ['--color=16', '16', {}, 24, 16],
    ['--color=256', '256', {}, 1, 256],
  ] as const)('%s', (_what, wish, env, bits, depth) => {
    expect(colorDepth(wish, env, bits)).toBe(depth);
  });

  it('leaves no colour at depth 0: bold and inverse only', () => {
    for (const sgr of Object.values(themeOf(0).sgr)) expect(sgr).toMatch(/^(|[17](;[17])*)$/);
    expect(themeOf(0).heat).toEqual([]);
  });

  it('needs no more than 16 colours at depth 16', () => {
    for (const sgr of [...Object.values(themeOf(16).sgr), ...themeOf(16).heat]) expect(sgr).not.toMatch(/38|48/);
  });

  it('writes no escape sequence for plain text', () => {
    expect(penOf(256, 'braille').paint('text', 'x')).toBe('x');
    expect(penOf(16, 'braille').paint('bad', '')).toBe('');
  });
});

describe('detectSymbols', () => {
  it.each([
    ['no locale at all, as in a container', {}, false, 'braille'],
    ['UTF-8', { LANG: 'en_US.UTF-8' }, false, 'braille'],
    ['C', { LANG: 'C' }, false, 'ascii'],
    ['LC_ALL over LANG', { LC_ALL: 'POSIX', LANG: 'de_DE.UTF-8' }, false, 'ascii'],
    ['C.UTF-8', { LC_ALL: 'C.UTF-8' }, false, 'braille'],
    ['the console', { TERM: 'linux', LANG: 'en_US.UTF-8' }, false, 'ascii'],
    ['--ascii', { LANG: 'en_US.UTF-8' }, true, 'ascii'],
    ['KBTOP_SYMBOLS', { LANG: 'C', KBTOP_SYMBOLS: 'block' }, false, 'block'],
    ['a wrong KBTOP_SYMBOLS', { KBTOP_SYMBOLS: 'emoji' }, false, 'braille'],
  ] as const)('%s', (_what, env, ascii, set) => {
    expect(detectSymbols(env, ascii)).toBe(set);
  });

  it('every symbol takes one cell, in ASCII the ones of ASCII', () => {
    for (const set of ['braille', 'block', 'ascii'] as const) {
      const { box, heavyBox, spark, bar, shades, chart, ...rest } = symbolsOf(set);
      const all = [...Object.values(box), ...Object.values(heavyBox), ...spark, ...bar, ...shades, ...chart, rest.ellipsis, rest.descending, rest.ascending, rest.pointer, rest.thumb, rest.more.left, rest.more.right, rest.micro];
      for (const symbol of all) {
        expect(stringWidth(symbol), symbol).toBe(1);
        if (set === 'ascii') expect(symbol).toMatch(/^[ -~]$/);
      }
    }
  });
});
