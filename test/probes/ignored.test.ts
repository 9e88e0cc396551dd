import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BpfMap, BpfObject } from '../../src/bpf/addon.ts';
import { loadAddon } from '../../src/bpf/load.ts';
import type { ContainerInfo, Frame, PaneId } from '../../src/frame/frame.ts';
import { IgnoreLists, ignoreOptions, type Judge } from '../../src/probes/ignored.ts';
import { Manager } from '../../src/probes/manager.ts';
import { info } from '../output/frames.ts';
import { canLoadBpf, ownPath, TestCgroup } from '../workloads/cgroup.ts';
import { Workload } from '../workloads/workload.ts';

/** An object with a list, or without one. */
class ObjectDouble {
  readonly keys = new Set<string>();
  readonly writes: string[] = [];
  readonly #maps: readonly string[];
  readonly #maxEntries: number;

  constructor(maps: readonly string[] = ['ignored'], maxEntries = 100) {
    this.#maps = maps;
    this.#maxEntries = maxEntries;
  }

  maps(): readonly string[] { return this.#maps; }

  map(): Pick<BpfMap, 'update' | 'delete' | 'maxEntries'> {
    const text = (key: Uint8Array): string => new DataView(key.buffer).getBigUint64(0, true).toString();
    return {
      maxEntries: this.#maxEntries,
      update: (key) => { this.keys.add(text(key)); this.writes.push(`+${text(key)}`); },
      delete: (key) => { this.writes.push(`-${text(key)}`); return this.keys.delete(text(key)); },
    };
  }

  get asObject(): BpfObject { return this as unknown as BpfObject; }
}

describe('the lists of ignored cgroups', () => {
  const verdicts: Record<string, ReturnType<Judge['verdict']>> = {};
  const infos: Record<string, ContainerInfo> = {};
  const infoOf = (key: string): ContainerInfo => (infos[key] ??= info({ cgroupId: key }));
  beforeEach(() => {
    for (const of of [verdicts, infos]) for (const key of Object.keys(of)) delete of[key];
  });
  const lists = (): IgnoreLists => new IgnoreLists({ verdict: (key) => verdicts[key] ?? 'unknown' });

  it('hold who certainly is not meant, and nobody who cannot be judged yet', () => {
    Object.assign(verdicts, { 1: 'yes', 2: 'no', 3: 'unknown', [(3n << 56n | 9n).toString()]: 'no' });
    const object = new ObjectDouble();
    lists().renew(Object.keys(verdicts), infoOf, [object.asObject]);
    expect([...object.keys].toSorted()).toEqual(['2', '216172782113783817']);
  });

  it('are written once, and again when a name changes the verdict or the cgroup is gone', () => {
    const object = new ObjectDouble();
    const of = lists();
    Object.assign(verdicts, { 1: 'unknown', 2: 'no' });
    of.renew(['1', '2'], infoOf, [object.asObject]);
    verdicts['1'] = 'no';
    of.renew(['1', '2'], infoOf, [object.asObject]);
    expect(object.writes).toEqual(['+2']);
    infos['1'] = info({ pod: 'web-1' });
    of.renew(['1', '2'], infoOf, [object.asObject]);
    expect(object.writes).toEqual(['+2', '+1']);
    verdicts['2'] = 'yes';
    infos['2'] = info({ pod: 'web-2' });
    of.renew(['2'], infoOf, [object.asObject]);
    expect(object.writes.slice(2).toSorted()).toEqual(['-1', '-2']);
  });

  it('are made up for an object that is loaded later, and passed over where an object has none', () => {
    const first = new ObjectDouble(), later = new ObjectDouble(), without = new ObjectDouble([]);
    const of = lists();
    verdicts['2'] = 'no';
    of.renew(['2'], infoOf, [first.asObject, without.asObject]);
    of.renew(['2'], infoOf, [first.asObject, later.asObject]);
    expect([first.writes, later.writes, without.writes]).toEqual([['+2'], ['+2'], []]);
  });

  it('take no more than they have room for', () => {
    const object = new ObjectDouble(['ignored'], 2);
    for (const key of ['1', '2', '3']) verdicts[key] = 'no';
    lists().renew(['1', '2', '3'], infoOf, [object.asObject]);
    expect(object.keys.size).toBe(2);
  });

  it('take no memory where nothing is to be ignored', () => {
    expect(ignoreOptions(false)).toEqual({ globals: { ignore_listed: false }, maxEntries: { ignored: 1 } });
    expect(ignoreOptions(true)).toEqual({ globals: { ignore_listed: true }, maxEntries: {} });
  });
});

describe.skipIf(!canLoadBpf)('a target with real BPF', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => { for (const close of closing.splice(0).toReversed()) await close(); });

  async function busy(name: string): Promise<{ readonly group: TestCgroup; readonly ask: (command: string) => Promise<string> }> {
    const group = new TestCgroup(ownPath(name));
    closing.push(() => group.remove());
    const workload = new Workload('opens', [group]);
    closing.push(async () => { await workload[Symbol.asyncDispose](); });
    await workload.ask('pid');
    return { group, ask: (command) => workload.ask(command) };
  }

  async function capture(panes: readonly PaneId[], judge: Judge, work: () => Promise<void>): Promise<Frame> {
    const manager = new Manager({ addon: loadAddon(), panes, target: judge, levels: { syscalls: 'latency' } });
    closing.push(() => manager.close());
    const frames = manager.samples(300, 2);
    // With the first one counting has begun; the second one ends no sooner than it is asked for.
    await frames.next();
    await work();
    const { value } = await frames.next();
    if (!value) throw new Error('no frame');
    return value;
  }

  it('has opens of who is meant, and of who cannot be judged yet, and none of the others', async () => {
    const [meant, other, unknown] = [await busy('meant'), await busy('other'), await busy('unknown')];
    const judge: Judge = { verdict: (key) => (key === meant.group.key ? 'yes' : key === unknown.group.key ? 'unknown' : 'no') };
    const frame = await capture(['opens', 'containers'], judge, async () => {
      for (const one of [meant, other, unknown]) await one.ask('openat 50 /dev/null 0');
    });
    const { rows, totals } = frame.panes.opens;
    const of = (group: TestCgroup) => [rows.filter((row) => row.container === group.key).length, totals.find((total) => total.container === group.key)?.count ?? 0];
    expect([of(meant.group), of(other.group), of(unknown.group)]).toEqual([[50, 50], [0, 0], [50, 50]]);
    expect(new Set(totals.map((total) => total.container))).toEqual(new Set([meant.group.key, unknown.group.key]));
  });

  it('times calls of who is meant, and counts those of the others without', async () => {
    const [meant, other] = [await busy('meant'), await busy('other')];
    const judge: Judge = { verdict: (key) => (key === meant.group.key ? 'yes' : 'no') };
    const frame = await capture(['syscalls', 'containers'], judge, async () => {
      for (const one of [meant, other]) await one.ask('openat 50 /dev/null 0');
    });
    const call = (group: TestCgroup) => frame.panes.syscalls.rows.find((row) => row.container === group.key && row.syscall === 'openat');
    expect(call(meant.group)).toMatchObject({ count: 50, latency: { count: 50 } });
    expect(call(other.group)?.count).toBe(50);
    expect(call(other.group)?.latency?.count ?? 0).toBe(0);
  });
});
