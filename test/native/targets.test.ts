import { afterEach, describe, expect, it } from 'vitest';
import type { BpfMap, BpfObject, OpenOptions } from '../../src/bpf/addon.ts';
import { kernel } from '../vm/kernel.ts';
import { closeAll, failure, getuid, gone, idsOf, noBpf, open, openLoaded } from './support.ts';

afterEach(closeAll);

const GETUID_FUNCTION = process.arch === 'arm64' ? '__arm64_sys_getuid' : '__x64_sys_getuid';

/** An instance of the shared object with one of its programs. */
const instance = (program: string, options: OpenOptions = {}, number = 0): BpfObject =>
  open('shared', { ...options, autoload: { [program]: true }, globals: { target_tgid: process.pid, instance: number } });

const hits = (object: BpfObject): bigint => object.getGlobal('private_hits') as bigint;

function counted(map: BpfMap, slot: number): number {
  const value = map.lookup(new Uint8Array(new Uint32Array([slot]).buffer));
  return value === null ? NaN : Number(new DataView(value.buffer, value.byteOffset).getBigUint64(0, true));
}

describe('attach targets and shared maps, refused before anything is loaded', () => {
  it.each<[string, OpenOptions, RegExp]>([
    ['a program that is not there', { attachTargets: { nobody: 'f' } }, /^shared has no program nobody$/],
    ['a target that is no name', { attachTargets: { on_function: 7 as unknown as string } }, /^options\.attachTargets\.on_function must be a string$/],
    ['a map that is none', { sharedMaps: { counts: {} as BpfMap } }, /^options\.sharedMaps\.counts must be a map of a loaded object$/],
  ])('%s', async (_, options, message) => {
    const error = await failure(() => open('shared', options));
    expect(error).toMatchObject({ code: 'ERR_BPF_ARGUMENT' });
    expect(error.message).toMatch(message);
  });
});

describe.skipIf(noBpf)('attach targets (needs root and BTF)', () => {
  it('replace the place that the section names', async () => {
    const object = instance('on_tracepoint', { attachTargets: { on_tracepoint: 'cgroup_mkdir' } });
    expect(await object.load()).toMatchObject([{ program: 'on_tracepoint', ok: true }]);
    expect(object.attach()).toMatchObject([{ ok: true }]);
    getuid(50);
    expect(hits(object)).toBe(0n);
  });

  it('refuse what this kernel does not have, by name, and load the rest', async () => {
    const options = { autoload: { on_tracepoint: true, on_function: true }, attachTargets: { on_function: 'kbtop_no_such_function' } };
    const object = open('shared', options);
    const results = await object.load();
    const by = Object.fromEntries(results.map((result) => [result.program, result]));
    expect(by['on_tracepoint']).toMatchObject({ ok: true });
    expect(by['on_function']).toMatchObject({ ok: false, code: 'ESRCH', reason: 'this kernel has no kbtop_no_such_function to attach fentry to (ESRCH)' });
    expect(object.attach(['on_function'])).toEqual([by['on_function']]);
  });

  it('reject when nothing is left', async () => {
    const error = await failure(() => instance('on_function', { attachTargets: { on_function: 'kbtop_no_such_function' } }).load());
    expect(error).toMatchObject({ code: 'ESRCH', message: 'cannot load shared: this kernel has no kbtop_no_such_function to attach fentry to (ESRCH)' });
  });

  it.skipIf(!kernel.fentry)('put one program on any function (needs fentry)', async () => {
    const object = instance('on_function', { attachTargets: { on_function: '__do_sys_getuid' } });
    await object.load();
    expect(object.attach()).toMatchObject([{ ok: true }]);
    getuid(123);
    expect(hits(object)).toBe(123n);
    object.detach();
    getuid(10);
    expect(hits(object)).toBe(123n);
  });
});

describe.skipIf(noBpf)('kprobes by name (need root and BTF)', () => {
  it('say what is wrong', async () => {
    const object = await openLoaded('shared', { autoload: { on_kprobe: true, on_tracepoint: true } });
    expect(object.attachKprobe('on_kprobe', 'kbtop_no_such_function')).toMatchObject({
      program: 'on_kprobe', ok: false, reason: expect.stringMatching(kernel.kprobe ? /^this kernel has no kbtop_no_such_function to attach kprobe to \(ENOENT\)$/ : /kprobe/) as string,
    });
    expect((await failure(() => object.attachKprobe('on_tracepoint', GETUID_FUNCTION))).message).toBe('program on_tracepoint of shared is not a kprobe');
    expect((await failure(() => object.attachKprobe('nobody', GETUID_FUNCTION))).message).toBe('shared has no program nobody');
    expect(object.attachKprobe('on_kprobe', 'a b; c')).toMatchObject({ ok: false });
    expect(object.programs().some((program) => program.attached)).toBe(false);
  });

  it.skipIf(!kernel.kprobe)('count on one function and on several, each once (needs kprobes)', async () => {
    const object = instance('on_kprobe');
    await object.load();
    expect(object.attachKprobe('on_kprobe', GETUID_FUNCTION)).toMatchObject({ ok: true, reason: null });
    expect(object.attachKprobe('on_kprobe', GETUID_FUNCTION)).toMatchObject({ ok: true });
    getuid(100);
    expect(hits(object)).toBe(100n);
    expect(object.attachKprobe('on_kprobe', GETUID_FUNCTION.replace('getuid', 'geteuid'))).toMatchObject({ ok: true });
    for (let i = 0; i < 20; i++) process.geteuid?.();
    expect(hits(object)).toBe(120n);
    object.detach(['on_kprobe']);
    getuid(10);
    process.geteuid?.();
    expect(hits(object)).toBe(120n);
    expect(object.programs().find((program) => program.name === 'on_kprobe')).toMatchObject({ attached: false });
  });

  it.skipIf(!kernel.kprobe)('go where attachTargets says (needs kprobes)', async () => {
    const object = instance('on_kprobe', { attachTargets: { on_kprobe: GETUID_FUNCTION } });
    await object.load();
    expect(object.attach()).toMatchObject([{ ok: true }]);
    getuid(7);
    expect(hits(object)).toBe(7n);
  });
});

describe.skipIf(noBpf)('shared maps (need root and BTF)', () => {
  it('are one map in the kernel, whose variables stay apart', async () => {
    const first = instance('on_tracepoint', {}, 1);
    await first.load();
    const second = instance('on_tracepoint', { sharedMaps: { counts: first.map('counts') } }, 2);
    await second.load();
    expect(second.map('counts').id).toBe(first.map('counts').id);
    expect(second.map('table').id).not.toBe(first.map('table').id);
    first.attach();
    getuid(1);
    second.attach();
    const before = counted(first.map('counts'), 2);
    getuid(100);
    expect(counted(first.map('counts'), 2) - before).toBeGreaterThanOrEqual(100);
    first.detach();
    second.detach();
    expect(counted(second.map('counts'), 1)).toBe(counted(first.map('counts'), 1));
    expect(hits(first)).not.toBe(hits(second));
  });

  it('live as long as one of their objects', async () => {
    const first = instance('on_tracepoint', {}, 1);
    await first.load();
    const map = first.map('counts');
    const second = instance('on_tracepoint', { sharedMaps: { counts: map } }, 2);
    const ids = idsOf(first);
    first.close();
    // Opened before the close: the second one holds it.
    await second.load();
    expect(second.map('counts').id).toBe(ids.maps.find((id) => id === second.map('counts').id));
    second.attach();
    getuid(5);
    expect(counted(second.map('counts'), 2)).toBeGreaterThanOrEqual(5);
    second.close();
    await gone(ids);
    expect((await failure(() => instance('on_tracepoint', { sharedMaps: { counts: map } }))).code).toBe('ERR_BPF_CLOSED');
  });

  it('survive a refused program, after which the object is opened again', async () => {
    const first = instance('on_tracepoint', {}, 1);
    await first.load();
    const second = open('shared', {
      autoload: { on_tracepoint: true, on_function: true },
      // A function that exists, but takes no programs: the kernel refuses it at load.
      attachTargets: { on_function: 'bpf_prog_run_clear_cb', on_tracepoint: 'sys_enter' },
      sharedMaps: { counts: first.map('counts') },
    });
    const results = await second.load();
    expect(results.find((result) => result.program === 'on_function')?.ok).toBe(false);
    expect(second.map('counts').id).toBe(first.map('counts').id);
  });

  it('must be of the same shape and name, and no variables', async () => {
    const counter = await openLoaded('counter');
    const first = instance('on_tracepoint');
    await first.load();
    const message = async (options: OpenOptions): Promise<string> => (await failure(() => open('shared', options))).message;
    expect(await message({ sharedMaps: { counts: first.map('table') } })).toBe('options.sharedMaps.counts is map table: a map is shared under its own name');
    const variables = first.map('.bss');
    expect(await message({ sharedMaps: { [variables.name]: variables } })).toMatch(/variables \(shared\.bss\) cannot be shared, only maps$/);
    expect(await message({ sharedMaps: { by_nr: counter.map('by_nr') } })).toBe('shared has no map by_nr');
    expect(await message({ sharedMaps: { counts: first.map('counts') }, maxEntries: { counts: 4 } })).toBe('shared: map counts is shared, so its size and flags cannot be set');
  });
});
