import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ProcessRow } from '../../src/frame/frame.ts';
import { loadAddon } from '../../src/bpf/load.ts';
import { Identity } from '../../src/identity/identity.ts';
import { budgeted, ProcessesProbe } from '../../src/probes/processes.ts';
import { canLoadBpf, end, firstLine, ownPath, runIn, TestCgroup, until } from '../workloads/cgroup.ts';
import { Workload } from '../workloads/workload.ts';
import { probeContext } from './live.ts';

const row = (pid: number, container: string, cpuPct: number): ProcessRow => ({ container, pid, nsPid: null, comm: 'x', cpuPct, tasks: 1 });

describe('the rows that a Frame keeps', () => {
  it('are all as long as there are few, busiest first', () => {
    expect(budgeted([row(1, 'a', 1), row(2, 'a', 9), row(3, 'b', 5)], 3, 1).map(({ pid }) => pid)).toEqual([2, 3, 1]);
  });

  it('are the busiest, and the busiest few of each container', () => {
    const rows = [...Array.from({ length: 50 }, (_, i) => row(i + 1, 'a', 100 - i)), row(90, 'b', 0.1), row(91, 'b', 0.2), row(92, 'b', 0.3)];
    expect(budgeted(rows, 10, 2).map(({ pid }) => pid)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 92, 91]);
  });

  it('never leave a container without any', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.float({ min: 0, max: 400, noNaN: true })), { maxLength: 60 }), (all) => {
      const rows = all.map(([container, cpuPct], pid) => row(pid, container, cpuPct));
      const kept = budgeted(rows, 5, 1);
      expect(new Set(kept.map(({ container }) => container))).toEqual(new Set(rows.map(({ container }) => container)));
      expect(kept.length).toBeLessThanOrEqual(5 + 4);
    }));
  });
});

describe.skipIf(!canLoadBpf)('the processes probe with real BPF', () => {
  async function started(): Promise<{ readonly probe: ProcessesProbe; readonly identity: Identity } & AsyncDisposable> {
    const identity = new Identity();
    const probe = new ProcessesProbe(identity);
    await probe.start({ ...probeContext(), addon: loadAddon() });
    return { probe, identity, [Symbol.asyncDispose]: async () => { probe.close(); identity.close(); } };
  }
  const cpuMs = (pid: number): number => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  };

  it('tells what /proc tells of a process that runs, in its own container and pid namespace', async () => {
    await using group = new TestCgroup(ownPath());
    const child = runIn([group], `exec unshare --pid --fork sh -c 'echo; while :; do :; done'`);
    try {
      await firstLine(child);
      await using live = await started();
      const pid = await until('the spinner', () => group.pids.find((one) => readFileSync(`/proc/${one}/status`, 'utf8').includes('NSpid:') && /^NSpid:\t\d+\t1$/m.test(readFileSync(`/proc/${one}/status`, 'utf8'))));
      live.probe.tick({ seq: 1, ms: 1, exact: true });
      const from = performance.now(), before = cpuMs(pid);
      await sleep(1200);
      const found = live.probe.tick({ seq: 2, ms: performance.now() - from, exact: true }).rows.find((one) => one.pid === pid);
      const oracle = ((cpuMs(pid) - before) / (performance.now() - from)) * 100;
      expect(found).toMatchObject({ container: group.key, nsPid: 1, comm: 'sh', tasks: 1 });
      expect(Math.abs((found?.cpuPct ?? 0) - oracle)).toBeLessThan(6);
      expect(oracle).toBeGreaterThan(10);
    } finally {
      group.kill();
      await end(child);
    }
  });

  it('adds up to what the container used, misses no task and doubles none, when one read cannot hold them all', async () => {
    await using group = new TestCgroup(ownPath());
    const child = runIn([group], 'echo; read _; i=0; while [ $i -lt 900 ]; do sleep 600 & i=$((i+1)); done; echo; wait');
    try {
      await firstLine(child);
      await using live = await started();
      const cpu = (): number => live.identity.uses.get(group.key)?.cpuNs ?? 0;
      live.identity.walk();
      live.identity.takeProcesses();
      const before = cpu();
      const all = firstLine(child);
      child.stdin?.write('go\n');
      await all;
      // One that was not scheduled yet has used nothing.
      await until('all to sleep', () => group.pids.filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8') === 'sleep\n').length === 900);
      live.identity.walk();
      const uses = [...live.identity.takeProcesses()].filter((use) => use.key === group.key);
      expect(live.identity.uses.get(group.key)).toMatchObject({ tasks: 901, processes: 901 });
      expect(uses.length).toBe(901);
      const sum = uses.reduce((ns, use) => ns + use.cpuNs, 0);
      // The shell's own share before the first walk is in neither, or in both.
      expect(Math.abs(sum - (cpu() - before)) / sum).toBeLessThan(0.02);
    } finally {
      group.kill();
      await end(child);
    }
  });

  it('adds up the threads of a process', async () => {
    await using group = new TestCgroup(ownPath());
    await using workload = new Workload('burn', [group]);
    await workload.ask('start 3');
    await using live = await started();
    live.probe.tick({ seq: 1, ms: 1, exact: true });
    await workload.ask('burn 400');
    const rows = live.probe.tick({ seq: 2, ms: 400, exact: true }).rows.filter((one) => one.container === group.key);
    expect(rows).toMatchObject([{ pid: workload.pid, tasks: 4 }]);
    // Three threads for 400 ms on at least one CPU that others use, too.
    expect(rows[0]?.cpuPct).toBeGreaterThan(20);
    await workload.end();
  });
});
