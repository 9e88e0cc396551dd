import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { addon, closeAll, failure, getuid, gone, idsOf, noBpf, openAttached, openLoaded, survivors } from './support.ts';

afterEach(closeAll);

const unified = readFileSync('/proc/self/mounts', 'utf8').split('\n').find((line) => line.split(' ')[2] === 'cgroup2')?.split(' ')[1];

describe.skipIf(noBpf)('attach and detach (needs root and BTF)', () => {
  it('counts between attach and detach, and neither before nor after', async () => {
    const object = await openLoaded('counter');
    getuid(100);
    expect(object.getGlobal('hits')).toBe(0n);
    expect(object.attach(['on_sys_enter'])).toEqual([{ program: 'on_sys_enter', ok: true, code: null, reason: null, log: '' }]);
    getuid(250);
    object.detach();
    getuid(100);
    expect(object.getGlobal('hits')).toBe(250n);
    object.attach();
    getuid(50);
    expect(object.getGlobal('hits')).toBe(300n);
  });

  it('attaching twice counts once; detaching what is not attached does nothing', async () => {
    const object = await openAttached('counter');
    object.attach();
    const ids = idsOf(object);
    expect(ids.links).toHaveLength(1);
    getuid(10);
    expect(object.getGlobal('hits')).toBe(10n);
    object.detach(['on_sys_enter']);
    object.detach(['on_sys_enter']);
    expect(object.programs()[0]).toMatchObject({ attached: false, linkId: 0, loaded: true });
    await gone({ ...ids, programs: [], maps: [] });
    expect(survivors(ids).programs).toEqual(ids.programs);
  });

  it('attaches off the main thread with the same result', async () => {
    const object = await openLoaded('counter');
    const attaching = object.attachAsync();
    expect(await failure(() => object.detach())).toMatchObject({ code: 'ERR_BPF_STATE' });
    expect(await attaching).toMatchObject([{ program: 'on_sys_enter', ok: true }]);
    getuid(77);
    expect(object.getGlobal('hits')).toBe(77n);
  });

  it('leaves maps, rings and globals to be used while it attaches or detaches', async () => {
    const object = await openLoaded('stream');
    const use = (): void => {
      object.ring('records').drain();
      object.map('records');
      object.setGlobal('produced', (object.getGlobal('produced') as bigint) + 1n);
      object.runStats();
    };
    const attaching = object.attachAsync();
    use();
    await attaching;
    const detaching = object.detachAsync();
    use();
    await detaching;
  });

  it('detaches off the main thread', async () => {
    const object = await openAttached('counter');
    getuid(5);
    const ids = idsOf(object);
    const detaching = object.detachAsync(['on_sys_enter']);
    expect(await failure(() => object.attach())).toMatchObject({ code: 'ERR_BPF_STATE' });
    expect(await detaching).toBeUndefined();
    getuid(5);
    expect(object.getGlobal('hits')).toBe(5n);
    expect(object.programs()[0]).toMatchObject({ attached: false, loaded: true });
    await gone({ ...ids, programs: [], maps: [] });
    expect(await object.detachAsync()).toBeUndefined();
    expect(await failure(() => object.detachAsync(['nobody']))).toMatchObject({ code: 'ERR_BPF_ARGUMENT' });
    object.attach();
    getuid(5);
    expect(object.getGlobal('hits')).toBe(10n);
  });

  it('leaves several programs at once, and only those asked for', async () => {
    const object = await openAttached('many');
    expect(object.programs().filter((program) => program.attached)).toHaveLength(20);
    object.detach(['p00', 'p07', 'p19']);
    expect(object.programs().filter((program) => !program.attached).map((program) => program.name).sort()).toEqual(['p00', 'p07', 'p19']);
    const ids = idsOf(object);
    object.detach();
    expect(object.programs().some((program) => program.attached)).toBe(false);
    await gone({ ...ids, programs: [], maps: [] });
  });

  it('reports each program by itself', async () => {
    const object = await openLoaded('mixed');
    const results = object.attach();
    const by = Object.fromEntries(results.map((result) => [result.program, result]));
    expect(by['works']).toMatchObject({ ok: true });
    expect(by['works_raw']).toMatchObject({ ok: true });
    expect(by['on_no_event']).toMatchObject({ ok: false, code: 'ENOENT' });
    expect(by['on_no_event']?.reason).toMatch(/no tracepoint sched\/kbtop_no_such_event|tracefs/);
    expect(by['on_no_event']?.log).toContain('kbtop_no_such_event');
    // Its section names no place, so the default leaves it alone; asked for by name, it says so.
    expect(by['on_socket']).toBeUndefined();
    expect(object.attach(['on_socket'])).toMatchObject([{ ok: false, reason: expect.stringContaining('does not say where') as string }]);
  });

  it.skipIf(!unified)('attaches cgroup programs to a directory', async () => {
    const object = await openLoaded('mixed');
    expect(object.attachCgroup('on_socket', '/nonexistent')).toMatchObject({ ok: false, code: 'ENOENT', reason: expect.stringContaining('cannot open cgroup /nonexistent') as string });
    expect(object.attachCgroup('on_socket', '/proc')).toMatchObject({ ok: false });
    expect(object.attachCgroup('on_socket', unified ?? '')).toMatchObject({ ok: true });
    expect(object.programs().find((program) => program.name === 'on_socket')).toMatchObject({ attached: true });
    object.detach(['on_socket']);
  });

  it('runs iterators', async () => {
    const object = await openAttached('tasks');
    const bytes = object.iterate('each_task');
    const rows = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
    const tasks = new Map<number, number>();
    for (let i = 0; i < rows.length; i += 2) tasks.set(rows[i] ?? 0, rows[i + 1] ?? 0);
    // Our own threads are there for as long as we are, whoever else comes and goes.
    for (const tid of readdirSync('/proc/self/task')) expect(tasks.get(Number(tid)), `thread ${tid}`).toBe(process.pid);
    // The result is a copy: the next run leaves it alone.
    const copy = bytes.slice();
    object.iterate('each_task');
    expect(bytes).toEqual(copy);
  });

  it('counts runs and time of its programs while statistics are on', async () => {
    const object = await openAttached('counter');
    const stop = addon().enableStats();
    try {
      const before = object.runStats();
      getuid(1000);
      const after = object.runStats();
      expect(after.runCount - before.runCount).toBeGreaterThanOrEqual(1000);
      expect(after.runTimeNs).toBeGreaterThan(before.runTimeNs);
    } finally {
      stop();
      stop();
    }
  });

  it.skipIf(process.arch !== 'x64')('counts the runs that the kernel skipped (needs an x86 kernel)', async () => {
    const object = await openAttached('nested');
    getuid(7);
    // A read that fails faults once, on older kernels (6.1) twice; each fault runs the program, which reads again.
    const hits = Number(object.getGlobal('hits'));
    const faults = hits / 7;
    expect([1, 2]).toContain(faults);
    expect(object.missedRuns(['nests'])).toBe(hits * faults);
    expect(object.missedRuns(['begins'])).toBe(0);
    expect(object.missedRuns()).toBe(hits * faults);
    expect(() => object.missedRuns(['none'])).toThrow('nested has no program none');
  });
});
