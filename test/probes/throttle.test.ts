import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { periodOfV1, periodOfV2, ThrottleReader, throttledPeriods } from '../../src/probes/throttle.ts';
import { canLoadBpf, hierarchyWith, ownPath, TestCgroup } from '../workloads/cgroup.ts';
import { Workload } from '../workloads/workload.ts';

const STAT_V2 = 'usage_usec 10\nuser_usec 5\nsystem_usec 5\nnr_periods 100\nnr_throttled 25\nthrottled_usec 77\nnr_bursts 0\n';

describe('cpu quota files', () => {
  it('finds the throttled periods of both versions', () => {
    expect(throttledPeriods(STAT_V2)).toBe(25);
    expect(throttledPeriods('nr_periods 3\nnr_throttled 0\nthrottled_time 0\n')).toBe(0);
    expect(throttledPeriods('usage_usec 10\n')).toBeNull();
    expect(throttledPeriods('')).toBeNull();
  });
  it('knows when there is no quota', () => {
    expect(periodOfV2('50000 100000\n')).toBe(100_000);
    expect(periodOfV2('max 100000\n')).toBeNull();
    expect(periodOfV1('20000\n', '50000\n')).toBe(50_000);
    expect(periodOfV1('-1\n', '100000\n')).toBeNull();
    expect(periodOfV1('', '')).toBeNull();
  });
});

describe('ThrottleReader', () => {
  function reader(files: Record<string, string>, paths: Record<string, string>) {
    const reads: string[] = [];
    const one = new ThrottleReader((key) => ({ cpu: paths[key] ?? null }), (path) => {
      reads.push(path);
      return files[path] ?? null;
    });
    return { one, reads };
  }

  it('is null without a place, without a quota, and before there are two readings', () => {
    const files: Record<string, string> = { '/c/free/cpu.max': 'max 100000', '/c/free/cpu.stat': STAT_V2, '/c/held/cpu.max': '1000 100000', '/c/held/cpu.stat': STAT_V2 };
    const { one } = reader(files, { free: '/c/free', held: '/c/held' });
    one.begin();
    expect([one.pct('nowhere', 1000), one.pct('free', 1000), one.pct('held', 1000)]).toEqual([null, null, null]);
    one.begin();
    expect([one.pct('nowhere', 1000), one.pct('free', 1000), one.pct('held', 1000)]).toEqual([null, null, 0]);
  });

  it('does not look again at every tick for files that are not there', () => {
    const { one, reads } = reader({}, { a: '/c/a', b: '/c/b' });
    for (let tick = 0; tick < 20; tick++) {
      one.begin();
      expect([one.pct('a', 1000), one.pct('b', 1000)]).toEqual([null, null]);
    }
    expect(reads).toEqual(['/c/a/cpu.max', '/c/a/cpu.cfs_quota_us', '/c/b/cpu.max', '/c/b/cpu.cfs_quota_us']);
  });

  it('is the share of the interval whose periods were throttled, at most 100', () => {
    const files: Record<string, string> = { '/c/a/cpu.max': '1000 100000', '/c/a/cpu.stat': STAT_V2 };
    const { one } = reader(files, { a: '/c/a' });
    one.begin();
    one.pct('a', 1000);
    files['/c/a/cpu.stat'] = STAT_V2.replace('nr_throttled 25', 'nr_throttled 30');
    one.begin();
    expect(one.pct('a', 1000)).toBe(50);
    files['/c/a/cpu.stat'] = STAT_V2.replace('nr_throttled 25', 'nr_throttled 90');
    one.begin();
    expect(one.pct('a', 1000)).toBe(100);
  });

  it('takes the worst of the container and its ancestors, and reads each once a tick', () => {
    const stat = (n: number): string => `nr_periods 1\nnr_throttled ${n}\nthrottled_usec 0\n`;
    const files: Record<string, string> = {
      '/k/cpu.max': 'max 100000', '/k/pod/cpu.max': '1000 100000', '/k/pod/cpu.stat': stat(0),
      '/k/pod/x/cpu.max': 'max 100000', '/k/pod/y/cpu.cfs_quota_us': '500', '/k/pod/y/cpu.cfs_period_us': '10000', '/k/pod/y/cpu.stat': stat(0),
    };
    const { one, reads } = reader(files, { x: '/k/pod/x', y: '/k/pod/y' });
    one.begin();
    one.pct('x', 1000);
    one.pct('y', 1000);
    expect(reads.filter((path) => path === '/k/pod/cpu.stat')).toHaveLength(1);
    files['/k/pod/cpu.stat'] = stat(2);
    files['/k/pod/y/cpu.stat'] = stat(50);
    one.begin();
    expect([one.pct('x', 1000), one.pct('y', 1000)]).toEqual([20, 50]);
    // Limits are not read again at every tick.
    expect(reads.filter((path) => path === '/k/pod/cpu.max')).toHaveLength(1);
  });

  it('notices a new quota and a vanished directory', () => {
    const files: Record<string, string> = { '/k/a/cpu.max': 'max 100000', '/k/a/cpu.stat': STAT_V2 };
    const { one } = reader(files, { a: '/k/a' });
    const tick = (): number | null => {
      one.begin();
      return one.pct('a', 1000);
    };
    for (let i = 0; i < 5; i++) expect(tick()).toBeNull();
    files['/k/a/cpu.max'] = '1000 100000';
    for (let i = 0; i < 30; i++) tick();
    expect(tick()).toBe(0);
    for (const path of Object.keys(files)) delete files[path];
    for (let i = 0; i < 31; i++) tick();
    expect(tick()).toBeNull();
  });

  const cpu = canLoadBpf ? hierarchyWith('cpu') : null;
  it.skipIf(cpu === null)('sees a real quota at work (needs root and the cpu controller)', async (context) => {
    await using group = new TestCgroup(ownPath('throttle'), cpu ?? 0);
    if (!group.limitCpu(2000, 10_000)) return context.skip('this kernel has no CFS bandwidth control');
    await using workload = new Workload('burn', [group]);
    const one = new ThrottleReader(() => ({ cpu: group.directory }));
    one.begin();
    expect(one.pct('a', 1000)).toBeNull();
    const start = performance.now();
    await workload.ask('start 2');
    await workload.ask('burn 500');
    one.begin();
    // Two threads that want 200 % of a CPU and may have 20 %.
    expect(one.pct('a', performance.now() - start)).toBeGreaterThan(5);
    await workload.end();
    await sleep(0);
  });
});
