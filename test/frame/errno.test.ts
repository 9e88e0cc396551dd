import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { errnoName, errnoNumber } from '../../src/frame/errno.ts';

describe('errno names', () => {
  it('agrees with what Node knows of this system', () => {
    const second = new Set(['EWOULDBLOCK', 'ENOTSUP', 'EDEADLOCK']);
    const all = Object.entries(constants.errno);
    for (const [name, number] of all) expect(errnoNumber(name), name).toBe(number);
    for (const [name, number] of all.filter(([one]) => !second.has(one))) expect(errnoName(number)).toBe(name);
  });

  it('takes either sign, names kernel-internal ones, and numbers the rest', () => {
    expect(errnoName(-2)).toBe('ENOENT');
    expect(errnoName(133)).toBe('EHWPOISON');
    expect(errnoName(524)).toBe('ENOTSUPP');
    expect(errnoName(4000)).toBe('errno_4000');
    expect(errnoNumber('ENONSENSE')).toBeNull();
    expect(errnoNumber('EDEADLOCK')).toBe(35);
  });
});
