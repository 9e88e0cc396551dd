import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Labels, type Operator, type Requirement, Selector, SelectorError } from '../../src/frame/selector.ts';

const parsed = (text: string): [string, Operator, ...string[]][] =>
  Selector.parse(text).requirements.map(({ key, operator, values }) => [key, operator, ...values]);

function refusal(text: string): SelectorError | null {
  try {
    Selector.parse(text);
    return null;
  } catch (error) {
    if (error instanceof SelectorError) return error;
    throw error;
  }
}

describe('Selector.parse', () => {
  it.each<[string, [string, Operator, ...string[]][]]>([
    ['', []],
    [' \t\r\n', []],
    ['a', [['a', 'exists']]],
    ['!a', [['a', 'absent']]],
    [' ! a ', [['a', 'absent']]],
    ['a=b', [['a', '=', 'b']]],
    ['a==b', [['a', '=', 'b']]],
    ['a = b , c==d', [['a', '=', 'b'], ['c', '=', 'd']]],
    ['a!=b', [['a', '!=', 'b']]],
    ['a != b', [['a', '!=', 'b']]],
    ['a=', [['a', '=', '']]],
    ['a==,b!=', [['a', '=', ''], ['b', '!=', '']]],
    ['a in (x,y)', [['a', 'in', 'x', 'y']]],
    ['a in(y , x,y)', [['a', 'in', 'x', 'y']]],
    ['a notin (x)', [['a', 'notin', 'x']]],
    ['a in ()', [['a', 'in', '']]],
    ['a in (,)', [['a', 'in', '']]],
    ['a in (,b)', [['a', 'in', '', 'b']]],
    ['a in (b,)', [['a', 'in', '', 'b']]],
    ['a in (b,,c)', [['a', 'in', '', 'b', 'c']]],
    ['a in (b,,,c)', [['a', 'in', '', 'b', 'c']]],
    ['a in (b,,,)', [['a', 'in', '', 'b']]],
    ['a>1', [['a', '>', '1']]],
    ['a < 07', [['a', '<', '07']]],
    ['a>9223372036854775807', [['a', '>', '9223372036854775807']]],
    // Words that are operators elsewhere.
    ['in', [['in', 'exists']]],
    ['!notin', [['notin', 'absent']]],
    ['in in (in,notin)', [['in', 'in', 'in', 'notin']]],
    ['notin notin (in)', [['notin', 'notin', 'in']]],
    ['in=notin', [['in', '=', 'notin']]],
    ['app.kubernetes.io/name=web,x,!y', [['app.kubernetes.io/name', '=', 'web'], ['x', 'exists'], ['y', 'absent']]],
    // The same key twice is two requirements.
    ['a=b,a=c', [['a', '=', 'b'], ['a', '=', 'c']]],
  ])('%j', (text, requirements) => expect(parsed(text)).toEqual(requirements));

  it.each([
    [',', 0, 'a label\'s key is expected, not ","'],
    ['a,', 2, 'a label\'s key is expected, but the selector ends'],
    ['a,,b', 2, 'a label\'s key is expected, not ","'],
    ['=b', 0, 'a label\'s key is expected, not "="'],
    ['!', 1, 'a label\'s key is expected, but'],
    ['!!a', 1, 'a label\'s key is expected, not "!"'],
    ['!a=b', 2, '"," or the end is expected, not "="'],
    ['!a in (b)', 3, '"," or the end is expected, not "in"'],
    ['a b', 2, '=, ==, !=, in, notin, > or < is expected, not "b"'],
    ['a=b c', 4, '"," or the end is expected, not "c"'],
    ['a=b=c', 3, '"," or the end is expected, not "="'],
    ['a===b', 3, 'a value is expected, not "="'],
    ['a=!b', 2, 'a value is expected, not "!"'],
    ['a=>b', 2, 'a value is expected, not ">"'],
    ['a!b', 1, '=, ==, !=, in, notin, > or < is expected, not "!"'],
    ['a In (b)', 2, '=, ==, !=, in, notin, > or < is expected, not "In"'],
    ['a in', 4, '"(" is expected, but the selector ends'],
    ['a in b', 5, '"(" is expected, not "b"'],
    ['a in (', 6, 'a value, "," or ")" is expected, but the selector ends'],
    ['a in (b', 7, '"," or ")" is expected, but the selector ends'],
    ['a in (b,', 8, 'a value, "," or ")" is expected, but the selector ends'],
    ['a in (b c)', 8, '"," or ")" is expected, not "c"'],
    ['a in (b=c)', 7, '"," or ")" is expected, not "="'],
    ['a in (!b)', 6, 'a value, "," or ")" is expected, not "!"'],
    ['a in (b,,)', 9, 'a value or "," is expected, not ")"'],
    ['a in (b))', 8, '"," or the end is expected, not ")"'],
    ['(a)', 0, 'a label\'s key is expected, not "("'],
    ['a>', 2, 'a whole number is expected, but the selector ends'],
    ['a>,b', 2, 'a whole number is expected, not ","'],
    ['a>b', 2, 'a whole number is expected, not "b"'],
    ['a>1.5', 2, 'a whole number is expected, not "1.5"'],
    ['a>9223372036854775808', 2, 'a whole number is expected, not'],
    ['a>-1', 2, 'the value "-1" must begin with a letter or digit'],
    ['a>=1', 2, 'a value is expected, not "="'],
    ['a<>1', 2, 'a value is expected, not ">"'],
    ['a=b$c', 3, 'the value "b$c" cannot have "$" there'],
    ['a = b-', 5, 'the value "b-" must end with a letter or digit'],
    ['a in (x,y/z)', 9, 'the value "y/z" cannot have "/" there'],
    [`a=${'x'.repeat(64)}`, 65, 'is too long: 64 characters, 63 at most'],
    ['x,a_/b=c', 3, 'the key "a_/b" cannot have "_" there'],
    ['-a', 0, 'the key "-a" must begin with a letter or digit'],
    ['a&b', 1, 'the key "a&b" cannot have "&" there'],
  ])('refuses %j at index %i', (text, at, message) => {
    const error = refusal(text);
    expect(error?.at).toBe(at);
    expect(error?.message).toContain(`at character ${at + 1}: `);
    expect(error?.message).toContain(message);
  });
});

describe('Selector.matches', () => {
  const labels = { app: 'web', tier: '', rev: '7', 'x.io/y': 'Z', big: '9223372036854775807', bad: '7a', toString: 'own' };

  it.each<[string, boolean]>([
    ['', true],
    ['app', true], ['nope', false], ['!app', false], ['!nope', true],
    ['app=web', true], ['app==web', true], ['app=Web', false], ['nope=', false], ['tier=', true], ['tier', true],
    ['app!=web', false], ['app!=api', true], ['nope!=web', true], ['nope!=', true], ['tier!=', false],
    ['app in (api,web)', true], ['app in (api)', false], ['nope in ()', false], ['tier in ()', true],
    ['app notin (api,web)', false], ['app notin (api)', true], ['nope notin (a)', true], ['tier notin (,a)', false],
    ['rev>6', true], ['rev>7', false], ['rev<8', true], ['rev<7', false], ['rev>06', true], ['nope>0', false], ['nope<9', false], ['bad>0', false], ['app<1', false],
    ['big>9223372036854775806', true],
    ['x.io/y=Z,app,!nope', true], ['x.io/y=Z,app,nope', false], ['app=web,app=api', false],
    // What every object inherits is no label.
    ['constructor', false], ['!valueOf', true], ['toString=own', true],
  ])('%s: %s', (text, expected) => expect(Selector.parse(text).matches(labels)).toBe(expected));
});

const word = fc.stringMatching(/^[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,8}[A-Za-z0-9])?$/);
const key = fc.oneof(fc.constantFrom('a', 'b', 'in', 'notin', 'app.io/x'), word, fc.tuple(fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]{0,6}[a-z0-9])?$/), word).map(([prefix, name]) => `${prefix}/${name}`));
const value = fc.oneof(fc.constantFrom('', 'a', 'b', 'in', '7', '12'), word);
const number = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String);
const requirement: fc.Arbitrary<Requirement> = fc.oneof(
  fc.record({ key, operator: fc.constantFrom<Operator>('exists', 'absent'), values: fc.constant([]) }),
  fc.record({ key, operator: fc.constantFrom<Operator>('=', '!='), values: fc.tuple(value) }),
  fc.record({ key, operator: fc.constantFrom<Operator>('>', '<'), values: fc.tuple(number) }),
  fc.record({ key, operator: fc.constantFrom<Operator>('in', 'notin'), values: fc.uniqueArray(value, { minLength: 1, maxLength: 4 }).map((values) => values.sort()) }),
);
const requirements = fc.array(requirement, { maxLength: 4 });
const space = fc.constantFrom('', ' ', '\t', '\n ');

/** A requirement as somebody might type it, in pieces that may have spaces between them. */
function pieces({ key, operator, values }: Requirement, double: boolean): string[] {
  switch (operator) {
    case 'exists': return [key];
    case 'absent': return ['!', key];
    case 'in':
    case 'notin': return [key, ' ', operator, '(', ...values.flatMap((one, i) => (i === 0 ? [one] : [',', one])), ')'];
    default: return [key, operator === '=' && double ? '==' : operator, values[0] ?? ''];
  }
}

/** What the documentation of Kubernetes says of each operator, in other words than the code has. */
function oracle({ key, operator, values }: Requirement, labels: Labels): boolean {
  const has = Object.keys(labels).includes(key);
  const one = labels[key] ?? '';
  const equal = has && new Set(values).has(one);
  if (operator === 'exists') return has;
  if (operator === 'absent') return !has;
  if (operator === '=' || operator === 'in') return equal;
  if (operator === '!=' || operator === 'notin') return !equal;
  if (!has || !/^\d+$/.test(one) || BigInt(one) > 2n ** 63n - 1n) return false;
  return operator === '>' ? BigInt(one) > BigInt(values[0] ?? '0') : BigInt(one) < BigInt(values[0] ?? '0');
}

/** The grammar once more, as one expression over single letters: K a word, I in or notin, O an operator with one value. */
const SENTENCE = (() => {
  const list = '\\((?:,*[KI](?:,+[KI])*)?(?:,(?:,,)*)?\\)';
  const one = `(?:![KI]|[KI](?:O[KI]?|I${list})?)`;
  return new RegExp(`^(?:${one}(?:,${one})*)?$`);
})();

describe('any selector', () => {
  it('is read with spaces anywhere, and printed so that it reads the same', () => {
    fc.assert(fc.property(requirements, fc.boolean(), fc.infiniteStream(space), (wanted, double, spaces) => {
      const text = wanted.flatMap((one, i) => [...(i === 0 ? [] : [',']), ...pieces(one, double)]).map((piece) => piece + (spaces.next().value as string)).join('');
      const selector = Selector.parse(text);
      expect(selector.requirements).toEqual(wanted);
      expect(Selector.parse(selector.toString())).toEqual(selector);
    }));
  });

  it('matches what the oracle says', () => {
    fc.assert(fc.property(requirements, fc.dictionary(fc.oneof(fc.constantFrom('a', 'b', 'in', 'app.io/x'), key), value), (wanted, labels) => {
      const selector = Selector.parse(wanted.map((one) => pieces(one, false).join('')).join(','));
      expect(selector.matches(labels)).toBe(wanted.every((one) => oracle(one, labels)));
    }));
  });

  it('is taken exactly when it is a sentence of the grammar', () => {
    const letters: Readonly<Record<string, readonly string[]>> = { K: ['a', 'b1'], I: ['in', 'notin'], O: ['=', '==', '!='] };
    const token = fc.constantFrom('K', 'K', 'I', 'O', '!', '(', ')', ',', ',');
    fc.assert(fc.property(fc.array(fc.tuple(token, fc.nat(5)), { maxLength: 9 }), (sentence) => {
      const text = sentence.map(([letter, n]) => letters[letter]?.[n % (letters[letter]?.length ?? 1)] ?? letter).join(' ');
      // Equal signs apart stay apart; "! =" is two tokens here as there.
      expect(refusal(text) === null, text).toBe(SENTENCE.test(sentence.map(([letter]) => letter).join('')));
    }), { numRuns: 3000 });
    fc.assert(fc.property(fc.array(fc.constantFrom('a', ','), { maxLength: 8 }), (inside) => {
      expect(refusal(`k in (${inside.join(' ')})`) === null).toBe(SENTENCE.test(`KI(${inside.join('').replaceAll('a', 'K')})`));
    }));
  });

  it('never throws anything else, and points into the text', () => {
    const soup = fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom('a', 'in', 'notin', '(', ')', ',', '!', '=', '==', '>', '<', ' ', '-', '/', '.', 'é', '\u{1f600}')).map((parts) => parts.join('')));
    fc.assert(fc.property(soup, (text) => {
      const error = refusal(text);
      if (error === null) return;
      expect(error.at).toBeGreaterThanOrEqual(0);
      expect(error.at).toBeLessThanOrEqual(text.length);
    }), { numRuns: 2000 });
  });
});
