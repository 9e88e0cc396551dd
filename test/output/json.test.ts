import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameJson, frameNdjson } from '../../src/output/json.ts';
import { FRAME, anyFrame } from './frames.ts';

describe('JSON', () => {
  it('is the Frame, whatever it holds', () => {
    fc.assert(fc.property(anyFrame, (frame) => {
      // Doubles survive; a minus zero does not, and no count is one.
      expect(JSON.parse(frameJson(frame))).toEqual(JSON.parse(JSON.stringify(frame)));
      expect(JSON.parse(frameNdjson(frame))).toEqual(JSON.parse(JSON.stringify(frame)));
    }));
  });

  it('keeps a histogram bucket on one line', () => {
    expect(frameJson(FRAME)).toMatch(/^ +\[1\.28, 100\],?$|^ +\[\d+(\.\d+)?, 100\],?$/m);
    expect(frameJson(FRAME).endsWith('}\n')).toBe(true);
  });

  it('is one line as NDJSON', () => {
    expect(frameNdjson(FRAME).split('\n')).toHaveLength(2);
  });
});
