import { afterEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { NO_LOSS, type Frame } from '../../src/frame/frame.ts';
import { ClosedError } from '../../src/frame/source.ts';
import { Manager, type ManagerOptions } from '../../src/probes/manager.ts';
import { contractProblems } from '../frame/contract.ts';
import { until } from '../workloads/cgroup.ts';
import { addonDouble, IdentityDouble, probeDoubles, SourceDouble } from './doubles.ts';

const row = { container: '5', abi: 'x86_64', nr: 0, syscall: 'read', count: 1, ratePerSec: 1, errors: {}, injected: 0, latency: null };

describe('the manager', () => {
  const open: Manager[] = [];
  afterEach(async () => { await Promise.all(open.splice(0).map((manager) => manager.close())); });

  function setUp(options: Partial<ManagerOptions> = {}) {
    const { doubles, probes } = probeDoubles();
    const manager = new Manager({ addon: addonDouble, identity: new IdentityDouble({ 5: '/five' }), intervalMs: 60, probes, ...options });
    open.push(manager);
    const frames: Frame[] = [];
    manager.subscribe((frame) => frames.push(frame));
    const frameWhere = (what: string, test: (frame: Frame) => boolean) => until(what, () => frames.find(test));
    return { manager, doubles, frames, frameWhere };
  }
  const statusOf = (frame: Frame) => Object.fromEntries(Object.entries(frame.panes).map(([pane, { state }]) => [pane, state.status]));
  const all = (status: string) => ({ syscalls: status, runqueue: status, opens: status, tcp: status, containers: status, processes: status });

  it('emits a frame at once, with every pane loading', async () => {
    const { manager, doubles, frames, frameWhere } = setUp();
    for (const double of Object.values(doubles)) double.starting = new Promise(() => {});
    manager.start();
    manager.start();
    const first = await frameWhere('a frame', () => true);
    expect([first.seq, statusOf(first)]).toEqual([1, all('loading')]);
    expect(contractProblems(first)).toEqual([]);
    await until('more frames', () => frames.length > 3);
    expect(frames.map((frame) => frame.seq)).toEqual(frames.map((_, i) => i + 1));
  });

  it('turns each pane ok as its probe comes up, and counts its first interval from there', async () => {
    const { manager, doubles, frameWhere } = setUp({ intervalMs: 150 });
    let up = (): void => {};
    doubles.opens.starting = new Promise((resolve) => { up = resolve; });
    manager.start();
    const partly = await frameWhere('all but one', (frame) => frame.panes.syscalls.state.status === 'ok');
    expect(statusOf(partly)).toEqual({ ...all('ok'), opens: 'loading' });
    const raised = performance.now();
    up();
    await frameWhere('the last', (frame) => frame.panes.opens.state.status === 'ok');
    const [baseline, first] = doubles.opens.ticks;
    expect(baseline?.seq).toBe(1);
    expect(first?.ms).toBeLessThanOrEqual(performance.now() - raised);
    expect(first?.ms).toBeGreaterThan(0);
  });

  it('keeps the others when one probe fails, and says why', async () => {
    const { manager, doubles, frameWhere } = setUp();
    doubles.tcp.starting = Promise.reject(new Error('cannot watch TCP: no BTF\nlibbpf: much more'));
    doubles.syscalls.next = () => ({ rows: [row] });
    manager.start();
    const frame = await frameWhere('numbers', (one) => one.panes.syscalls.rows.length > 0);
    expect(statusOf(frame)).toEqual({ ...all('ok'), tcp: 'error' });
    expect(frame.panes.tcp.state.reason).toBe('cannot watch TCP: no BTF');
    expect(doubles.tcp.closed).toBe(1);
    expect(contractProblems(frame)).toEqual([]);
  });

  it('keeps the others when a probe fails later', async () => {
    const { manager, doubles, frameWhere } = setUp();
    manager.start();
    await frameWhere('all', (one) => one.panes.tcp.state.status === 'ok');
    doubles.runqueue.next = () => { throw new Error('map is gone'); };
    const frame = await frameWhere('the failure', (one) => one.panes.runqueue.state.status === 'error');
    expect(statusOf(frame)).toEqual({ ...all('ok'), runqueue: 'error' });
    expect(frame.panes.runqueue.state.reason).toBe('reading its counters failed: map is gone');
  });

  it('loads only the panes asked for, until another is turned on', async () => {
    const { manager, doubles, frameWhere } = setUp({ panes: ['opens'] });
    manager.start();
    const frame = await frameWhere('opens', (one) => one.panes.opens.state.status === 'ok');
    expect(statusOf(frame)).toEqual({ ...all('off'), opens: 'ok' });
    expect(doubles.tcp.context).toBeNull();
    manager.setLevel('tcp', 'count');
    const later = await frameWhere('tcp', (one) => one.panes.tcp.state.status === 'ok');
    expect(statusOf(later)).toEqual({ ...all('off'), opens: 'ok', tcp: 'ok' });
    expect(doubles.tcp.levels).toEqual(['count']);
  });

  it('passes levels on, also those asked for before the probe is up', async () => {
    const { manager, doubles, frameWhere } = setUp({ levels: { syscalls: 'sampled' } });
    manager.start();
    await frameWhere('all', (one) => one.panes.syscalls.state.status === 'ok');
    manager.setLevel('syscalls', 'off');
    expect(doubles.syscalls.levels).toEqual(['sampled', 'off']);
  });

  it('turns a pane without levels off and on', async () => {
    const { manager, doubles, frames, frameWhere } = setUp();
    Object.assign(doubles.containers, { setLevel: undefined });
    manager.start();
    await frameWhere('all', (one) => one.panes.containers.state.status === 'ok');
    manager.setLevel('containers', 'off');
    const off = await frameWhere('off', (one) => one.panes.containers.state.status === 'off');
    expect(off.panes.containers.state.reason).toBe('turned off');
    doubles.containers.closed = 0;
    manager.setLevel('containers', 'count');
    await until('on again', () => frames.at(-1)?.panes.containers.state.status === 'ok');
  });

  it('resolves keys, and counts what has no path', async () => {
    const { manager, doubles, frameWhere } = setUp();
    doubles.syscalls.next = () => ({ rows: [row, { ...row, container: '6', count: 4 }], loss: { ...NO_LOSS, seen: 5, kept: 5 } });
    manager.start();
    const frame = await frameWhere('numbers', (one) => one.panes.syscalls.rows.length > 0);
    expect(Object.keys(frame.containers).toSorted()).toEqual(['5', '6']);
    expect(frame.containers['5']?.cgroup).toBe('/five');
    expect(frame.panes.syscalls.loss.unattributed).toBe(4);
  });

  it('shields every listener from every other, and gives a late one the latest frame', async () => {
    const said: string[] = [];
    const { manager, frames, frameWhere } = setUp({ debug: (text) => said.push(text) });
    manager.subscribe(() => { throw new Error('my own fault'); });
    const seen: number[] = [];
    const stop = manager.subscribe((frame) => seen.push(frame.seq));
    manager.start();
    await until('frames', () => frames.length >= 3);
    expect(seen.slice(0, 3)).toEqual([1, 2, 3]);
    expect(said.join()).toContain('my own fault');
    stop();
    const count = seen.length;
    const late: number[] = [];
    manager.subscribe((frame) => late.push(frame.seq));
    await until('the latest', () => late.length > 0);
    expect(late[0]).toBeGreaterThanOrEqual(3);
    await frameWhere('another', (frame) => frame.seq > 5);
    expect(seen.length).toBe(count);
  });

  it('takes another interval at once', async () => {
    const { manager, frames } = setUp({ intervalMs: 3_600_000 });
    manager.start();
    await until('the first numbers', () => frames.length >= 2);
    manager.setInterval(50);
    await until('more', () => frames.length >= 5);
  });

  it('samples one frame that covers the duration, from when all are up', async () => {
    const { manager, doubles, frames } = setUp({ intervalMs: 10 });
    let ready = 0;
    doubles.opens.starting = sleep(150).then(() => { ready = performance.now(); });
    const frame = await manager.sample(200);
    // Timers may be early by less than a millisecond.
    expect(performance.now() - ready).toBeGreaterThanOrEqual(199);
    expect([frame.seq, statusOf(frame)]).toEqual([1, all('ok')]);
    expect(frame.intervalMs).toBeGreaterThanOrEqual(199);
    for (const { ticks } of Object.values(doubles)) {
      // One as it comes up, one to begin, one to end: and that one covers exactly what the frame says.
      expect(ticks.map((tick) => tick.seq)).toEqual([1, 2, 3]);
      expect(ticks[2]?.ms).toBeCloseTo(frame.intervalMs, 2);
    }
    await until('delivery', () => frames.length === 1);
  });

  it('samples several frames without a gap', async () => {
    const { manager, doubles } = setUp();
    const frames: Frame[] = [];
    const from = performance.now();
    for await (const frame of manager.samples(40, 4)) {
      frames.push(frame);
      await sleep(15); // whoever reads them may take its time
    }
    expect(frames.map((frame) => frame.seq)).toEqual([1, 2, 3, 4]);
    const total = frames.reduce((sum, frame) => sum + frame.intervalMs, 0);
    expect(total).toBeGreaterThanOrEqual(155);
    expect(total).toBeLessThanOrEqual(performance.now() - from);
    expect(doubles.syscalls.ticks).toHaveLength(6);
  });

  it('samples what it can when probes fail', async () => {
    const { manager, doubles } = setUp({ panes: ['tcp', 'opens'] });
    doubles.tcp.starting = Promise.reject(new Error('no'));
    const frame = await manager.sample(20);
    expect(statusOf(frame)).toEqual({ ...all('off'), tcp: 'error', opens: 'ok' });
  });

  describe('and sources of names', () => {
    const UID = '7e299a8d-c8cc-4b92-ad99-98e453d358e8', CID = '05'.repeat(32);
    const paths = { 5: `/kubepods/pod${UID}/${CID}` };

    it('begins with the quick ones at once, and with those that load long when the screen has numbers', async () => {
      const quick = new SourceDouble('oci'), late = new SourceDouble('api', undefined, true);
      const { manager, frameWhere, frames } = setUp({ identity: new IdentityDouble(paths, [quick, late]) });
      manager.start();
      expect([quick.started, late.started]).toEqual([1, 0]);
      await frameWhere('the first', () => true);
      expect(late.started).toBe(0);
      await until('the late one', () => late.started === 1);
      expect(frames.length).toBeGreaterThanOrEqual(1);
      await manager.close();
      expect([quick.closed, late.closed]).toEqual([1, 1]);
    });

    it('never waits for one that hangs, and fills in a name that comes late, once', async () => {
      let known = false;
      const hanging = new SourceDouble('cri'), late = new SourceDouble('api', () => (known ? { pod: 'web-1', namespace: 'shop', container: 'app' } : null), true);
      hanging.starting = new Promise(() => {});
      hanging.state = { status: 'starting', reason: 'no answer yet', fix: null };
      const { manager, doubles, frames, frameWhere } = setUp({ identity: new IdentityDouble(paths, [hanging, late]) });
      let rows = [row];
      doubles.syscalls.next = () => ({ rows });
      manager.start();
      const before = await frameWhere('the container', (frame) => frame.containers['5'] !== undefined);
      expect(before.containers['5']).toMatchObject({ podUid: UID, pod: null, unresolved: 'pod and container names: not known to api; cri: not answered yet' });
      rows = [];
      const count = frames.length;
      await until('frames without it', () => frames.slice(count).some((frame) => frame.containers['5'] === undefined));
      known = true;
      late.changed([CID]);
      const after = await frameWhere('the name', (frame) => frame.learned['5'] !== undefined);
      expect(after.learned['5']).toMatchObject({ namespace: 'shop', pod: 'web-1', container: 'app', nameSource: 'api', unresolved: null });
      expect(contractProblems(after)).toEqual([]);
      await until('more', () => frames.length > frames.indexOf(after) + 3);
      expect(frames.filter((frame) => frame.learned['5'] !== undefined)).toHaveLength(1);
    });

    it('gives them a moment before it begins to sample, and no more', async () => {
      const hanging = new SourceDouble('cri'), quick = new SourceDouble('oci');
      let answered = 0;
      quick.starting = sleep(60).then(() => { answered = performance.now(); });
      const soon = setUp({ identity: new IdentityDouble(paths, [quick]), namesMs: 10_000 });
      const frame = await soon.manager.sample(50);
      expect(performance.now() - answered).toBeGreaterThanOrEqual(49);
      expect(frame.intervalMs).toBeLessThan(1000);
      hanging.starting = new Promise(() => {});
      const never = setUp({ identity: new IdentityDouble(paths, [hanging]), namesMs: 80 });
      await never.manager.sample(20);
      const closed = setUp({ identity: new IdentityDouble(paths, [hanging]), namesMs: 3_600_000 });
      const sampling = closed.manager.sample(20).catch((error: unknown) => error);
      await sleep(20);
      await closed.manager.close();
      expect(await sampling).toBeInstanceOf(ClosedError);
    });
  });

  it('drains while it waits', async () => {
    const { manager, doubles } = setUp({ intervalMs: 10_000 });
    manager.start();
    await until('drains', () => doubles.opens.drained >= 3 && doubles.tcp.drained >= 3);
  });

  it('closes in any state, twice, and ends who waits', async () => {
    const { manager, doubles } = setUp();
    let up = (): void => {};
    doubles.opens.starting = new Promise((resolve) => { up = resolve; });
    const sampling = manager.sample(10_000).catch((error: unknown) => error);
    await until('the others', () => doubles.tcp.ticks.length > 0);
    const closing = manager.close();
    expect(Object.values(doubles).every((double) => double.closed === 1)).toBe(true);
    up();
    await Promise.all([closing, manager.close(), manager.done]);
    expect(await sampling).toBeInstanceOf(ClosedError);
    expect(doubles.opens.ticks).toEqual([]);
    manager.setLevel('opens', 'count');
    manager.setInterval(5);
    expect(Object.values(doubles).every((double) => double.closed === 1)).toBe(true);
  });

  it('ends a sample that is under way', async () => {
    const { manager, doubles } = setUp();
    const sampling = manager.sample(10_000).catch((error: unknown) => error);
    await until('the baseline', () => doubles.tcp.ticks.length === 2);
    await manager.close();
    expect(await sampling).toEqual(new ClosedError());
  });

  it('goes on without BPF statistics', async () => {
    const said: string[] = [];
    const { manager, frameWhere } = setUp({ bpfCost: true, debug: (text) => said.push(text) });
    manager.start();
    const { self } = await frameWhere('numbers', (frame) => frame.seq > 1);
    expect(self.bpfCpuPct).toBeNull();
    expect(self.rssBytes).toBeGreaterThan(1e7);
    expect(said.join()).toContain('no BPF stats in this test');
  });

  it('may close before it starts', async () => {
    const { manager } = setUp();
    await manager.close();
    manager.start();
    await expect(manager.sample(1)).rejects.toThrow('the capture was closed');
  });
});

