import { describe, expect, it } from 'vitest';
import { NO_LOSS, type SyscallRow } from '../../src/frame/frame.ts';
import { type ChaosFeed, InjectedCounter } from '../../src/probes/chaos-feed.ts';
import type { ProbeTick } from '../../src/probes/probe.ts';

const row = (container: string, nr: number, count: number): SyscallRow => ({ container, abi: 'x86_64', nr, syscall: `call${nr}`, count, ratePerSec: count, errors: {}, injected: 0, latency: null });
const tick = (...rows: SyscallRow[]): ProbeTick<'syscalls'> => ({ state: { status: 'ok', reason: null, level: null }, loss: NO_LOSS, rows });
const marks = (of: ProbeTick<'syscalls'>): unknown => of.rows.map(({ container, nr, injected }) => [container, nr, injected]);

describe('injected errors in the syscalls pane', () => {
  it('are those since the last Frame, on the row of their call and container', () => {
    const feed = { statuses: () => [], injected: [] as ChaosFeed['injected'] };
    const counter = new InjectedCounter(feed);
    const before = tick(row('1', 42, 10));
    expect(counter.mark(before)).toBe(before);
    feed.injected = [['1', 'x86_64', 42, 3], ['2', 'x86_64', 42, 1]];
    expect(marks(counter.mark(tick(row('1', 42, 10), row('1', 0, 5), row('2', 42, 9), row('3', 42, 9))))).toEqual([['1', 42, 3], ['1', 0, 0], ['2', 42, 1], ['3', 42, 0]]);
    feed.injected = [['1', 'x86_64', 42, 5], ['2', 'x86_64', 42, 1]];
    expect(marks(counter.mark(tick(row('1', 42, 10), row('2', 42, 9))))).toEqual([['1', 42, 2], ['2', 42, 0]]);
  });

  it('are never more than the calls, and none is lost', () => {
    const feed = { statuses: () => [], injected: [['1', 'x86_64', 42, 5]] as ChaosFeed['injected'] };
    const counter = new InjectedCounter(feed);
    expect(marks(counter.mark(tick()))).toEqual([]);
    expect(marks(counter.mark(tick(row('1', 42, 3))))).toEqual([['1', 42, 3]]);
    expect(marks(counter.mark(tick(row('1', 42, 8))))).toEqual([['1', 42, 2]]);
    expect(marks(counter.mark(tick(row('1', 42, 8))))).toEqual([['1', 42, 0]]);
  });
});
