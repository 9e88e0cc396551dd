import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { BpfMap, RingBuffer } from '../../src/bpf/addon.ts';
import { addon, child, closeAll, eventually, failure, forget, getuid, gone, type Ids, idsOf, noBpf, open, openAttached, selftest, survivors } from './support.ts';

afterEach(closeAll);

const openFiles = (): number => readdirSync('/proc/self/fd').length;

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

describe.skipIf(noBpf)('close (needs root and BTF)', () => {
  it('takes links, programs and maps away, twice as well as once', async () => {
    const object = await openAttached('counter');
    const ids = idsOf(object);
    expect(ids).toMatchObject({ links: [expect.any(Number)], programs: [expect.any(Number)] });
    expect(survivors(ids)).toEqual(ids);
    object.close();
    object.close();
    await gone(ids);
  });

  it('ends every call on the object, its maps and its rings', async () => {
    const counter = await openAttached('counter');
    const stream = await openAttached('stream');
    const map = counter.map('total');
    const ring = stream.ring('records');
    getuid(5);
    const columns = map.read();
    const drained = ring.drain();
    counter.close();
    stream.close();
    const key = new Uint8Array(4);
    const calls: (() => unknown)[] = [
      () => counter.load(), () => counter.attach(), () => counter.attachAsync(), () => counter.attachCgroup('on_sys_enter', '/'), () => counter.detach(),
      () => counter.programs(), () => counter.maps(), () => counter.map('total'), () => counter.ring('total'), () => counter.iterate('on_sys_enter'),
      () => counter.getGlobal('hits'), () => counter.setGlobal('hits', 0), () => counter.runStats(), () => counter.missedRuns(),
      () => map.read(), () => map.lookup(key), () => map.update(key, new Uint8Array(24)), () => map.delete(key),
      () => ring.drain(), () => ring.pending(),
    ];
    for (const call of calls) {
      expect(await failure(call), String(call)).toMatchObject({ name: 'BpfError', code: 'ERR_BPF_CLOSED', errno: 0, message: expect.stringMatching(/^(counter|stream) is closed$/) as string });
    }
    // What was read stays readable.
    expect(columns.words[0]?.[0]).toBe(5);
    expect([drained.count, new Uint8Array(drained.buffer).length]).toEqual([5, 1 << 20]);
    expect(map.name).toBe('total');
  });

  it('before load is enough', () => {
    const before = openFiles();
    for (let i = 0; i < 50; i++) open('mixed').close();
    expect(openFiles()).toBe(before);
  });

  it('during load waits for it, and load rejects', async () => {
    for (let round = 0; round < 10; round++) {
      const object = open('mixed');
      let settled = false;
      const loading = object.load().finally(() => (settled = true));
      // At all stages of the load, and also right after its end on the other thread, before the promise knows.
      const until = performance.now() + 3 * round;
      while (performance.now() < until);
      expect(settled).toBe(false);
      object.close();
      object.close();
      expect(await failure(() => object.maps())).toMatchObject({ code: 'ERR_BPF_CLOSED' });
      expect(await failure(() => loading)).toMatchObject({ code: 'ERR_BPF_CLOSED' });
    }
  });

  it('off the main thread is closed at once, and gone when it resolves', async () => {
    const object = await openAttached('many');
    const ids = idsOf(object);
    expect(ids.links).toHaveLength(20);
    const closing = object.closeAsync();
    expect(await failure(() => object.programs())).toMatchObject({ code: 'ERR_BPF_CLOSED' });
    object.close();
    expect(await object.closeAsync()).toBeUndefined();
    expect(await closing).toBeUndefined();
    expect(survivors(ids).links).toEqual([]);
    await gone(ids);
  });

  it('off the main thread during load makes load reject, too', async () => {
    const object = open('mixed');
    const loading = object.load();
    expect(await Promise.allSettled([loading, object.closeAsync()])).toMatchObject([{ status: 'rejected', reason: { code: 'ERR_BPF_CLOSED' } }, { status: 'fulfilled' }]);
  });

  it('before load is possible off the main thread', async () => {
    expect(await open('counter').closeAsync()).toBeUndefined();
  });

  it('during attachAsync waits for it', async () => {
    const object = open('counter');
    await object.load();
    const ids = idsOf(object);
    const attaching = object.attachAsync();
    object.close();
    expect(await failure(() => attaching)).toMatchObject({ code: 'ERR_BPF_CLOSED' });
    await gone(ids);
  });

  it('leaves no file descriptor and no kernel object in many rounds', async () => {
    const all: Ids[] = [];
    const round = async (): Promise<void> => {
      const object = await openAttached('stream');
      getuid(10);
      object.ring('records').drain();
      object.getGlobal('produced');
      all.push(idsOf(object));
      object.close();
      const refused = open('mixed');
      await refused.load();
      refused.attach();
      all.push(idsOf(refused));
      refused.close();
      expect(() => addon().open(selftest('nobody'))).toThrow('ENOENT');
    };
    await round();
    const before = openFiles();
    for (let i = 0; i < 40; i++) await round();
    expect(openFiles()).toBe(before);
    await gone({ links: all.flatMap((ids) => ids.links), programs: all.flatMap((ids) => ids.programs), maps: all.flatMap((ids) => ids.maps) });
  });

  it('comes with garbage collection when nobody calls it', async () => {
    const forget = async (): Promise<Ids> => {
      const object = await openAttached('counter');
      object.map('total').read();
      const ids = idsOf(object);
      return ids;
    };
    const ids = await forgotten(forget);
    expect(ids.links).toHaveLength(1);
    await eventually(() => {
      collectGarbage();
      return survivors(ids);
    }, (left) => left.links.length + left.programs.length + left.maps.length === 0);
  });

  it('does not come while a map or ring is still in use', async () => {
    const held = await forgotten(async (): Promise<{ map: BpfMap; ring: RingBuffer; ids: Ids }> => {
      const object = await openAttached('stream');
      return { map: object.map('.bss'), ring: object.ring('records'), ids: idsOf(object) };
    });
    for (let i = 0; i < 5; i++) {
      collectGarbage();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    getuid(7);
    expect(held.ring.drain().count).toBe(7);
    expect(Number(new BigUint64Array(held.map.lookup(new Uint8Array(4))?.slice().buffer ?? new ArrayBuffer(8))[0])).toBeGreaterThan(0);
    expect(survivors(held.ids)).toEqual(held.ids);
  });

  it('and loading go on when the object is forgotten meanwhile', async () => {
    const loading = await forgotten(() => Promise.resolve({ promise: open('counter').load() }));
    collectGarbage();
    expect(await loading.promise).toMatchObject([{ ok: true }]);
  });
});

/** Run in a frame of its own and drop the tests' own reference. */
async function forgotten<T>(make: () => Promise<T>): Promise<T> {
  const value = await make();
  forget();
  return value;
}

describe.skipIf(noBpf)('worker threads (needs root and BTF)', () => {
  it.each(['loading', 'attaching', 'attached', 'draining', 'closing'])('can be terminated while %s', async (mode) => {
    const before = openFiles();
    for (let round = 0; round < 4; round++) {
      const worker = new Worker(join(import.meta.dirname, 'children/worker.ts'), { workerData: { mode }, execArgv: ['--no-warnings'] });
      const ids = await new Promise<Ids>((resolve, reject) => worker.once('message', resolve).once('error', reject));
      // "closing" closes them by itself, maybe already.
      expect(mode === 'closing' || survivors(ids).links.length === ids.links.length).toBe(true);
      if (round % 2) await new Promise((resolve) => setTimeout(resolve, 5 * round));
      await worker.terminate();
      await gone(ids);
    }
    // Also of what was still being loaded, and had no id yet.
    await eventually(openFiles, (now) => now <= before);
    // This thread's objects are none the worse for it.
    const object = await openAttached('counter');
    getuid(3);
    expect(object.getGlobal('hits')).toBe(3n);
  });
});

describe.skipIf(noBpf)('the end of the process (needs root and BTF)', () => {
  it.each([
    ['exit', { code: 7 }],
    ['throw', { code: 1, stderr: expect.stringContaining('on purpose') as string }],
    ['reject', { code: 1 }],
    ['load and exit', { code: 7 }],
    ['abort', { signal: 'SIGABRT' }],
    ['SIGKILL', { signal: 'SIGKILL' }],
    ['SIGTERM', { signal: 'SIGTERM' }],
    ['SIGINT', { signal: 'SIGINT' }],
    ['SIGSEGV', { signal: 'SIGSEGV' }],
  ] as const)('by %s leaves nothing in the kernel', async (way, end) => {
    const holder = child('hold.ts', [way]);
    const ids = (await holder.next()) as unknown as Ids;
    expect(ids.links).toHaveLength(2);
    expect(survivors(ids)).toEqual(ids);
    if (way.startsWith('SIG')) holder.process.kill(way as NodeJS.Signals);
    else holder.send('now');
    expect(await holder.exited).toMatchObject(end);
    await eventually(() => survivors(ids), (left) => left.links.length + left.programs.length + left.maps.length === 0, 3000);
  });
});
