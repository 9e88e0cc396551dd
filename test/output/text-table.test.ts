import fc from 'fast-check';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { type TextColumn, cutText, tableLines } from '../../src/output/text-table.ts';

const COLUMNS: TextColumn[] = [
  { heading: 'NAME', align: 'left', cut: 'end', min: 6, rank: 0 },
  { heading: 'COUNT', align: 'right', rank: 0 },
  { heading: 'NOTE', align: 'left', cut: 'middle', min: 4, rank: 5 },
];
const ROWS = [['alpha', '1', 'something long indeed'], ['a name that is long', '12345', '']].map((row) => row.map((text) => ({ text })));

describe('cutText', () => {
  it('marks what is missing, where it is missing', () => {
    expect(cutText('abcdef', 6, 'end')).toBe('abcdef');
    expect(cutText('abcdef', 4, 'end')).toBe('abc…');
    expect(cutText('abcdef', 4, 'start')).toBe('…def');
    expect(cutText('abcdefgh', 6, 'middle')).toBe('abc…gh');
    expect(cutText('abcdef', 4, 'end', true)).toBe('abc~');
  });

  it('never splits a wide character and never passes the width', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), fc.constantFrom('start', 'middle', 'end'), (text, width, cut) => {
      expect(stringWidth(cutText(text, width, cut))).toBeLessThanOrEqual(width);
    }));
    expect(cutText('漢字漢字', 4, 'end')).toBe('漢…');
  });
});

describe('tableLines', () => {
  it('aligns with two spaces between columns and cuts nothing without a width', () => {
    expect(tableLines(COLUMNS, ROWS)).toEqual([
      'NAME                 COUNT  NOTE',
      'alpha                    1  something long indeed',
      'a name that is long  12345',
    ]);
  });

  it('shrinks what may be cut, then leaves out what ranks lowest', () => {
    expect(tableLines(COLUMNS, ROWS, { width: 30 })).toEqual(['NAME        COUNT  NOTE', 'alpha           1  somet…ndeed', 'a name th…  12345']);
    expect(tableLines(COLUMNS, ROWS, { width: 15 })).toEqual(['NAME      COUNT', 'alpha         1', 'a name …  12345']);
  });

  it('leaves out the headings on demand, and lines up wide characters', () => {
    expect(tableLines(COLUMNS.slice(0, 2), [[{ text: '漢字' }, { text: '1' }], [{ text: 'abcd' }, { text: '22' }]], { headings: false })).toEqual(['漢字   1', 'abcd  22']);
  });

  it('colours thresholds only when asked to, without moving anything', () => {
    const rows = [[{ text: 'x' }, { text: '9', severity: 'bad' as const }, { text: '' }]];
    expect(tableLines(COLUMNS, rows)[1]).toBe('x         9');
    expect(tableLines(COLUMNS, rows, { color: true })[1]).toBe('x         \u001b[31m9\u001b[39m');
  });

  it('fits every width as long as unlosable columns do', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.string(), fc.nat(), fc.string()), { maxLength: 5 }), fc.integer({ min: 20, max: 120 }), (data, width) => {
      const rows = data.map(([name, n, note]) => [{ text: name }, { text: String(n % 100_000) }, { text: note }]);
      for (const line of tableLines(COLUMNS, rows, { width })) expect(stringWidth(line)).toBeLessThanOrEqual(width);
    }));
  });
});
