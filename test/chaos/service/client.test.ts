/** The door as the screen and the commands use it, through a real injector process on an engine without a kernel. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ChaosDoor, ChaosEvent } from '../../../src/chaos/door.ts';
import { openChaosDoor } from '../../../src/chaos/service/client.ts';
import { chaosStatus } from '../../../src/chaos/service/status.ts';
import { stopEverywhere } from '../../../src/chaos/service/stop.ts';
import { until } from '../../workloads/cgroup.ts';
import { FULL } from '../capabilities-fixture.ts';
import { Fake, doorOptions, isRunning, rule } from './fixture.ts';
import { WEB } from './fake-who.ts';

const NONE = { expert: false, allowSystem: false };
const GO = { dryRun: false, typed: null };

let fake: Fake;
let door: ChaosDoor;
let events: ChaosEvent[];

function open(more: Parameters<typeof doorOptions>[1] = {}): void {
  door = openChaosDoor(doorOptions(fake.directory, more));
  events = [];
  door.subscribe((event) => events.push(event));
}

beforeEach(() => {
  fake = new Fake();
  open();
});

afterEach(async () => {
  await door.close();
  const left = fake.pids.filter(isRunning);
  if (left.length > 0) throw new Error(`injectors are left: ${left.join(', ')}`);
  fake[Symbol.dispose]();
});

const hits = (): number => events.filter(({ kind }) => kind === 'hit').length;

describe('a plan', () => {
  it('says whom it would hit, by what, and attaches nothing', async () => {
    const plan = await door.plan(rule(), NONE);
    expect(plan).toMatchObject({ rule: rule(), refusals: [], confirmation: null, targets: [{ key: '11', cgroup: '/kubepods/poduid-1/a', name: 'shop/web-1/app' }] });
    expect(plan.text).toContain('every connect of container app in pod shop/web-1 fails with ECONNREFUSED');
    expect(plan.selections).toMatchObject([{ syscall: 'connect', attachment: { kind: 'cgroup', backend: 'cgroup' } }]);
    expect(fake.journal).toEqual(['open']);
    expect(fake.audit).toEqual([]);
  });

  it('leaves out a pod\'s pause container', async () => {
    expect((await door.plan(rule({ target: { pod: 'shop/web-1' } }), NONE)).targets.map(({ key }) => key)).toEqual(['10', '11']);
  });

  it('tells what refuses it, and what would allow it', async () => {
    const system = rule({ target: { pod: 'kube-system/coredns-1' } });
    expect((await door.plan(system, NONE)).refusals).toMatchObject([{ rule: 'system-pod', unless: '--allow-system' }]);
    expect(await door.plan(system, { expert: false, allowSystem: true })).toMatchObject({ refusals: [], confirmation: { text: 'coredns-1' } });
  });

  it.each([
    [{ pod: 'shop/web-2' }, 'no pod shop/web-2 runs on this node; did you mean shop/web-1?'],
    [{ pod: 'shop/web-1', container: 'ap' }, 'no container ap in pod shop/web-1 runs on this node; its containers are app'],
    [{ cgroup: '/kubepods/poduid-3' }, 'did you mean /kubepods/poduid-'],
    [{ containerId: 'f'.repeat(12) }, 'no container with an id that begins with ffffffffffff'],
  ])('does not find %j, but what is near', async (target, message) => {
    await expect(door.plan(rule({ target }), NONE)).rejects.toMatchObject({ name: 'ChaosError', kind: 'notFound', message: expect.stringContaining(message) as string });
  });

  it('finds a container by the start of its id, and a cgroup with all below it', async () => {
    expect((await door.plan(rule({ target: { containerId: 'a'.repeat(12) } }), NONE)).targets.map(({ key }) => key)).toEqual(['11']);
    expect((await door.plan(rule({ target: { cgroup: '/kubepods/poduid-1' } }), NONE)).targets.map(({ key }) => key)).toEqual(['10', '11']);
  });

  it('knows the kernel\'s capabilities, sets and all', async () => {
    fake.write('engine.json', { capabilities: { ...FULL, injectable: ['__x64_sys_openat'] } });
    const { arch, backends, securityFunctions } = await door.capabilities();
    expect({ arch, securityFunctions, usable: backends.fmod_ret.usable }).toEqual({ arch: 'x86_64', securityFunctions: null, usable: true });
    expect(await door.capabilities()).toBe(await door.capabilities());
  });
});

describe('a fault', () => {
  it('ends by itself when its budget is spent, and every hit is told once', async () => {
    fake.write('engine.json', { hitsPerPoll: 3 });
    const fault = await door.arm(rule({ maxHits: 10 }), NONE, GO);
    expect(fault).toMatchObject({ id: 1, state: 'armed', targetName: 'shop/web-1/app', cgroups: ['11'], backends: ['cgroup'], dryRun: false });
    expect(door.faults).toHaveLength(1);
    const [ended] = await until('its end', () => door.faults[0]?.state === 'ended' && door.faults);
    expect(ended).toMatchObject({ id: 1, endReason: 'budget', endDetail: null, hits: 10, acted: 10, rule: rule({ maxHits: 10 }) });
    expect(events.filter((event) => event.kind === 'hit').map(({ hit }) => hit.n)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(fake.audit).toMatchObject([
      { event: 'armed', dryRun: false, id: fault.auditId, cgroups: [{ id: '11', path: '/kubepods/poduid-1/a' }], backends: ['cgroup'], who: { pid: process.pid, uid: process.getuid?.() } },
      { event: 'ended', id: fault.auditId, reason: 'budget', hits: 10, matched: 10 },
    ]);
    expect(fake.journal.slice(0, 3)).toEqual(['open', 'arm 11', 'disarm']);
  });

  it('ends when its time is over, and when it is told to', async () => {
    await door.arm(rule({ duration: 300 }), NONE, GO);
    await until('its end', () => door.faults[0]?.state === 'ended');
    expect(door.faults[0]).toMatchObject({ endReason: 'duration' });
    const second = await door.arm(rule({ maxHits: 1000 }), NONE, { dryRun: false, typed: '' }).catch((error: unknown) => error);
    expect(second).toMatchObject({ kind: 'refused', message: expect.stringContaining('"web-1" must be typed') as string });
    // A dry run needs no confirmation.
    const third = await door.arm(rule({ maxHits: 1000 }), NONE, { dryRun: true, typed: null });
    await door.disarm(third.id, 'panic-key');
    expect(door.faults[0]).toMatchObject({ id: third.id, state: 'ended', endReason: 'panic-key', dryRun: true, acted: 0 });
    expect(door.faults.map(({ id }) => id)).toEqual([third.id, 1]);
  });

  it('stops with all others at once', async () => {
    await Promise.all([door.arm(rule(), NONE, GO), door.arm(rule(), NONE, GO)]);
    await door.stopAll('interrupted');
    expect(door.faults.map(({ state, endReason }) => [state, endReason])).toEqual([['ended', 'interrupted'], ['ended', 'interrupted']]);
    expect(fake.audit.map(({ event }) => event).sort()).toEqual(['armed', 'armed', 'ended', 'ended']);
  });

  it('ends with the door, and is told as ended', async () => {
    await door.arm(rule(), NONE, GO);
    await door.close();
    await door.close();
    expect(door.faults).toMatchObject([{ state: 'ended', endReason: 'stopped' }]);
    expect(fake.journal.slice(-2)).toEqual(['clear', 'close']);
    expect(events.some(({ kind }) => kind === 'gone')).toBe(false);
    await expect(door.plan(rule(), NONE)).rejects.toMatchObject({ kind: 'failed', message: 'kbtop is ending' });
  });

  it('is counted in Frames', async () => {
    const fault = await door.arm(rule({ maxHits: 5, duration: 10_000 }), NONE, { dryRun: true, typed: null });
    expect(chaosStatus({ ...fault, hits: 2 }, fault.deadline - 4000)).toEqual({ id: 1, rule: fault.text, target: '11', targets: ['11'], targetName: 'shop/web-1/app', backend: 'cgroup', hits: 2, remainingMs: 4000, remainingHits: 3, dryRun: true, state: 'armed' });
    expect(chaosStatus({ ...fault, state: 'ended' })).toMatchObject({ remainingMs: 0, remainingHits: 0, state: 'ended' });
  });

  it('counts calls that it failed over the lives of several injectors', async () => {
    fake.write('engine.json', { hitsPerPoll: 5 });
    const total = (): number => door.injected.reduce((sum, [, , , count]) => sum + count, 0);
    await door.arm(rule(), NONE, GO);
    await until('some hits', () => total() >= 5);
    process.kill(fake.pids[0] ?? 0, 'SIGKILL');
    await until('the injector to be missed', () => events.some(({ kind }) => kind === 'gone'));
    const before = total();
    await door.arm(rule(), NONE, GO);
    await until('more hits', () => total() > before);
    expect(door.faults.map(({ id, state }) => [id, state])).toEqual([[2, 'armed'], [1, 'ended']]);
  });
});

describe('arming', () => {
  it.each([
    [{ target: { pod: 'kube-system/coredns-1' } }, 'refused', 'namespace kube-system runs the cluster: --allow-system hits it nevertheless'],
    [{ syscalls: ['close'], error: 'EIO' }, 'refused', 'errors of close are refused'],
    [{ syscalls: ['fsync'], error: 'EIO' }, 'impossible', 'no errors from fsync'],
    [{ signal: 'SIGKILL', error: undefined }, 'refused', '"web-1" must be typed to confirm it (irreversible: SIGKILL ends the process)'],
  ])('%j is %s', async (draft, kind, message) => {
    const { error, ...rest } = { error: 'ECONNREFUSED', ...draft };
    await expect(door.arm(rule({ ...rest, ...(error !== undefined ? { error } : { error: undefined as never }) }), NONE, GO)).rejects.toMatchObject({ kind, message: expect.stringContaining(message) as string });
    expect(fake.journal).toEqual(['open']);
    expect(fake.audit).toEqual([]);
  });

  it('takes what was typed only when it is right', async () => {
    const deadly = rule({ error: undefined as never, signal: 'SIGKILL' });
    await expect(door.arm(deadly, NONE, { dryRun: false, typed: 'web' })).rejects.toMatchObject({ kind: 'refused', message: expect.stringContaining('"web" is not what was to be typed') as string });
    expect(await door.arm(deadly, NONE, { dryRun: false, typed: 'web-1' })).toMatchObject({ state: 'armed', backends: ['signal'] });
  });

  it('does nothing without an audit', async () => {
    mkdirSync(join(fake.directory, 'directory'));
    await door.close();
    open({ auditFile: join(fake.directory, 'directory') });
    await expect(door.arm(rule(), NONE, GO)).rejects.toMatchObject({ kind: 'failed', message: expect.stringContaining('it is a directory; nothing is armed without it') as string });
    await door.close();
    // A device that is full takes no line, though it opens.
    open({ auditFile: '/dev/full' });
    await expect(door.arm(rule(), NONE, GO)).rejects.toMatchObject({ kind: 'failed' });
    expect(fake.journal.filter((line) => line.startsWith('arm'))).toEqual([]);
  });

  it('has the audit on disk before the engine is asked', async () => {
    fake.write('engine.json', { fails: 'arm' });
    await expect(door.arm(rule(), NONE, GO)).rejects.toMatchObject({ kind: 'impossible', message: 'another rule has connect of this target' });
    expect(fake.audit).toMatchObject([{ event: 'armed' }, { event: 'ended', reason: 'error', detail: 'another rule has connect of this target', hits: 0 }]);
  });

  it('does nothing that kbtop chaos stop could not find', async () => {
    await door.close();
    open({ runDirectory: '/proc/kbtop' });
    await expect(door.arm(rule(), NONE, GO)).rejects.toMatchObject({ kind: 'failed', message: expect.stringMatching(/^cannot register in \/proc\/kbtop: /) as string });
    expect(fake.journal.filter((line) => line.startsWith('arm'))).toEqual([]);
  });
});

describe('a target', () => {
  const pod = WEB.filter(({ podUid }) => podUid === 'uid-1');
  const app = { ...WEB[1], key: '31', containerId: 'd'.repeat(64), cgroup: '/kubepods/poduid-1/d' };

  it('that is gone ends the fault', async () => {
    await door.arm(rule(), NONE, GO);
    fake.write('node.json', WEB.slice(3));
    await until('its end', () => door.faults[0]?.state === 'ended');
    expect(door.faults[0]).toMatchObject({ endReason: 'target-gone' });
    expect(fake.audit.at(-1)).toMatchObject({ event: 'ended', reason: 'target-gone' });
  });

  it('of the same name that is another pod is not hit', async () => {
    await door.arm(rule(), NONE, GO);
    fake.write('node.json', pod.map((one) => ({ ...one, key: `5${one.key}`, podUid: 'uid-9' })));
    await until('its end', () => door.faults[0]?.state === 'ended');
    expect(door.faults[0]).toMatchObject({ endReason: 'target-gone' });
    expect(fake.journal.some((line) => line.startsWith('rescope'))).toBe(false);
  });

  it('whose container is started anew is hit on', async () => {
    await door.arm(rule(), NONE, GO);
    fake.write('node.json', pod.filter(({ key }) => key !== '11'));
    await until('the container to be missed', () => fake.journal.includes('rescope '));
    expect(door.faults[0]).toMatchObject({ state: 'armed' });
    fake.write('node.json', [...pod.filter(({ key }) => key !== '11'), app]);
    await until('the new container', () => door.faults[0]?.cgroups[0] === '31');
    expect(fake.journal.slice(-2)).toEqual(['rescope ', 'rescope 31']);
  });

  it('whose container is started anew is waited for, also in a pod without a pause container', async () => {
    fake.write('node.json', pod.slice(0, 2));
    await door.arm(rule(), NONE, GO);
    fake.write('node.json', pod.slice(0, 1));
    await until('the container to be missed', () => fake.journal.includes('rescope '));
    fake.write('node.json', [pod[0], app]);
    await until('the new container', () => door.faults[0]?.cgroups[0] === '31');
    fake.write('node.json', []);
    await until('its end', () => door.faults[0]?.state === 'ended');
    expect(door.faults[0]).toMatchObject({ endReason: 'target-gone' });
  });

  it('whose new container cannot be hit ends the fault', async () => {
    fake.write('engine.json', { trouble: 'the cgroup takes no more programs' });
    await door.arm(rule(), NONE, GO);
    fake.write('node.json', [...pod.filter(({ key }) => key !== '11'), app]);
    await until('its end', () => door.faults[0]?.state === 'ended');
    expect(door.faults[0]).toMatchObject({ endReason: 'error', endDetail: 'the cgroup takes no more programs' });
  });

  it('that gets something that must not be hit ends the fault', async () => {
    await door.arm(rule({ target: { pod: 'shop/web-1' } }), NONE, GO);
    fake.write('node.json', [...pod, { ...app, comms: ['kubelet'] }]);
    await until('its end', () => door.faults[0]?.state === 'ended');
    expect(door.faults[0]).toMatchObject({ endReason: 'error', endDetail: expect.stringContaining('holds kubelet') as string });
  });

  it('is hit in a container that comes later, but not in a new pause container', async () => {
    await door.arm(rule({ target: { pod: 'shop/web-1' } }), NONE, GO);
    fake.write('node.json', [...pod, { ...app, container: 'side' }, { ...WEB[2], key: '32', kind: 'unknown' }]);
    await until('the new container', () => door.faults[0]?.cgroups.includes('31'));
    expect(door.faults[0]?.cgroups).toEqual(['10', '11', '31']);
  });
});

describe('an injector', () => {
  it('that is killed is told as gone, with its faults ended and the audit closed', async () => {
    const { auditId } = await door.arm(rule(), NONE, GO);
    process.kill(fake.pids[0] ?? 0, 'SIGKILL');
    await until('the injector to be missed', () => events.some(({ kind }) => kind === 'gone'));
    expect(door.faults).toMatchObject([{ state: 'ended', endReason: 'error', endDetail: 'the injector ended unexpectedly (SIGKILL)' }]);
    await door.close();
    expect(fake.audit).toMatchObject([{ event: 'armed' }, { event: 'ended', id: auditId, reason: 'error', matched: null, hits: null }]);
  });

  it.each(['poll', 'disarm'] as const)('whose engine breaks in %s ends everything', async (fails) => {
    fake.write('engine.json', { fails });
    const fault = await door.arm(rule(), NONE, GO);
    if (fails === 'disarm') await door.disarm(fault.id);
    await until('it to be gone', () => events.find((event) => event.kind === 'gone'));
    expect(events.at(-1)).toMatchObject({ kind: 'gone', reason: fails === 'poll' ? 'ring is broken' : 'bpf map update: EBADF' });
    expect(door.faults).toMatchObject([{ state: 'ended', endReason: 'error' }]);
    expect(fake.journal.slice(-1)).toEqual(['close']);
  });

  it('that cannot be started says why', async () => {
    await door.close();
    open({ command: ['/nonexistent/kbtop'] });
    await expect(door.capabilities()).rejects.toMatchObject({ kind: 'failed', message: expect.stringContaining('cannot be started') as string });
    open({ command: ['/bin/sh', '-c', 'echo no such module >&2; exit 7'] });
    await expect(door.capabilities()).rejects.toMatchObject({ message: 'the injector ended unexpectedly (exit code 7: no such module)' });
  });

  it('is found and ended by kbtop chaos stop from elsewhere, with what it had armed', async () => {
    const directory = join(fake.directory, 'run');
    const { text } = await door.arm(rule(), NONE, GO);
    expect(await stopEverywhere({ directory })).toMatchObject({ stopped: [{ pid: fake.pids[0], faults: [text] }], left: [], foreign: [] });
    await until('the injector to be missed', () => events.find((event) => event.kind === 'gone'));
    expect(door.faults).toMatchObject([{ state: 'ended', endReason: 'stopped', endDetail: 'the injector got SIGTERM' }]);
    expect(readdirSync(directory)).toEqual([]);
    expect(await stopEverywhere({ directory })).toEqual({ stopped: [], left: [], foreign: [] });
  });

  it('is told fewer hits than there are rather than waiting for who does not read', async () => {
    fake.write('engine.json', { hitsPerPoll: 2000 });
    const fault = await door.arm(rule({ maxHits: 100_000, every: 2 }), NONE, { dryRun: false, typed: 'web-1' });
    await until('many hits', () => hits() > 2000, 30_000);
    await door.disarm(fault.id);
    const [ended] = door.faults;
    expect((ended?.hits ?? 0) - (ended?.lost ?? 0)).toBe(hits());
  });
});
