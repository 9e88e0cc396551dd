/**
 * Plain aligned tables as kubectl prints them: headings, two spaces between columns, nothing cut unless a width is
 * given. Cells must be safe for a terminal already.
 */
import stringWidth from 'string-width';
import type { Severity } from '../frame/columns.ts';

export interface TextColumn {
  readonly heading: string;
  readonly align: 'left' | 'right';
  /** Where a text that does not fit loses its characters; absent: never cut. */
  readonly cut?: 'start' | 'middle' | 'end';
  /** Cells it keeps when it is cut, at worst. */
  readonly min?: number;
  /** Cells it should keep as long as another column can leave instead. Default: min. */
  readonly comfort?: number;
  /** Highest leaves first when the width does not do; 0 never leaves. */
  readonly rank?: number;
}

export interface TextCell {
  readonly text: string;
  readonly severity?: Severity;
}

export interface TableOptions {
  /** Cells of the terminal; null: as wide as it gets. */
  readonly width?: number | null;
  /** Print the headings. Default true. */
  readonly headings?: boolean;
  readonly ascii?: boolean;
  readonly color?: boolean;
}

const GAP = 2;
const SGR: Readonly<Record<Severity, string>> = { ok: '', warn: '33', bad: '31' };
const graphemes = new Intl.Segmenter();

/** The first (or last) characters of a text that fit into so many cells. */
function take(text: string, width: number, fromEnd: boolean): string {
  let parts = Array.from(graphemes.segment(text), (part) => part.segment);
  if (fromEnd) parts = parts.reverse();
  let used = 0, count = 0;
  for (const part of parts) {
    const cells = stringWidth(part);
    if (used + cells > width) break;
    used += cells;
    count++;
  }
  const taken = parts.slice(0, count);
  return (fromEnd ? taken.reverse() : taken).join('');
}

/** `text` in at most `width` cells, with a mark where something is missing. */
export function cutText(text: string, width: number, cut: 'start' | 'middle' | 'end', ascii = false): string {
  if (stringWidth(text) <= width) return text;
  const mark = ascii ? '~' : '…';
  const room = Math.max(0, width - 1);
  if (cut === 'end') return take(text, room, false) + mark;
  if (cut === 'start') return mark + take(text, room, true);
  const tail = Math.floor(room / 2);
  return take(text, room - tail, false) + mark + take(text, tail, true);
}

interface Sized {
  readonly index: number;
  readonly column: TextColumn;
  readonly least: number;
  readonly comfort: number;
  width: number;
}

const total = (sized: readonly Sized[], of: (one: Sized) => number): number =>
  sized.reduce((sum, one) => sum + of(one), 0) + GAP * Math.max(0, sized.length - 1);

/** Which columns stand, and how wide, in `width` cells. */
function fit(sized: Sized[], width: number | null): Sized[] {
  if (width === null) return sized;
  let kept = sized;
  while (total(kept, (one) => one.comfort) > width) {
    const worst = kept.reduce((a, b) => ((b.column.rank ?? 0) > (a.column.rank ?? 0) ? b : a));
    if ((worst.column.rank ?? 0) === 0) break;
    kept = kept.filter((one) => one !== worst);
  }
  // Cells are taken one by one from whichever column is then the widest of those that may shrink.
  for (let over = total(kept, (one) => one.width) - width; over > 0; over--) {
    const widest = kept.filter((one) => one.width > one.least).reduce<Sized | null>((a, b) => (a && a.width >= b.width ? a : b), null);
    if (!widest) break;
    widest.width--;
  }
  return kept;
}

function draw(cell: TextCell, { column, width }: Sized, last: boolean, options: TableOptions): string {
  const text = column.cut === undefined ? cell.text : cutText(cell.text, width, column.cut, options.ascii);
  const pad = ' '.repeat(Math.max(0, width - stringWidth(text)));
  const code = options.color && cell.severity ? SGR[cell.severity] : '';
  const painted = code ? `\u001b[${code}m${text}\u001b[39m` : text;
  return column.align === 'right' ? pad + painted : last ? painted : painted + pad;
}

/** The table's lines, without line ends. */
export function tableLines(columns: readonly TextColumn[], rows: readonly (readonly TextCell[])[], options: TableOptions = {}): string[] {
  const headings: TextCell[] = columns.map(({ heading }) => ({ text: heading }));
  const lines = options.headings === false ? rows : [headings, ...rows];
  const sized = columns.map((column, index): Sized => {
    const width = lines.reduce((widest, line) => Math.max(widest, stringWidth(line[index]?.text ?? '')), 0);
    const least = column.cut === undefined ? width : Math.min(width, Math.max(column.min ?? 1, stringWidth(column.heading)));
    return { index, column, width, least, comfort: Math.min(width, Math.max(least, column.comfort ?? 0)) };
  });
  const shown = fit(sized, options.width ?? null);
  return lines.map((line) => shown.map((one, i) => draw(line[one.index] ?? { text: '' }, one, i === shown.length - 1, options)).join(' '.repeat(GAP)).trimEnd());
}
