/**
 * Text in exact cells: the one door through which strings from the kernel, containers and files reach the screen.
 * Everything here escapes first and counts display columns, never characters.
 */
import stringWidth from 'string-width';
import { escapeForTerminal } from '../../frame/escape.ts';
import { isSimple } from '../ink/simple.ts';

export type Cut = 'start' | 'middle' | 'end';
export type Align = 'left' | 'right';

const segmenter = new Intl.Segmenter();
const ASCII_ONLY = /^[ -~]*$/;
const NOT_ASCII = /[^ -~]/gu;
/** One letter with marks above or below it: terminals agree that it takes the letter's columns. */
const MARKED = /^\P{M}\p{Mn}+$/u;

/** Every character takes one column and nothing needs escaping. */
function isPlain(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isSimple(text.charCodeAt(i))) return false;
  return true;
}

const spelled = (char: string): string => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;

/**
 * A grapheme as all terminals measure it. Where its characters one by one take other columns than the cluster does
 * (families, skin tones, conjoining letters), a terminal may do either: all but the first are spelled out.
 */
function settle(grapheme: string): string {
  const [first = '', ...rest] = grapheme.normalize('NFC');
  const cluster = first + rest.join('');
  const firstWidth = stringWidth(first);
  if (rest.length > 0 && MARKED.test(cluster) && stringWidth(cluster) === firstWidth) return cluster;
  const widths = rest.map((char) => stringWidth(char));
  const fits = (width: number): boolean => width === 1 || width === 2;
  const additive = widths.every(fits) && widths.reduce((a, b) => a + b, firstWidth) === stringWidth(cluster);
  return (fits(firstWidth) ? first : spelled(first)) + (additive ? rest.join('') : rest.map(spelled).join(''));
}

/** `text` without anything that a terminal would obey or hide. @param ascii spell out every other character, too */
export function clean(text: string, ascii = false): string {
  if (ASCII_ONLY.test(text) || (!ascii && isPlain(text))) return text;
  const escaped = escapeForTerminal(text);
  if (ascii) return escaped.replace(/µ/g, 'u').replace(/…/g, '~').replace(NOT_ASCII, spelled);
  if (isPlain(escaped)) return escaped;
  let settled = '';
  for (const { segment } of segmenter.segment(escaped)) settled += segment.length === 1 && isSimple(segment.charCodeAt(0)) ? segment : settle(segment);
  return settled;
}

/** Columns of text that `clean` has returned. */
export function widthOf(text: string): number {
  return isPlain(text) ? text.length : stringWidth(text);
}

/** Cells of cleaned text, one string per grapheme. */
function graphemes(text: string): string[] {
  return isPlain(text) ? text.split('') : Array.from(segmenter.segment(text), (part) => part.segment);
}

/** As many graphemes from the front (or the back) as fit into `width` columns. */
function take(parts: readonly string[], width: number, fromEnd: boolean): string {
  let taken = '', used = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[fromEnd ? parts.length - 1 - i : i] ?? '';
    const columns = widthOf(part);
    if (used + columns > width) break;
    taken = fromEnd ? part + taken : taken + part;
    used += columns;
  }
  return taken;
}

function shorten(text: string, width: number, cut: Cut, ellipsis: string): string {
  if (width <= 1) return width === 1 ? ellipsis : '';
  const parts = graphemes(text);
  if (cut === 'end') return take(parts, width - 1, false) + ellipsis;
  if (cut === 'start') return ellipsis + take(parts, width - 1, true);
  const front = Math.ceil((width - 1) / 2);
  const head = take(parts, front, false);
  return head + ellipsis + take(parts, width - 1 - widthOf(head), true);
}

/** `text`, escaped, in exactly `width` columns. */
export function fit(text: string, width: number, align: Align = 'left', cut: Cut = 'end', ellipsis = '…', ascii = false): string {
  if (width <= 0) return '';
  let cell = clean(text, ascii);
  let columns = widthOf(cell);
  if (columns > width) {
    cell = shorten(cell, width, cut, ellipsis);
    columns = widthOf(cell);
  }
  const pad = ' '.repeat(width - columns);
  return align === 'left' ? cell + pad : pad + cell;
}

/** `text`, escaped, broken at spaces into lines of at most `width` columns; longer words are broken. */
export function wrap(text: string, width: number, ascii = false): string[] {
  if (width <= 0) return [];
  const lines: string[] = [];
  let line = '';
  for (const word of clean(text, ascii).split(' ')) {
    let rest = word;
    const joined = line === '' ? rest : `${line} ${rest}`;
    if (widthOf(joined) <= width) {
      line = joined;
      continue;
    }
    if (line !== '') lines.push(line);
    while (widthOf(rest) > width) {
      const head = take(graphemes(rest), width, false);
      if (head === '') return lines; // a wide character and no room for it
      lines.push(head);
      rest = rest.slice(head.length);
    }
    line = rest;
  }
  if (line !== '' || lines.length === 0) lines.push(line);
  return lines;
}
