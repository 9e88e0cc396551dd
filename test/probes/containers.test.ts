import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/bpf/load.ts';
import { NO_LOSS, type ContainerRow, type RunqueueRow, type SyscallRow } from '../../src/frame/frame.ts';
import { Identity } from '../../src/identity/identity.ts';
import type { CgroupUse } from '../../src/identity/kernel.ts';
import { ContainersProbe, joinTotals, type OtherPanes, type Usage } from '../../src/probes/containers.ts';
import { memoryOf, planMemory } from '../../src/probes/own-memory.ts';
import type { ProbeContext, ProbeTick } from '../../src/probes/probe.ts';
import { canLoadBpf, end, ended, firstLine, ownPath, runIn, TestCgroup, until, v1Hierarchy } from '../workloads/cgroup.ts';
import { addonDouble } from './doubles.ts';

const use = (key: string, more: Partial<CgroupUse> = {}): CgroupUse => ({
  key, tasks: 1, processes: 1, cpuNs: 0, memoryKey: null, memoryBytes: null, cpuKey: null, tgid: null, pidNs: null, nodename: null, ...more,
});

describe('own memory', () => {
  const paths: Record<string, string> = { a: '/a', ab: '/a/b', abc: '/a/b/c', ac: '/a/c', aa: '/aa' };
  const own = (...uses: CgroupUse[]) => Object.fromEntries(Array.from(planMemory(uses, (key) => paths[key] ?? null), ([key, share]) => [key, memoryOf(share)]));

  it('is the charge of the cgroup without what rows below it have', () => {
    expect(own(
      use('1', { memoryKey: 'a', memoryBytes: 100 }), use('2', { memoryKey: 'ab', memoryBytes: 60 }),
      use('3', { memoryKey: 'abc', memoryBytes: 25 }), use('4', { memoryKey: 'ac', memoryBytes: 10 }), use('5', { memoryKey: 'aa', memoryBytes: 7 }),
    )).toEqual({ 1: 30, 2: 35, 3: 25, 4: 10, 5: 7 });
  });

  it('passes over a level without tasks', () => {
    expect(own(use('1', { memoryKey: 'a', memoryBytes: 100 }), use('3', { memoryKey: 'abc', memoryBytes: 25 }))).toEqual({ 1: 75, 3: 25 });
  });

  it('goes to the cgroup itself when others share it, and to nobody when none of them is it', () => {
    expect(own(use('a', { memoryKey: 'a', memoryBytes: 100 }), use('2', { memoryKey: 'a', memoryBytes: 100 }))).toEqual({ a: 100 });
    expect(own(use('1', { memoryKey: 'a', memoryBytes: 100 }), use('2', { memoryKey: 'a', memoryBytes: 100 }))).toEqual({});
  });

  it('is unknown in the root, and never below zero', () => {
    expect(own(use('1'))).toEqual({});
    expect(own(use('1', { memoryKey: 'a', memoryBytes: 10 }), use('2', { memoryKey: 'ab', memoryBytes: 11 }))).toEqual({ 1: 0, 2: 11 });
  });
});

describe('the join with other panes', () => {
  const state = { status: 'ok', reason: null, level: null } as const;
  const row: ContainerRow = {
    container: '1', cpuPct: 5, memoryBytes: 10, syscallsPerSec: null, errorsPerSec: null, runqueueP99Us: null, opensPerSec: null, connectsPerSec: null, tasks: 2,
  };
  const syscall = (container: string, more: Partial<SyscallRow>): SyscallRow => ({
    container, abi: 'x86_64', nr: 0, syscall: 'read', count: 10, ratePerSec: 5, errors: {}, injected: 0, latency: null, ...more,
  });
  const none: OtherPanes = { syscalls: null, runqueue: null, opens: null, tcp: null };
  const seconds = { syscalls: 2, runqueue: 2, opens: 2, tcp: 2 };
  const tick = <P extends 'syscalls'>(rows: ProbeTick<P>['rows']): ProbeTick<P> => ({ state, loss: NO_LOSS, rows });

  it('leaves null what a pane that is off or failed would have told', () => {
    expect(joinTotals([row], none, seconds)).toEqual([row]);
  });

  it('adds up rates and errors per container', () => {
    const rows = [syscall('1', { errors: { ENOENT: 3, EAGAIN: 1 } }), syscall('1', { nr: 1, ratePerSec: 2.5 }), syscall('2', {})];
    const joined = joinTotals([row, { ...row, container: '3' }], { ...none, syscalls: tick(rows) }, seconds);
    expect(joined.map((one) => [one.container, one.syscallsPerSec, one.errorsPerSec, one.cpuPct, one.tasks])).toEqual([
      ['1', 7.5, 2, 5, 2], ['3', 0, 0, 5, 2], ['2', 5, 0, null, 0],
    ]);
  });

  it('does not call errors 0 at a level that does not see results', () => {
    const joined = joinTotals([row, { ...row, container: '2' }], { ...none, syscalls: tick([syscall('1', { errors: null })]) }, seconds);
    expect(joined.map((one) => one.errorsPerSec)).toEqual([null, null]);
    expect(joined.map((one) => one.syscallsPerSec)).toEqual([5, 0]);
  });

  it('takes p99 waits, and opens and connections from exact totals', () => {
    const latency = { count: 1, sumUs: 1, p50Us: 1, p95Us: 1, p99Us: 80, maxUs: 90, buckets: [], sampled: 1 };
    const waits: RunqueueRow = { container: '1', count: 1, ratePerSec: 1, latency, throttledPct: null, preemptedBy: [] };
    const joined = joinTotals([row, { ...row, container: '2' }], {
      syscalls: null, runqueue: { state, loss: NO_LOSS, rows: [waits] },
      opens: { state, loss: NO_LOSS, rows: [], totals: [{ container: '1', count: 8, errors: {} }] },
      tcp: { state, loss: NO_LOSS, rows: [], totals: [{ container: '4', count: 2, errors: {} }] },
    }, seconds);
    expect(joined.map((one) => [one.container, one.runqueueP99Us, one.opensPerSec, one.connectsPerSec])).toEqual([
      ['1', 80, 4, 0], ['2', null, 0, 0], ['4', null, 0, 1],
    ]);
  });
});

const contextOf = (addon: ProbeContext['addon']): ProbeContext => ({ addon, cgroupV1Fallback: false, cpus: 2, clockOffsetMs: 0, debug: () => {} });

describe('the containers probe', () => {
  it('shows who has tasks or used CPU since the last tick, and nobody else', async () => {
    const uses = new Map([use('1', { cpuNs: 5e9 }), use('2', { tasks: 0, cpuNs: 1e9 }), use('3', { tasks: 0 })].map((one) => [one.key, one]));
    const usage: Usage = {
      start: () => Promise.resolve(), walk: () => { (uses.get('2') as CgroupUse).cpuNs = 2e9; }, uses, topology: 1, path: () => null, object: null, results: [], degraded: 'why', takeEvents: () => 3,
    };
    const probe = new ContainersProbe(usage);
    await probe.start(contextOf(addonDouble));
    await sleep(20);
    const { rows, state, loss } = probe.tick({ seq: 1, ms: 20, exact: true });
    expect(rows.map((row) => [row.container, row.tasks])).toEqual([['1', 1], ['2', 0]]);
    expect(rows[0]?.cpuPct).toBe(0);
    expect(rows[1]?.cpuPct).toBeGreaterThan(100);
    expect(state).toEqual({ status: 'ok', reason: 'why', level: null });
    expect(loss).toMatchObject({ seen: 3, kept: 3 });
    expect(probe.tick({ seq: 2, ms: 20, exact: true }).rows.map((row) => row.container)).toEqual(['1']);
  });

  it('walks more rarely where a walk is dear, says so, and not when one exact frame is asked for', async () => {
    let walks = 0;
    const usage: Usage = {
      start: () => Promise.resolve(), uses: new Map([['1', use('1')]]), topology: 1, path: () => null, object: null, results: [], degraded: null, takeEvents: () => 0,
      walk: () => {
        walks++;
        const before = process.cpuUsage();
        for (let used = 0; used < 80_000;) {
          const { user, system } = process.cpuUsage(before);
          used = user + system;
        }
      },
    };
    const probe = new ContainersProbe(usage);
    await probe.start(contextOf(addonDouble));
    const first = probe.tick({ seq: 1, ms: 20 });
    const second = probe.tick({ seq: 2, ms: 20 });
    expect(walks).toBe(1);
    expect(second.rows).toEqual(first.rows);
    expect(second.state.reason).toMatch(/^renewed every \d+\.\d s at most: a walk over all tasks takes \d+ ms$/);
    probe.tick({ seq: 3, ms: 20, exact: true });
    expect(walks).toBe(2);
  });

  it('begins anew when the kernel forgot an idle cgroup', async () => {
    const one = use('1', { cpuNs: 5e9 });
    const usage: Usage = {
      start: () => Promise.resolve(), walk: () => { one.cpuNs = 1e6; }, uses: new Map([['1', one]]), topology: 1, path: () => null, object: null, results: [], degraded: null, takeEvents: () => 0,
    };
    const probe = new ContainersProbe(usage);
    await probe.start(contextOf(addonDouble));
    await sleep(20);
    const cpuPct = probe.tick({ seq: 1, ms: 20, exact: true }).rows[0]?.cpuPct ?? -1;
    expect(cpuPct).toBeGreaterThan(0);
    expect(cpuPct).toBeLessThan(6);
  });
});

describe.skipIf(!canLoadBpf)('the containers probe with real BPF', () => {
  const memory = v1Hierarchy('memory');
  /** CPU time of a process and its ended children, ms, as /proc tells. */
  const procCpuMs = (pid: number): number => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  };

  it('tells the CPU time that /proc tells, and the memory that the cgroup file tells', async () => {
    const identity = new Identity();
    const probe = new ContainersProbe(identity);
    await using group = new TestCgroup(ownPath());
    const charged = memory === null ? group : new TestCgroup(ownPath(), memory);
    const child = runIn([group, charged], 'echo; read _; while :; do :; done');
    try {
      await firstLine(child);
      await probe.start(contextOf(loadAddon()));
      child.stdin?.write('go\n');
      await until('it to spin', () => procCpuMs(child.pid ?? 0) > 50);
      probe.tick({ seq: 1, ms: 1, exact: true });
      const from = performance.now();
      const before = procCpuMs(child.pid ?? 0);
      await sleep(1500);
      const row = probe.tick({ seq: 2, ms: performance.now() - from, exact: true }).rows.find((one) => one.container === group.key);
      const oracle = ((procCpuMs(child.pid ?? 0) - before) / (performance.now() - from)) * 100;
      // /proc counts in ticks of 10 ms; the two readings are moments apart.
      expect(Math.abs((row?.cpuPct ?? 0) - oracle)).toBeLessThan(5);
      expect(oracle).toBeGreaterThan(10);
      expect(row?.tasks).toBe(1);
      await until('walk and file to agree', () => {
        const now = charged.memoryBytes;
        return probe.tick({ seq: 3, ms: 1, exact: true }).rows.find((one) => one.container === group.key)?.memoryBytes === now;
      });
    } finally {
      await end(child);
      if (charged !== group) await charged.remove();
      identity.close();
    }
  });

  it('counts the events that a full ring lost, and finds their cgroups all the same', async () => {
    const identity = new Identity();
    const probe = new ContainersProbe(identity);
    const groups: TestCgroup[] = [];
    try {
      await probe.start(contextOf(loadAddon()));
      probe.tick({ seq: 1, ms: 1, exact: true });
      const parent = ownPath();
      for (let i = 0; i < 2500; i++) groups.push(new TestCgroup(`${parent}/${String(i).padStart(240, 'x')}`));
      const { loss } = probe.tick({ seq: 2, ms: 1, exact: true });
      expect(loss.lostRing).toBeGreaterThan(0);
      expect(loss.kept).toBeGreaterThan(1000);
      expect(loss.seen).toBe(loss.kept + loss.lostRing);
      expect(loss.seen).toBeGreaterThanOrEqual(2501);
      const lost = groups.find((group) => identity.path(group.key) === null);
      const path = await until('the search', () => {
        identity.resolve([lost?.key ?? '']);
        return identity.path(lost?.key ?? '');
      });
      expect(path).toBe(lost?.path);
    } finally {
      for (const group of groups) await group.remove();
      identity.close();
    }
  });

  it('does not count a parent for its children', async () => {
    const identity = new Identity();
    const probe = new ContainersProbe(identity);
    const parent = new TestCgroup(ownPath());
    const inner = new TestCgroup(`${parent.path}/inner`);
    const idle = runIn([parent], 'echo; exec sleep 60');
    const busy = runIn([inner], 'echo; while :; do :; done');
    try {
      await Promise.all([firstLine(idle), firstLine(busy)]);
      await probe.start(contextOf(loadAddon()));
      await sleep(500);
      const { rows } = probe.tick({ seq: 1, ms: 500, exact: true });
      const pct = (group: TestCgroup) => rows.find((one) => one.container === group.key)?.cpuPct ?? -1;
      expect(pct(inner)).toBeGreaterThan(10);
      expect(pct(parent)).toBeGreaterThanOrEqual(0);
      expect(pct(parent)).toBeLessThan(2);
    } finally {
      await Promise.all([end(idle), end(busy)]);
      await inner.remove();
      await ended(idle);
      identity.close();
    }
  });
});
