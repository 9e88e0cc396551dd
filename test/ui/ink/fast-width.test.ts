import fc from 'fast-check';
import stringWidth from 'string-width';
import { expect, it } from 'vitest';
import fastWidth from '../../../src/ui/ink/fast-width.ts';
import { isSimple } from '../../../src/ui/ink/simple.ts';
import { simpleText, terminalText } from './text.ts';

const runs = { numRuns: 4_000 };

it('measures any text as string-width does', () => {
  fc.assert(fc.property(terminalText, (text) => fastWidth(text) === stringWidth(text)), runs);
  fc.assert(fc.property(simpleText, (text) => fastWidth(text) === stringWidth(text)), runs);
});

it('measures each single UTF-16 unit, alone and between others, as string-width does', () => {
  const wrong: string[] = [];
  for (let unit = 0; unit <= 0xffff; unit++) {
    const char = String.fromCharCode(unit);
    for (const text of [char, `a${char}─`]) {
      if (fastWidth(text) !== stringWidth(text)) wrong.push(`${unit.toString(16)} in ${JSON.stringify(text)}`);
    }
  }
  expect(wrong).toEqual([]);
});

it('calls only characters simple that take one column and join no cluster', () => {
  const segmenter = new Intl.Segmenter();
  const simple = Array.from({ length: 0x10000 }, (_, unit) => unit).filter(isSimple).map((unit) => String.fromCharCode(unit));
  expect(simple.length).toBeGreaterThan(500);
  expect([...segmenter.segment(simple.join(''))]).toHaveLength(simple.length);
  expect(simple.filter((char) => stringWidth(char) !== 1)).toEqual([]);
});

it('passes options on', () => {
  expect(fastWidth('─', { ambiguousIsNarrow: false })).toBe(2);
  expect(fastWidth('\x1b[31mab\x1b[39m', { countAnsiEscapeCodes: true })).toBe(stringWidth('\x1b[31mab\x1b[39m', { countAnsiEscapeCodes: true }));
});
