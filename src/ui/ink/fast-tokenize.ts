/**
 * @alcalzone/ansi-tokenize with a short way for simple text. Ink turns every line of every frame into one object
 * per cell; here equal cells are one shared object and a style is worked out once, not per character. The bundle
 * puts this in the package's place (tools/bundle.mjs). An optimisation only; Ink never changes a cell in place.
 */
import { ansiCodesToString, diffAnsiCodes, reduceAnsiCodesIncremental, tokenize as tokenizeAny } from '@alcalzone/ansi-tokenize';
import type { AnsiCode, Char, StyledChar, Token } from '@alcalzone/ansi-tokenize';
import { isSimple, sgrEnd } from './simple.ts';

export { ansiCodesToString, diffAnsiCodes, reduceAnsiCodes, reduceAnsiCodesIncremental, undoAnsiCodes } from '@alcalzone/ansi-tokenize';
export type * from '@alcalzone/ansi-tokenize';

/** Interned values per kind; a screen needs a few hundred, a true-colour picture may bring more than are worth keeping. */
const LIMIT = 2048;

/** One set of active codes, the cells drawn with it, the styles that a further code leads to, and the codes to get there. */
interface Style {
  readonly codes: AnsiCode[];
  readonly cells: Map<string, StyledChar>;
  readonly next: Map<string, Style>;
  readonly to: Map<readonly AnsiCode[], string>;
}

const newStyle = (codes: AnsiCode[]): Style => ({ codes, cells: new Map(), next: new Map(), to: new Map() });

let plain = newStyle([]);
let styles = new Map<string, Style>([['', plain]]);
let styleOf = new Map<readonly AnsiCode[], Style>([[plain.codes, plain]]);
const chars = new Map<number, Char>();
const sequences = new Map<string, readonly Token[]>();
const NEWLINE = 0x0a;

function charOf(unit: number): Char {
  let char = chars.get(unit);
  if (char === undefined) {
    char = { type: 'char', value: String.fromCharCode(unit), fullWidth: false };
    chars.set(unit, char);
  }
  return char;
}

function tokensOf(sgr: string): readonly Token[] {
  let tokens = sequences.get(sgr);
  if (tokens === undefined) {
    if (sequences.size >= LIMIT) sequences.clear();
    tokens = tokenizeAny(sgr);
    sequences.set(sgr, tokens);
  }
  return tokens;
}

/** Split text into characters and escape codes; `endChar` ends it after so many columns. */
export function tokenize(text: string, endChar?: number): Token[] {
  if (endChar !== undefined) return tokenizeAny(text, endChar);
  const tokens: Token[] = [];
  for (let i = 0; i < text.length; ) {
    const unit = text.charCodeAt(i);
    if (isSimple(unit) || unit === NEWLINE) {
      tokens.push(charOf(unit));
      i += 1;
      continue;
    }
    const end = sgrEnd(text, i);
    if (end === -1) return tokenizeAny(text);
    tokens.push(...tokensOf(text.slice(i, end)));
    i = end;
  }
  return tokens;
}

function withCode(style: Style, code: AnsiCode): Style {
  const known = style.next.get(code.code);
  if (known !== undefined) return known;
  const codes = reduceAnsiCodesIncremental(style.codes, [code]);
  const key = codes.map((c) => `${c.code}\0${c.endCode}`).join('\0');
  let next = styles.get(key);
  if (next === undefined) {
    if (styles.size >= LIMIT) forget();
    next = key === '' ? plain : newStyle(codes);
    styles.set(key, next);
    styleOf.set(next.codes, next);
  }
  style.next.set(code.code, next);
  return next;
}

/** Cells already handed out keep their styles; only the sharing starts anew. */
function forget(): void {
  plain = newStyle([]);
  styles = new Map([['', plain]]);
  styleOf = new Map([[plain.codes, plain]]);
}

/** Give each character the codes that are active where it stands. */
export function styledCharsFromTokens(tokens: Token[]): StyledChar[] {
  const cells: StyledChar[] = [];
  let style = plain;
  for (const token of tokens) {
    if (token.type === 'ansi') style = withCode(style, token);
    else if (token.type === 'char') {
      let cell = style.cells.get(token.value);
      if (cell === undefined || cell.fullWidth !== token.fullWidth) {
        cell = { ...token, styles: style.codes };
        if (token.value.length === 1) style.cells.set(token.value, cell);
      }
      cells.push(cell);
    }
  }
  return cells;
}

function sameCodes(a: readonly AnsiCode[], b: readonly AnsiCode[]): boolean {
  return a.length === b.length && a.every((code, i) => code.code === b[i]?.code && code.endCode === b[i].endCode);
}

/** The text that changes the terminal from one set of codes to another. */
function change(before: AnsiCode[], after: AnsiCode[]): string {
  // Ink's blank cells each bring an empty list of their own.
  const from = before.length === 0 ? plain.codes : before;
  const to = after.length === 0 ? plain.codes : after;
  if (from === to || sameCodes(from, to)) return '';
  const known = styleOf.get(from)?.to;
  const shared = known !== undefined && styleOf.has(to);
  let text = shared ? known.get(to) : undefined;
  if (text === undefined) {
    text = ansiCodesToString(diffAnsiCodes(from, to));
    if (shared) known.set(to, text);
  }
  return text;
}

/** Text with the fewest codes that show these cells, ending without style. */
export function styledCharsToString(cells: StyledChar[]): string {
  let text = '';
  let active = plain.codes;
  for (const cell of cells) {
    if (cell.styles !== active) {
      text += change(active, cell.styles);
      active = cell.styles;
    }
    text += cell.value;
  }
  return text + change(active, plain.codes);
}
