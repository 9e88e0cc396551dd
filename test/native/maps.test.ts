import { afterEach, describe, expect, it } from 'vitest';
import { addon, affinity, closeAll, failure, getuid, GETUID, noBpf, openAttached, openLoaded, pin } from './support.ts';

afterEach(closeAll);

const u32 = (n: number): Uint8Array => new Uint8Array(new Uint32Array([n]).buffer);
const u64s = (...n: readonly (number | bigint)[]): Uint8Array => new Uint8Array(new BigUint64Array(n.map(BigInt)).buffer);
const numbers = (bytes: Uint8Array | null): number[] => [...new BigUint64Array((bytes ?? new Uint8Array()).slice().buffer)].map(Number);

describe.skipIf(noBpf)('maps (needs root and BTF)', () => {
  it('have their facts', async () => {
    const object = await openLoaded('counter');
    expect(object.map('by_nr')).toMatchObject({ name: 'by_nr', type: 5, keySize: 4, valueSize: 24, maxEntries: 1024, id: expect.any(Number) as number });
    expect(object.map('by_nr')).toBe(object.map('by_nr'));
  });

  it('count exactly, in every kind of map', async () => {
    const object = await openAttached('counter');
    getuid(12_345);
    object.detach();
    for (const name of ['by_nr', 'by_tid', 'total']) {
      const { count, keys, words } = object.map(name).read(['sum', 'max', 'max']);
      expect({ name, count, words: words.map((word) => Array.from(word)) }).toEqual({ name, count: 1, words: [[12_345], [GETUID], [1]] });
      expect(keys.byteLength).toBe(object.map(name).keySize);
    }
    expect([...object.map('by_nr').read().keys]).toEqual([...u32(GETUID)]);
    expect(object.getGlobal('hits')).toBe(12_345n);
  });

  it.skipIf(noBpf || addon().possibleCpus() < 2 || affinity() === '0')('fold what each CPU counted', async () => {
    const object = await openAttached('counter');
    const before = affinity();
    try {
      pin('0');
      getuid(7000);
      pin('1');
      getuid(5000);
    } finally {
      pin(before);
    }
    object.detach();
    const perCpu = numbers(object.map('total').lookup(u32(0)));
    expect(perCpu.slice(0, 6)).toEqual([7000, GETUID, 1, 5000, GETUID, 1]);
    expect(object.map('total').read(['sum', 'sum', 'sum']).words.map((word) => word[0])).toEqual([12_000, 2 * GETUID, 2]);
    expect(object.map('total').read(['max', 'max', 'max']).words.map((word) => word[0])).toEqual([7000, GETUID, 1]);
    expect(object.map('by_nr').read(['max']).words.map((word) => word[0])).toEqual([7000, 2 * GETUID, 2]);
  });

  it('read every entry of large maps, whatever the CPUs hold', async () => {
    const entries = 20_000;
    const object = await openLoaded('counter', { maxEntries: { by_nr: entries } });
    const map = object.map('by_nr');
    const cpus = addon().possibleCpus();
    for (let key = 0; key < entries; key++) {
      const value = new BigUint64Array(3 * cpus);
      for (let cpu = 0; cpu < cpus; cpu++) value.set([BigInt(key + cpu), BigInt(key * (cpu + 1)), 1n], 3 * cpu);
      map.update(u32(key), new Uint8Array(value.buffer));
    }
    const { count, keys, words } = map.read(['sum', 'max', 'sum']);
    expect(count).toBe(entries);
    const keyOf = new Uint32Array(keys.buffer, keys.byteOffset, count);
    expect(new Set(keyOf).size).toBe(entries);
    const wrong: number[] = [];
    const cpuSum = (cpus * (cpus - 1)) / 2;
    for (let i = 0; i < count; i++) {
      const key = keyOf[i] ?? -1;
      if (words[0]?.[i] !== key * cpus + cpuSum || words[1]?.[i] !== key * cpus || words[2]?.[i] !== cpus) wrong.push(key);
    }
    expect(wrong).toEqual([]);
    // Deleting shrinks the next reading, and its views.
    for (let key = 0; key < entries; key += 2) map.delete(u32(key));
    const half = map.read();
    expect(half.count).toBe(entries / 2);
    expect(half.words[0]?.length).toBe(entries / 2);
    expect(half.keys.byteLength).toBe(entries * 2);
  });

  it('keep 53 bits and fold 64', async () => {
    const object = await openLoaded('counter');
    const map = object.map('by_tid');
    map.update(u64s(1), u64s(2 ** 53 - 1, 2n ** 64n - 1n, 0));
    expect(map.read().words.map((word) => word[0])).toEqual([2 ** 53 - 1, 2 ** 64, 0]);
  });

  it('read an empty map as nothing, and an array as all its entries', async () => {
    const object = await openLoaded('counter');
    expect(object.map('by_nr').read()).toMatchObject({ count: 0, keys: new Uint8Array(0) });
    object.map('plain').update(u32(2), u64s(99));
    const { count, words } = object.map('plain').read();
    expect([count, [...(words[0] ?? [])]]).toEqual([4, [0, 0, 99, 0]]);
  });

  it('reuse their memory, and give up what was transferred away', async () => {
    const object = await openLoaded('counter');
    const map = object.map('plain');
    const first = map.read();
    map.update(u32(0), u64s(5));
    expect(map.read().words[0]?.buffer).toBe(first.words[0]?.buffer);
    expect(first.words[0]?.[0]).toBe(5);
    structuredClone(first.words[0]?.buffer, { transfer: [first.words[0]?.buffer as ArrayBuffer] });
    expect([...(map.read().words[0] ?? [])]).toEqual([5, 0, 0, 0]);
    structuredClone(map.read().keys.buffer, { transfer: [map.read().keys.buffer as ArrayBuffer] });
    expect(map.read().count).toBe(4);
    expect(map.read().keys.byteLength).toBe(16);
  });

  it('look up, update and delete single entries', async () => {
    const object = await openLoaded('counter');
    const map = object.map('by_tid');
    expect(map.lookup(u64s(5))).toBeNull();
    map.update(u64s(5), u64s(1, 2, 3));
    expect(numbers(map.lookup(u64s(5)))).toEqual([1, 2, 3]);
    expect(await failure(() => map.update(u64s(5), u64s(0, 0, 0), 1))).toMatchObject({ code: 'EEXIST' });
    expect(await failure(() => map.update(u64s(6), u64s(0, 0, 0), 2))).toMatchObject({ code: 'ENOENT' });
    expect(map.delete(u64s(5))).toBe(true);
    expect(map.delete(u64s(5))).toBe(false);
  });

  it('write one value to every CPU', async () => {
    const object = await openLoaded('counter');
    object.map('total').update(u32(0), u64s(4, 5, 6));
    const cpus = addon().possibleCpus();
    expect(numbers(object.map('total').lookup(u32(0)))).toEqual(Array.from({ length: cpus }, () => [4, 5, 6]).flat());
    expect(object.map('total').read(['sum', 'max', 'sum']).words.map((word) => word[0])).toEqual([4 * cpus, 5, 6 * cpus]);
  });

  it('say when they are full', async () => {
    const object = await openLoaded('counter', { maxEntries: { narrow: 2 } });
    const map = object.map('narrow');
    map.update(u32(1), u32(1));
    map.update(u32(2), u32(2));
    expect(await failure(() => map.update(u32(3), u32(3)))).toMatchObject({ code: 'E2BIG', errno: 7 });
  });

  it('refuse wrong sizes and kinds', async () => {
    const object = await openLoaded('counter');
    const map = object.map('by_nr');
    const stream = await openLoaded('stream');
    for (const call of [
      () => map.lookup(new Uint8Array(3)),
      () => map.lookup('102' as never),
      () => map.update(u32(1), new Uint8Array(23)),
      () => map.update(u32(1), new Uint8Array(24), -1),
      () => map.update(u32(1), new Uint8Array(24), 'x' as never),
      () => map.delete(new Uint8Array(8)),
      () => map.read(['sum', 'sum', 'sum', 'sum']),
      () => map.read(['median' as never]),
      () => object.map('narrow').read(),
      () => stream.map('records').read(),
    ]) {
      expect(await failure(call), String(call)).toMatchObject({ code: 'ERR_BPF_ARGUMENT', errno: 0 });
    }
    expect(await failure(() => object.map('narrow').read())).toMatchObject({ message: 'map narrow has values of 4 bytes: read() needs a multiple of 8, use lookup()' });
  });

  it('read .bss as one value', async () => {
    const object = await openLoaded('counter', { globals: { hits: 42 } });
    expect(numbers(object.map('.bss').lookup(u32(0)))[0]).toBe(42);
  });
});
