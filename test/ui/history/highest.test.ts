import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Highest } from '../../../src/ui/history/highest.ts';

describe('a maximum that can be taken back', () => {
  it('is that of the values before, whatever came when', () => {
    fc.assert(fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 20 }), { nil: null }), { maxLength: 60 }), fc.nat(60), (values, back) => {
      const highest = new Highest();
      values.forEach((value, tick) => { if (value !== null) highest.add(tick, value); });
      const to = Math.max(0, values.length - back);
      for (let tick = values.length - 1; tick >= to; tick--) highest.back(tick);
      const kept = values.slice(0, to).filter((value) => value !== null);
      expect(highest.value).toBe(kept.length === 0 ? null : Math.max(...kept));
    }));
  });

  it('stays small when it only ever rises, and is not known where it has forgotten', () => {
    const highest = new Highest();
    for (let tick = 0; tick < 1000; tick++) highest.add(tick, tick);
    expect(highest.value).toBe(999);
    for (let tick = 999; tick > 990; tick--) highest.back(tick);
    expect(highest.value).toBe(990);
    for (let tick = 990; tick > 10; tick--) highest.back(tick);
    expect(highest.value).toBeNull();
  });

  it('has copies that stay as they are', () => {
    const highest = new Highest();
    highest.add(1, 5);
    const copy = highest.clone();
    highest.add(2, 9);
    expect(copy.value).toBe(5);
  });
});
