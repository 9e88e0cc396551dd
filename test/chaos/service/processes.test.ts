import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { info } from '../../output/frames.ts';
import { execProbed, nodeFacts } from '../../../src/chaos/service/node-facts.ts';
import { ioUringUsers, ownPids, parseStat, processStat, tasksIn, terminalOf } from '../../../src/chaos/service/processes.ts';

let proc: string;
beforeEach(() => { proc = mkdtempSync(join(tmpdir(), 'kbtop-proc-')); });
afterEach(() => rmSync(proc, { recursive: true, force: true }));

const stat = (pid: number, comm: string, { state = 'S', ppid = 1, flags = 0, start = 77 } = {}): string => `${pid} (${comm}) ${state} ${ppid} 1 1 0 -1 ${flags} ${'0 '.repeat(12)}${start} 0 0\n`;
function make(pid: number, comm: string, more: Parameters<typeof stat>[2] = {}): void {
  mkdirSync(join(proc, `${pid}/fd`), { recursive: true });
  writeFileSync(join(proc, `${pid}/stat`), stat(pid, comm, more));
}

describe('a process', () => {
  it('is read from its stat line, whatever it is called', () => {
    expect(parseStat(stat(12, 'a) S 1 (b', { ppid: 7, flags: 0x200000 }))).toEqual({ pid: 12, comm: 'a) S 1 (b', ppid: 7, kernelThread: true, startTime: '77', zombie: false, exiting: false });
    expect(parseStat('')).toBe(null);
    expect(parseStat('12 (x) S')).toBe(null);
    expect(processStat(99, proc)).toBe(null);
  });

  it('of this test is the kernel\'s, and not another one with its number', async () => {
    const child = spawn('sleep', ['60']);
    const before = processStat(child.pid ?? 0);
    expect(before).toMatchObject({ ppid: process.pid, kernelThread: false });
    child.kill('SIGKILL');
    await new Promise((resolve) => { child.once('close', resolve); });
    expect(processStat(child.pid ?? 0)?.startTime).not.toBe(before?.startTime);
  });

  it('comes with its ancestors', () => {
    make(30, 'c', { ppid: 20 });
    make(20, 'b', { ppid: 1 });
    make(1, 'init', { ppid: 0 });
    expect([...ownPids(30, proc)]).toEqual([30, 20, 1]);
    expect(ownPids().has(process.ppid)).toBe(true);
  });

  it('has a terminal or none', () => {
    make(5, 'sh');
    expect(terminalOf(5, proc)).toBe(null);
    symlinkSync('pipe:[1]', join(proc, '5/fd/0'));
    symlinkSync('/dev/pts/3', join(proc, '5/fd/1'));
    expect(terminalOf(5, proc)).toBe('/dev/pts/3');
  });
});

describe('tasks of a cgroup', () => {
  it('are those that live; processes of another pid namespace have no number', () => {
    make(5, 'nginx');
    make(6, 'gone', { state: 'Z' });
    mkdirSync(join(proc, 'group'));
    writeFileSync(join(proc, 'group/cgroup.procs'), '5\n6\n7\n0\n');
    expect(tasksIn(join(proc, 'group'), proc)).toEqual([{ pid: 5, comm: 'nginx', kernelThread: false }]);
    expect(tasksIn(join(proc, 'nowhere'), proc)).toEqual([]);
  });

  it('that use io_uring are found by their descriptors', () => {
    make(5, 'db');
    make(6, 'web');
    symlinkSync('anon_inode:[io_uring]', join(proc, '5/fd/9'));
    symlinkSync('/dev/null', join(proc, '6/fd/0'));
    const task = (pid: number, comm: string): { pid: number; comm: string; kernelThread: false } => ({ pid, comm, kernelThread: false });
    expect(ioUringUsers([task(5, 'db'), task(6, 'web')], proc)).toEqual(['db']);
    expect(ioUringUsers([], proc)).toEqual([]);
    expect(ioUringUsers([task(404, 'x')], proc)).toBe(null);
  });
});

describe('the node', () => {
  it('tells what it panics at, or nothing', () => {
    expect(nodeFacts('v2', { ioUring: null, execProbes: [] }, proc)).toEqual({ panicOnOops: null, hungTaskPanic: null, softlockupPanic: null, cgroupMode: 'v2', execProbes: [], ioUring: null });
    mkdirSync(join(proc, 'sys/kernel'), { recursive: true });
    for (const [name, text] of [['panic_on_oops', '1\n'], ['hung_task_panic', '0\n'], ['softlockup_panic', 'x']] as const) writeFileSync(join(proc, 'sys/kernel', name), text);
    expect(nodeFacts('hybrid', { ioUring: ['db'], execProbes: ['shop/db'] }, proc)).toMatchObject({ panicOnOops: true, hungTaskPanic: false, softlockupPanic: null, ioUring: ['db'], execProbes: ['shop/db'] });
  });
});

describe('probes that run commands', () => {
  it('are told of the containers that have some, each once', () => {
    const podStatus = { ready: 1, containers: 2, status: 'Running', restarts: 0, createdAt: null };
    const db = info({ kind: 'pod', namespace: 'shop', pod: 'db-0', container: 'db', podStatus: { ...podStatus, execProbes: ['db'] } });
    expect(execProbed([db, db, { ...db, container: 'proxy' }, { ...db, container: null }, { ...db, podStatus }, { ...db, podStatus: null }])).toEqual(['shop/db-0/db']);
  });
});
