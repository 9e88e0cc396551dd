/** Colours by meaning. Sixteen colours say everything; 256 only make the heat map finer; none at all works, too. */
import type { Severity } from '../frame/columns.ts';
import type { ColorWish } from './options.ts';

export type Role =
  | 'text' | 'dim' | 'strong' | 'accent' | 'title' | 'heading' | 'sorted' | 'ok' | 'warn' | 'bad'
  | 'border' | 'focus' | 'selected' | 'banner' | 'alarm' | 'caution' | 'key' | 'bar' | 'spark' | 'cursor';

export type ColorDepth = 0 | 16 | 256;

export interface Theme {
  readonly depth: ColorDepth;
  /** SGR parameters of a role, '' for the terminal's own. */
  readonly sgr: Readonly<Record<Role, string>>;
  /** SGR parameters of a heat map's cells, coldest first. Empty: shades instead. */
  readonly heat: readonly string[];
}

// Dim stays the terminal's own foreground (SGR 2): "bright black" is invisible on some palettes.
const COLOR: Theme['sgr'] = {
  text: '', dim: '2', strong: '1', accent: '36', title: '1', heading: '2', sorted: '1;36',
  ok: '32', warn: '33', bad: '1;31', border: '2', focus: '36', selected: '7', banner: '1;7', alarm: '1;37;41', caution: '30;43',
  key: '1;36', bar: '36', spark: '36', cursor: '7',
};

const PLAIN: Theme['sgr'] = {
  text: '', dim: '', strong: '1', accent: '1', title: '1', heading: '', sorted: '1',
  ok: '', warn: '', bad: '1', border: '', focus: '1', selected: '7', banner: '7', alarm: '7', caution: '7', key: '1', bar: '', spark: '', cursor: '7',
};

const HEAT_16 = ['2;34', '34', '34', '36', '36', '32', '32', '33', '33', '31'];
// From deep blue over green and yellow to red, in steps of about equal brightness.
const HEAT_256 = [17, 18, 25, 31, 36, 71, 143, 178, 208, 196].map((n) => `38;5;${n}`);

const THEMES: Readonly<Record<ColorDepth, Theme>> = {
  0: { depth: 0, sgr: PLAIN, heat: [] },
  16: { depth: 16, sgr: COLOR, heat: HEAT_16 },
  256: { depth: 256, sgr: COLOR, heat: HEAT_256 },
};

export const themeOf = (depth: ColorDepth): Theme => THEMES[depth];

export const SEVERITY_ROLE: Readonly<Record<Severity, Role>> = { ok: 'text', warn: 'warn', bad: 'bad' };

/**
 * How many colours to use.
 * @param bits what the terminal says of itself (tty.WriteStream.getColorDepth): 1, 4, 8 or 24
 */
export function colorDepth(wish: ColorWish, env: Readonly<Record<string, string | undefined>>, bits: number): ColorDepth {
  if (wish === 'never') return 0;
  if (wish === '16') return 16;
  if (wish === '256' || wish === 'true') return 256;
  const noColor = (env['NO_COLOR'] ?? '') !== '';
  if (wish === 'auto' && noColor) return 0;
  // NO_COLOR has taken the depth from `bits`; TERM still knows.
  const deep = bits >= 8 || /256color|truecolor|direct/.test(env['TERM'] ?? '') || /truecolor|24bit/.test(env['COLORTERM'] ?? '');
  if (deep) return 256;
  return bits >= 4 || wish === 'always' ? 16 : 0;
}
