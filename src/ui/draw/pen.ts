/** What every drawing function is given: how to colour, how to fit, and which characters to use. */
import type { Symbols, SymbolSet } from '../symbols.ts';
import { symbolsOf } from '../symbols.ts';
import type { ColorDepth, Role, Theme } from '../theme.ts';
import { themeOf } from '../theme.ts';
import type { Align, Cut } from './text.ts';
import { clean, fit, widthOf, wrap } from './text.ts';

export interface Pen {
  readonly theme: Theme;
  readonly symbols: Symbols;
  readonly ascii: boolean;
  /** Colour text that has been fitted or cleaned. */
  paint(role: Role, text: string): string;
  /** Colour with SGR parameters of the theme. */
  sgr(parameters: string, text: string): string;
  /** Any text, escaped, in exactly `width` cells. */
  fit(text: string, width: number, align?: Align, cut?: Cut): string;
  /** Any text, escaped, in as many cells as it needs. */
  clean(text: string): string;
  /** Any text, escaped, in lines of at most `width` cells. */
  wrap(text: string, width: number): string[];
  /** Cells of text that came out of `fit` or `clean`, not painted. */
  width(text: string): number;
}

export function penOf(depth: ColorDepth, set: SymbolSet): Pen {
  const theme = themeOf(depth);
  const symbols = symbolsOf(set);
  const ascii = set === 'ascii';
  const sgr = (parameters: string, text: string): string => (parameters === '' || text === '' ? text : `\x1b[${parameters}m${text}\x1b[0m`);
  return {
    theme, symbols, ascii, sgr,
    paint: (role, text) => sgr(theme.sgr[role], text),
    fit: (text, width, align, cut) => fit(text, width, align, cut, symbols.ellipsis, ascii),
    clean: (text) => clean(text, ascii),
    wrap: (text, width) => wrap(text, width, ascii),
    width: widthOf,
  };
}
