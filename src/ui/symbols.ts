/** The characters that charts and frames are made of, in three sets: what a terminal can show decides. */

export type SymbolSet = 'braille' | 'block' | 'ascii';

export interface Box {
  readonly topLeft: string;
  readonly topRight: string;
  readonly bottomLeft: string;
  readonly bottomRight: string;
  readonly horizontal: string;
  readonly vertical: string;
}

export interface Symbols {
  readonly set: SymbolSet;
  readonly box: Box;
  /** Frame of the focused pane where colour cannot tell. */
  readonly heavyBox: Box;
  readonly ellipsis: string;
  readonly descending: string;
  readonly ascending: string;
  /** Stands in the frame beside the selected row. */
  readonly pointer: string;
  /** Scroll bar's thumb, in the frame. */
  readonly thumb: string;
  readonly more: { readonly left: string; readonly right: string };
  /** Lowest first; the first is zero. The top one leaves a gap, so that rows do not grow together. */
  readonly spark: readonly string[];
  /** Parts of a horizontal bar's last cell, smallest first; the last is a full cell. */
  readonly bar: readonly string[];
  /** Shades without colour, lightest first; the first is nothing. */
  readonly shades: readonly string[];
  /** Lines of the zoomed chart, in asciichart's order. */
  readonly chart: readonly string[];
  readonly micro: string;
}

const LIGHT: Box = { topLeft: '╭', topRight: '╮', bottomLeft: '╰', bottomRight: '╯', horizontal: '─', vertical: '│' };
const HEAVY: Box = { topLeft: '┏', topRight: '┓', bottomLeft: '┗', bottomRight: '┛', horizontal: '━', vertical: '┃' };

const BLOCK: Symbols = {
  set: 'block', box: LIGHT, heavyBox: HEAVY, ellipsis: '…', descending: '▼', ascending: '▲', pointer: '▶', thumb: '┃',
  more: { left: '‹', right: '›' },
  spark: [...'▁▂▃▄▅▆▇'],
  bar: [...'▏▎▍▌▋▊▉█'],
  shades: [...' ░░▒▒▒▓▓▓█'],
  chart: [...'┼┤╶╴─╰╭╮╯│'],
  micro: 'µ',
};

const ASCII: Symbols = {
  set: 'ascii',
  box: { topLeft: '+', topRight: '+', bottomLeft: '+', bottomRight: '+', horizontal: '-', vertical: '|' },
  heavyBox: { topLeft: '#', topRight: '#', bottomLeft: '#', bottomRight: '#', horizontal: '=', vertical: '|' },
  ellipsis: '~', descending: 'v', ascending: '^', pointer: '>', thumb: '#',
  more: { left: '<', right: '>' },
  spark: [...'_.:-=+*'],
  bar: ['-', '='],
  shades: [...' .:-=+*%#@'],
  chart: [...'+|---\'..\'|'],
  micro: 'u',
};

const SETS: Readonly<Record<SymbolSet, Symbols>> = { braille: { ...BLOCK, set: 'braille' }, block: BLOCK, ascii: ASCII };

export const symbolsOf = (set: SymbolSet): Symbols => SETS[set];

/**
 * The richest set that this terminal shows. Without any locale, as in most containers, UTF-8 is taken for granted;
 * the kernel's own console and a locale that says C or POSIX get ASCII.
 * @param wish KBTOP_SYMBOLS=braille|block|ascii overrides
 */
export function detectSymbols(env: Readonly<Record<string, string | undefined>>, ascii: boolean): SymbolSet {
  if (ascii) return 'ascii';
  const wish = env['KBTOP_SYMBOLS'];
  if (wish === 'braille' || wish === 'block' || wish === 'ascii') return wish;
  const term = env['TERM'] ?? '';
  if (term === 'dumb' || term === 'linux' || term.startsWith('vt')) return 'ascii';
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  if (locale === '') return 'braille';
  return /utf-?8/i.test(locale) ? 'braille' : 'ascii';
}
