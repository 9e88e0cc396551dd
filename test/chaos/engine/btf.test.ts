import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { kernelBtf, parseBtf } from '../../../src/chaos/engine/btf.ts';

/** BTF of types, each its words; names are offsets into the text. */
function btf(types: readonly (readonly number[])[], text: string): Buffer {
  const body = Buffer.alloc(types.flat().length * 4);
  types.flat().forEach((word, i) => body.writeUInt32LE(word, i * 4));
  const header = Buffer.alloc(24);
  header.writeUInt16LE(0xeb9f, 0);
  header.writeUInt8(1, 2);
  [24, 0, body.length, body.length, text.length].forEach((word, i) => header.writeUInt32LE(word, 4 + i * 4));
  return Buffer.concat([header, body, Buffer.from(text, 'latin1')]);
}
const kind = (number: number, members = 0): number => number << 24 | members;
const TEXT = '\0security_a\0other\0ids\0ONE\0TWO\0';
const [A, OTHER, IDS, ONE, TWO] = ['security_a', 'other', 'ids', 'ONE', 'TWO'].map((word) => TEXT.indexOf(word)) as [number, number, number, number, number];

describe('parseBtf', () => {
  it('finds functions by prefix and the values of an enum, past every other kind', () => {
    const types = [
      [0, kind(1), 4, 32], [0, kind(3), 0, 1, 1, 1], [0, kind(4, 1), 4, A, 1, 0], [IDS, kind(6, 2), 4, ONE, 0, TWO, 1], [0, kind(13, 1), 0, A, 1], [A, kind(14), 1, 0], [0, kind(15, 1), 4, 1, 0, 4],
      [A, kind(17), 1, 0], [IDS, kind(19, 1), 8, A, 0, 0], [OTHER, kind(12), 5], [A, kind(12), 5],
    ];
    expect(parseBtf(btf(types, TEXT), ['security_'], 'ids')).toEqual({ functions: new Set(['security_a']), values: new Set(['ONE', 'TWO']) });
  });

  it.each([
    ['nothing', Buffer.alloc(0)], ['something else', Buffer.alloc(64)], ['a cut one', btf([[A, kind(12), 5]], TEXT).subarray(0, 40)], ['a kind that is not known', btf([[A, kind(25), 5]], TEXT)],
  ])('refuses %s', (_, data) => expect(() => parseBtf(data, ['security_'], 'ids')).toThrow(RangeError));
});

it.skipIf(!existsSync('/sys/kernel/btf/vmlinux'))('reads that of the kernel', () => {
  const names = kernelBtf(['security_', 'bpf_lsm_'], 'bpf_func_id');
  expect(names?.functions).toContain('security_file_open');
  expect(names?.values).toContain('BPF_FUNC_map_lookup_elem');
  expect(kernelBtf(['security_'], 'bpf_func_id', '/no/such/file')).toBe(null);
});
