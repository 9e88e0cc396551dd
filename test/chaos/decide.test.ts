import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Counting, Oracle, hitShare, hitsAmong, isChosen, limitsOf, mix, probability32 } from '../../src/chaos/decide.ts';
import { CALLS, CASES } from './vectors.ts';

const GAMMA = 0x9e3779b97f4a7c15n;
const ALL: Counting = { probability: 1, skip: 0, every: 1, last: null, maxHits: 1000, seed: 0 };
const count = fc.integer({ min: 1, max: 30 });
const counting = (probability: fc.Arbitrary<number>): fc.Arbitrary<Counting> => fc.record({
  probability, skip: fc.nat(40), every: fc.nat(12), last: fc.option(count, { nil: null }), maxHits: count, seed: fc.maxSafeNat(),
});

interface Vector extends Counting {
  readonly limits: Readonly<Record<string, string>>;
  readonly calls: number;
  readonly hits: readonly number[];
}
const vectors = JSON.parse(readFileSync(new URL('vectors.json', import.meta.url), 'utf8')) as Vector[];

describe('mix', () => {
  it('is the finalizer of splitmix64', () => {
    // First outputs of the generator as published, for the seeds 0 and 1234567.
    expect([1n, 2n, 3n].map((n) => mix(n * GAMMA))).toEqual([0xe220a8397b1dcdafn, 0x6e789e6aa1b965f4n, 0x06c45d188009454fn]);
    expect([1n, 2n].map((n) => mix(1_234_567n + n * GAMMA))).toEqual([6_457_827_717_110_365_317n, 3_203_168_211_198_807_973n]);
    expect(mix(2n ** 64n + 5n)).toBe(mix(5n));
  });
});

describe('probability32', () => {
  it.each([[1, 2n ** 32n], [0.5, 2n ** 31n], [1e-6, 4295n], [0, 0n], [2, 2n ** 32n], [-1, 0n]])('%d', (probability, p32) => expect(probability32(probability)).toBe(p32));
});

describe('the vectors', () => {
  it('are those of the cases, word by word', () => {
    expect(vectors).toHaveLength(CASES.length);
    for (const [i, { limits, calls, hits, ...fields }] of vectors.entries()) {
      expect(fields).toEqual(CASES[i]);
      expect(calls).toBe(CALLS);
      expect(Object.fromEntries(Object.entries(limitsOf(fields)).map(([key, value]) => [key, String(value)]))).toEqual(limits);
      expect(hitsAmong(fields, calls)).toEqual(hits);
    }
  });

  it('are not all the same, and hold what can be told without the oracle', () => {
    expect(new Set(vectors.map(({ hits }) => hits.join())).size).toBeGreaterThan(15);
    expect(vectors[3]?.hits.slice(0, 3)).toEqual([3, 5, 7]);
    expect(vectors[6]?.hits.slice(0, 3)).toEqual([1, 8, 15]);
    expect(vectors[9]?.hits).toEqual([5]);
    expect(vectors[10]?.hits).toEqual([6, 9, 12, 15, 18, 21]);
  });

  describe('with C arithmetic', () => {
    let dir: string;
    beforeAll(() => {
      dir = mkdtempSync(join(tmpdir(), 'kbtop-decide-'));
      execFileSync('cc', ['-O1', '-Wall', '-Werror', '-o', join(dir, 'decide'), new URL('decide.c', import.meta.url).pathname]);
    });
    afterAll(() => rmSync(dir, { recursive: true }));

    it('come out the same', () => {
      for (const { limits, calls, hits } of vectors) {
        const args = ['skip', 'last', 'every', 'p32', 'key', 'maxHits'].map((key) => limits[key] ?? '');
        const out = execFileSync(join(dir, 'decide'), [...args, String(calls)], { encoding: 'utf8' });
        expect(out.split('\n').filter((line) => line !== '').map(Number)).toEqual(hits);
      }
    });
  });
});

describe('hitsAmong', () => {
  it('hits exactly what skip, every, last and max say', () => {
    fc.assert(fc.property(counting(fc.constant(1)), fc.nat(200), (rule, calls) => {
      const expected: number[] = [];
      for (let n = rule.skip + 1; n <= Math.min(calls, rule.last ?? calls); n += Math.max(1, rule.every)) expected.push(n);
      expect(hitsAmong(rule, calls)).toEqual(expected.slice(0, rule.maxHits));
    }));
  });

  it('is a part of that with a probability, never more than the budget, and the same each time', () => {
    fc.assert(fc.property(counting(fc.double({ min: 0, max: 1, noNaN: true })), (rule) => {
      const certain = new Set(hitsAmong({ ...rule, probability: 1, maxHits: 1000 }, 200));
      const hits = hitsAmong(rule, 200);
      expect(hits.every((n) => certain.has(n))).toBe(true);
      expect(hits.length).toBeLessThanOrEqual(rule.maxHits);
      expect(hitsAmong(rule, 200)).toEqual(hits);
      const free = hitsAmong({ ...rule, maxHits: 1000 }, 200);
      expect(hits).toEqual(free.slice(0, rule.maxHits));
    }));
  });

  it('hits more calls with a higher probability, and all that a lower one does', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), fc.maxSafeNat(), (a, b, seed) => {
      const low = hitsAmong({ ...ALL, seed, probability: Math.min(a, b) }, 100), high = new Set(hitsAmong({ ...ALL, seed, probability: Math.max(a, b) }, 100));
      expect(low.every((n) => high.has(n))).toBe(true);
    }));
  });

  it.each([0.5, 0.1, 0.01, 0.9])('keeps probability %d within 5 standard deviations, for any kind of seed', (probability) => {
    const calls = 20_000;
    for (const seed of [0, 1, 2, 3, 1000, 2 ** 32, 2 ** 52 + 12_345, Number.MAX_SAFE_INTEGER]) {
      const hits = hitsAmong({ ...ALL, probability, seed, maxHits: calls }, calls).length;
      expect(Math.abs(hits - calls * probability)).toBeLessThan(5 * Math.sqrt(calls * probability * (1 - probability)));
    }
  });

  it('lets neighbouring seeds and neighbouring calls know nothing of each other', () => {
    const calls = 20_000;
    const chosen = (seed: number): boolean[] => {
      const limits = limitsOf({ ...ALL, probability: 0.5, seed });
      return Array.from({ length: calls }, (_, i) => isChosen(limits, BigInt(i + 1)));
    };
    const base = chosen(7);
    const bound = 5 * Math.sqrt(calls / 4);
    for (const other of [chosen(8), chosen(6), chosen(7 + 2 ** 32), base.slice(1), base.slice(2), base.slice(8)]) {
      const same = other.filter((hit, i) => hit === base[i]).length;
      expect(Math.abs(same - other.length / 2)).toBeLessThan(bound);
    }
    // The seed is mixed: adding the step of the sequence to it does not give the sequence again, one call later.
    const key = 7n, shifted = (key + GAMMA) & ((1n << 64n) - 1n);
    expect(mix(mix(key) + 2n * GAMMA)).not.toBe(mix(mix(shifted) + GAMMA));
  });
});

it('an Oracle counts on: one call at a time is the same as all at once', () => {
  const rule: Counting = { ...ALL, probability: 0.3, skip: 3, every: 2, maxHits: 9, seed: 5 };
  const oracle = new Oracle(rule);
  const hits: number[] = [];
  for (let n = 1; n <= 200; n++) if (oracle.next()) hits.push(n);
  expect(hits).toEqual(hitsAmong(rule, 200));
  expect(hits).toHaveLength(9);
});

it('hitShare is what hitsAmong comes to', () => {
  const rule = { ...ALL, probability: 0.25, every: 4, maxHits: 100_000 };
  expect(hitShare(rule)).toBe(0.0625);
  expect(Math.abs(hitsAmong(rule, 40_000).length - 2500)).toBeLessThan(250);
});
