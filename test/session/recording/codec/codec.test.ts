import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../../../src/frame/frame.ts';
import { Decoder, DamagedError, Encoder } from '../../../../src/session/recording/codec/coder.ts';
import { FrameCodec, NotJsonError, TooLargeError } from '../../../../src/session/recording/codec/codec.ts';
import { anyFrame, FRAME } from '../../../output/frames.ts';
import { frames } from '../frames.ts';

/** Encode all with one codec, decode all with another. */
function throughCodec(values: readonly unknown[]): { readonly back: unknown[]; readonly bytes: number[] } {
  const encoder = new Encoder(), writing = new FrameCodec(encoder), decoder = new Decoder(), reading = new FrameCodec(decoder);
  const bytes: number[] = [];
  const back = values.map((value) => {
    writing.code(value);
    const taken = encoder.take();
    bytes.push(taken.length);
    decoder.use(taken);
    return reading.code(undefined);
  });
  return { back, bytes };
}

/** Equal, and the order of fields is the same, too. */
function expectSame(values: readonly unknown[]): void {
  const { back } = throughCodec(values);
  expect(back).toStrictEqual(values);
  expect(JSON.stringify(back)).toBe(JSON.stringify(values));
}

/** JSON, and what JSON cannot write of numbers. */
const json = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.object({ maxDepth: 4, values: [fc.string({ unit: 'binary' }), fc.double(), fc.integer(), fc.maxSafeInteger(), fc.boolean(), fc.constant(null), fc.constantFrom(-0, 2 ** 52, -(2 ** 53), 1e300, 5e-324, 0.001, 1.25, 1000.767)] }),
);

const PLAIN = { noNullPrototype: true } as const;

/** Rows with fields of their own, some of them missing, some of another kind than in the row before. */
const row = fc.record({
  container: fc.constantFrom('1', '2', '3'), name: fc.oneof(fc.string(), fc.constant(null)), count: fc.nat(50), rate: fc.double({ noNaN: true }), us: fc.nat(10_000_000).map((n) => n / 1000),
  time: fc.date({ noInvalidDate: true }).map((date) => date.toISOString()), flags: fc.array(fc.constantFrom('A', 'B')), errors: fc.dictionary(fc.constantFrom('ENOENT', 'EACCES', '__proto__'), fc.nat(3), { noNullPrototype: true }), inner: fc.oneof(fc.constant(null), fc.record({ a: fc.nat(), rows: fc.array(fc.record({ k: fc.string(), n: fc.nat() }, PLAIN)) }, PLAIN)),
}, { requiredKeys: ['container'], ...PLAIN });
const frameLike = fc.record({ seq: fc.nat(), intervalMs: fc.double({ min: 1, max: 5000, noNaN: true }), panes: fc.dictionary(fc.constantFrom('x', 'y', 'z'), fc.record({ rows: fc.array(row, { maxLength: 30 }) }, PLAIN), PLAIN), infos: fc.dictionary(fc.nat(30).map(String), fc.record({ a: fc.string(), b: fc.nat() }, PLAIN), { minKeys: 9, ...PLAIN }) }, PLAIN);

describe('FrameCodec gives back what it was given', () => {
  it('for Frames', () => {
    expectSame([FRAME, FRAME, ...frames(40)]);
  });

  it('for Frames as tests of other parts make them', () => {
    fc.assert(fc.property(fc.array(anyFrame, { minLength: 1, maxLength: 3 }), (all) => expectSame(all.map((frame) => JSON.parse(JSON.stringify(frame)) as Frame))), { numRuns: 40 });
  });

  it('for any JSON, one value after the other', () => {
    fc.assert(fc.property(fc.array(json, { minLength: 1, maxLength: 6 }), expectSame), { numRuns: 300 });
  });

  it('for tables of rows that hardly agree', () => {
    fc.assert(fc.property(fc.array(frameLike, { minLength: 1, maxLength: 5 }), expectSame), { numRuns: 150 });
  });

  it('with fields and panes that this version has never heard of', () => {
    expectSame(frames(5).map((frame, i) => ({ ...frame, weather: { wind: i / 7, list: [1, null, 'x'] }, panes: { ...frame.panes, disk: { state: { status: 'ok' }, rows: [{ device: 'sda', queue: i, latency: frame.panes.syscalls.rows[0]?.latency ?? null }] } } })));
  });

  it('for histograms whose numbers do not fit each other', () => {
    const latency = frames(1)[0]?.panes.runqueue.rows[0]?.latency;
    const odd = [{ ...latency, p50Us: 1 }, { ...latency, sumUs: 0.0001 }, { ...latency, maxUs: 1e9 }, { ...latency, count: 0, buckets: [] }, { ...latency, buckets: [[3, 1]] }, { ...latency, extra: 1 }, { ...latency, sumUs: 1e15 }, { ...latency, buckets: [[0.256, 1.5]] }];
    expectSame(odd.map((one) => ({ one })));
  });

  it('for numbers at the edges', () => {
    expectSame([[0, -0, 1, -1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 52 - 1, 2 ** 52, 2 ** 53, -(2 ** 53), Number.MAX_VALUE, Number.MIN_VALUE, 0.1, 1 / 3, 123.456, Number.POSITIVE_INFINITY]]);
    expectSame([[2 ** 52 - 1], [-(2 ** 52) + 1], [2 ** 52 - 1], [0]]);
  });

  it('for texts of all kinds', () => {
    expectSame([['', '\u0000', '\ud800', '\udfff\ud800', 'ä', '\u{1f600}', 'x'.repeat(10_000), 'ab'.repeat(3000), '2026-11-21T02:00:05.123456Z', '2026-02-30T00:00:00.000Z', '2026-11-21T24:00:00Z', '9999-12-31T23:59:59.999999Z', '0000-01-01T00:00:00Z']]);
  });

  it('leaves out fields that are undefined, as JSON does', () => {
    expect(throughCodec([{ a: 1, b: undefined }, { a: 1, b: 2 }]).back).toStrictEqual([{ a: 1 }, { a: 1, b: 2 }]);
  });
});

describe('FrameCodec', () => {
  it('writes what repeats in a fraction of its JSON', () => {
    const all = frames(60, 30), { bytes } = throughCodec(all);
    const later = bytes.slice(20).reduce((sum, n) => sum + n, 0), asJson = all.slice(20).reduce((sum, frame) => sum + JSON.stringify(frame).length, 0);
    expect(later).toBeLessThan(asJson / 25);
    // The same Frame again.
    expect(throughCodec([FRAME, FRAME, FRAME]).bytes[2]).toBeLessThan(12);
  });

  it('refuses what is no JSON, or too much of it', () => {
    const code = (value: unknown): unknown => new FrameCodec(new Encoder()).code(value);
    expect(() => code({ a: () => 1 })).toThrow(NotJsonError);
    expect(() => code({ a: 1n })).toThrow(NotJsonError);
    let deep: unknown = 1;
    for (let i = 0; i < 200; i++) deep = [deep];
    expect(() => code(deep)).toThrow(TooLargeError);
    expect(() => code(Array.from({ length: 3_000_000 }, () => 0))).toThrow(TooLargeError);
  });

  it('ends with DamagedError, in bounded time and memory, on bytes that are none of its own', () => {
    const good = ((): Uint8Array => {
      const encoder = new Encoder();
      new FrameCodec(encoder).code(frames(1)[0]);
      return encoder.take();
    })();
    const decode = (bytes: Uint8Array): void => {
      const decoder = new Decoder();
      try {
        decoder.use(bytes);
        new FrameCodec(decoder).code(undefined);
      } catch (error) {
        if (!(error instanceof DamagedError)) throw error;
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), decode), { numRuns: 500 });
    fc.assert(fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => decode(good.map((byte, i) => (i === at ? byte ^ flip : byte)))), { numRuns: 200 });
    for (const byte of [0, 255, 85]) decode(new Uint8Array(100_000).fill(byte));
  });

  it('reads Frames that this version of the format once wrote', () => {
    // A change that is no change of VERSION must still read them: see src/session/recording/format.ts.
    const { bytes, json: text } = JSON.parse(readFileSync(join(import.meta.dirname, 'version-1.json'), 'utf8')) as { readonly bytes: readonly string[]; readonly json: readonly unknown[] };
    const decoder = new Decoder(), codec = new FrameCodec(decoder);
    expect(bytes.map((one) => {
      decoder.use(Buffer.from(one, 'base64'));
      return codec.code(undefined);
    })).toStrictEqual(text);
  });
});
