/** Ends every fault of every kbtop on this node: its injectors are asked to go, then made to. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Registered, isAlive, registered, runDirectory } from './registration.ts';

export interface Stopped {
  /** Injectors that are gone now, with the faults that they had armed. */
  readonly stopped: readonly Registered[];
  /** Still there, whatever was tried. */
  readonly left: readonly Registered[];
  /** In other pid namespaces. */
  readonly foreign: readonly Registered[];
}

export interface StopOptions {
  readonly directory?: string;
  /** Until it is killed, and until it is given up; milliseconds. */
  readonly politeMs?: number;
  readonly killMs?: number;
}

function signal(one: Registered, name: 'SIGTERM' | 'SIGKILL'): void {
  if (!isAlive(one)) return;
  try {
    process.kill(one.pid, name);
  } catch {
    // ended meanwhile, or not ours to end: told as left
  }
}

async function gone(all: readonly Registered[], withinMs: number): Promise<Registered[]> {
  const until = performance.now() + withinMs;
  for (;;) {
    const left = all.filter(isAlive);
    if (left.length === 0 || performance.now() > until) return left;
    await sleep(20);
  }
}

/** @throws ChaosError when it cannot be told what there is */
export async function stopEverywhere({ directory = runDirectory(), politeMs = 3000, killMs = 2000 }: StopOptions = {}): Promise<Stopped> {
  const { alive, foreign } = registered(directory);
  for (const one of alive) signal(one, 'SIGTERM');
  // What an injector holds goes with it, however it ends.
  const stubborn = await gone(alive, politeMs);
  for (const one of stubborn) signal(one, 'SIGKILL');
  const left = await gone(stubborn, killMs);
  if (stubborn.length > left.length) registered(directory);
  return { stopped: alive.filter((one) => !left.includes(one)), left, foreign };
}
