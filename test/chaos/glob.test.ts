import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchGlob, parseGlob } from '../../src/chaos/glob.ts';

const matches = (pattern: string, path: string): boolean => matchGlob(parseGlob(pattern), path);

describe('matchGlob', () => {
  it.each([
    ['hello', 'hello', true], ['hello', '/tmp/hello', true], ['hello', './hello', true], ['hello', 'hello/', false], ['hello', '/hello/world', false], ['hello', 'helloo', false], ['hello', '', false],
    ['*.log', '/var/log/app.log', true], ['*.log', '/var/log/app.logs', false], ['*', '', true], ['*', 'any/thing', true], ['?', 'a', true], ['?', '', false], ['a?c', '/abc', true],
    ['/data/*', '/data/x', true], ['/data/*', '/data/x/y', true], ['/data/*', '/data', false], ['/data/*', 'data/x', false], ['/a/*/z', '/a/b/c/z', true], ['/a/*b*c', '/a/xbycbc', true], ['/a/*b*c', '/a/xbycbd', false],
    ['\\*', '*', true], ['\\*', 'a', false], ['a\\?', 'a?', true], ['a\\?', 'ab', false], ['\\[x]', '[x]', true], ['\\\\', '\\', true], ['x\\/y', 'x/y', true],
    ['é', 'é', true], ['?', 'é', false], ['??', 'é', true], ['**', 'a', true], ['a**b', 'ab', true], ['/*/*/*', '/a/b/c', true], ['/*/*/*', '/a/b', false],
  ])('%s on %s: %s', (pattern, path, expected) => expect(matches(pattern, path)).toBe(expected));

  it('agrees with a regular expression', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'ab/*?'), minLength: 1, maxLength: 12 }).filter((pattern) => pattern.includes('/'));
    fc.assert(fc.property(letters, fc.string({ unit: fc.constantFrom(...'ab/'), maxLength: 14 }), (pattern, path) => {
      const source = pattern.replaceAll(/[*?]/g, (c) => (c === '*' ? '[^]*' : '[^]'));
      expect(matches(pattern, path)).toBe(new RegExp(`^${source}$`).test(path));
    }), { numRuns: 2000 });
  });

  it('does not explode', () => {
    const started = performance.now();
    expect(matches(`/${'*a'.repeat(60)}b`, `/${'a'.repeat(4095)}`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

describe('parseGlob', () => {
  it.each([
    ['', 'an empty pattern matches no path'], ['x'.repeat(128), 'the pattern is 128 bytes long: 127 at most'], ['é'.repeat(64), 'the pattern is 128 bytes long: 127 at most'],
    ['a\0b', 'a path cannot hold a NUL byte'], ['a\\', 'a pattern cannot end with \\'], ['[a-z]', 'classes such as [a-z] are not known here; write \\[ for the character'],
  ])('%j is refused', (pattern, message) => expect(() => parseGlob(pattern)).toThrow(new RangeError(message)));

  it('takes runs of stars for one', () => expect(parseGlob('a***b').operations).toEqual([97, 257, 98]));
});
