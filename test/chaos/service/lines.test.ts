import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { LineReader } from '../../../src/chaos/service/lines.ts';

describe('LineReader', () => {
  it('reads the same lines however they are cut', () => {
    fc.assert(fc.property(fc.array(fc.jsonValue(), { maxLength: 6 }), fc.array(fc.nat(20), { maxLength: 30 }), (values, cuts) => {
      const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
      const reader = new LineReader();
      const lines = [];
      let at = 0;
      for (const cut of [...cuts, bytes.length]) {
        lines.push(...reader.push(bytes.subarray(at, at + cut)));
        at += cut;
      }
      expect(lines).toEqual(values.map((value) => ({ value: JSON.parse(JSON.stringify(value)) as unknown })));
    }));
  });

  it('leaves out a line that is too long, once, and reads on', () => {
    const reader = new LineReader(10);
    expect(reader.push(Buffer.from('12345'))).toEqual([]);
    expect(reader.push(Buffer.from('678901'))).toEqual([{ problem: 'a line is longer than 10 bytes' }]);
    expect(reader.push(Buffer.from('x'.repeat(100)))).toEqual([]);
    expect(reader.push(Buffer.from('\n7\n'))).toEqual([{ value: 7 }]);
  });

  it('tells what is no JSON, and skips what is nothing', () => {
    expect(new LineReader().push(Buffer.from('\n  \n{]\n{}\n'))).toEqual([{ problem: 'a line is no JSON' }, { value: {} }]);
  });
});
