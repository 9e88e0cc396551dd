/** Names from the Kubernetes API: the pods of this node, with labels, owners and what kubectl tells of them. */
import type { SourceOptions } from '../options.ts';
import type { Changed, Names, NameSource, SourceState, Subject } from '../source.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Cluster } from './cluster.ts';
import type { Failure } from './failure.ts';
import { findPlace, type Found, type Machine, nodesOwn, thisMachine } from './places.ts';
import { PodStore } from './pod-store.ts';
import { counted, type PodRecord } from './pod.ts';

/** Longest that start() waits for the first answer, milliseconds. */
const START_MS = 5_000;

/** What a source needs of the world; tests have another. */
export interface Surroundings {
  readonly clock: Clock;
  readonly machine: Machine;
}

export const theWorld: Surroundings = { clock: systemClock, machine: thisMachine };

/** Who may list the pods, as the refusal names them: User "system:serviceaccount:ns:name". */
const SUBJECT = /User "([^"]+)"/;

/** What grants the right, as a command to copy. */
function grant(message: string): string {
  const user = SUBJECT.exec(message)?.[1] ?? 'NAME';
  const account = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user);
  const subject = account ? `--serviceaccount=${account[1]}:${account[2]}` : `--user=${user}`;
  return `allow list and watch of pods: kubectl create clusterrole kbtop --verb=list,watch --resource=pods && kubectl create clusterrolebinding kbtop --clusterrole=kbtop ${subject}`;
}

function fixOf(failure: Failure): string | null {
  if (failure.kind === 'forbidden') return grant(failure.message);
  if (failure.kind === 'unauthorized') return failure.fix ?? 'renew the credentials of that user, or give others by --kubeconfig or --context';
  return failure.fix;
}

class ApiSource implements NameSource {
  readonly id = 'api';
  readonly late = true;
  state: SourceState = { status: 'starting', reason: 'not answered yet', fix: null };
  readonly #options: SourceOptions;
  readonly #around: Surroundings;
  readonly #store: PodStore;
  readonly #closing = new AbortController();
  #changed: Changed = () => {};
  #cluster: Cluster | null = null;
  /** No such node is known in the cluster. */
  #noNode = false;

  constructor(options: SourceOptions, around: Surroundings) {
    this.#options = options;
    this.#around = around;
    this.#store = new PodStore(() => around.clock.now());
  }

  onChange(changed: Changed): void {
    this.#changed = changed;
  }

  start(): Promise<void> {
    const { clock } = this.#around;
    return new Promise((resolve) => {
      const stop = clock.after(START_MS, resolve);
      const first = (): void => {
        stop();
        resolve();
      };
      this.#closing.signal.addEventListener('abort', first);
      this.#run(first).catch((error: unknown) => {
        this.#tell('failing', `it cannot go on: ${String(error)}`, null);
        this.#options.debug(`api: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
        first();
      });
    });
  }

  /** @param first called when there is an answer, or when it is clear that there will be none soon */
  async #run(first: () => void): Promise<void> {
    const { signal } = this.#closing;
    const { clock, machine } = this.#around;
    const found = await findPlace(this.#options, machine);
    if (signal.aborted) return;
    if (found.place === null) {
      await this.#absent(found);
      return first();
    }
    // Here begins what costs memory: the package, HTTP and TLS.
    const [{ Cluster }, { Reflector, podsOnNode }] = await Promise.all([import('./cluster.ts'), import('./reflector.ts')]);
    if (signal.aborted) return;
    const cluster = new Cluster(found.place, this.#options.context, clock, signal);
    this.#cluster = cluster;
    const reflector = new Reflector(cluster, podsOnNode(this.#options.nodeName), {
      listed: async (pods) => {
        this.#learn(this.#store.replace(pods));
        await this.#checkNode(cluster, pods);
        this.#ok();
        first();
      },
      changed: (changes) => {
        const ids: string[] = [];
        for (const { pod, gone } of changes) {
          ids.push(...this.#store.put(pod));
          if (gone) this.#store.remove(pod);
          this.#noNode = false;
        }
        this.#learn(ids);
        this.#ok();
      },
      answered: () => {
        if (this.state.status === 'failing') this.#ok();
      },
      failed: (failure, pauseMs) => {
        this.#failing(failure, pauseMs);
        first();
      },
    }, clock, signal);
    await reflector.run();
  }

  #learn(ids: readonly string[]): void {
    if (ids.length === 0 || this.#closing.signal.aborted) return;
    try {
      this.#changed(ids);
    } catch (error) {
      // Whoever listens and stumbles must not stop the watch.
      this.#options.debug(`api: ${String(error)}`);
    }
  }

  /** No pods at all: is this the name that the cluster has for this node? Whoever may not ask is not told. */
  async #checkNode(cluster: Cluster, pods: readonly PodRecord[]): Promise<void> {
    this.#noNode = false;
    if (pods.length > 0) return;
    try {
      await cluster.json(`/api/v1/nodes/${encodeURIComponent(this.#options.nodeName)}`);
    } catch (error) {
      this.#noNode = (error as Failure).status === 404;
    }
  }

  #tell(status: SourceState['status'], reason: string, fix: string | null): void {
    if (!this.#closing.signal.aborted) this.state = { status, reason, fix };
  }

  async #absent({ looked }: Found): Promise<void> {
    const where = looked.length > 0 ? `: no ${looked.join(', no ')}` : '';
    const there = await nodesOwn(this.#options.hostRoot);
    this.#tell('absent', `there is no kubeconfig${where}, and no service account`, there === null ? 'give --kubeconfig FILE, or run kbtop in a pod with a service account' : `give --kubeconfig FILE; this node has ${there}`);
  }

  #ok(): void {
    const { nodeName } = this.#options;
    const server = this.#cluster?.label ?? '';
    if (this.#noNode) {
      this.#tell('failing', `${server} knows no node ${nodeName}, so none of its pods can be this node's`, 'give the name that kubectl get nodes shows for this node by --node NAME');
      return;
    }
    this.#tell('ok', `${server}: ${counted(this.#store.size)} on node ${nodeName}`, null);
  }

  #failing(failure: Failure, pauseMs: number): void {
    // Configuration says itself where it is.
    const who = failure.kind === 'configuration' || this.#cluster?.label == null ? '' : `${this.#cluster.label}: `;
    this.#tell('failing', `${who}${failure.message}`, fixOf(failure));
    this.#options.debug(`api: ${who}${failure.message}; again in ${Math.round(pauseMs)} ms`);
  }

  lookup(subject: Subject): Names | null {
    return this.#store.find(subject);
  }

  close(): void {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#cluster?.close();
  }
}

/** Names from the API server that kubeconfig or service account lead to. Loads its client only when there is one of them. */
export function createApiSource(options: SourceOptions, around: Surroundings = theWorld): NameSource {
  return new ApiSource(options, around);
}
