import { execFileSync, spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PANE_IDS } from '../../src/frame/panes/index.ts';
import { containerName } from '../../src/frame/names.ts';
import { LE_US, openMetrics } from '../../src/output/openmetrics.ts';
import { HIST_BOUNDS_NS } from '../../src/frame/histogram.ts';
import { FRAME, HOSTILE, anyFrame, frameOf, info, latency } from './frames.ts';
import { type Sample, parseOpenMetrics, toNumber } from './openmetrics-parser.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;

function samples(text: string, name: string): readonly Sample[] {
  return parseOpenMetrics(text).get(name)?.samples ?? [];
}
const sumOf = (list: readonly Sample[]): number => list.reduce((sum, sample) => sum + sample.value, 0);

describe('bounds of the histograms', () => {
  it('are bounds of the kernel\'s buckets, so that no bucket is split', () => {
    const bounds = new Set(Array.from(HIST_BOUNDS_NS, (ns) => ns / 1000));
    expect(LE_US.filter((us) => !bounds.has(us))).toEqual([]);
    expect(LE_US[0]).toBeLessThan(2);
    expect(LE_US.at(-1)).toBeGreaterThan(30e6);
  });
});

describe('openMetrics', () => {
  it('carries a Frame\'s numbers under fixed names', () => {
    const text = openMetrics(FRAME);
    const web = { namespace: 'shop', pod: 'web-1', container: 'app', cgroup: '' };
    expect(samples(text, 'kbtop_syscalls')).toContainEqual({ name: 'kbtop_syscalls', labels: { ...web, abi: 'x86_64', syscall: 'openat' }, value: 123 });
    expect(samples(text, 'kbtop_syscall_errors').map(({ labels, value }) => [labels['errno'], value])).toEqual([['ENOENT', 3], ['EACCES', 1]]);
    expect(samples(text, 'kbtop_opens')).toContainEqual({ name: 'kbtop_opens', labels: web, value: 190 });
    expect(samples(text, 'kbtop_open_errors').map(({ labels, value }) => [labels['errno'], value])).toEqual([['ENOENT', 9], ['EFAULT', 1]]);
    expect(samples(text, 'kbtop_tcp_connection_errors').map(({ labels, value }) => [labels['errno'], labels['outcome'], value])).toEqual([['ECONNREFUSED', 'refused', 13]]);
    expect(samples(text, 'kbtop_container_cpu_cores')).toContainEqual({ name: 'kbtop_container_cpu_cores', labels: web, value: 2.125 });
    expect(samples(text, 'kbtop_container_memory_bytes')).toHaveLength(1);
    expect(samples(text, 'kbtop_container_cpu_throttled_ratio')).toEqual([{ name: 'kbtop_container_cpu_throttled_ratio', labels: web, value: 0.07 }]);
    expect(samples(text, 'kbtop_interval_seconds')[0]?.value).toBe(5);
    expect(samples(text, 'kbtop_pane_sampled_one_in')).toContainEqual({ name: 'kbtop_pane_sampled_one_in', labels: { pane: 'syscalls' }, value: 16 });
  });

  it('escapes hostile label values so that they come back whole', () => {
    const sample = samples(openMetrics(FRAME), 'kbtop_container_cpu_cores').find(({ labels }) => labels['namespace'] === '');
    expect(sample?.labels).toMatchObject({ container: HOSTILE.replace('\0', '\uFFFD'), cgroup: `/x/${HOSTILE}`.replace('\0', '\uFFFD') });
  });

  it('never counts events as metrics: rows of opens and tcp are not there', () => {
    expect(openMetrics(FRAME)).not.toMatch(/etc\/hosts|nginx|10\.0\.0\.1/);
  });

  it('puts equal labels together instead of writing a series twice', () => {
    const pod = info({ kind: 'pod', namespace: 'n', pod: 'p', container: 'c' });
    const row = { container: 'a', count: 10, ratePerSec: 2, latency: latency({ 10: 10 }, 1e4, 2000), throttledPct: 5, preemptedBy: [] };
    const { panes } = FRAME;
    const frame = frameOf({ runqueue: { ...panes.runqueue, rows: [row, { ...row, container: 'b', count: 5, throttledPct: 50 }] } }, { containers: { a: pod, b: { ...pod, cgroupId: '18' } } });
    const text = openMetrics(frame, ['runqueue']);
    expect(samples(text, 'kbtop_runqueue_waits').map(({ value }) => value)).toEqual([15]);
    expect(samples(text, 'kbtop_container_cpu_throttled_ratio').map(({ value }) => value)).toEqual([0.5]);
    expect(samples(text, 'kbtop_runqueue_latency_seconds').find(({ name }) => name.endsWith('_count'))?.value).toBe(20);
  });

  it('says that a pane is down and nothing else about it', () => {
    const { tcp } = FRAME.panes;
    const text = openMetrics({ ...FRAME, panes: { ...FRAME.panes, tcp: { ...tcp, state: { status: 'error', reason: 'x', level: null } } } }, ['tcp']);
    expect(samples(text, 'kbtop_pane_up')).toEqual([{ name: 'kbtop_pane_up', labels: { pane: 'tcp' }, value: 0 }]);
    expect(text).not.toContain('kbtop_tcp');
    expect(text).not.toContain('kbtop_pane_events');
  });

  it('is valid for any Frame, and loses no count', () => {
    fc.assert(fc.property(anyFrame, (frame) => {
      const text = openMetrics(frame);
      const { syscalls, opens } = frame.panes;
      expect(sumOf(samples(text, 'kbtop_syscalls'))).toBe(syscalls.rows.reduce((sum, row) => sum + row.count, 0));
      expect(sumOf(samples(text, 'kbtop_opens'))).toBe(opens.totals.reduce((sum, total) => sum + total.count, 0));
      const timed = syscalls.rows.reduce((sum, row) => sum + (row.latency?.count ?? 0), 0);
      const counts = samples(text, 'kbtop_syscall_latency_seconds').filter(({ name }) => name.endsWith('_count'));
      expect(sumOf(counts)).toBe(timed);
      for (const le of LE_US) {
        const bucket = samples(text, 'kbtop_syscall_latency_seconds').filter(({ labels }) => labels['le'] !== undefined && toNumber(labels['le']) === le / 1e6);
        const below = syscalls.rows.flatMap((row) => row.latency?.buckets ?? []).reduce((sum, [lower, n]) => (lower < le ? sum + n : sum), 0);
        expect(sumOf(bucket)).toBe(below);
      }
      const names = new Set(Object.values(frame.containers).map((one) => containerName(one).replaceAll('\0', '\uFFFD')));
      for (const { labels } of samples(text, 'kbtop_opens')) expect(names.has(labels['container'] ?? '') || labels['container'] === 'cgroup 0').toBe(true);
    }));
  });

  it('mentions only the panes asked for', () => {
    for (const id of PANE_IDS) {
      expect(samples(openMetrics(FRAME, [id]), 'kbtop_pane_up')).toEqual([{ name: 'kbtop_pane_up', labels: { pane: id }, value: 1 }]);
    }
  });

  it.skipIf(!hasPromtool)('pleases promtool (skipped without it)', () => {
    expect(execFileSync('promtool', ['check', 'metrics'], { input: openMetrics(FRAME), encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })).toBe('');
  });
});
