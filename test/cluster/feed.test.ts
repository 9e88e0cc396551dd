import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Feed, LATE_INTERVALS, LATE_MS, type Now } from '../../src/cluster/feed.ts';
import type { Frame } from '../../src/frame/frame.ts';
import { FakeNode } from '../ui/fixtures.ts';

const START = Date.UTC(2026, 10, 21, 2, 0, 0);
const at = (ms: number): Now => ({ mono: ms, wall: START + ms });

describe('what came of a node', () => {
  it('is connecting until its first Frame, then shown once, then again as repeated', () => {
    const feed = new Feed('n1'), node = new FakeNode();
    expect(feed.take(at(0))).toMatchObject({ frame: null, status: { name: 'n1', state: 'connecting', time: null, repeated: false } });
    feed.push(node.next(), at(1000));
    expect(feed.take(at(1100))).toMatchObject({ status: { state: 'ok', repeated: false, reason: null } });
    expect(feed.take(at(2100))).toMatchObject({ status: { state: 'ok', repeated: true } });
  });

  it('shows each of its Frames once, in their order, when two fall between the same ticks', () => {
    const feed = new Feed('n1'), node = new FakeNode(), frames = [node.next(), node.next(), node.next()] as const;
    feed.push(frames[0], at(1001));
    feed.push(frames[1], at(1999));
    expect(feed.take(at(2000)).status).toMatchObject({ time: frames[0].time, repeated: false });
    expect(feed.take(at(3000)).status).toMatchObject({ time: frames[1].time, repeated: false, skipped: 0 });
    feed.push(frames[2], at(3001));
    expect(feed.take(at(4000)).status).toMatchObject({ time: frames[2].time, repeated: false });
  });

  it('loses no event and no loss of a node that ticks faster, and counts what is not shown', () => {
    const feed = new Feed('n1'), node = new FakeNode({ intervalMs: 250 });
    let told = 0, lost = 0, events = 0, overBudget = 0;
    for (let i = 0; i < 40; i++) {
      const frame = node.next();
      events += frame.panes.opens.rows.length;
      overBudget += frame.panes.opens.loss.overBudget;
      feed.push(frame, at(i * 250));
      if (i % 4 !== 3) continue;
      const { frame: shown } = feed.take(at(i * 250 + 1));
      told += shown?.panes.opens?.rows.length ?? 0;
      lost += shown?.panes.opens?.loss.overBudget ?? 0;
    }
    const { frame: last, status } = feed.take(at(10_000));
    expect(told + (last?.panes.opens?.rows.length ?? 0)).toBe(events);
    expect(lost + (last?.panes.opens?.loss.overBudget ?? 0)).toBe(overBudget);
    expect(status.skipped).toBe(29);
  });

  it('is late after some of its own intervals: its rows go, it stays', () => {
    const feed = new Feed('n1'), late = LATE_INTERVALS * 5000 + LATE_MS;
    feed.push(new FakeNode({ intervalMs: 5000 }).next(), at(0));
    feed.take(at(1));
    expect(feed.take(at(late))).toMatchObject({ status: { state: 'ok', repeated: true } });
    expect(feed.take(at(late + 1))).toMatchObject({ frame: null, status: { state: 'late', reason: 'nothing from it for 16 s', time: null, repeated: false, info: null } });
    feed.push(new FakeNode().next(), at(late + 500));
    expect(feed.take(at(late + 600))).toMatchObject({ status: { state: 'ok', repeated: false } });
  });

  it('is not late for coming as seldom as it does, but for coming no more', () => {
    const feed = new Feed('n1'), node = new FakeNode();
    for (let i = 0; i < 4; i++) {
      feed.push(node.next(), at(i * 6000));
      feed.take(at(i * 6000 + 1));
      if (i > 0) expect(feed.take(at(i * 6000 + 5999)).status.state).toBe('ok');
    }
    expect(feed.take(at(18_000 + LATE_INTERVALS * 6000 + LATE_MS + 1)).status.state).toBe('late');
  });

  it('says that the way to it broke while its last rows still stand', () => {
    const feed = new Feed('n1');
    feed.push(new FakeNode().next(), at(0));
    feed.take(at(1));
    feed.lost('the connection was reset');
    const { frame, status } = feed.take(at(1000));
    expect(frame).not.toBeNull();
    expect(status).toMatchObject({ state: 'lost', reason: 'the connection was reset', repeated: true });
    expect(feed.take(at(60_000))).toMatchObject({ frame: null, status: { state: 'lost', reason: 'the connection was reset' } });
  });

  it('refuses another schema and what is no Frame, and shows nothing of it', () => {
    const node = new FakeNode(), other = { ...node.next(), schema: 'kbtop.frame/2' } as unknown as Frame;
    const feed = new Feed('n1');
    feed.push(node.next(), at(0));
    feed.push(other, at(1));
    expect(feed.take(at(2))).toMatchObject({ frame: null, status: { state: 'refused', reason: expect.stringMatching(/kbtop\.frame\/2.*same version/) } });
    for (const broken of [{ ...node.next(), panes: null }, { ...node.next(), containers: undefined }, { ...node.next(), time: 'soon' }, { ...node.next(), panes: { ...node.next().panes, tcp: { rows: [] } } }]) {
      const one = new Feed('n1');
      one.push(broken as unknown as Frame, at(0));
      expect(one.take(at(1)).status.state, JSON.stringify(broken).slice(0, 80)).toBe('refused');
    }
  });

  it('tells how far its clock is off, by its quickest Frame', () => {
    const feed = new Feed('n1'), node = new FakeNode();
    for (const [i, way] of [30, 12, 900, 45].entries()) {
      const frame = node.next();
      // It is a minute ahead, and its Frames take their time.
      feed.push({ ...frame, time: new Date(Date.parse(frame.time) + 60_000).toISOString() }, { mono: i * 1000, wall: Date.parse(frame.time) + way });
    }
    expect(feed.take(at(5000)).status.skewMs).toBe(60_000 - 12);
  });

  it('holds two Frames at most, whatever comes when', () => {
    fc.assert(fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (steps) => {
      const feed = new Feed('n1'), node = new FakeNode({ containers: 2, events: 1 });
      let pushed = 0, shown = 0;
      for (const [i, push] of steps.entries()) {
        if (push) {
          feed.push(node.next(), at(i));
          pushed += 1;
        } else {
          const { status, frame } = feed.take(at(i));
          if (frame !== null && !status.repeated) shown += 1;
        }
      }
      // What is still held can be had in two more ticks.
      for (let i = 0; i < 2; i++) if (feed.take(at(100)).status.repeated === false && pushed > 0) shown += 1;
      const last = feed.take(at(100)).status;
      expect(last.repeated).toBe(pushed > 0);
      expect(shown + last.skipped).toBe(pushed);
    }), { numRuns: 200 });
  });
});
