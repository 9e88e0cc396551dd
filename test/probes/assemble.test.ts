import { describe, expect, it } from 'vitest';
import { NO_LOSS, type ContainerInfo, type PaneState } from '../../src/frame/frame.ts';
import { keysOf } from '../../src/frame/references.ts';
import { assemble, joined, type PaneMs, type Ticks } from '../../src/probes/assemble.ts';
import { contractProblems } from '../frame/contract.ts';

const ok: PaneState = { status: 'ok', reason: null, level: null };
const failed: PaneState = { status: 'error', reason: 'cannot', level: null };
const ms: PaneMs = { syscalls: 500, runqueue: 500, opens: 500, tcp: 250, containers: 500, processes: 500 };
const node = { name: 'n', kernel: '6.1', arch: 'x86_64', cpus: 2, cgroupMode: 'v2' } as const;

const info = (key: string, cgroup: string | null): ContainerInfo => ({
  kind: 'unknown', cgroupId: key, cgroup, namespace: null, pod: null, podUid: null, container: null, containerId: null, image: null, labels: {}, labelSource: null,
  owner: null, qos: null, podStatus: null, pidNs: null, nodename: null, nameSource: null, unresolved: cgroup === null ? 'gone' : null,
});

const ticks: Ticks = {
  syscalls: { state: ok, loss: { ...NO_LOSS, seen: 12, kept: 12 }, rows: [
    { container: '1', abi: 'x86_64', nr: 0, syscall: 'read', count: 10, ratePerSec: 20, errors: {}, injected: 0, latency: null },
    { container: '9', abi: 'x86_64', nr: 0, syscall: 'read', count: 2, ratePerSec: 4, errors: {}, injected: 0, latency: null },
  ] },
  runqueue: { state: ok, loss: NO_LOSS, rows: [{ container: '1', count: 1, ratePerSec: 2, latency: null, throttledPct: null, preemptedBy: [{ container: '2', count: 1 }] }] },
  opens: { state: ok, loss: NO_LOSS, rows: [], totals: [{ container: '3', count: 50, errors: { ENOENT: 1 } }, { container: '9', count: 7, errors: {} }] },
  tcp: { state: ok, loss: NO_LOSS, rows: [], totals: [] },
  containers: { state: ok, loss: NO_LOSS, rows: [] },
  processes: { state: ok, loss: NO_LOSS, rows: [] },
};

const frameOf = (of: Ticks) => assemble({
  seq: 1, time: new Date(), intervalMs: 500, node, self: { cpuPct: 1, bpfCpuPct: null, rssBytes: 1 }, ticks: of, ms,
  learned: new Map(), info: (key) => info(key, key === '9' ? null : `/${key}`),
});

describe('a frame', () => {
  it('holds every container that a row, total or preemptor refers to, and no other', () => {
    expect([...keysOf(ticks)].toSorted()).toEqual(['1', '2', '3', '9']);
    expect(Object.keys(frameOf(ticks).containers).toSorted()).toEqual(['1', '2', '3', '9']);
  });

  it('is one of the contract, and a row for each container that only another pane saw', () => {
    const frame = frameOf(joined(ticks, ms));
    expect(contractProblems(frame)).toEqual([]);
    expect(frame.panes.containers.rows.map((row) => [row.container, row.syscallsPerSec, row.opensPerSec])).toEqual([['1', 20, 0], ['9', 4, 14], ['3', 0, 100]]);
  });

  it('counts the events that have no name: calls by count, streams by exact total', () => {
    const { panes } = frameOf(joined(ticks, ms));
    expect(Object.fromEntries(Object.entries(panes).map(([pane, { loss }]) => [pane, loss.unattributed]))).toEqual({ syscalls: 2, runqueue: 0, opens: 7, tcp: 0, containers: 1, processes: 0 });
    expect(panes.syscalls.loss).toMatchObject({ seen: 12, kept: 12 });
  });

  it('rates a stream over the interval of its own pane', () => {
    expect(frameOf(ticks).panes.opens.ratePerSec).toBe(114);
    expect(frameOf({ ...ticks, tcp: { ...ticks.tcp, totals: [{ container: '1', count: 1, errors: {} }] } }).panes.tcp.ratePerSec).toBe(4);
  });

  it('does not join into a containers pane that is not ok, nor from one that is not', () => {
    const broken: Ticks = { ...ticks, containers: { ...ticks.containers, state: failed } };
    expect(joined(broken, ms).containers.rows).toEqual([]);
    const noCalls: Ticks = { ...ticks, syscalls: { state: failed, loss: NO_LOSS, rows: [] } };
    expect(joined(noCalls, ms).containers.rows.map((row) => row.syscallsPerSec)).toEqual([null, null, null]);
  });
});

describe('the contract check', () => {
  const frame = () => structuredClone(frameOf(joined(ticks, ms))) as unknown as { [key: string]: never };
  it.each([
    ['an unknown field', (f: any) => { f.panes.syscalls.rows[0].extra = 1; }, /extra is not in the contract/],
    ['a missing field', (f: any) => { delete f.panes.tcp.loss; }, /tcp\.loss is missing/],
    ['a wrong type', (f: any) => { f.panes.syscalls.rows[0].count = '10'; }, /count/],
    ['a NaN', (f: any) => { f.panes.syscalls.rows[0].ratePerSec = Number.NaN; }, /ratePerSec/],
    ['a dangling key', (f: any) => { f.panes.syscalls.rows[0].container = '77'; }, /refers to 77/],
    ['a container nobody refers to', (f: any) => { f.containers['78'] = f.containers['1']; }, /78 is not referred to/],
    ['losses that do not add up', (f: any) => { f.panes.syscalls.loss.seen = 99; }, /99 seen/],
    ['an error without a reason', (f: any) => { f.panes.tcp.state = { status: 'error', reason: null, level: null }; }, /without a reason/],
    ['another schema', (f: any) => { f.schema = 'kbtop.frame/2'; }, /schema/],
  ])('finds %s', (_, harm, problem) => {
    const value = frame();
    harm(value);
    expect(contractProblems(value).join('\n')).toMatch(problem);
  });
});
