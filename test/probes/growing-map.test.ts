import { describe, expect, it } from 'vitest';
import type { BpfMap } from '../../src/bpf/addon.ts';
import { GrowingMap } from '../../src/probes/growing-map.ts';

/** A map with u64 keys and two-word values, as the addon would show it. */
function fakeMap(entries: Map<bigint, [number, number]>): BpfMap {
  return {
    name: 'fake', type: 1, keySize: 8, valueSize: 16, maxEntries: 100, id: 1,
    read() {
      const all = [...entries];
      return {
        count: all.length,
        keys: new Uint8Array(BigUint64Array.from(all.map(([key]) => key)).buffer),
        words: [Float64Array.from(all.map(([, value]) => value[0])), Float64Array.from(all.map(([, value]) => value[1]))],
      };
    },
    lookup: () => null,
    update: () => {},
    delete: (key) => entries.delete(new BigUint64Array(Uint8Array.from(key).buffer)[0] ?? 0n),
  };
}

/** Deltas and values of every entry that changed, in the order of the rows. */
function grown(map: GrowingMap<string>): unknown[] {
  const all = new Map<string, [string, number[], number[]]>();
  map.read((info, word, delta, value) => {
    const one = all.get(info) ?? [info, [0, 0], [0, 0]];
    one[1][word] = delta;
    one[2][word] = value;
    all.set(info, one);
  });
  return [...all.values()];
}

describe('GrowingMap', () => {
  it('gives differences, the first against zero, and nothing for what stands still', () => {
    const entries = new Map<bigint, [number, number]>([[1n, [10, 1]], [2n ** 60n, [5, 0]]]);
    const map = new GrowingMap(fakeMap(entries), (reader, at) => reader.id(at));
    expect(grown(map)).toEqual([['1', [10, 1], [10, 1]], [String(2n ** 60n), [5, 0], [5, 0]]]);
    entries.set(1n, [12, 4]);
    entries.set(7n, [1, 1]);
    expect(grown(map)).toEqual([['1', [2, 3], [12, 4]], ['7', [1, 1], [1, 1]]]);
    expect(grown(map)).toEqual([]);
    expect(map.size).toBe(3);
  });

  it('follows entries wherever the map puts them', () => {
    const entries = new Map<bigint, [number, number]>([[1n, [1, 0]], [2n, [1, 0]]]);
    const map = new GrowingMap(fakeMap(entries), (reader, at) => reader.id(at));
    grown(map);
    entries.delete(1n);
    entries.set(2n, [3, 0]);
    entries.set(1n, [9, 0]);
    expect(grown(map)).toEqual([['2', [2, 0], [3, 0]], ['1', [8, 0], [9, 0]]]);
  });

  it('decodes a key once', () => {
    const entries = new Map<bigint, [number, number]>([[1n, [1, 0]]]);
    let decoded = 0;
    const map = new GrowingMap(fakeMap(entries), () => `entry ${++decoded}`);
    for (let n = 1; n < 5; n++) {
      entries.set(1n, [n, 0]);
      expect(grown(map)).toEqual([['entry 1', [1, 0], [n, 0]]]);
    }
  });

  it('lets only idle entries go, and only those that are over; one that comes back starts at zero', () => {
    const entries = new Map<bigint, [number, number]>([[1n, [10, 0]], [2n, [10, 0]], [3n, [10, 0]]]);
    const map = new GrowingMap(fakeMap(entries), (reader, at) => reader.id(at));
    for (let n = 0; n < 4; n++) {
      entries.set(3n, [11 + n, 0]);
      grown(map);
    }
    expect(map.expire(3, (info) => info !== '2')).toBe(1);
    expect([...entries.keys()]).toEqual([2n, 3n]);
    entries.set(1n, [4, 0]);
    expect(grown(map)).toEqual([['1', [4, 0], [4, 0]]]);
  });
});
