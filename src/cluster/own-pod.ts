/** One debug pod from its making to its end. Whoever has one holds it: it ends when it is let go of, or no longer held. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../identity/kubernetes/failure.ts';
import { type Json, text } from '../identity/kubernetes/shape.ts';
import { CONTAINER, debugPod, debugPodName, type DebugPodOptions, GRACE_SECONDS, SESSION_LABEL } from './debug-pod.ts';
import { denialOf } from './denial.ts';
import { Trouble } from './errors.ts';
import { BEAT_MS } from './hold.ts';
import { type Kube, metadataOf, uidOf } from './kube.ts';
import { progressOf } from './pod-progress.ts';
import { type ExecStream, openAttach, openExec } from './streams.ts';

/** Between looks at a pod that cannot be watched, milliseconds. */
const LOOK_MS = 1_000;
/** How long a pod that is being removed is waited for, and how often it is looked at; milliseconds. */
const GOING_MS = 5_000;
const GOING_LOOK_MS = 100;
/** Pauses between attempts to remove it, milliseconds. */
const RETRIES_MS = [500, 1_000, 2_000, 4_000];

export interface PodName {
  readonly namespace: string;
  readonly name: string;
  readonly session: string;
}

export const podNameOf = ({ namespace, node, session }: DebugPodOptions): PodName => ({ namespace, name: debugPodName(node.name, session), session });

/** The pod of that name, if it is the session's: names can be taken, sessions cannot. */
async function ownPod(kube: Kube, { namespace, name, session }: PodName): Promise<Json | null> {
  const pod = await kube.pod(namespace, name);
  const labels = metadataOf(pod)['labels'];
  return pod !== null && (labels as Json | undefined)?.[SESSION_LABEL] === session ? pod : null;
}

/**
 * Remove it, and only it; tried for a while.
 * @returns false when it was not there @throws Failure when the cluster would not
 */
export async function removePod(kube: Kube, pod: PodName, uid: string | null): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    const pauseMs = RETRIES_MS[attempt];
    try {
      const known = uid ?? uidOf(await ownPod(kube, pod));
      return known !== null && await kube.delete(pod.namespace, pod.name, known, GRACE_SECONDS);
    } catch (error) {
      const again = error instanceof Failure && (error.kind === 'network' || error.kind === 'throttled' || (error.status ?? 0) >= 500);
      if (!again || pauseMs === undefined) throw error;
      await sleep(Math.max(pauseMs, Math.min(error.retryAfterMs, 10_000)));
    }
  }
}

export class DebugPod {
  readonly name: PodName;
  readonly #kube: Kube;
  readonly #node: string;
  #uid: string | null = null;
  #version = '';
  #hold: ExecStream | null = null;
  #beat: NodeJS.Timeout | undefined;

  private constructor(kube: Kube, options: DebugPodOptions) {
    this.#kube = kube;
    this.#node = options.node.name;
    this.name = podNameOf(options);
  }

  /** @throws Trouble, which says why the cluster does not want it, and what would help */
  static async create(kube: Kube, options: DebugPodOptions): Promise<DebugPod> {
    const own = new DebugPod(kube, options);
    try {
      own.#know(await kube.create(options.namespace, debugPod(options)));
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      // A request that was sent twice, or whose answer was lost, may have been heeded.
      const made = error.status === 409 || error.kind === 'network' ? await ownPod(kube, own.name).catch(() => null) : null;
      if (made === null) throw denialOf(error, options.namespace);
      own.#know(made);
    }
    return own;
  }

  #know(pod: Json): void {
    this.#uid = uidOf(pod) ?? this.#uid;
    this.#version = text(metadataOf(pod)['resourceVersion']) ?? this.#version;
  }

  /**
   * Wait until it runs.
   * @param tell receives what it waits for, whenever that changes
   * @throws Trouble when it never will, or has not by then
   */
  async running(timeoutMs: number, signal: AbortSignal, tell: (what: string) => void): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), timeoutMs);
    let last = '';
    const settled = (pod: Json | null): boolean => {
      if (pod !== null) this.#know(pod);
      const progress = progressOf(pod);
      if (progress.state === 'over') throw new Trouble('failed', `debug pod ${this.#label} does not start on node ${this.#node}: ${progress.reason}${progress.fix === null ? '' : `: ${progress.fix}`}`);
      if (progress.state === 'running') return true;
      if (progress.what !== last) tell(progress.what);
      last = progress.what;
      return false;
    };
    const stop = new Promise<'late' | 'aborted'>((resolve) => {
      late.signal.addEventListener('abort', () => resolve('late'));
      signal.addEventListener('abort', () => resolve('aborted'));
    });
    try {
      const work = this.#follow(settled, () => signal.aborted || performance.now() > deadline);
      const how = await Promise.race([work, stop]);
      if (how === 'running' || how === 'aborted') return;
    } finally {
      clearTimeout(timer);
    }
    throw new Trouble('failed', `debug pod ${this.#label} has not started on node ${this.#node} in ${Math.round(timeoutMs / 1_000)} s (${await this.#lastWarning() ?? last}): give it longer with --timeout, or see kubectl describe node ${this.#node}`);
  }

  async #follow(settled: (pod: Json | null) => boolean, over: () => boolean): Promise<'running' | 'late'> {
    while (!over()) {
      if (settled(await this.#kube.pod(this.name.namespace, this.name.name))) return 'running';
      try {
        for await (const pod of this.#kube.changes(this.name.namespace, this.name.name, this.#version)) {
          if (settled(pod)) return 'running';
          if (over()) return 'late';
        }
      } catch (error) {
        // Whoever may not watch looks again and again.
        if (!(error instanceof Failure)) throw error;
      }
      await sleep(LOOK_MS);
    }
    return 'late';
  }

  async #lastWarning(): Promise<string | null> {
    try {
      return (await this.#kube.warnings(this.name.namespace, this.#uid ?? '')).at(-1) ?? null;
    } catch {
      // It is only allowed to some.
      return null;
    }
  }

  get #label(): string {
    return `${this.name.name} in namespace ${this.name.namespace}`;
  }

  /**
   * Take hold of it: from here on it lives as long as this connection.
   * @param released called once, when it is no longer held, by whomever
   * @throws Failure, Trouble
   */
  async hold(signal: AbortSignal, released: () => void): Promise<void> {
    const stream = await openAttach(this.#kube.cluster, { namespace: this.name.namespace, pod: this.name.name, container: CONTAINER, signal });
    this.#hold = stream;
    stream.stderr.resume();
    const heard = new Promise<boolean>((resolve) => {
      stream.once('data', () => resolve(true));
      void stream.exit.then(() => resolve(false));
      signal.addEventListener('abort', () => resolve(false));
    });
    stream.resume();
    const beat = (): void => { if (stream.writableLength === 0) stream.write('.'); };
    this.#beat = setInterval(beat, BEAT_MS);
    beat();
    if (!(await heard) && !signal.aborted) throw new Trouble('failed', `debug pod ${this.#label} let go at once: ${await this.whyOver() ?? 'no reason told'}`);
    void stream.exit.then(released);
  }

  exec(command: readonly string[], options: { readonly tty: boolean; readonly stdin: boolean; readonly signal: AbortSignal }): Promise<ExecStream> {
    return openExec(this.#kube.cluster, { namespace: this.name.namespace, pod: this.name.name, container: CONTAINER, command, ...options });
  }

  /** Why it is over; null when it is not, or nobody can tell. */
  async whyOver(): Promise<string | null> {
    try {
      const pod = await this.#kube.pod(this.name.namespace, this.name.name);
      const progress = progressOf(pod);
      return progress.state === 'over' ? progress.reason : null;
    } catch {
      return null;
    }
  }

  /** Let go: every process in it ends. Safe to call twice. */
  release(): void {
    clearInterval(this.#beat);
    this.#hold?.end();
    this.#hold?.close();
    this.#hold = null;
  }

  /** Resolves when it is gone, or is going and takes long. @throws Failure when the cluster would not */
  async remove(): Promise<void> {
    this.release();
    if (!(await removePod(this.#kube, this.name, this.#uid))) return;
    const deadline = performance.now() + GOING_MS;
    try {
      while (performance.now() < deadline && uidOf(await this.#kube.pod(this.name.namespace, this.name.name)) === this.#uid) await sleep(GOING_LOOK_MS);
    } catch (error) {
      // The cluster has promised it: that will do.
      if (!(error instanceof Failure)) throw error;
    }
  }
}
