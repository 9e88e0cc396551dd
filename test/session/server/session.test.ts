/** A session and its viewers on real sockets, the source ticking when it is told to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { unpackFrame, unpackLearned } from '../../../src/session/protocol/frames.ts';
import { MAX_VIEWERS_OF_ONE, PROTOCOL } from '../../../src/session/protocol/limits.ts';
import { writeToServer } from '../../../src/session/protocol/messages.ts';
import { until } from '../../workloads/cgroup.ts';
import { FakeNode } from '../../ui/fixtures.ts';
import { ALICE, ROOT, TestSession } from '../fixture.ts';

const seqOf = (packed: Buffer): number | undefined => unpackFrame(packed)?.seq;

describe('Frames', () => {
  it('reach everybody, the latest first for who comes late', async () => {
    await using session = await TestSession.open();
    session.source.tick();
    const first = session.source.tick();
    const early = await session.attach();
    const seen: number[] = [];
    early.subscribe(({ seq }) => seen.push(seq));
    await until('the latest', () => seen.length === 1);
    expect(seen).toEqual([first.seq]);
    session.source.tick();
    await until('the next', () => seen.length === 2);
    const late: unknown[] = [];
    early.subscribe((frame) => late.push(frame));
    await until('it again', () => late.length === 1);
    expect(early.welcome).toMatchObject({ version: '1.2.3', node: 'worker-1', intervalMs: 1000, control: true, chaos: false });
  });

  it('are one under way and the latest waiting; those between are counted, and what they told of names comes after', async () => {
    await using session = await TestSession.open();
    const [slow, quick] = [session.raw(), await session.attach()];
    slow.hello();
    const seen: number[] = [];
    quick.subscribe(({ seq }) => seen.push(seq));
    await until('both', () => session.server.counts.viewers === 2);
    const [key = '', info] = Object.entries(session.source.tick().containers)[0] ?? [];
    if (info === undefined) throw new Error('no container');
    await until('the first', () => slow.of('frame').length === 1 && seen.length === 1);
    for (let i = 2; i <= 10; i++) {
      session.source.tick({ learned: i === 5 ? { [key]: { ...info, pod: 'old' } } : i === 7 ? { [key]: { ...info, pod: 'named late' } } : {} });
      await until('it at the quick one', () => seen.at(-1) === i);
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    await until('the counts', () => quick.company.viewers.some(({ skipped }) => skipped === 8));
    expect(quick.company.viewers.map(({ skipped }) => skipped).sort()).toEqual([0, 8]);
    expect(slow.of('frame').map(({ packed }) => seqOf(packed))).toEqual([1]);
    slow.say({ kind: 'took' });
    await until('the latest', () => slow.of('frame').length === 2);
    expect(slow.of('frame').map(({ packed }) => seqOf(packed))).toEqual([1, 10]);
    expect(slow.of('learned').map(({ packed }) => unpackLearned(packed)?.[key]?.pod)).toEqual(['named late']);
    expect(session.server.counts.skipped).toBe(8);
  });

  it('are packed once for all', async () => {
    await using session = await TestSession.open();
    const viewers = Array.from({ length: 5 }, () => session.raw());
    for (const viewer of viewers) viewer.hello();
    await until('all', () => session.server.counts.viewers === 5);
    let packed = 0;
    const plain = new FakeNode().next().node;
    // JSON.stringify asks for it.
    session.source.tick({ node: Object.defineProperty({ ...plain }, 'toJSON', { value: () => { packed++; return plain; } }) });
    await until('it everywhere', () => viewers.every((viewer) => viewer.of('frame').length === 1));
    expect(packed).toBe(1);
  });

  it('that were not sent cannot be taken', async () => {
    await using session = await TestSession.open();
    const raw = session.raw();
    raw.hello();
    raw.say({ kind: 'took' });
    await until('its end', () => raw.closed);
    expect(raw.bye).toEqual({ kind: 'bye', reason: 'malformed', message: 'it took a Frame that it was not sent' });
  });

  it('that are not taken for too long end the viewer, and nobody else', async () => {
    await using session = await TestSession.open({ patience: { silenceMs: 2500 } });
    const [stuck, good] = [session.raw(), await session.attach()];
    stuck.hello();
    await until('both', () => session.server.counts.viewers === 2);
    const beat = setInterval(() => stuck.say({ kind: 'beat' }), 100);
    session.source.tick();
    await until('its end', () => stuck.closed);
    clearInterval(beat);
    expect(stuck.bye).toMatchObject({ reason: 'slow', message: 'it took no Frame for 2.5 s' });
    expect(session.server.counts).toMatchObject({ viewers: 1, slow: 1 });
    expect(good.trouble).toBe(null);
  });
});

describe('what is no viewer', () => {
  it.each([
    ['garbage', Buffer.from('hello?'), 'what it sends is no message of kbtop'],
    ['a gigabyte announced', Buffer.from([0x6b, 0x62, 1, 1, 0x40, 0, 0, 0]), 'it sent a message of 1073741824 bytes where 1024 are allowed'],
    ['no sign-on', writeToServer({ kind: 'beat' }), 'it did not sign on first'],
    ['a sign-on that is none', Buffer.concat([Buffer.from([0x6b, 0x62, 1, 1, 0, 0, 0, 2]), Buffer.from('{}')]), 'it sent a message that is not understood'],
  ])('is refused, logged and counted: %s', async (_what, bytes, message) => {
    await using session = await TestSession.open();
    const raw = session.raw();
    raw.socket.write(bytes);
    await until('its end', () => raw.closed);
    expect(raw.bye).toEqual({ kind: 'bye', reason: 'malformed', message });
    expect(session.log).toEqual([`refused uid 0 (pid 1): ${message}`]);
    expect(session.audit).toMatchObject([{ event: 'refused', action: 'attach', detail: message, who: { uid: 0, pid: 1, sudoUser: null }, times: 1 }]);
    expect(session.server.counts).toMatchObject({ viewers: 0, refused: 1, malformed: 1 });
  });

  it('may sign on once', async () => {
    await using session = await TestSession.open();
    const raw = session.raw();
    raw.hello();
    raw.hello();
    await until('its end', () => raw.bye);
    expect(raw.bye?.message).toBe('it signed on twice');
  });

  it('speaks another protocol: is told what to do', async () => {
    await using session = await TestSession.open();
    const raw = session.raw();
    raw.say({ kind: 'hello', protocol: PROTOCOL + 1, version: '9.9.9', terminal: null });
    await until('its end', () => raw.closed);
    expect(raw.bye).toEqual({ kind: 'bye', reason: 'version', message: 'this session is of kbtop 1.2.3, the viewer is kbtop 9.9.9: use the same on both sides' });
  });

  it('says nothing, or half a message, or a byte now and then', async () => {
    await using session = await TestSession.open({ patience: { messageMs: 700 } });
    const [silent, half, loris] = [session.raw(), session.raw(), session.raw()];
    half.hello();
    half.socket.write(writeToServer({ kind: 'interval', ms: 500 }).subarray(0, 12));
    loris.hello();
    const bytes = writeToServer({ kind: 'share', view: { text: 'x'.repeat(200) } });
    let at = 0;
    // Whole messages between do not make an old one new: each ends and the next begins in one go.
    const drip = setInterval(() => loris.socket.write(bytes.subarray(at, ++at)), 100);
    await until('their ends', () => silent.closed && half.closed && loris.closed);
    clearInterval(drip);
    expect([silent, half, loris].map(({ bye }) => bye?.message)).toEqual(['it did not sign on', 'it did not end a message in 0.7 s', 'it did not end a message in 0.7 s']);
  });

  it('sends more messages than a screen does', async () => {
    await using session = await TestSession.open();
    const raw = session.raw();
    raw.hello();
    raw.socket.write(Buffer.concat(Array.from({ length: 1000 }, () => writeToServer({ kind: 'beat' }))));
    await until('its end', () => raw.bye);
    expect(raw.bye).toMatchObject({ reason: 'malformed', message: 'it sends too many messages' });
  });

  it('comes in numbers: some are let in, the rest told together', async () => {
    await using session = await TestSession.open();
    const many = Array.from({ length: 150 }, () => session.raw());
    for (const raw of many) raw.hello();
    await until('most to end', () => many.filter(({ closed }) => closed).length >= 150 - MAX_VIEWERS_OF_ONE);
    expect(session.server.counts.viewers).toBe(MAX_VIEWERS_OF_ONE);
    expect(many.flatMap(({ bye }) => bye?.reason ?? [])).toContain('full');
    expect(session.log.filter((line) => line.startsWith('refused')).length).toBeLessThanOrEqual(2);
    // Another user still has room.
    session.peer = ALICE;
    const alice = await session.attach();
    expect(alice.welcome.viewer).toBeGreaterThan(0);
  });

  it('is not of those who may look, and told so', async () => {
    await using session = await TestSession.open({ mode: 0o600, peer: ALICE });
    await expect(session.attach()).rejects.toMatchObject({ name: 'SessionError', kind: 'refused', message: 'uid 12345 may not look at this session: ask whoever runs kbtop serve for --group or --mode' });
    expect(session.audit).toMatchObject([{ event: 'refused', action: 'attach', who: { uid: 12_345 }, gid: 12_345 }]);
  });
});

describe('control', () => {
  it('changes interval and levels, in the audit first', async () => {
    const order: string[] = [];
    let session: TestSession | null = null;
    session = await TestSession.open({ audit: async (record) => {
      await sleep(20);
      if (record.event === 'asked') order.push(`audit ${record.action}`, `told ${session?.source.told.length}`);
    } });
    await using _ = session;
    const viewer = await session.attach();
    viewer.setInterval(500);
    viewer.setLevel('syscalls', 'off');
    await until('both', () => session?.source.told.length === 2);
    expect(session.source.told).toEqual([['interval', 500], ['level', 'syscalls', 'off']]);
    expect(order.slice(0, 2)).toEqual(['audit interval 500 ms', 'told 0']);
    await until('it to be told', () => viewer.intervalMs === 500);
    const other = await session.attach();
    expect(other.intervalMs).toBe(500);
  });

  it('is nobody\'s when the audit cannot be kept', async () => {
    await using session = await TestSession.open({ audit: () => Promise.reject(new Error('cannot keep the audit: the disk is full')) });
    const viewer = await session.attach();
    viewer.setInterval(500);
    await until('the refusal', () => session.log.some((line) => line.includes('refused uid 0')));
    expect(session.log.filter((line) => line.includes('the disk is full')).length).toBeGreaterThan(0);
    expect(session.source.told).toEqual([]);
  });

  it('is within limits', async () => {
    await using session = await TestSession.open();
    const raw = session.raw();
    raw.hello();
    raw.say({ kind: 'interval', ms: 1 });
    await until('the refusal', () => session.audit.some(({ event }) => event === 'refused'));
    expect(session.source.told).toEqual([]);
  });

  it('is refused to who may only look', async () => {
    await using session = await TestSession.open({ peer: ALICE });
    const viewer = await session.attach();
    expect(viewer.can).toEqual({ setInterval: false, setLevel: false });
    const raw = session.raw();
    raw.hello();
    raw.say({ kind: 'interval', ms: 500 });
    await until('the refusal', () => session.audit.some(({ event }) => event === 'refused'));
    expect(session.audit.find(({ event }) => event === 'refused')).toMatchObject({ action: 'interval 500 ms', who: { uid: 12_345 } });
    expect(session.source.told).toEqual([]);
    expect(raw.closed).toBe(false);
  });
});

describe('the end of a session', () => {
  it('is told, and everything is let go', async () => {
    await using session = await TestSession.open();
    const viewer = await session.attach();
    session.peer = ROOT;
    await session.server.close();
    await until('the news', () => viewer.trouble !== null);
    expect(viewer.trouble).toContain('the session ended: kbtop serve was stopped');
    expect(session.audit.map(({ event }) => event)).toEqual(['attached', 'detached']);
    expect(session.server.counts.viewers).toBe(0);
  });
});
