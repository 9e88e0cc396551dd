/**
 * A second process that removes the pod when kubectl kbtop cannot do so any more: killed, out of memory, a machine that is
 * logged out of. It waits on a pipe that only kubectl kbtop holds, and knows but the one pod. (Processes in the pod need no
 * guard: they end when the stream does. This is about the pod's object alone.)
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { text as readAll } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type Way } from '../../cluster/connect.ts';
import { type PodName, removePod } from '../../cluster/own-pod.ts';

/** The first argument that makes this program a guard. */
export const GUARD = '--guard-a-debug-pod';
/** Sent when there is nothing left to do. */
const DONE = '\ndone';
/** A request to make the pod may still be on its way when whoever sent it dies; and networks come back. Milliseconds. */
const ATTEMPTS_MS = [0, 1_000, 5_000, 15_000, 60_000, 120_000, 300_000];
/** Attempts that are made although there is no such pod. */
const AGAIN_WITHOUT = 3;

interface Charge {
  readonly way: Way;
  readonly pod: PodName;
}

export class Guard {
  readonly #child: ChildProcess;

  /** @param program file of this program */
  constructor(charge: Charge, program: string) {
    // A session of its own: no terminal's end and no Ctrl-C reaches it.
    this.#child = spawn(process.execPath, [program, GUARD], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.#child.on('error', () => {});
    this.#child.stdin?.on('error', () => {});
    this.#child.stdin?.write(JSON.stringify(charge));
    this.#child.unref();
  }

  /** The pod is gone, or is to stay. */
  async dismiss(): Promise<void> {
    const { stdin } = this.#child;
    if (stdin && !stdin.destroyed) await new Promise<void>((resolve) => { stdin.end(DONE, () => resolve()); stdin.on('close', () => resolve()); });
  }
}

/** The guard's own life. */
export async function guard(): Promise<void> {
  const told = await readAll(process.stdin);
  if (told.endsWith(DONE)) return;
  const { way, pod } = JSON.parse(told) as Charge;
  const kube = await connect(way, new AbortController().signal);
  let without = 0;
  for (const pauseMs of ATTEMPTS_MS) {
    await sleep(pauseMs);
    try {
      if (await removePod(kube, pod, null)) return;
      if (++without >= AGAIN_WITHOUT) return;
    } catch {
      // The next attempt may have more luck.
    }
  }
}
