import { describe, expect, it } from 'vitest';
import { costNs, LevelPolicy, STEPS } from '../../src/probes/level-policy.ts';
import type { CallCost } from '../../src/probes/level-policy.ts';

const COST: CallCost = { count: 100, hook: 100, timing: 160 };

function policy(budgetPct: number, level: 'latency' | 'sampled' | 'count' = 'latency'): LevelPolicy {
  const one = new LevelPolicy(budgetPct, COST);
  one.ask(level);
  return one;
}

const name = (one: LevelPolicy): string => `${one.step.level}/${one.step.oneIn}`;

describe('LevelPolicy', () => {
  it('reckons cost by step', () => {
    expect(STEPS.map((step) => costNs(step, COST))).toEqual([360, 210, 202.5, 100]);
    expect(STEPS.map((step) => policy(3).pct(100_000, step))).toEqual([3.6, 2.1, 2.025, 1]);
  });

  it('starts at what was asked for and stays there within the budget', () => {
    const one = policy(3);
    for (let i = 0; i < 20; i++) expect(one.observe(50_000)).toBe(false);
    expect(name(one)).toBe('latency/1');
    expect(one.fallen).toBe(false);
  });

  it('falls after two intervals over budget, to the first step that fits', () => {
    const one = policy(3);
    expect(one.observe(100_000)).toBe(false);
    expect(one.observe(100_000)).toBe(true);
    expect(name(one)).toBe('sampled/16');
    expect(one.fallen).toBe(true);
  });

  it('forgives a single interval over budget', () => {
    const one = policy(3);
    for (let i = 0; i < 10; i++) {
      expect(one.observe(100_000)).toBe(false);
      expect(one.observe(1000)).toBe(false);
    }
  });

  it('falls at once when the budget is passed twice over, as far as needed', () => {
    const one = policy(3);
    expect(one.observe(200_000)).toBe(true);
    expect(name(one)).toBe('count/0');
  });

  it('stays at counting when even that is over budget', () => {
    const one = policy(3);
    one.observe(1_000_000);
    expect(name(one)).toBe('count/0');
    for (let i = 0; i < 20; i++) expect(one.observe(1_000_000)).toBe(false);
  });

  it('climbs one step at a time, only after five calm intervals with room to spare', () => {
    const one = policy(3);
    one.observe(200_000);
    const steps: string[] = [];
    for (let i = 0; i < 15; i++) if (one.observe(10_000)) steps.push(`${i}:${name(one)}`);
    expect(steps).toEqual(['4:sampled/64', '9:sampled/16', '14:latency/1']);
    expect(one.fallen).toBe(false);
    for (let i = 0; i < 20; i++) expect(one.observe(10_000)).toBe(false);
  });

  it('does not swing: a rate that made it fall never lets it climb', () => {
    for (let rate = 10_000; rate < 2_000_000; rate *= 1.07) {
      const one = policy(3);
      const seen = new Set<string>();
      for (let i = 0; i < 10; i++) one.observe(rate);
      for (let i = 0; i < 200; i++) {
        one.observe(rate);
        seen.add(name(one));
      }
      expect(seen.size).toBe(1);
    }
  });

  it('scales all steps by what one was measured to cost, but for absurd measurements', () => {
    const one = policy(3);
    one.calibrate(180);
    expect(STEPS.map((step) => one.pct(100_000, step))).toEqual([1.8, 1.05, 1.0125, 0.5]);
    one.calibrate(100_000);
    expect(one.pct(100_000)).toBe(1.8);
    for (let i = 0; i < 10; i++) expect(one.observe(150_000)).toBe(false);
  });

  it('never measures more than was asked for', () => {
    const one = policy(3, 'sampled');
    for (let i = 0; i < 50; i++) one.observe(10);
    expect(name(one)).toBe('sampled/16');
    one.ask('count');
    for (let i = 0; i < 50; i++) one.observe(10);
    expect(name(one)).toBe('count/0');
  });
});
