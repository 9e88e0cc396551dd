import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatCount, formatPct, formatRate, formatTime, formatUs, formatValue, UNKNOWN } from '../../src/frame/units.ts';

describe('units', () => {
  it.each([
    [formatCount(0), '0'], [formatCount(999), '999'], [formatCount(1000), '1.0k'], [formatCount(1234), '1.2k'], [formatCount(999_500), '1.0M'], [formatCount(21_034), '21k'],
    [formatRate(0), '0'], [formatRate(0.01), '<0.1'], [formatRate(0.25), '0.3'], [formatRate(81.44), '81.4'], [formatRate(2_150), '2.1k'],
    [formatUs(0), '0'], [formatUs(0.25), '250ns'], [formatUs(5), '5µs'], [formatUs(78.4), '78µs'], [formatUs(2_100), '2.1ms'], [formatUs(3.2e6), '3.2s'], [formatUs(5.04, true), '5.0us'],
    [formatBytes(57_671_680), '55M'], [formatBytes(1023), '1023B'], [formatBytes(1536), '1.5K'],
    [formatPct(0), '0'], [formatPct(0.01), '<0.1'], [formatPct(97.12), '97.1'], [formatPct(214), '214'],
    [formatTime('not a time'), UNKNOWN], [formatValue(null, 'us'), UNKNOWN],
  ])('%s is %s', (got, want) => expect(got).toBe(want));

  it('never needs more cells than the columns give', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 1e14, noNaN: true }), (n) => {
      expect(formatCount(Math.floor(n)).length).toBeLessThanOrEqual(5);
      expect(formatRate(n).length).toBeLessThanOrEqual(7);
      expect(formatBytes(n).length).toBeLessThanOrEqual(5);
    }));
    fc.assert(fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), (us) => {
      expect(formatUs(us).length).toBeLessThanOrEqual(5);
    }));
  });
});
