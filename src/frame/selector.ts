/**
 * Label selectors as `kubectl -l` takes them. Requirements stand apart by commas and all must hold:
 *
 *   app=web, app==web     the label is there and has this value
 *   app!=web              it has another, or is not there
 *   app in (web,api)      it has one of these
 *   app notin (web,api)   it has none of these, or is not there
 *   app, !app             it is there, it is not
 *   rev>3, rev<7          it is a whole number above, below
 *
 * What is taken, refused and matched is what the API server's own parser takes, refuses and matches.
 */
import { type Mistake, labelKeyMistake, labelValueMistake } from './kube-names.ts';

export type Labels = Readonly<Record<string, string>>;

export type Operator = '=' | '!=' | 'in' | 'notin' | 'exists' | 'absent' | '>' | '<';

export interface Requirement {
  readonly key: string;
  readonly operator: Operator;
  /** Sorted, each once: none for exists and absent, any number for in and notin, else one. */
  readonly values: readonly string[];
}

/** A selector that is not well formed; the message is one line. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
  /** UTF-16 index of the mistake; the length of the text when something is missing at its end. */
  readonly at: number;

  constructor(at: number, problem: string) {
    super(`at character ${at + 1}: ${problem}`);
    this.at = at;
  }
}

interface Token {
  /** A word, an operator or bracket, or the end of the text. */
  readonly kind: 'word' | 'symbol' | 'end';
  readonly text: string;
  readonly at: number;
}

const TOKEN = /[ \t\r\n]*(?:(==|!=|[=!(),<>])|([^ \t\r\n=!(),<>]+)|$)/y;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  for (;;) {
    const [, symbol, word] = TOKEN.exec(text) ?? [];
    const token = symbol ?? word ?? '';
    tokens.push({ kind: symbol !== undefined ? 'symbol' : word !== undefined ? 'word' : 'end', text: token, at: TOKEN.lastIndex - token.length });
    if (token === '') return tokens;
  }
}

const COMPARED: Readonly<Record<string, Operator>> = { '=': '=', '==': '=', '!=': '!=', '>': '>', '<': '<' };

/** A whole number of 64 bits in decimal; null when it is none. */
function wholeNumber(text: string): bigint | null {
  if (!/^[+-]?\d+$/.test(text)) return null;
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text);
  return BigInt.asIntN(64, value) === value ? value : null;
}

class Parser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  /** The token that comes; the last one is the end and stays. */
  #peek(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)] as Token;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #is(symbol: string): boolean {
    return this.#peek().kind === 'symbol' && this.#peek().text === symbol;
  }

  /** Is one whole requirement behind us. */
  #done(): boolean {
    return this.#peek().kind === 'end' || this.#is(',');
  }

  #expected(what: string): SelectorError {
    const { kind, text, at } = this.#peek();
    return new SelectorError(at, kind === 'end' ? `${what} is expected, but the selector ends` : `${what} is expected, not "${text}"`);
  }

  #check(what: string, { text, at }: Token, mistake: Mistake | null): void {
    if (mistake) throw new SelectorError(at + mistake.at, `the ${what} "${text}" ${mistake.problem}`);
  }

  all(): Requirement[] {
    const requirements: Requirement[] = [];
    if (this.#peek().kind === 'end') return requirements;
    for (;;) {
      requirements.push(this.#requirement());
      if (this.#peek().kind === 'end') return requirements;
      if (!this.#is(',')) throw this.#expected('"," or the end');
      this.#take();
    }
  }

  #requirement(): Requirement {
    const absent = this.#is('!');
    if (absent) this.#take();
    if (this.#peek().kind !== 'word') throw this.#expected('a label\'s key');
    const token = this.#take();
    const key = token.text;
    this.#check('key', token, labelKeyMistake(key));
    if (absent) return { key, operator: 'absent', values: [] };
    if (this.#done()) return { key, operator: 'exists', values: [] };
    const { kind, text } = this.#peek();
    const compared = kind === 'symbol' && Object.hasOwn(COMPARED, text) ? COMPARED[text] : undefined;
    if (compared !== undefined) {
      this.#take();
      return { key, operator: compared, values: [this.#value(compared)] };
    }
    if (kind !== 'word' || (text !== 'in' && text !== 'notin')) throw this.#expected('=, ==, !=, in, notin, > or <');
    this.#take();
    return { key, operator: text, values: [...new Set(this.#list())].sort() };
  }

  #value(operator: Operator): string {
    const token = this.#peek();
    if (token.kind !== 'word' && !this.#done()) throw this.#expected('a value');
    const ordered = operator === '>' || operator === '<';
    if (token.kind !== 'word') {
      if (ordered) throw this.#expected('a whole number');
      return '';
    }
    if (ordered && wholeNumber(token.text) === null) throw this.#expected('a whole number');
    this.#check('value', this.#take(), labelValueMistake(token.text));
    return token.text;
  }

  /** Values in brackets; nothing before, after or between commas is the empty value. */
  #list(): string[] {
    if (!this.#is('(')) throw this.#expected('"("');
    this.#take();
    const values: string[] = [];
    if (this.#is(')')) values.push('');
    while (!this.#is(')')) {
      if (this.#peek().kind === 'word') {
        const token = this.#take();
        this.#check('value', token, labelValueMistake(token.text));
        values.push(token.text);
        if (!this.#is(',') && !this.#is(')')) throw this.#expected('"," or ")"');
      } else if (this.#is(',')) {
        this.#take();
        if (values.length === 0 || this.#is(')')) values.push('');
        if (!this.#is(',')) continue;
        this.#take();
        values.push('');
        // As the API server has it: "(a,)" is a list, "(a,,)" is none.
        if (this.#is(')')) throw this.#expected('a value or ","');
      } else {
        throw this.#expected('a value, "," or ")"');
      }
    }
    this.#take();
    return values;
  }
}

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'exists': return value !== undefined;
    case 'absent': return value === undefined;
    case '=':
    case 'in': return value !== undefined && values.includes(value);
    case '!=':
    case 'notin': return value === undefined || !values.includes(value);
    case '>':
    case '<': {
      const has = value === undefined ? null : wholeNumber(value), limit = wholeNumber(values[0] ?? '');
      return has !== null && limit !== null && (operator === '>' ? has > limit : has < limit);
    }
  }
}

export function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists': return key;
    case 'absent': return `!${key}`;
    case 'in':
    case 'notin': return `${key} ${operator} (${values.join(',')})`;
    default: return `${key}${operator}${values[0] ?? ''}`;
  }
}

export class Selector {
  /** In the order in which they were given; none: every set of labels matches. */
  readonly requirements: readonly Requirement[];

  private constructor(requirements: readonly Requirement[]) {
    this.requirements = requirements;
  }

  /** @throws SelectorError */
  static parse(text: string): Selector {
    return new Selector(new Parser(text).all());
  }

  matches(labels: Labels): boolean {
    return this.requirements.every((requirement) => holds(requirement, labels));
  }

  /** In a form that parse() takes. */
  toString(): string {
    return this.requirements.map(formatRequirement).join(',');
  }
}
