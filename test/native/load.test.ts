import { afterEach, describe, expect, it } from 'vitest';
import { addon, closeAll, failure, gone, idsOf, noBpf, open, openLoaded, selftest, survivors } from './support.ts';

afterEach(closeAll);

describe.skipIf(noBpf)('load (needs root and BTF)', () => {
  it('gives one good result per program, and kernel ids', async () => {
    const object = open('counter');
    expect(await object.load()).toEqual([{ program: 'on_sys_enter', ok: true, code: null, reason: null, log: '' }]);
    expect(object.programs()[0]).toMatchObject({ loaded: true, attached: false, linkId: 0 });
    const ids = idsOf(object);
    expect(ids.programs).toHaveLength(1);
    expect(ids.maps).toHaveLength(object.maps().length);
    expect(survivors(ids)).toEqual(ids);
    object.close();
    await gone(ids);
  });

  it('gives the verifier log of good programs when asked', async () => {
    const object = open('counter', { logLevel: 1 });
    const [result] = await object.load();
    expect(result?.ok).toBe(true);
    expect(result?.log).toMatch(/processed \d+ insns/);
  });

  it('does not block the event loop', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const objects = Array.from({ length: 6 }, () => open('counter'));
    await Promise.all(objects.map((object) => object.load()));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(2);
  });

  it('leaves out what is switched off, and takes in what its section leaves out', async () => {
    const object = open('mixed', { autoload: { works_raw: false, on_demand: true } });
    const results = await object.load();
    expect(results.map((result) => result.program)).not.toContain('works_raw');
    expect(results.find((result) => result.program === 'on_demand')).toMatchObject({ ok: true });
    expect(object.attach(['works_raw'])).toMatchObject([{ ok: false, code: 'ENOENT', reason: 'not loaded, because it was not asked for' }]);
  });

  it('loads the rest when programs are refused, and says why', async () => {
    const object = open('mixed');
    const results = await object.load();
    const by = Object.fromEntries(results.map((result) => [result.program, result]));
    expect(by['works']).toMatchObject({ ok: true, reason: null });
    expect(by['works_raw']).toMatchObject({ ok: true });
    expect(by['unverifiable']).toMatchObject({ ok: false, code: 'EACCES', reason: expect.stringMatching(/^the verifier refuses it \(EACCES\): R\d/) as string });
    expect(by['unverifiable']?.log).toMatch(/invalid mem access/);
    expect(by['on_nothing']).toMatchObject({ ok: false, reason: 'this kernel has no kbtop_no_such_function to attach fentry to (ESRCH)' });
    for (const result of results) {
      expect(result.ok).toBe(result.code === null);
      expect(result.reason ?? '').not.toContain('\n');
    }
    // Which program is loaded, the kernel knows.
    const loaded = object.programs().filter((program) => program.loaded).map((program) => program.name);
    expect(loaded.sort()).toEqual(results.filter((result) => result.ok).map((result) => result.program).sort());
    expect(object.attach(['works'])).toMatchObject([{ ok: true }]);
    // Refused at load is what attach says, too.
    expect(object.attach(['unverifiable'])).toEqual([by['unverifiable']]);
  });

  it('keeps options and early globals when refused programs make it start again', async () => {
    const object = open('mixed', { globals: { hits: 1000 }, autoload: { works_raw: false } });
    object.setGlobal('hits', 5000n);
    await object.load();
    expect(object.getGlobal('hits')).toBe(5000n);
    expect(object.programs().find((program) => program.name === 'works_raw')?.loaded).toBe(false);
  });

  it('rejects with every reason when nothing can be loaded', async () => {
    const object = open('mixed', {
      autoload: { works: false, works_raw: false, on_kprobe: false, on_fentry: false, on_no_event: false, on_socket: false },
    });
    const error = await failure(() => object.load());
    expect(error.message).toMatch(/^cannot load mixed; on_nothing: this kernel has no kbtop_no_such_function.*; unverifiable: the verifier refuses it/);
    expect(error.message).not.toContain('\n');
    expect(error.verifierLog).toMatch(/invalid mem access/);
    expect(error.errno).toBeGreaterThan(0);
    expect((await failure(() => object.map('x'))).message).toBe('mixed could not be loaded');
    expect((await failure(() => object.load())).message).toBe('mixed was loaded before');
    expect(object.programs().every((program) => !program.loaded)).toBe(true);
  });

  it('names the map that cannot be made', async () => {
    const error = await failure(() => openLoaded('counter', { maxEntries: { by_nr: 0xffff_ffff } }));
    expect(error.message).toMatch(/^cannot load counter: map by_nr cannot be created: .*E2BIG|ENOMEM|EINVAL/);
    expect(error.libbpfLog).toContain("map 'by_nr'");
  });

  it('sets sizes and flags of maps', async () => {
    const object = await openLoaded('counter', { maxEntries: { by_nr: 17 }, mapFlags: { by_nr: 1, by_tid: 1 } });
    expect(object.map('by_nr').maxEntries).toBe(17);
    const bigger = await openLoaded('stream', { maxEntries: { records: 1 << 16 } });
    expect(bigger.ring('records').size).toBe(1 << 16);
  });

  it('fails clearly before load, during load and the second time', async () => {
    const object = open('counter');
    expect(await failure(() => object.attach())).toMatchObject({ code: 'ERR_BPF_STATE', message: 'counter is not loaded: await load() first' });
    expect(await failure(() => object.map('total'))).toMatchObject({ code: 'ERR_BPF_STATE' });
    const loading = object.load();
    expect(await failure(() => object.programs())).toMatchObject({ code: 'ERR_BPF_STATE', message: expect.stringContaining('counter is busy') as string });
    expect(await failure(() => object.getGlobal('hits'))).toMatchObject({ code: 'ERR_BPF_STATE' });
    expect(await failure(() => object.load())).toMatchObject({ code: 'ERR_BPF_STATE' });
    await loading;
    expect(await failure(() => object.load())).toMatchObject({ code: 'ERR_BPF_STATE', message: 'counter was loaded before' });
  });

  it('names unknown programs and maps', async () => {
    const object = await openLoaded('counter');
    expect(await failure(() => object.attach(['nobody']))).toMatchObject({ code: 'ERR_BPF_ARGUMENT', message: 'counter has no program nobody' });
    expect(await failure(() => object.attachAsync(['nobody']))).toMatchObject({ code: 'ERR_BPF_ARGUMENT' });
    expect(await failure(() => object.detach(['nobody']))).toMatchObject({ code: 'ERR_BPF_ARGUMENT' });
    expect(await failure(() => object.map('nobody'))).toMatchObject({ message: 'counter has no map nobody' });
    expect(await failure(() => object.ring('total'))).toMatchObject({ message: 'map total of counter is not a ring buffer' });
    expect(await failure(() => object.iterate('on_sys_enter'))).toMatchObject({ code: 'ERR_BPF_STATE' });
    expect(await failure(() => object.attach('on_sys_enter' as never))).toMatchObject({ code: 'ERR_BPF_ARGUMENT' });
  });

  it('knows its libbpf and the possible CPUs', () => {
    expect(addon().libbpfVersion).toMatch(/^1\.\d+$/);
    expect(addon().possibleCpus()).toBeGreaterThan(0);
    const before = process.hrtime.bigint();
    const now = addon().monotonicNs();
    expect(now).toBeGreaterThanOrEqual(before);
    expect(now).toBeLessThanOrEqual(process.hrtime.bigint());
    expect(selftest('counter')).toMatch(/counter\.bpf\.o$/);
  });
});
