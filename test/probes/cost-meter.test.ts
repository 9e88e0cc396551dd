import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Addon, BpfObject } from '../../src/bpf/addon.ts';
import { CostMeter } from '../../src/probes/cost-meter.ts';

describe('CostMeter', () => {
  let windows: string[], runTimeNs: number, runCount: number, told: number[], debug: string[];
  const addon = {
    enableStats: () => {
      windows.push('on');
      return () => { windows.push('off'); };
    },
  } as unknown as Addon;
  const object = { runStats: () => ({ runTimeNs, runCount }) } as unknown as BpfObject;
  beforeEach(() => {
    vi.useFakeTimers();
    windows = [];
    told = [];
    debug = [];
    runTimeNs = runCount = 0;
  });
  afterEach(() => { vi.useRealTimers(); });

  const measure = (meter: CostMeter): void => meter.measure((ns) => { told.push(ns); }, (text) => { debug.push(text); });

  it('times programs in a short window and tells nanoseconds per run', () => {
    const meter = new CostMeter(addon, object);
    runTimeNs = 5e6;
    runCount = 1000;
    measure(meter);
    expect(windows).toEqual(['on']);
    runTimeNs += 90_000;
    runCount += 1000;
    vi.advanceTimersByTime(50);
    expect(windows).toEqual(['on', 'off']);
    expect(told).toEqual([90]);
  });

  it('opens one window at a time, and not again for half a minute unless the level changed', () => {
    const meter = new CostMeter(addon, object);
    measure(meter);
    measure(meter);
    vi.advanceTimersByTime(10_000);
    measure(meter);
    expect(windows).toEqual(['on', 'off']);
    vi.advanceTimersByTime(25_000);
    measure(meter);
    expect(windows).toEqual(['on', 'off', 'on']);
    meter.invalidate();
    expect(windows.at(-1)).toBe('off');
    measure(meter);
    expect(windows).toHaveLength(4);
    vi.advanceTimersByTime(1500);
    measure(meter);
    expect(windows).toHaveLength(5);
    meter.close();
  });

  it('says nothing after too few runs, or when closed in the middle', () => {
    const meter = new CostMeter(addon, object);
    measure(meter);
    runCount = 10;
    runTimeNs = 1e6;
    vi.advanceTimersByTime(50);
    expect(told).toEqual([]);
    vi.advanceTimersByTime(40_000);
    measure(meter);
    meter.close();
    runCount = 1e6;
    vi.advanceTimersByTime(50);
    expect(told).toEqual([]);
    expect(windows.filter((one) => one === 'on')).toHaveLength(windows.filter((one) => one === 'off').length);
  });

  it('leaves costs as they were when the kernel refuses', () => {
    const refusing = { enableStats: () => { throw new Error('EPERM: needs CAP_SYS_ADMIN'); } } as unknown as Addon;
    measure(new CostMeter(refusing, object));
    expect(debug).toEqual(['cannot measure what BPF programs cost: EPERM: needs CAP_SYS_ADMIN']);
    expect(told).toEqual([]);
  });
});
