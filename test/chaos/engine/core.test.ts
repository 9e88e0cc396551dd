import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadAddon } from '../../../src/bpf/load.ts';
import { FaultCore } from '../../../src/chaos/engine/core.ts';
import { type Counting, type Limits, limitsOf } from '../../../src/chaos/decide.ts';
import { type CallArguments, type KernelRule, NO_ARGUMENTS } from '../../../src/chaos/engine/layout.ts';
import { syscallNumber } from '../../../src/frame/syscall-names/index.ts';
import { canLoadBpf, hierarchies, ownPath, TestCgroup, until } from '../../workloads/cgroup.ts';
import { Workload } from '../../workloads/workload.ts';

const ABI = process.arch === 'x64' ? 'x86_64' : 'arm64';
const ABI_NUMBER = process.arch === 'x64' ? 1 : 4;
const nr = (name: string): number => syscallNumber(ABI, name) as number;
const call = (name: string): number => ABI_NUMBER << 10 | nr(name);

/** CLOCK_BOOTTIME, ns, to a hundredth of a second. */
const bootNs = (): bigint => BigInt(Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1e9));

const limits = (over: Partial<Counting> = {}): Limits => limitsOf({ probability: 1, skip: 0, every: 1, last: null, maxHits: 1_000_000, seed: 0, ...over });
const rule = (over: Partial<KernelRule> = {}): KernelRule => ({
  id: 1n, armedNs: bootNs() - 1_000_000_000n, untilNs: bootNs() + 60_000_000_000n, effect: 'signal', value: 0n, dryRun: true, yields: false,
  limits: limits(), uid: null, fd: null, port: null, comm: null, path: null, ...over,
});

describe.skipIf(!canLoadBpf)('the deciding programs', () => {
  let core: FaultCore, group: TestCgroup, workload: Workload;

  beforeEach(async () => {
    core = await FaultCore.load(loadAddon(), { v1Fallback: hierarchies.v1Fallback, debug: () => {} });
    group = new TestCgroup(ownPath('chaos'));
    workload = new Workload('calls', [group]);
    await workload.ask('pid');
  });
  afterEach(async () => {
    core.close();
    await workload[Symbol.asyncDispose]();
    await group.remove();
  });

  const GETPRIO = 'sched_get_priority_max';
  const arm = (of: KernelRule, name = GETPRIO, places: CallArguments = NO_ARGUMENTS): Promise<void> => core.attach().then(() => core.put(0, of, { calls: new Map([[call(name), { places, hooks: 0n }]]), cgroups: new Set([group.key]) }));

  it('counts each matching call once and tells each that it would hit', async () => {
    await arm(rule({ limits: limits({ every: 3, skip: 2 }) }));
    await workload.ask(`call ${nr(GETPRIO)} 20 1`);
    await workload.ask(`call ${nr('getppid')} 20`);
    expect(core.counters(0)).toMatchObject({ matched: 20, hits: 6, acted: 0, missed: 0, lost: 0 });
    const hits = core.drain();
    expect(hits.map(({ n, number }) => [n, number])).toEqual([[3, 1], [6, 2], [9, 3], [12, 4], [15, 5], [18, 6]]);
    expect(hits[0]).toMatchObject({ ruleId: '1', cgroup: group.key, pid: workload.pid, tid: workload.pid, call: call(GETPRIO), dryRun: true, acted: false, result: 99, comm: 'calls-'.padEnd(15, hits[0]?.comm.slice(6)), path: null });
  });

  it('leaves other cgroups alone, and takes in their children as they are made', async () => {
    await arm(rule());
    await using other = new TestCgroup(ownPath('other'));
    await using beside = new Workload('calls', [other]);
    await beside.ask(`call ${nr(GETPRIO)} 10 1`);
    expect(core.counters(0).matched).toBe(0);
    await using child = new TestCgroup(`${group.path}/child`);
    await using inside = new Workload('calls', [child]);
    await inside.ask(`call ${nr(GETPRIO)} 10 1`);
    expect(core.counters(0).matched).toBe(10);
  });

  it('ends at its time, and never lasts longer than the kernel allows', async () => {
    const now = bootNs();
    await arm(rule({ armedNs: now, untilNs: now + 300_000_000n }));
    await workload.ask(`call ${nr(GETPRIO)} 10 1`);
    expect(core.counters(0).matched).toBe(10);
    await until('the end', () => bootNs() > now + 400_000_000n);
    await workload.ask(`call ${nr(GETPRIO)} 10 1`);
    expect(core.counters(0).matched).toBe(10);
    await arm(rule({ armedNs: now - 901_000_000_000n, untilNs: now + 60_000_000_000n }));
    await workload.ask(`call ${nr(GETPRIO)} 10 1`);
    expect(core.counters(0).matched).toBe(0);
  });

  it('stops at its budget exactly, on several threads at once', async () => {
    await arm(rule({ limits: limits({ maxHits: 7 }) }));
    const others = [new Workload('calls', [group]), new Workload('calls', [group]), new Workload('calls', [group])];
    await Promise.all(others.map((one) => one.ask(`call ${nr(GETPRIO)} 5000 1`)));
    expect(core.counters(0)).toMatchObject({ matched: 15_000, hits: 7 });
    expect(core.drain()).toHaveLength(7);
    for (const one of others) await one[Symbol.asyncDispose]();
  });

  it('sends a signal to the calling thread', async () => {
    await arm(rule({ dryRun: false, value: 9n, limits: limits({ skip: 3 }) }));
    await expect(workload.ask(`call ${nr(GETPRIO)} 10 1`)).rejects.toThrow(/SIGKILL/);
    await until('the hit', () => core.counters(0).acted === 1);
    expect(core.drain()).toMatchObject([{ n: 4, acted: true, effect: 'signal', value: 9 }]);
  });

  it('delays by what it says, within its share of a CPU', async () => {
    await arm(rule({ dryRun: false, effect: 'delay', value: 5_000_000n, limits: limits({ maxHits: 4 }), armedNs: bootNs() - 10_000_000_000n }));
    const from = performance.now();
    await workload.ask(`call ${nr(GETPRIO)} 10 1`);
    expect(performance.now() - from).toBeGreaterThanOrEqual(20);
    const hits = core.drain();
    expect(hits.map(({ acted }) => acted)).toEqual([true, true, true, true]);
    for (const { heldNs } of hits) expect(heldNs).toBeGreaterThanOrEqual(5_000_000);
    expect(core.counters(0)).toMatchObject({ acted: 4, delayNs: 20_000_000, throttled: 0 });
    // Just armed, it may burn 50 ms at once.
    await arm(rule({ dryRun: false, effect: 'delay', value: 20_000_000n, armedNs: bootNs() }));
    await workload.ask(`call ${nr(GETPRIO)} 10 1`);
    const { acted, throttled, delayNs } = core.counters(0);
    expect([acted + throttled, delayNs]).toEqual([10, acted * 20_000_000]);
    expect(acted).toBeLessThanOrEqual(4);
    expect(acted).toBeGreaterThanOrEqual(2);
  });
});
