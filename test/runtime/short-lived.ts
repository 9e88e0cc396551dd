/** Containers that live for a moment, many of them: what a source of names finds hardest. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ContainerState } from './cri-client.ts';
import type { Pod } from './pods.ts';
import type { Runtime } from './runtime.ts';

const POLL_MS = 10;
const GIVE_UP_MS = 20_000;

/** Create a container that ends by itself, wait for its end, remove it. Resolves with its id. @throws Error when it fails */
async function runOnce(runtime: Runtime, pod: Pod, name: string, seconds: number): Promise<string> {
  const id = await pod.create({ name, command: ['sleep', String(seconds)] });
  await pod.launch(name, id);
  const deadline = performance.now() + GIVE_UP_MS;
  for (;;) {
    const { state, exitCode, message } = await runtime.cri.containerStatus(id);
    if (state === ContainerState.EXITED && exitCode !== 0) throw new Error(`container ${name} failed with ${exitCode}: ${message}`);
    if (state === ContainerState.EXITED) break;
    if (performance.now() > deadline) throw new Error(`container ${name} did not end`);
    await sleep(POLL_MS);
  }
  await pod.removeContainer(name, id);
  return id;
}

export interface BurstOptions {
  readonly count: number;
  /** How long a container's process runs, milliseconds. */
  readonly lifeMs: number;
  /** How many at a time. */
  readonly parallel: number;
}

/** Run containers job-0, job-1, ... in a pod. Resolves with name by id, when all have ended and are removed. */
export async function runShortLived(runtime: Runtime, pod: Pod, { count, lifeMs, parallel }: BurstOptions): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  let next = 0;
  await Promise.all(Array.from({ length: parallel }, async () => {
    while (next < count) {
      const name = `job-${next++}`;
      names.set(await runOnce(runtime, pod, name, lifeMs / 1000), name);
    }
  }));
  return names;
}
