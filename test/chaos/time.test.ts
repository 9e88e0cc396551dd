import { constants } from 'node:os';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SIGNAL_NAMES, signalName, signalNumber } from '../../src/chaos/signals.ts';
import { formatDelayUs, parseDelayUs } from '../../src/chaos/time.ts';

describe('parseDelayUs', () => {
  it.each([['5ms', 5000], ['250us', 250], ['250µs', 250], ['1.5s', 1_500_000], ['.5ms', 500], ['1500ns', 2], [' 5ms ', 5000], ['0us', 0]])('%j is %i us', (text, us) => expect(parseDelayUs(text, null)).toBe(us));
  it('takes a bare number as strace does only where asked', () => {
    expect(parseDelayUs('1500', 'us')).toBe(1500);
    expect(() => parseDelayUs('1500', null)).toThrow(new RangeError('"1500" lacks a unit: 1500ms or 1500us?'));
  });
  it.each(['', 'ms', '5m', '5 ms', '1e3us', '-5ms', '5msx', 'Infinityus'])('%j is refused', (text) => expect(() => parseDelayUs(text, 'us')).toThrow(RangeError));

  it('reads what formatDelayUs() writes', () => {
    fc.assert(fc.property(fc.oneof(fc.nat(5_000_000), fc.nat(5000).map((ms) => ms * 1000)), (us) => {
      expect(parseDelayUs(formatDelayUs(us), null)).toBe(us);
    }));
    expect([0, 999, 1000, 1001, 2_000_000].map(formatDelayUs)).toEqual(['0us', '999us', '1ms', '1001us', '2s']);
  });
});

describe('signals', () => {
  it('are numbered as this system does', () => {
    for (const name of SIGNAL_NAMES) expect(signalNumber(name)).toBe((constants.signals as Record<string, number>)[name]);
    expect(SIGNAL_NAMES).toHaveLength(31);
  });
  it.each([['SIGTERM', 'SIGTERM'], ['term', 'SIGTERM'], ['15', 'SIGTERM'], ['sigpoll', 'SIGIO'], ['IOT', 'SIGABRT'], ['0', null], ['32', null], ['SIG', null], ['', null], ['SIGRTMIN', null], ['999', null]])('%j is %s', (text, name) => expect(signalName(text)).toBe(name));
  it('has no number for what is none', () => expect(signalNumber('SIGNOTHING')).toBeNull());
});
