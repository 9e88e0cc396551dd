import fc from 'fast-check';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { packJson, readFrame, unpackFrame, unpackLearned } from '../../../src/session/protocol/frames.ts';
import { MAX_UNPACKED_BYTES } from '../../../src/session/protocol/limits.ts';
import { FakeNode } from '../../ui/fixtures.ts';

const frame = (): ReturnType<FakeNode['next']> => new FakeNode().next();
const plain = (): Record<string, unknown> => JSON.parse(JSON.stringify(frame())) as Record<string, unknown>;

describe('a Frame', () => {
  it('comes out as it went in', async () => {
    const one = frame();
    const packed = await packJson(one);
    expect(packed?.length).toBeLessThan(JSON.stringify(one).length / 3);
    expect(unpackFrame(packed ?? Buffer.alloc(0))).toEqual(JSON.parse(JSON.stringify(one)));
    expect(unpackLearned(await packJson(one.containers) ?? Buffer.alloc(0))).toEqual(one.containers);
  });

  it('that is a bomb is not unpacked', () => {
    expect(unpackFrame(zstdCompressSync(Buffer.alloc(MAX_UNPACKED_BYTES + 1, 0x20)))).toBe(null);
  });

  it('that is damaged is none, and never thrown at anybody', async () => {
    const packed = await packJson(frame()) ?? Buffer.alloc(0);
    fc.assert(fc.property(fc.nat(packed.length - 1), fc.nat(255), fc.boolean(), (at, byte, short) => {
      const bytes = Buffer.from(short ? packed.subarray(0, at) : packed);
      if (!short) bytes[at] = byte;
      unpackFrame(bytes);
    }), { numRuns: 300 });
    expect(unpackFrame(Buffer.from('x'))).toBe(null);
  });

  it('of which anything is missing or of another type is none', () => {
    expect(readFrame(plain())).not.toBe(null);
    for (const key of ['schema', 'seq', 'time', 'intervalMs', 'node', 'containers', 'learned', 'panes', 'chaos', 'self']) {
      for (const value of [undefined, null, 'x', 7]) {
        if ((key === 'seq' || key === 'intervalMs') && value === 7) continue;
        expect(readFrame({ ...plain(), [key]: value }), `${key} ${String(value)}`).toBe(null);
      }
    }
    for (const id of PANE_IDS) {
      const panes = plain()['panes'] as Record<string, Record<string, unknown>>;
      for (const wrong of [undefined, {}, { ...panes[id], rows: 7 }, { ...panes[id], rows: [null] }, { ...panes[id], rows: [{}] }, { ...panes[id], loss: {} }, { ...panes[id], state: { status: 'fine' } }]) {
        expect(readFrame({ ...plain(), panes: { ...panes, [id]: wrong } }), `${id} ${JSON.stringify(wrong)?.slice(0, 40)}`).toBe(null);
      }
    }
  });

  it('keeps columns from what they cannot show', () => {
    const node = new FakeNode().next();
    for (const id of PANE_IDS) {
      const { rows } = node.panes[id];
      const [row] = rows as unknown as readonly Record<string, unknown>[];
      if (row === undefined) continue;
      for (const key of Object.keys(row)) {
        // Whatever a field is replaced by, the Frame is refused or every column can be asked.
        for (const value of [{}, 'x', 7, null, []]) readFrame({ ...plain(), panes: { ...node.panes, [id]: { ...node.panes[id], rows: [{ ...row, [key]: value }] } } });
      }
    }
  });
});
