/** Faults over a session: a real door with a real injector process, on an engine without a kernel. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ChaosDoor, ChaosError } from '../../../src/chaos/door.ts';
import { openChaosDoor } from '../../../src/chaos/service/client.ts';
import type { AttachSource } from '../../../src/session/client/attach-source.ts';
import { Fake, doorOptions, isRunning, rule } from '../../chaos/service/fixture.ts';
import { until } from '../../workloads/cgroup.ts';
import { ROOT, TestSession } from '../fixture.ts';

const NONE = { expert: false, allowSystem: false };
const ALL = { expert: true, allowSystem: true };
const GO = { dryRun: false, typed: null };

let fake: Fake;
let door: ChaosDoor;
let session: TestSession;

beforeEach(async () => {
  fake = new Fake();
  door = openChaosDoor(doorOptions(fake.directory));
  session = await TestSession.open({ door, peer: { ...ROOT, pid: 4242 } });
});
afterEach(async () => {
  await session[Symbol.asyncDispose]();
  await door.close();
  const left = fake.pids.filter(isRunning);
  if (left.length > 0) throw new Error(`injectors are left: ${left.join(', ')}`);
  fake[Symbol.dispose]();
});

function chaosOf({ chaos }: AttachSource): ChaosDoor {
  if (chaos === null) throw new Error('no way to arm anything');
  return chaos;
}
const armed = ({ faults }: ChaosDoor): number => faults.filter(({ state }) => state === 'armed').length;

describe('a fault of a viewer', () => {
  it('is planned, armed, told of and ended as on a screen of its own', async () => {
    const viewer = chaosOf(await session.attach()), other = chaosOf(await session.attach());
    const events: string[] = [];
    other.subscribe(({ kind }) => events.push(kind));
    expect((await viewer.capabilities()).arch).toBe('x86_64');
    expect(await viewer.plan(rule(), NONE)).toMatchObject({ rule: rule(), refusals: [], targets: [{ key: '11', name: 'shop/web-1/app' }] });
    fake.write('engine.json', { hitsPerPoll: 3 });
    const fault = await viewer.arm(rule({ maxHits: 10 }), NONE, GO);
    expect(fault).toMatchObject({ state: 'armed', rule: rule({ maxHits: 10 }) });
    await until('its end', () => [viewer, other].every(({ faults }) => faults[0]?.state === 'ended'));
    expect(viewer.faults).toMatchObject([{ id: fault.id, endReason: 'budget', hits: 10, lost: 0 }]);
    expect(events.filter((kind) => kind === 'hit')).toHaveLength(10);
  });

  it('stands in the audit with the viewer, whatever it says of itself', async () => {
    const raw = session.raw();
    raw.hello();
    raw.say({ kind: 'chaos', ask: { t: 'ask', id: 1, ask: { what: 'arm', rule: rule(), permits: NONE, ...GO, who: { uid: 777, sudoUser: 'mallory', tty: '/dev/pts/9', pid: 1 } } } });
    await until('the answer', () => raw.of('chaos').some(({ told }) => told.t === 'answer'));
    expect(fake.audit).toMatchObject([{ event: 'armed', who: { uid: 0, sudoUser: null, pid: 4242 } }]);
    await door.stopAll();
    expect(fake.audit[1]).toMatchObject({ event: 'ended', who: { uid: 0, pid: 4242 } });
  });

  it('ends with it, and nobody else\'s does', async () => {
    const [one, other] = [await session.attach(), await session.attach()];
    await chaosOf(one).arm(rule(), NONE, GO);
    await chaosOf(other).arm(rule({ target: { cgroup: '/kubepods/poduid-1/b' } }), NONE, GO).catch(() => chaosOf(other).arm(rule({ syscalls: ['bind'] }), NONE, GO));
    await until('both', () => armed(door) === 2);
    await one.close();
    await until('its end', () => armed(door) === 1);
    await until('the news', () => armed(chaosOf(other)) === 1);
    expect(door.faults.find(({ state }) => state === 'ended')?.endReason).toBe('stopped');
  });

  it('ends when it gives no sign of life', async () => {
    const raw = session.raw();
    raw.hello();
    raw.say({ kind: 'chaos', ask: { t: 'ask', id: 1, ask: { what: 'arm', rule: rule(), permits: NONE, ...GO, who: null } } });
    await until('it to be armed', () => armed(door) === 1);
    await until('its end', () => armed(door) === 0);
    expect(door.faults[0]?.endReason).toBe('watchdog');
    expect(raw.closed).toBe(false);
  });

  it('is no more than the session allows', async () => {
    const viewer = chaosOf(await session.attach());
    const system = rule({ target: { pod: 'kube-system/coredns-1' } });
    expect((await viewer.plan(system, ALL)).refusals).toMatchObject([{ rule: 'system-pod', unless: '--allow-system' }]);
    await expect(viewer.arm(system, ALL, GO)).rejects.toBeInstanceOf(ChaosError);
    await until('the audit', () => session.audit.some(({ event, action }) => event === 'refused' && action === 'arm'));
    expect(fake.audit).toEqual([]);
  });

  it('is told as ended when the session is lost', async () => {
    const viewer = await session.attach();
    const gone: string[] = [];
    chaosOf(viewer).subscribe((event) => { if (event.kind === 'gone') gone.push(event.reason); });
    await chaosOf(viewer).arm(rule(), NONE, GO);
    await session.server.close();
    await until('the news', () => gone.length > 0);
    expect(chaosOf(viewer).faults).toMatchObject([{ state: 'ended' }]);
    await expect(chaosOf(viewer).plan(rule(), NONE)).rejects.toMatchObject({ kind: 'failed', message: 'the session is not connected' });
    expect(armed(door)).toBe(0);
  });

  it('is asked about so much at once', async () => {
    const raw = session.raw();
    raw.hello();
    for (let id = 1; id <= 40; id++) raw.say({ kind: 'chaos', ask: { t: 'ask', id, ask: { what: 'plan', rule: rule(), permits: NONE } } });
    await until('all answers', () => raw.of('chaos').length === 40);
    expect(raw.of('chaos').filter(({ told }) => told.t === 'error' && told.message.includes('too much at once')).length).toBeGreaterThan(0);
    expect(raw.of('chaos').filter(({ told }) => told.t === 'answer').length).toBeGreaterThan(0);
  });
});
