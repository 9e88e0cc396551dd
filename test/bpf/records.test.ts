import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordReader, textOf } from '../../src/bpf/records.ts';

/** A buffer made by the platform's own DataView. */
function made(fill: (view: DataView) => void, size = 64): ArrayBuffer {
  const buffer = new ArrayBuffer(size);
  fill(new DataView(buffer));
  return buffer;
}

describe('RecordReader', () => {
  it('reads what a DataView wrote', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.integer({ min: 0, max: 7 }), (value, slot) => {
      const at = slot * 8;
      const buffer = made((view) => view.setBigUint64(at, value, true));
      const view = new DataView(buffer);
      const reader = new RecordReader().use(buffer);
      expect(reader.u64(at)).toBe(Number(value));
      expect(reader.i64(at)).toBe(Number(BigInt.asIntN(64, value)));
      expect(reader.id(at)).toBe(value.toString());
      expect(reader.u32(at + 4)).toBe(view.getUint32(at + 4, true));
      expect(reader.i32(at)).toBe(view.getInt32(at, true));
      expect(reader.u16(at + 2)).toBe(view.getUint16(at + 2, true));
      expect(reader.u8(at + 3)).toBe(view.getUint8(at + 3));
    }));
  });

  it('keeps 53 bits exactly', () => {
    const reader = new RecordReader().use(made((view) => view.setBigUint64(0, 2n ** 53n - 1n, true)));
    expect(reader.u64(0)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('tells ids apart, also after many', () => {
    const buffer = new ArrayBuffer(8);
    const view = new DataView(buffer);
    const reader = new RecordReader().use(buffer);
    const wrong: string[] = [];
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 10_000; i++) {
        const id = (BigInt(i % 13) << 56n) | BigInt(i);
        view.setBigUint64(0, id, true);
        if (reader.id(0) !== id.toString()) wrong.push(reader.id(0));
      }
    }
    expect(wrong).toEqual([]);
  });

  it('follows its buffer: another one, a changed one, one that was transferred away', () => {
    const first = made((view) => view.setUint32(0, 1, true));
    const reader = new RecordReader().use(first);
    expect(reader.use(made((view) => view.setUint32(0, 2, true))).u32(0)).toBe(2);
    expect(reader.use(first).u32(0)).toBe(1);
    new Uint32Array(first)[0] = 3;
    expect(reader.use(first).u32(0)).toBe(3);
    structuredClone(first, { transfer: [first] });
    expect(reader.use(first).u32(0)).toBe(0);
    expect(reader.text(0, 16)).toBe('');
  });

  it('takes buffers of any length, and reads nothing past their end', () => {
    const reader = new RecordReader().use(new Uint8Array([1, 2, 3, 4, 5]).buffer);
    expect([reader.u8(4), reader.u8(5), reader.u32(0), reader.u32(4), reader.u64(0)]).toEqual([5, 0, 0x0403_0201, 0, 0x0403_0201]);
    expect(reader.text(3, 100)).toBe('\u0004\u0005');
  });
});

describe('text', () => {
  const read = (bytes: readonly number[] | Uint8Array, size = bytes.length): string =>
    new RecordReader().use(Uint8Array.from(bytes).buffer).text(0, size);

  it.each([
    ['ends at its NUL', [0x61, 0x62, 0, 0x63], 'ab'],
    ['is empty when it starts with NUL', [0, 0x61], ''],
    ['may fill its field', [0x61, 0x62, 0x63, 0x64], 'abcd'],
    ['is UTF-8', [0xc3, 0xa4, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x90, 0xb3, 0], 'ä€🐳'],
    ['shows invalid bytes as U+FFFD', [0x61, 0xff, 0x62, 0xc3, 0], 'a\ufffdb\ufffd'],
    ['that is cut within a character ends in U+FFFD', [0x61, 0xe2, 0x82], 'a\ufffd'],
    ['keeps control characters, for the terminal to escape', [0x1b, 0x5b, 0x32, 0x4a, 0x0a], '\u001b[2J\n'],
    ['keeps a byte order mark', [0xef, 0xbb, 0xbf, 0x61], '\ufeffa'],
    ['does not take Latin-1 for UTF-8', [0xe4, 0], '\ufffd'],
  ])('%s', (_, bytes, text) => {
    expect(read(bytes)).toBe(text);
    expect(textOf(Uint8Array.from([9, ...bytes]).subarray(1))).toBe(text);
  });

  it('is what TextDecoder makes of the bytes before the NUL', () => {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const end = bytes.indexOf(0);
      expect(read(bytes)).toBe(decoder.decode(end < 0 ? bytes : bytes.subarray(0, end)));
    }));
  });

  it('stays within its field', () => {
    expect(new RecordReader().use(Buffer.from('xxabcdyy').buffer.slice(0)).text(0, 0)).toBe('');
    expect(read(Buffer.from('abcdef'), 3)).toBe('abc');
  });
});
