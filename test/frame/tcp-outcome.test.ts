import { describe, expect, it } from 'vitest';
import { outcomeOf } from '../../src/frame/tcp-outcome.ts';

describe('the outcome of a connection', () => {
  it.each([
    [null, 0, 'established'], ['ECONNREFUSED', 0, 'refused'], ['ETIMEDOUT', 6, 'timeout'], ['ECONNRESET', 0, 'reset'], ['EPIPE', 0, 'reset'],
    ['ENETUNREACH', 0, 'unreachable'], ['EHOSTUNREACH', 3, 'unreachable'], ['EADDRNOTAVAIL', 0, 'failed'], ['ECANCELED', 0, 'failed'], ['ECANCELED', 1, 'timeout'],
  ] as const)('%s after %i retransmits: %s', (error, retransmits, outcome) => expect(outcomeOf(error, retransmits)).toBe(outcome));
});
