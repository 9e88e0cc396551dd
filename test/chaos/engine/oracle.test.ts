/** The kernel's decision against the oracles in TypeScript: decide.ts and glob.ts, call by call. Nothing is ever hit: every rule is a dry run. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../../src/bpf/load.ts';
import { type Counting, hitsAmong, limitsOf } from '../../../src/chaos/decide.ts';
import { BootClock } from '../../../src/chaos/engine/boot-clock.ts';
import { FaultCore } from '../../../src/chaos/engine/core.ts';
import { type CallArguments, type KernelRule, NO_ARGUMENTS } from '../../../src/chaos/engine/layout.ts';
import { matchGlob, parseGlob } from '../../../src/chaos/glob.ts';
import { syscallNumber } from '../../../src/frame/syscall-names/index.ts';
import { canLoadBpf, hierarchies, ownPath, TestCgroup } from '../../workloads/cgroup.ts';
import { timeScale } from '../../workloads/scale.ts';
import { Workload } from '../../workloads/workload.ts';

interface Vector extends Counting {
  readonly calls: number;
  readonly hits: readonly number[];
}
const vectors = JSON.parse(readFileSync(new URL('../vectors.json', import.meta.url), 'utf8')) as Vector[];

const X64 = process.arch === 'x64';
const nr = (name: string): number => syscallNumber(X64 ? 'x86_64' : 'arm64', name) as number;
const call = (name: string): number => (X64 ? 1 : 4) << 10 | nr(name);
const CALL = 'sched_get_priority_max';
const EVERY: Counting = { probability: 1, skip: 0, every: 1, last: null, maxHits: 2 ** 32 - 1, seed: 0 };
/** Emulated, each step takes ten times as long. */
const RUNS = timeScale > 1 ? 8 : 40;

describe.skipIf(!canLoadBpf)('the decision in the kernel', () => {
  const clock = new BootClock(loadAddon());
  let core: FaultCore, group: TestCgroup, calls: Workload, opens: Workload, id = 0n;

  beforeAll(async () => {
    core = await FaultCore.load(loadAddon(), { v1Fallback: hierarchies.v1Fallback, debug: () => {} });
    await core.attach();
    group = new TestCgroup(ownPath('oracle'));
    calls = new Workload('calls', [group]);
    opens = new Workload('opens', [group]);
    await Promise.all([calls.ask('pid'), opens.ask('pid')]);
  });
  afterAll(async () => {
    core.close();
    await calls[Symbol.asyncDispose]();
    await opens[Symbol.asyncDispose]();
    await group.remove();
  });

  function arm(counting: Counting, over: Partial<KernelRule> = {}, name = CALL, places: CallArguments = NO_ARGUMENTS): void {
    const now = clock.nowNs();
    const rule: KernelRule = {
      id: ++id, armedNs: now, untilNs: now + 60_000_000_000n, effect: 'signal', value: 9n, dryRun: true, yields: false,
      limits: limitsOf(counting), uid: null, fd: null, port: null, comm: null, path: null, ...over,
    };
    core.put(0, rule, { calls: new Map([[call(name), { places, hooks: 0n }]]), cgroups: new Set([group.key]) });
  }

  /** Numbers of the calls that are hit among so many. */
  async function hitsOf(counting: Counting, among: number): Promise<number[]> {
    arm(counting);
    core.drain();
    await calls.ask(`call ${nr(CALL)} ${among} 1`);
    const hits = core.drain();
    expect(core.counters(0)).toMatchObject({ matched: among, hits: hits.length, missed: 0, lost: 0 });
    expect(hits.map(({ number }) => number)).toEqual(hits.map((_, i) => i + 1));
    return hits.map(({ n }) => n);
  }

  it.each(vectors.map((vector, i) => [i, vector] as const))('is that of vector %d', async (_, { calls: among, hits, ...counting }) => expect(await hitsOf(counting, among)).toEqual(hits));

  it('is that of the oracle for any limits', async () => {
    const small = fc.integer({ min: 0, max: 40 });
    const anyCounting: fc.Arbitrary<Counting> = fc.record({
      probability: fc.oneof(fc.constantFrom(1, 0.5), fc.double({ min: 1e-6, max: 1, noNaN: true })), skip: fc.oneof(small, fc.integer({ min: 0, max: 2 ** 32 - 1 })),
      every: fc.integer({ min: 1, max: 9 }), last: fc.option(fc.integer({ min: 1, max: 150 })), maxHits: fc.integer({ min: 1, max: 80 }), seed: fc.maxSafeNat(),
    });
    await fc.assert(fc.asyncProperty(anyCounting, fc.integer({ min: 1, max: 150 }), async (counting, among) => { expect(await hitsOf(counting, among)).toEqual(hitsAmong(counting, among)); }), { numRuns: RUNS });
  });

  /** Does the kernel take the path, opened once, for one that matches? Null: it cannot tell. */
  async function matches(pattern: string, path: string): Promise<boolean | null> {
    arm(EVERY, { path: parseGlob(pattern) }, 'openat', { path: [1], fd: [], address: null });
    await opens.ask(`openat 1 ${path} 0`);
    const { matched, unreadable } = core.counters(0);
    return unreadable > 0 ? null : matched === 1;
  }

  it.each([
    ['hello', '/tmp/hello'], ['hello', 'hello/'], ['hello', 'helloo'], ['*.log', '/var/log/app.log'], ['*.log', '/var/log/app.logs'], ['*', '@empty'], ['?', '@empty'], ['a?c', '/abc'], ['/data/*', '/data/x/y'], ['/data/*', '/data'],
    ['/a/*b*c', '/a/xbycbc'], ['/a/*b*c', '/a/xbycbd'], ['\\*', '*'], ['\\*', 'a'], ['a\\?', 'ab'], ['é', 'é'], ['?', 'é'], ['??', 'é'], ['/*/*/*', '/a/b/c'], ['/*/*/*', '/a/b'], ['*\u{1f600}', 'x\u{1f600}'],
  ])('takes %s and %s as glob.ts does', async (pattern, path) => expect(await matches(pattern, path)).toBe(matchGlob(parseGlob(pattern), path.replace('@empty', ''))));

  it('takes any pattern and path as glob.ts does', async () => {
    const pattern = fc.string({ unit: fc.constantFrom(...'ab/*?é'), minLength: 1, maxLength: 14 }), path = fc.string({ unit: fc.constantFrom(...'ab/é'), minLength: 1, maxLength: 20 });
    await fc.assert(fc.asyncProperty(pattern, path, async (one, other) => { expect(await matches(one, other)).toBe(matchGlob(parseGlob(one), other)); }), { numRuns: RUNS * 5 });
  });

  it('takes long paths and long patterns, and says when it cannot tell', async () => {
    expect(await matches(`${'x'.repeat(60)}*`, '@long:4000')).toBe(true);
    expect(await matches('/*y', '@long:4000')).toBe(false);
    expect(await matches(`/${'*x'.repeat(60)}`, '@long:4000')).toBe(true);
    expect(await matches(`/${'*x'.repeat(60)}y`, '@long:4000')).toBe(false);
    expect(await matches(`/*${'x'.repeat(100)}y`, '@long:4000')).toBe(null);
    expect(await matches('*', '@null')).toBe(null);
    expect(await matches('*', '@bad')).toBe(null);
  });

  const argument = (over: Partial<CallArguments>): CallArguments => ({ ...NO_ARGUMENTS, ...over });
  const dup2 = X64 ? 'dup2' : 'dup3';

  it('takes a call with two descriptors by either', async () => {
    const count = async (fd: number): Promise<number> => {
      arm(EVERY, { fd }, dup2, argument({ fd: [0, 1] }));
      await calls.ask(`call ${nr(dup2)} 1 2 77`);
      await calls.ask(`call ${nr(dup2)} 1 77 78`);
      return core.counters(0).matched;
    };
    expect([await count(2), await count(77), await count(78), await count(3)]).toEqual([1, 2, 1, 0]);
  });

  it('takes users and names of threads whole', async () => {
    const count = async (over: Partial<KernelRule>): Promise<number> => {
      arm(EVERY, over);
      await calls.ask(`call ${nr(CALL)} 1 1`);
      return core.counters(0).matched;
    };
    const comm = readFileSync(`/proc/${calls.pid}/comm`, 'utf8').trim();
    expect([await count({ comm }), await count({ comm: comm.slice(0, -1) }), await count({ comm: 'calls' })]).toEqual([1, 0, 0]);
    expect([await count({ uid: 0 }), await count({ uid: 1 })]).toEqual([1, 0]);
    expect(await count({ port: 80 })).toBe(0);
  });

  it('forgets what was in the place before, children of its cgroup included', async () => {
    arm(EVERY);
    await using child = new TestCgroup(`${group.path}/child`);
    await using inside = new Workload('calls', [child]);
    await inside.ask(`call ${nr(CALL)} 3 1`);
    expect(core.counters(0).matched).toBe(3);
    await using other = new TestCgroup(ownPath('other'));
    const now = clock.nowNs();
    const rule: KernelRule = {
      id: ++id, armedNs: now, untilNs: now + 60_000_000_000n, effect: 'signal', value: 9n, dryRun: true, yields: false, limits: limitsOf(EVERY), uid: null, fd: null, port: null, comm: null, path: null,
    };
    core.put(0, rule, { calls: new Map([[call(CALL), { places: NO_ARGUMENTS, hooks: 0n }]]), cgroups: new Set([other.key]) });
    await inside.ask(`call ${nr(CALL)} 3 1`);
    await calls.ask(`call ${nr(CALL)} 3 1`);
    expect(core.counters(0).matched).toBe(0);
  });
});
