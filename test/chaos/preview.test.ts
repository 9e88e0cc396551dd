import { describe, expect, it } from 'vitest';
import { previewOf } from '../../src/chaos/preview.ts';
import { type Frame, NO_LOSS, type PaneState, type ProcessRow, SCHEMA, type SyscallRow } from '../../src/frame/frame.ts';
import { ruleOf } from './arbitrary.ts';

const OK: PaneState = { status: 'ok', reason: null, level: 'count' };
const row = (container: string, syscall: string, ratePerSec: number, abi = 'x86_64'): SyscallRow => ({ container, abi, nr: 0, syscall, count: ratePerSec, ratePerSec, errors: null, injected: 0, latency: null });
const process = (container: string, pid: number, comm: string, cpuPct: number): ProcessRow => ({ container, pid, nsPid: null, comm, cpuPct, tasks: 1 });

function frame(syscalls: readonly SyscallRow[], processes: readonly ProcessRow[], state = OK): Frame {
  const pane = <Row>(rows: readonly Row[]) => ({ state, loss: NO_LOSS, rows });
  const stream = { ...pane([]), ratePerSec: 0, totals: [] };
  return {
    schema: SCHEMA, seq: 1, time: '2026-11-21T00:00:00Z', intervalMs: 1000, node: { name: 'n', kernel: '6.12', arch: 'x86_64', cpus: 2, cgroupMode: 'v2' }, containers: {}, learned: {},
    panes: { syscalls: pane(syscalls), runqueue: pane([]), opens: stream, tcp: stream, containers: pane([]), processes: pane(processes) }, chaos: [], self: { cpuPct: null, bpfCpuPct: null, rssBytes: null },
  };
}

const BUSY = frame(
  [row('1', 'openat', 30), row('1', 'openat', 10, 'i386'), row('1', 'openat2', 2), row('1', 'read', 500), row('2', 'openat', 1000)],
  [process('1', 10, 'nginx', 5), process('1', 11, 'worker', 50), process('1', 12, 'php', 1), process('2', 20, 'other', 90)],
);
const ONE = new Set(['1']);

describe('previewOf', () => {
  it('counts the calls of the target alone, of every ABI', () => {
    const preview = previewOf(BUSY, ruleOf({ syscalls: ['openat'], error: 'EIO', every: 2 }), ONE, 'x86_64');
    expect(preview).toMatchObject({ callsPerSec: 40, hitsPerSec: 20, atMost: false, spentAfterSec: 5, hits: 100, processes: ['worker', 'nginx', 'php'] });
    expect(preview.text).toBe('about 20/s, budget spent in 5 s, 3 processes, among them worker, nginx');
  });

  it('knows families, chance, skip and last', () => {
    expect(previewOf(BUSY, ruleOf({ syscalls: ['%open'], error: 'EIO' }), ONE, 'x86_64').callsPerSec).toBe(42);
    expect(previewOf(BUSY, ruleOf({ syscalls: ['openat'], error: 'EIO', probability: 0.25 }), ONE, 'x86_64').hitsPerSec).toBe(10);
    expect(previewOf(BUSY, ruleOf({ syscalls: ['openat'], error: 'EIO', skip: 80 }), ONE, 'x86_64').spentAfterSec).toBe(4.5);
    expect(previewOf(BUSY, ruleOf({ syscalls: ['openat'], error: 'EIO', skip: 80, last: 100, every: 2 }), ONE, 'x86_64')).toMatchObject({ hits: 10, spentAfterSec: 2.5 });
    expect(previewOf(BUSY, ruleOf({ syscalls: ['openat'], error: 'EIO' }), new Set(['1', '2']), 'x86_64').callsPerSec).toBe(1040);
  });

  it('says when the rule ends before its budget', () => {
    const preview = previewOf(BUSY, ruleOf({ syscalls: ['openat2'], error: 'EIO', duration: 10_000 }), ONE, 'x86_64');
    expect(preview).toMatchObject({ hitsPerSec: 2, spentAfterSec: null, hits: 20 });
    expect(preview.text).toBe('about 2/s, about 20 hits until it ends, 3 processes, among them worker, nginx');
    expect(previewOf(BUSY, ruleOf({ syscalls: ['openat'], error: 'EIO', skip: 4000, duration: 10_000 }), ONE, 'x86_64').hits).toBe(0);
  });

  it('gives bounds where conditions hide what will be hit', () => {
    const preview = previewOf(BUSY, ruleOf({ syscalls: ['openat'], error: 'EIO', where: { path: '*.log', comm: 'nginx' } }), ONE, 'x86_64');
    expect(preview).toMatchObject({ atMost: true, processes: ['nginx'] });
    expect(preview.text).toBe('at most 40/s, budget spent in 3 s at the earliest, 1 process: nginx');
  });

  it('says what it does not know', () => {
    expect(previewOf(frame([], [], { status: 'error', reason: 'BPF is refused', level: null }), ruleOf({ syscalls: ['openat'], error: 'EIO' }), ONE, 'x86_64')).toMatchObject({ callsPerSec: null, hitsPerSec: null, hits: null, text: 'rate unknown: BPF is refused; no process used the CPU' });
    expect(previewOf(BUSY, ruleOf({ syscalls: ['fsync'], error: 'EIO' }), ONE, 'x86_64')).toMatchObject({ callsPerSec: 0, hitsPerSec: 0, hits: 0, text: 'no such call just now; 3 processes, among them worker, nginx' });
  });
});
