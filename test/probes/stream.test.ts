import { describe, expect, it } from 'vitest';
import type { BpfObject } from '../../src/bpf/addon.ts';
import { KernelClock, RowStream, STREAM_DEFAULTS, totalsByContainer } from '../../src/probes/stream.ts';

describe('the kernel clock', () => {
  it('dates kernel timestamps to the microsecond', () => {
    const clock = new KernelClock(() => Date.parse('2026-11-21T02:00:00Z'));
    expect(clock.iso(0)).toBe('2026-11-21T02:00:00.000000Z');
    expect(clock.iso(1_234_567)).toBe('2026-11-21T02:00:00.001234Z');
    expect(clock.iso(59_999_999_999)).toBe('2026-11-21T02:00:59.999999Z');
    expect(clock.iso(86_400e9)).toBe('2026-11-22T02:00:00.000000Z');
    expect(clock.iso(5_000)).toBe('2026-11-21T02:00:00.000005Z');
  });

  it('follows the wall clock', () => {
    let offset = 0;
    const clock = new KernelClock(() => offset);
    expect(clock.iso(1e9)).toBe('1970-01-01T00:00:01.000000Z');
    offset = 3_600_000;
    expect(clock.iso(1e9)).toBe('1970-01-01T01:00:01.000000Z');
  });
});

describe('totals by container', () => {
  const name = (error: number): string => `E${error}`;
  const deltas = [
    { cgroup: '1', error: 0, kind: 0, count: 5 }, { cgroup: '1', error: 2, kind: 0, count: 3 }, { cgroup: '2', error: 0, kind: 1, count: 7 },
    { cgroup: '1', error: 2, kind: 1, count: 1 }, { cgroup: '2', error: 104, kind: 2, count: 4 },
  ];

  it('add up what succeeded and what failed', () => {
    expect(totalsByContainer(deltas, name)).toEqual([
      { container: '1', count: 9, errors: { E2: 4 } }, { container: '2', count: 11, errors: { E104: 4 } },
    ]);
  });

  it('know errors that are no events of their own', () => {
    expect(totalsByContainer(deltas, name, (delta) => delta.kind !== 2)[1]).toEqual({ container: '2', count: 7, errors: { E104: 4 } });
  });
});

describe('the row stream', () => {
  /** An object whose ring gives these drains, each a list of records of one word. */
  function objectOf(drains: number[][]): BpfObject {
    const buffer = new ArrayBuffer(4096);
    const ring = {
      name: 'rows', size: 4096, pending: () => 0,
      drain() {
        const values = drains.shift() ?? [];
        new BigUint64Array(buffer).fill(0xdeadn);
        values.forEach((value, i) => new DataView(buffer).setUint32(i * 8, value, true));
        return { count: values.length, buffer, offsets: Uint32Array.from(values, (_, i) => i * 8), lengths: Uint32Array.from(values, () => 4), more: drains.length > 0 };
      },
    };
    const map = { name: 'loss', keySize: 16, valueSize: 32, maxEntries: 1, read: () => ({ count: 0, keys: new Uint8Array(0), words: [] }) };
    let missed = 3;
    return { ring: () => ring, map: () => map, missedRuns: (programs: string[]) => (missed += programs.length) } as unknown as BpfObject;
  }
  const taken = (stream: RowStream): number[] => {
    const values: number[] = [];
    stream.take((reader, at) => values.push(reader.u32(at)));
    return values;
  };

  it('keeps records although the ring reuses its buffer', () => {
    const stream = new RowStream(objectOf([[1, 2], [3], [4, 5, 6]]), STREAM_DEFAULTS);
    expect(taken(stream)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(taken(stream)).toEqual([]);
  });

  it('counts the rows it has no room for, but not records that only amend one', () => {
    const stream = new RowStream(objectOf([[1, 2, 3], [4, 100, 5], [6]]), { ...STREAM_DEFAULTS, maxRows: 2 }, [], (reader, at) => reader.u32(at) < 100);
    expect(taken(stream)).toEqual([1, 2]);
    expect(stream.losses(2)).toMatchObject({ seen: 6, kept: 2, overBudget: 4 });
    expect(stream.losses(0)).toMatchObject({ seen: 0, kept: 0, overBudget: 0 });
  });

  it('takes runs that the kernel skipped for lost events', () => {
    const stream = new RowStream(objectOf([[1]]), STREAM_DEFAULTS, ['exit_one', 'exit_two']);
    expect(taken(stream)).toEqual([1]);
    expect(stream.losses(1)).toMatchObject({ seen: 3, kept: 1, lostMap: 2 });
    expect(stream.losses(0)).toMatchObject({ seen: 2, kept: 0, lostMap: 2 });
  });
});
