/** A real Prometheus scrapes kbtop: what it reads, what its arithmetic makes of it, and under which labels. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openCapture } from '../../../src/cli/capture.ts';
import { startMetrics } from '../../../src/session/metrics/index.ts';
import { FRAME } from '../../output/frames.ts';
import { TestCgroup, canLoadBpf, ownPath } from '../../workloads/cgroup.ts';
import { Workload } from '../../workloads/workload.ts';
import { FakeSource } from '../metrics/source.ts';
import { Prometheus, hasPrometheus, scrapeConfig } from './prometheus.ts';

const LOOPBACK = { host: '127.0.0.1', port: 0 };
/** Where Prometheus finds kbtop's own pod. */
const TARGET = { namespace: 'monitoring', pod: 'kbtop-x', container: 'kbtop' };

describe.skipIf(!hasPrometheus)('Prometheus and Frames that were made (needs prometheus)', () => {
  it('agrees on rates, quantiles and labels', async () => {
    const source = new FakeSource();
    const endpoint = await startMetrics(source, LOOPBACK, { version: '1.2.3' });
    let seq = 0;
    const tick = setInterval(() => source.emit({ ...FRAME, seq: ++seq, time: new Date().toISOString(), intervalMs: 250 }), 250);
    try {
      await using prometheus = await Prometheus.start(scrapeConfig(`127.0.0.1:${endpoint.address.port}`, TARGET));
      await prometheus.until('twelve scrapes', async () => ((await prometheus.number('count_over_time(kbtop_frames_total[1h])')) ?? 0) >= 12);
      expect(await prometheus.scrapeErrors()).toEqual([]);
      expect(prometheus.complaints).toEqual([]);
      expect(await prometheus.number('up')).toBe(1);
      expect(await prometheus.query('kbtop_build_info')).toMatchObject([{ metric: { version: '1.2.3', ...TARGET } }]);

      // 123 in every Frame, whatever the timers did.
      const perFrame = 'rate(kbtop_syscalls_total{syscall="openat"}[10s]) / ignoring(namespace,pod,container,node,abi,syscall) rate(kbtop_frames_total[10s])';
      expect(await prometheus.number(perFrame)).toBeCloseTo(123, 5);
      const [openat] = await prometheus.query('kbtop_syscalls_total{syscall="openat"}');
      expect(openat?.metric).toEqual({ __name__: 'kbtop_syscalls_total', namespace: 'shop', pod: 'web-1', container: 'app', node: 'worker-1', abi: 'x86_64', syscall: 'openat', instance: `127.0.0.1:${endpoint.address.port}`, job: 'kbtop' });
      // What is in no pod does not become kbtop's pod; what is kbtop's own does.
      const outside = await prometheus.query('kbtop_container_tasks{container!="app"}');
      expect(outside).toHaveLength(1);
      expect(outside[0]?.metric).not.toHaveProperty('namespace');
      expect(await prometheus.query('process_cpu_seconds_total')).toMatchObject([{ metric: TARGET }]);

      // Bounds are 4 times apart, and half of the samples lie in the bucket from 1024 us to 4096 us.
      const p50 = await prometheus.number('histogram_quantile(0.5, sum by (le) (rate(kbtop_runqueue_latency_seconds_bucket{pod="web-1"}[10s])))');
      const exact = FRAME.panes.runqueue.rows[0]?.latency?.p50Us ?? 0;
      expect((p50 ?? 0) * 1e6).toBeGreaterThan(exact / 4);
      expect((p50 ?? 0) * 1e6).toBeLessThan(exact * 4);
      // The mean needs no bounds.
      const mean = await prometheus.number('sum(rate(kbtop_runqueue_latency_seconds_sum{pod="web-1"}[10s])) / sum(rate(kbtop_runqueue_latency_seconds_count{pod="web-1"}[10s]))');
      expect((mean ?? 0) * 1e6).toBeCloseTo((FRAME.panes.runqueue.rows[0]?.latency?.sumUs ?? 0) / 900, 3);
    } finally {
      clearInterval(tick);
      await endpoint.close();
    }
  });

  it('sees a capture that stands still as down', async () => {
    const source = new FakeSource();
    const endpoint = await startMetrics(source, LOOPBACK, { version: '1.2.3' });
    source.emit(FRAME);
    try {
      await using prometheus = await Prometheus.start(scrapeConfig(`127.0.0.1:${endpoint.address.port}`));
      await prometheus.until('a scrape', async () => (await prometheus.number('up')) === 1);
      source.end();
      await prometheus.until('the end', async () => (await prometheus.number('up')) === 0);
      expect(await prometheus.number('kbtop_frames_total')).toBeNull();
    } finally {
      await endpoint.close();
    }
  });
});

describe.skipIf(!hasPrometheus || !canLoadBpf)('Prometheus and the kernel (needs prometheus, root and BTF)', () => {
  const CALLS = 500;

  it('rates what a workload does, call by call', async () => {
    await using group = new TestCgroup(ownPath('metrics'));
    await using workload = new Workload('calls', [group]);
    await workload.ask('call 39 1');
    const manager = openCapture({ intervalMs: 500, panes: ['syscalls', 'runqueue', 'containers'], debug: null });
    // The node may be full of containers that were there first.
    const endpoint = await startMetrics(manager, LOOPBACK, { version: '1.2.3', maxSeries: 100_000 });
    manager.start();
    try {
      await using prometheus = await Prometheus.start(scrapeConfig(`127.0.0.1:${endpoint.address.port}`));
      const name = group.path.slice(1);
      const mine = `container="${name}",syscall="getppid"`;
      await prometheus.until('the panes to be up', async () => (await prometheus.number('sum(kbtop_pane_up)')) === 3);
      let asked = 0;
      const history: [seconds: number, calls: number][] = [];
      for (const begin = performance.now(); performance.now() - begin < 14_000;) {
        await workload.ask(`call 110 ${CALLS}`);
        asked += CALLS;
        history.push([Date.now() / 1000, asked]);
        await sleep(50);
      }
      // Counters are exact, and all of it arrives.
      await prometheus.until(`${asked} calls`, async () => (await prometheus.number(`kbtop_syscalls_total{${mine}}`)) === asked);

      // Whatever the machine did meanwhile: what Prometheus makes of a window in the midst of it is what was done in it.
      const end = (history.at(-1)?.[0] ?? 0) - 2;
      const at = (seconds: number): number => history.findLast(([time]) => time <= seconds)?.[1] ?? 0;
      const rate = await prometheus.number(`rate(kbtop_syscalls_total{${mine}}[8s])`, end);
      const done = (at(end) - at(end - 8)) / 8;
      expect(rate).toBeGreaterThan(done * 0.7);
      expect(rate).toBeLessThan(done * 1.3);

      const p99 = await prometheus.number(`histogram_quantile(0.99, sum by (le) (rate(kbtop_syscall_latency_seconds_bucket{${mine}}[8s])))`, end);
      expect(p99).toBeGreaterThan(0);
      expect(p99).toBeLessThan(1);
      const timed = await prometheus.number(`kbtop_syscall_latency_seconds_count{${mine}}`);
      expect(timed).toBeLessThanOrEqual(asked * 1.1);
      expect(timed).toBeGreaterThan(0);
      expect(await prometheus.number(`kbtop_container_tasks{container="${name}"}`)).toBe(1);
      expect(await prometheus.number('rate(process_cpu_seconds_total[8s])', end)).toBeGreaterThan(0);
      expect(await prometheus.number('kbtop_frames_missed_total')).toBe(0);
      expect(await prometheus.scrapeErrors()).toEqual([]);
      expect(prometheus.complaints).toEqual([]);
    } finally {
      await endpoint.close();
      await manager.close();
    }
  });
});
