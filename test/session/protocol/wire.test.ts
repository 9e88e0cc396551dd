import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SERVER_LIMITS } from '../../../src/session/protocol/messages.ts';
import { HEADER_BYTES, type Limits, type Piece, WireReader, pack } from '../../../src/session/protocol/wire.ts';

const LIMITS: Limits = new Map([[1, 10], [2, 0], [3, 70_000]]);

/** The chunks that bytes are cut into at these places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => bytes.subarray(from, at[i] ?? bytes.length));
}

function read(chunks: readonly Buffer[], limits = LIMITS): { readonly pieces: Piece[]; readonly problem: string | null } {
  const reader = new WireReader(limits);
  const pieces = chunks.flatMap((chunk) => [...reader.push(chunk)]);
  return { pieces, problem: reader.problem };
}

const message = fc.oneof(
  fc.record({ kind: fc.constant(1), payload: fc.uint8Array({ maxLength: 10 }) }),
  fc.record({ kind: fc.constant(2), payload: fc.constant(new Uint8Array()) }),
  fc.record({ kind: fc.constant(3), payload: fc.uint8Array({ maxLength: 5000 }) }),
).map(({ kind, payload }) => ({ kind, payload: Buffer.from(payload) }));

describe('messages in a stream', () => {
  it('come out as they went in, wherever they are cut', () => {
    fc.assert(fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.nat(), { maxLength: 20 }), (messages, places) => {
      const bytes = Buffer.concat(messages.map(({ kind, payload }) => pack(kind, payload)));
      expect(read(cut(bytes, places))).toEqual({ pieces: messages, problem: null });
    }));
  });

  it('come out of single bytes', () => {
    const bytes = Buffer.concat([pack(1, Buffer.from('abc')), pack(2, Buffer.alloc(0)), pack(2, Buffer.alloc(0)), pack(1, Buffer.alloc(0))]);
    const { pieces } = read([...bytes].map((byte) => Buffer.from([byte])));
    expect(pieces.map(({ kind, payload }) => [kind, payload.toString()])).toEqual([[1, 'abc'], [2, ''], [2, ''], [1, '']]);
  });

  it('never throw, whatever comes, and end at the first problem', () => {
    fc.assert(fc.property(fc.array(message, { maxLength: 3 }), fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 10 }), (messages, garbage, places) => {
      const before = Buffer.concat(messages.map(({ kind, payload }) => pack(kind, payload)));
      const reader = new WireReader(LIMITS);
      const pieces = cut(Buffer.concat([before, garbage]), places).flatMap((chunk) => [...reader.push(chunk)]);
      expect(pieces.slice(0, messages.length)).toEqual(messages);
      if (reader.problem === null) return;
      expect([...reader.push(pack(1, Buffer.from('x')))]).toEqual([]);
      expect(reader.partial).toBe(false);
    }), { numRuns: 500 });
  });

  it.each([
    ['another protocol', Buffer.from('GET / HTTP/1.1'), 'no message of kbtop'],
    ['its first byte alone', Buffer.from('X'), 'no message of kbtop'],
    ['another version of the header', Buffer.from([0x6b, 0x62, 2]), 'its messages are of version 2, not 1'],
    ['an unknown kind', Buffer.from([0x6b, 0x62, 1, 99, 0, 0, 0, 0]), 'a message of the unknown kind 99'],
    ['more than is allowed', Buffer.from([0x6b, 0x62, 1, 1, 0, 0, 0, 11]), 'a message of 11 bytes where 10 are allowed'],
    ['a gigabyte', Buffer.from([0x6b, 0x62, 1, 3, 0x40, 0, 0, 0]), 'a message of 1073741824 bytes where 70000 are allowed'],
  ])('end at %s, before anything is held for it', (_what, bytes, problem) => {
    expect(read([bytes])).toEqual({ pieces: [], problem: expect.stringContaining(problem) as string });
  });

  it('know when they are incomplete', () => {
    const reader = new WireReader(LIMITS);
    const bytes = pack(1, Buffer.from('abc'));
    expect(reader.partial).toBe(false);
    for (let i = 0; i < bytes.length - 1; i++) {
      expect([...reader.push(bytes.subarray(i, i + 1))]).toEqual([]);
      expect(reader.partial).toBe(true);
    }
    expect([...reader.push(bytes.subarray(-1))]).toHaveLength(1);
    expect(reader.partial).toBe(false);
  });

  it('are small when a viewer sends them', () => {
    expect(Math.max(...SERVER_LIMITS.values())).toBeLessThanOrEqual(64 * 1024);
    expect(HEADER_BYTES).toBe(8);
  });
});
