import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeForTerminal } from '../../src/frame/escape.ts';

describe('escapeForTerminal', () => {
  it.each([
    ['plain text, ünï 漢字 😀', 'plain text, ünï 漢字 😀'],
    ['a\u001b[2Jb', 'a\\e[2Jb'],
    ['\u009b31m', '\\x9b31m'],
    ['line\nbreak\ttab\r', 'line\\nbreak\\ttab\\r'],
    ['bell\u0007 nul\0 del\u007f', 'bell\\x07 nul\\0 del\\x7f'],
    ['\u202eevil\u2066', '\\u{202e}evil\\u{2066}'],
    ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
    ['\ud800 lone', '\\u{d800} lone'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
  ])('%j becomes %j', (raw, safe) => expect(escapeForTerminal(raw)).toBe(safe));

  it('leaves no control, bidi or surrogate behind, whatever comes', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 0x10ffff }), { maxLength: 40 }), (codes) => {
      expect(escapeForTerminal(String.fromCodePoint(...codes))).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069\u200b-\u200f]/u);
    }));
  });
});
