/** A terminal's screen as SVG. */
import type { IBufferCell, Terminal } from '@xterm/headless';
import { CELL, shapesOf } from './glyphs.ts';
import { BACKGROUND, FOREGROUND, blend, hex, indexed, packed } from './palette.ts';
import type { Rgb } from './palette.ts';

const PADDING = 12;
/** DejaVu Sans Mono's characters are 1233/2048 em wide. */
const FONT_SIZE = (CELL.width * 2048) / 1233;
/** From a cell's top to the letters' base line. */
const BASELINE = 15;

/** How one cell is drawn. */
interface Style {
  readonly fg: string;
  readonly bg: string;
  readonly bold: boolean;
  readonly italic: boolean;
  readonly underline: boolean;
  readonly strike: boolean;
}

interface Cell extends Style {
  readonly x: number;
  readonly width: number;
  readonly text: string;
}

function colour(cell: IBufferCell, ground: 'fg' | 'bg'): Rgb | null {
  const value = ground === 'fg' ? cell.getFgColor() : cell.getBgColor();
  if (ground === 'fg' ? cell.isFgRGB() : cell.isBgRGB()) return packed(value);
  if (ground === 'fg' ? cell.isFgPalette() : cell.isBgPalette()) return indexed(value);
  return null;
}

function styleOf(cell: IBufferCell): Style {
  let fg = colour(cell, 'fg') ?? FOREGROUND;
  let bg = colour(cell, 'bg') ?? BACKGROUND;
  if (cell.isInverse() !== 0) [fg, bg] = [bg, fg];
  if (cell.isDim() !== 0) fg = blend(fg, bg, 0.55);
  if (cell.isInvisible() !== 0) fg = bg;
  return {
    fg: hex(fg),
    bg: hex(bg),
    bold: cell.isBold() !== 0,
    italic: cell.isItalic() !== 0,
    underline: cell.isUnderline() !== 0,
    strike: cell.isStrikethrough() !== 0,
  };
}

function rowCells(term: Terminal, y: number): Cell[] {
  const line = term.buffer.active.getLine(term.buffer.active.viewportY + y);
  const cells: Cell[] = [];
  if (line === undefined) return cells;
  for (let x = 0; x < term.cols; x++) {
    const cell = line.getCell(x);
    // The second half of a wide character has no width of its own.
    if (cell === undefined || cell.getWidth() === 0) continue;
    cells.push({ ...styleOf(cell), x, width: cell.getWidth(), text: cell.getChars() });
  }
  return cells;
}

const same = (a: Style, b: Style): boolean =>
  a.fg === b.fg && a.bg === b.bg && a.bold === b.bold && a.italic === b.italic && a.underline === b.underline && a.strike === b.strike;

/** Split into runs of neighbours for which `joins` holds. */
function runs(cells: readonly Cell[], joins: (a: Cell, b: Cell) => boolean): Cell[][] {
  const result: Cell[][] = [];
  for (const cell of cells) {
    const last = result.at(-1);
    const previous = last?.at(-1);
    if (last !== undefined && previous !== undefined && joins(previous, cell)) last.push(cell);
    else result.push([cell]);
  }
  return result;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escapeXml = (text: string): string => text.replaceAll(/[&<>"]/g, (char) => ESCAPES[char] ?? '');

/** Columns that a run covers. */
const span = (run: readonly Cell[]): number => run.reduce((sum, cell) => sum + cell.width, 0);

function backgrounds(cells: readonly Cell[], y: number): string[] {
  const plain = hex(BACKGROUND);
  return runs(cells, (a, b) => a.bg === b.bg).flatMap((run) => {
    const [first] = run;
    if (first === undefined || first.bg === plain) return [];
    return [`<rect x="${first.x * CELL.width}" y="${y}" width="${span(run) * CELL.width}" height="${CELL.height}" fill="${first.bg}" shape-rendering="crispEdges"/>`];
  });
}

function shapes(cell: Cell, y: number): string[] {
  return (shapesOf(cell.text) ?? []).map(({ path, stroke, opacity }) => {
    const paint = stroke === 0 ? `fill="${cell.fg}"` : `fill="none" stroke="${cell.fg}" stroke-width="${stroke}"`;
    const see = opacity === 1 ? '' : ` opacity="${opacity}"`;
    return `<path transform="translate(${cell.x * CELL.width} ${y})" d="${path}" ${paint}${see}/>`;
  });
}

const isAscii = (cell: Cell): boolean => /^[\x20-\x7e]$/.test(cell.text);

function text(cells: readonly Cell[], y: number): string[] {
  const drawn = cells.filter((cell) => cell.text !== '' && shapesOf(cell.text) === null);
  // Only the font's own fixed-width letters may follow one another; others are placed one by one.
  const joins = (a: Cell, b: Cell): boolean => same(a, b) && b.x === a.x + a.width && isAscii(a) && isAscii(b);
  return runs(drawn, joins).flatMap((run) => {
    const [first] = run;
    const content = run.map((cell) => cell.text).join('');
    if (first === undefined || content.trim() === '') return [];
    const weight = first.bold ? ' font-weight="bold"' : '';
    const slant = first.italic ? ' font-style="italic"' : '';
    return [`<text x="${first.x * CELL.width}" y="${y + BASELINE}" fill="${first.fg}"${weight}${slant} xml:space="preserve">${escapeXml(content)}</text>`];
  });
}

function rules(cells: readonly Cell[], y: number): string[] {
  const rule = (wanted: (cell: Cell) => boolean, at: number): string[] =>
    runs(cells.filter(wanted), (a, b) => a.fg === b.fg && b.x === a.x + a.width).flatMap((run) => {
      const [first] = run;
      if (first === undefined) return [];
      return [`<rect x="${first.x * CELL.width}" y="${y + at}" width="${span(run) * CELL.width}" height="1" fill="${first.fg}"/>`];
    });
  return [...rule((cell) => cell.underline, BASELINE + 2), ...rule((cell) => cell.strike, BASELINE - 5)];
}

/** The visible screen as an SVG document; one cell is 10 by 20 units. */
export function toSvg(term: Terminal): string {
  const width = term.cols * CELL.width + PADDING * 2;
  const height = term.rows * CELL.height + PADDING * 2;
  const body: string[] = [];
  for (let row = 0; row < term.rows; row++) {
    const cells = rowCells(term, row);
    const y = row * CELL.height;
    body.push(...backgrounds(cells, y), ...cells.flatMap((cell) => shapes(cell, y)), ...text(cells, y), ...rules(cells, y));
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`,
    `<rect width="${width}" height="${height}" rx="8" fill="${hex(BACKGROUND)}"/>`,
    `<g transform="translate(${PADDING} ${PADDING})" font-family="DejaVu Sans Mono" font-size="${FONT_SIZE}">`,
    ...body,
    '</g></svg>',
  ].join('\n');
}
