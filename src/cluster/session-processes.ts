/** The processes of one session, told apart by what every one of them has in its environment. */
import { Buffer } from 'node:buffer';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SESSION_VARIABLE } from './debug-pod.ts';

/** How often to look whether they are gone, milliseconds. */
const LOOK_MS = 50;
/** What cannot be killed within this time is stuck in the kernel; milliseconds. */
const KILL_MS = 2_000;

/** Ids of the session's processes, without this one. @param proc directory that stands for /proc, for tests */
export function processesOf(session: string, proc = '/proc'): number[] {
  const wanted = Buffer.from(`\0${SESSION_VARIABLE}=${session}\0`);
  return readdirSync(proc).filter((entry) => /^\d+$/.test(entry)).map(Number).filter((pid) => {
    if (pid === process.pid) return false;
    try {
      // One that has ended and waits for its parent has no environment any more.
      return Buffer.concat([Buffer.of(0), readFileSync(join(proc, String(pid), 'environ')), Buffer.of(0)]).includes(wanted);
    } catch {
      return false;
    }
  });
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has just ended.
    }
  }
}

/**
 * End them all: by SIGTERM, which gives faults and terminals back, and what is still there after `graceMs` by SIGKILL,
 * since a program whose terminal has lost its other end hangs in a write and hears nothing.
 */
export async function endSession(session: string, graceMs: number): Promise<void> {
  const told = new Set<number>();
  const deadline = performance.now() + graceMs;
  for (;;) {
    const pids = processesOf(session);
    if (pids.length === 0) return;
    const late = performance.now() - deadline;
    if (late > KILL_MS) return;
    // Those that began meanwhile are told, too.
    signal(late >= 0 ? pids : pids.filter((pid) => !told.has(pid)), late >= 0 ? 'SIGKILL' : 'SIGTERM');
    for (const pid of pids) told.add(pid);
    await sleep(LOOK_MS);
  }
}
