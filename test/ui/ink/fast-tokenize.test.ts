import * as original from '@alcalzone/ansi-tokenize';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as fast from '../../../src/ui/ink/fast-tokenize.ts';
import { simpleText, terminalText } from './text.ts';

const text = fc.oneof(terminalText, simpleText);
const runs = { numRuns: 4_000 };

it('exports what the package exports', () => {
  expect(Object.keys(fast).sort()).toEqual(Object.keys(original).sort());
});

it('gives the tokens, the cells and the text of the package', () => {
  fc.assert(
    fc.property(text, (line) => {
      const tokens = original.tokenize(line);
      expect(fast.tokenize(line)).toEqual(tokens);
      const cells = original.styledCharsFromTokens(tokens);
      expect(fast.styledCharsFromTokens(fast.tokenize(line))).toEqual(cells);
      expect(fast.styledCharsToString(fast.styledCharsFromTokens(fast.tokenize(line)))).toBe(original.styledCharsToString(cells));
    }),
    runs,
  );
});

it('cuts at a column as the package does', () => {
  fc.assert(fc.property(text, fc.nat(20), (line, end) => {
    expect(fast.tokenize(line, end)).toEqual(original.tokenize(line, end));
  }), runs);
});

it('joins cells of several lines and blank ones as the package does', () => {
  const blank = { type: 'char', value: ' ', fullWidth: false } as const;
  fc.assert(
    fc.property(text, text, fc.nat(30), fc.nat(5), (a, b, from, gap) => {
      const join = (lib: typeof original) => {
        const cells = (line: string) => lib.styledCharsFromTokens(lib.tokenize(line));
        return lib.styledCharsToString([...cells(a).slice(from), ...Array.from({ length: gap }, () => ({ ...blank, styles: [] })), ...cells(b)]);
      };
      expect(join(fast)).toBe(join(original));
    }),
    runs,
  );
});

it('stays right when there are more styles than it keeps', () => {
  for (let i = 0; i < 6000; i++) {
    const line = `\x1b[38;2;${i & 255};${i >> 8};7ma\x1b[1mb\x1b[0mc`;
    const cells = original.styledCharsFromTokens(original.tokenize(line));
    expect(fast.styledCharsFromTokens(fast.tokenize(line))).toEqual(cells);
    expect(fast.styledCharsToString(fast.styledCharsFromTokens(fast.tokenize(line)))).toBe(original.styledCharsToString(cells));
  }
});
