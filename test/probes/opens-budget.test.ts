import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { StreamTotal } from '../../src/frame/frame.ts';
import { OpensProbe } from '../../src/probes/opens.ts';
import type { OpensOptions } from '../../src/probes/opens.ts';
import { canLoadBpf, ownPath, TestCgroup } from '../workloads/cgroup.ts';
import { Workload } from '../workloads/workload.ts';
import { Live, totalOf } from './live.ts';

const MISSING = '/kbtop-none';
const sum = (totals: readonly StreamTotal[] | undefined): number => totals?.reduce((n, total) => n + total.count, 0) ?? 0;

describe.skipIf(!canLoadBpf)('the budget of the opens stream (needs root and BTF)', () => {
  /**
   * One interval over the commands that no event can slip in or out of: the hooks are off at both of its ends.
   * `pump` runs beside the commands.
   */
  async function closed(options: OpensOptions, commands: readonly string[], pump?: (probe: OpensProbe, running: () => boolean) => Promise<void>) {
    await using group = new TestCgroup(ownPath('budget'));
    await using workload = new Workload('opens', [group]);
    await workload.ask('pid');
    const probe = new OpensProbe(options);
    using live = await Live.start(probe);
    probe.setLevel('off');
    live.tick();
    probe.setLevel('latency');
    let running = true;
    const pumping = pump?.(probe, () => running);
    const answers: string[] = [];
    for (const command of commands) answers.push(await workload.ask(command));
    running = false;
    await pumping;
    probe.setLevel('off');
    const tick = live.tick();
    return { ...tick, answers, key: group.key, own: tick.rows.filter((row) => row.container === group.key) };
  }

  it('drops rows over the budget, and rows and drops add up to the exact total', async () => {
    const { loss, totals, rows, key } = await closed({ rowsPerSecond: 2000 }, [`openat 50000 ${MISSING} 0`]);
    expect(totalOf(totals, key)).toEqual({ container: key, count: 50_000, errors: { ENOENT: 50_000 } });
    expect(loss.lostMap).toBe(0);
    expect(loss.kept).toBe(rows.length);
    expect(loss.kept + loss.overBudget + loss.lostRing).toBe(sum(totals));
    expect(loss.seen).toBe(sum(totals));
    expect(loss.overBudget).toBeGreaterThan(30_000);
    expect(rows.length).toBeGreaterThan(1000);
  });

  it('lets the first of another kind through when a flood has used the budget up', async () => {
    const { own } = await closed({ rowsPerSecond: 1000 }, [`openat 20000 ${MISSING} 0`, 'openat 3 /etc/passwd 0', 'openat 3 /etc/passwd/x 0']);
    expect(own.filter((row) => row.error === null)).toHaveLength(3);
    expect(own.filter((row) => row.error === 'ENOTDIR')).toHaveLength(3);
  });

  it('sends no rows at all with a budget of nothing, but counts', async () => {
    const { loss, totals, key } = await closed({ rowsPerSecond: 0 }, [`openat 500 ${MISSING} 0`]);
    expect(totalOf(totals, key).count).toBe(500);
    expect(loss).toMatchObject({ kept: 0, lostRing: 0, overBudget: sum(totals), seen: sum(totals) });
  });

  it('takes another budget while it runs', async () => {
    const { own } = await closed({ rowsPerSecond: 0 }, ['pid', `openat 900 ${MISSING} 0`], async (probe) => probe.setRowsPerSecond(1_000_000));
    expect(own).toHaveLength(900);
  });

  it('keeps no more rows for one tick than it was told, and counts the rest', async () => {
    const { loss, totals, rows } = await closed({ rowsPerSecond: 1_000_000, maxRows: 100 }, [`openat 5000 ${MISSING} 0`]);
    expect(rows).toHaveLength(100);
    expect(loss).toMatchObject({ kept: 100, lostRing: 0, overBudget: sum(totals) - 100, seen: sum(totals) });
  });

  it('counts what a full ring drops, exactly', async () => {
    const { loss, totals, rows, key } = await closed({ rowsPerSecond: 10_000_000, maxRows: 1_000_000, ringBytes: 64 * 1024 }, [`openat 20000 ${MISSING} 0`]);
    expect(totalOf(totals, key).count).toBe(20_000);
    expect(loss.lostRing).toBeGreaterThan(15_000);
    expect(loss).toMatchObject({ kept: rows.length, overBudget: 0, lostMap: 0, seen: sum(totals) });
    expect(rows.length + loss.lostRing).toBe(sum(totals));
  });

  it('loses nothing of 200,000 events a second while the main thread stalls 400 ms in each', async () => {
    const seconds = 3, stallMs = 400, drainMs = 40;
    let longest = 0;
    const { loss, totals, rows, key, answers } = await closed(
      { rowsPerSecond: 10_000_000, maxRows: 10_000_000 },
      [`paced ${200_000 * seconds} 200000 /k`],
      async (probe, running) => {
        let last = performance.now(), stalled = last;
        while (running()) {
          await sleep(drainMs);
          if (performance.now() - stalled > 1000) {
            stalled = performance.now();
            while (performance.now() - stalled < stallMs);
          }
          const now = performance.now();
          longest = Math.max(longest, now - last);
          last = now;
          probe.drain();
        }
      },
    );
    expect(totalOf(totals, key).count).toBe(200_000 * seconds);
    expect(rows.length + loss.lostRing).toBe(sum(totals));
    expect(loss).toMatchObject({ overBudget: 0, lostMap: 0, seen: sum(totals) });
    expect(longest).toBeGreaterThan(stallMs);
    // The default ring holds 92,000 such rows: what a longer stall (on a crowded machine) brings may be lost, nothing else.
    const perMs = (200_000 * seconds) / Number(answers[0]);
    expect(loss.lostRing).toBeLessThanOrEqual(longest * perMs < 90_000 ? 0 : sum(totals));
  });
});
