/** Find the runtime that runs this node's pods: of all sockets that may be there, the first that answers and has any. */
import { type Door, knock, openDoor } from './door.ts';
import { type Failure, failureOf } from './failure.ts';
import type { Container, Runtime, Sandbox, Version } from './runtime.ts';
import type { Tuning } from './tuning.ts';

export interface Lists {
  readonly sandboxes: readonly Sandbox[];
  readonly containers: readonly Container[];
}

/** A runtime that answers. */
export interface Reached {
  readonly path: string;
  readonly runtime: Runtime;
  readonly version: Version;
  readonly pods: number;
  /** What it told first; once, so that nobody keeps it. */
  takeLists(): Lists;
  close(): void;
}

export interface Found {
  readonly reached: Reached | null;
  /** The other places that were tried. */
  readonly failures: readonly Failure[];
  /** Other sockets that are there: worth another look while this runtime has no pods. */
  readonly others: boolean;
}

const NOTHING: Lists = { sandboxes: [], containers: [] };

/** @throws CallError */
export async function listAll(runtime: Runtime, ms: number): Promise<Lists> {
  const [sandboxes, containers] = await Promise.all([runtime.sandboxes(null, ms), runtime.containers(null, ms)]);
  return { sandboxes, containers };
}

async function reach(path: string, tuning: Tuning, signal: AbortSignal, debug: (text: string) => void): Promise<Reached> {
  const door: Door = openDoor(path);
  let runtime: Runtime | null = null;
  const close = (): void => {
    signal.removeEventListener('abort', close);
    runtime?.close();
    door.close();
  };
  signal.addEventListener('abort', close);
  try {
    await knock(door.address, tuning.callMs, signal);
    const { connect } = await import('./client.ts');
    signal.throwIfAborted();
    runtime = connect(door.address, debug);
    const version = await runtime.version(tuning.callMs);
    let lists: Lists = await listAll(runtime, tuning.listMs);
    const takeLists = (): Lists => {
      const taken = lists;
      lists = NOTHING;
      return taken;
    };
    return { path, runtime, version, pods: lists.sandboxes.length, takeLists, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** Try the places in turn. Never rejects; what was reached is closed by whoever gets it, and when the signal says so. */
export async function findRuntime(paths: readonly string[], tuning: Tuning, signal: AbortSignal, debug: (text: string) => void): Promise<Found> {
  const failures: Failure[] = [];
  let reached: Reached | null = null;
  let idle = 0;
  for (const path of paths) {
    if (signal.aborted) break;
    try {
      const next: Reached = await reach(path, tuning, signal, debug);
      // A runtime beside kubelet's, Docker's for one, may offer CRI and have no pods.
      if (reached !== null) {
        idle += 1;
        (next.pods > 0 ? reached : next).close();
      }
      if (reached === null || next.pods > 0) reached = next;
      if (next.pods > 0) break;
    } catch (error) {
      failures.push(failureOf(path, error));
    }
  }
  return { reached, failures, others: reached?.pods === 0 && (idle > 0 || failures.some(({ status }) => status === 'failing')) };
}
