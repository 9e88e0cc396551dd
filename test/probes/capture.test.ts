import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadAddon } from '../../src/bpf/load.ts';
import type { Frame, PaneId } from '../../src/frame/frame.ts';
import { Manager, type ManagerOptions } from '../../src/probes/manager.ts';
import { contractProblems } from '../frame/contract.ts';
import { bpfIdsOf, type BpfIds, canLoadBpf, end, ended, firstLine, ownPath, runIn, TestCgroup, until } from '../workloads/cgroup.ts';

const PANES: readonly PaneId[] = ['syscalls', 'runqueue', 'opens', 'tcp', 'containers', 'processes'];

describe.skipIf(!canLoadBpf)('a capture with real BPF', () => {
  const addon = canLoadBpf ? loadAddon() : null;
  const open: Manager[] = [];
  afterEach(async () => { await Promise.all(open.splice(0).map((manager) => manager.close())); });
  const managerOf = (options: Partial<ManagerOptions> = {}): Manager => {
    if (!addon) throw new Error('unreachable');
    const manager = new Manager({ addon, ...options });
    open.push(manager);
    return manager;
  };
  const freed = (own: BpfIds) => until('links, programs and maps to be freed', () => {
    const now = addon?.kernelIds();
    return now && (['links', 'programs', 'maps'] as const).every((kind) => own[kind].every((id) => !now[kind].includes(id)));
  });

  it('brings every pane up, in frames of the contract', async () => {
    const manager = managerOf({ intervalMs: 200 });
    const frames: Frame[] = [];
    manager.subscribe((frame) => frames.push(frame));
    manager.start();
    const frame = await until('all panes', () => frames.find((one) => PANES.every((pane) => one.panes[pane].state.status === 'ok')));
    expect(frames[0]?.panes.syscalls.state.status).toBe('loading');
    await until('some more', () => frames.length >= frame.seq + 3);
    for (const one of frames) expect(contractProblems(one)).toEqual([]);
    const { panes, containers } = frames.at(-1) as Frame;
    expect(panes.syscalls.rows.length).toBeGreaterThan(0);
    expect(panes.containers.rows.some((row) => containers[row.container]?.kind === 'host')).toBe(true);
    expect(PANES.map((pane) => [pane, panes[pane].loss.unattributed])).toEqual(PANES.map((pane) => [pane, 0]));
    expect([...manager.results().values()].flat().filter((result) => !result.ok)).toEqual([]);
  });

  it('counts over exactly the sampled time: a known number of calls, in the right container, at the rate of the frame', async () => {
    await using group = new TestCgroup(ownPath());
    // dd reads and writes one byte at a time: 20000 of each, after it was told to begin.
    const child = runIn([group], 'echo; read _; dd if=/dev/zero of=/dev/null bs=1 count=20000 status=none; echo done; read _');
    await firstLine(child);
    const manager = managerOf({ panes: ['syscalls', 'containers'], levels: { syscalls: 'count' } });
    const sampling = manager.sample(3000);
    const [writes] = await Promise.all([
      sampling.then((frame) => {
        expect(contractProblems(frame)).toEqual([]);
        expect(frame.panes.opens.state).toEqual({ status: 'off', reason: 'not asked for', level: null });
        for (const row of frame.panes.syscalls.rows) expect(row.ratePerSec).toBeCloseTo((row.count * 1000) / frame.intervalMs, 6);
        const totals = frame.panes.containers.rows.find((row) => row.container === group.key);
        const calls = frame.panes.syscalls.rows.filter((row) => row.container === group.key);
        expect(totals?.syscallsPerSec).toBeCloseTo(calls.reduce((sum, row) => sum + row.ratePerSec, 0), 6);
        expect(frame.containers[group.key]?.cgroup).toBe(group.path);
        return calls.find((row) => row.syscall === 'write')?.count;
      }),
      // Counting begins when all panes are up, which takes well below a second.
      sleep(1500).then(() => child.stdin?.write('go\n')),
    ]);
    expect(writes).toBe(20_001); // and the shell's "done"
    child.stdin?.end();
    await ended(child);
  });

  it('names a container that lived and died within one frame', async () => {
    const manager = managerOf({ panes: ['opens', 'containers'] });
    const sampling = manager.sample(2500);
    await sleep(1200);
    const group = new TestCgroup(`/docker/${'ab'.repeat(32)}`);
    await ended(runIn([group], 'for i in 1 2 3; do cat /etc/hostname >/dev/null; done'));
    await group.remove();
    const frame = await sampling;
    expect(frame.containers[group.key]).toMatchObject({ kind: 'container', containerId: 'ab'.repeat(32), cgroup: group.path });
    const row = frame.panes.containers.rows.find((one) => one.container === group.key);
    expect(row?.tasks).toBe(0);
    expect(row?.opensPerSec).toBeGreaterThan(0);
    expect(row?.cpuPct).toBeGreaterThan(0);
  });

  it('knows what it costs itself', async () => {
    const manager = managerOf({ panes: ['syscalls'], bpfCost: true });
    const { self } = await manager.sample(500);
    expect(self.bpfCpuPct).toBeGreaterThan(0);
    expect(self.bpfCpuPct).toBeLessThan(100);
    expect(self.cpuPct).toBeLessThan(100);
  });

  it('frees everything when it is closed, also while it loads', async () => {
    const up = managerOf({ panes: ['containers', 'opens'] });
    await up.sample(50);
    const loading = managerOf();
    loading.start();
    await sleep(100);
    const own = bpfIdsOf(process.pid);
    expect(own.programs.length).toBeGreaterThan(10);
    await Promise.all([loading.close(), up.close()]);
    await freed(own);
    expect(bpfIdsOf(process.pid)).toEqual({ links: [], programs: [], maps: [] });
  });

  it('leaves nothing in the kernel when it is killed', async () => {
    const script = `
      import { loadAddon } from ${JSON.stringify(fileURLToPath(new URL('../../src/bpf/load.ts', import.meta.url)))};
      import { Manager } from ${JSON.stringify(fileURLToPath(new URL('../../src/probes/manager.ts', import.meta.url)))};
      const manager = new Manager({ addon: loadAddon(), intervalMs: 100 });
      manager.subscribe((frame) => { if (Object.values(frame.panes).every((pane) => pane.state.status === 'ok')) console.log('up'); });
      manager.start();`;
    const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await firstLine(child);
    const own = bpfIdsOf(child.pid ?? 0);
    expect(own.links.length).toBeGreaterThan(20);
    expect(own.maps.length).toBeGreaterThan(10);
    await end(child);
    await freed(own);
  });
});
