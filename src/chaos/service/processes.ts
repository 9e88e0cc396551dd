/** Processes as /proc tells them: their names, when they began, and what safety rules ask about them. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { TargetTask } from '../refused-targets.ts';

export interface ProcessStat {
  readonly pid: number;
  readonly comm: string;
  readonly ppid: number;
  readonly kernelThread: boolean;
  /** Clock ticks since boot; with the pid it tells one process from all others. */
  readonly startTime: string;
  readonly zombie: boolean;
  /** It is on its way out: it does nothing any more, but may still hold what it had open. */
  readonly exiting: boolean;
}

/** PF_KTHREAD and PF_EXITING of the kernel. */
const KERNEL_THREAD = 0x0020_0000;
const EXITING = 0x0000_0004;

/** Text of a small file; null when it cannot be read, whatever the reason. */
export function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Of a /proc/PID/stat. The name may hold spaces and parentheses: only the last one ends it. */
export function parseStat(text: string): ProcessStat | null {
  const [, pid = '', comm = '', rest = ''] = /^(\d+) \((.*)\) (.*)$/s.exec(text.trimEnd()) ?? [];
  const fields = rest.split(' ');
  const startTime = fields[19];
  if (pid === '' || startTime === undefined) return null;
  return { pid: Number(pid), comm, ppid: Number(fields[1]), kernelThread: (Number(fields[6]) & KERNEL_THREAD) !== 0, startTime, zombie: fields[0] === 'Z' || fields[0] === 'X', exiting: (Number(fields[6]) & EXITING) !== 0 };
}

/** Null: there is no such process, or it cannot be seen. */
export function processStat(pid: number, proc = '/proc'): ProcessStat | null {
  const text = readText(join(proc, String(pid), 'stat'));
  return text === null ? null : parseStat(text);
}

/** This process, and all that it comes from. */
export function ownPids(pid: number = process.pid, proc = '/proc'): Set<number> {
  const pids = new Set<number>();
  for (let at = pid; at > 0 && !pids.has(at);) {
    pids.add(at);
    at = processStat(at, proc)?.ppid ?? 0;
  }
  return pids;
}

/** Processes in a cgroup's directory, without those below it. */
export function tasksIn(directory: string, proc = '/proc'): TargetTask[] {
  // The processes of a threaded cgroup are told by its threads only.
  const text = readText(join(directory, 'cgroup.procs')) ?? readText(join(directory, 'cgroup.threads')) ?? '';
  const pids = new Set(text.split('\n').map(Number).filter((pid) => pid > 0));
  return [...pids].flatMap((pid) => {
    const stat = processStat(pid, proc);
    return stat === null || stat.zombie ? [] : [{ pid, comm: stat.comm, kernelThread: stat.kernelThread }];
  });
}

/** Descriptors that are looked at, of all processes together: more take longer than they tell. */
const MAX_DESCRIPTORS = 20_000;

/** Names of those that have an io_uring; null when none of them could be looked into. */
export function ioUringUsers(tasks: readonly TargetTask[], proc = '/proc'): string[] | null {
  const users = new Set<string>();
  let seen = tasks.length === 0, left = MAX_DESCRIPTORS;
  for (const { pid, comm } of tasks) {
    const directory = join(proc, String(pid), 'fd');
    let descriptors: string[];
    try {
      descriptors = readdirSync(directory).slice(0, left);
    } catch {
      continue; // ended, or not ours to see
    }
    seen = true;
    left -= descriptors.length;
    if (descriptors.some((fd) => isIoUring(join(directory, fd)))) users.add(comm);
  }
  return seen ? [...users] : null;
}

function isIoUring(path: string): boolean {
  try {
    return readlinkSync(path) === 'anon_inode:[io_uring]';
  } catch {
    return false;
  }
}

/** Terminal of a process: what its first descriptors lead to; null without one. */
export function terminalOf(pid: number, proc = '/proc'): string | null {
  for (const fd of ['0', '1', '2']) {
    try {
      const path = readlinkSync(join(proc, String(pid), 'fd', fd));
      if (/^\/dev\/(?:pts\/\d+|tty\w*|console)$/.test(path)) return path;
    } catch {
      // ended, or not ours to see
    }
  }
  return null;
}
