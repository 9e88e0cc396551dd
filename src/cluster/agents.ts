/** Which nodes have an agent: the pods of the DaemonSet, listed and watched. */
import type { Clock } from '../identity/kubernetes/clock.ts';
import type { Cluster } from '../identity/kubernetes/cluster.ts';
import type { Failure } from '../identity/kubernetes/failure.ts';
import type { PodRecord } from '../identity/kubernetes/pod.ts';
import { Reflector, podsWithLabels } from '../identity/kubernetes/reflector.ts';

/** As deploy/ has them. */
export const AGENT_NAMESPACE = 'kbtop';
export const AGENT_LABELS = 'app.kubernetes.io/name=kbtop,app.kubernetes.io/component=agent';
export const AGENT_CONTAINER = 'kbtop';
/** What runs beside the agent, on its behalf: bytes of the session from the socket to stdout, and from stdin back. */
export const AGENT_COMMAND: readonly string[] = ['kbtop', 'attach', '--stdio'];

/** The pod that measures on one node. */
export interface Agent {
  readonly node: string;
  readonly namespace: string;
  readonly pod: string;
  readonly uid: string;
  /** As kubectl tells it. */
  readonly status: string;
  /** Streams into it can be opened. */
  readonly running: boolean;
}

export interface AgentEvents {
  /** All of them, one a node; called with every change. */
  readonly found: (agents: readonly Agent[]) => void;
  /** Why the list cannot be had, or is not fresh; null: it is again. */
  readonly trouble: (failure: Failure | null) => void;
}

/** Where agents are told of; ends with close(). */
export interface AgentWatch {
  start(events: AgentEvents): void;
  close(): void;
}

/** The one to ask of several on a node, while one takes over from the other: what runs, then what is newer. */
function better(a: PodRecord, b: PodRecord): PodRecord {
  const [ready, other] = [a, b].map(({ status }) => status.status === 'Running') as [boolean, boolean];
  if (ready !== other) return ready ? a : b;
  return (b.status.createdAt ?? '') > (a.status.createdAt ?? '') ? b : a;
}

export function agentsOf(pods: Iterable<PodRecord>): Agent[] {
  const byNode = new Map<string, PodRecord>();
  for (const pod of pods) {
    if (pod.node === null) continue;
    const known = byNode.get(pod.node);
    byNode.set(pod.node, known === undefined ? pod : better(known, pod));
  }
  return Array.from(byNode, ([node, { namespace, name, uids, status }]) => ({ node, namespace, pod: name, uid: uids[0], status: status.status, running: status.status === 'Running' }));
}

export class PodAgents implements AgentWatch {
  readonly #cluster: Cluster;
  readonly #namespace: string;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #pods = new Map<string, PodRecord>();

  constructor(cluster: Cluster, namespace: string, clock: Clock) {
    this.#cluster = cluster;
    this.#namespace = namespace;
    this.#clock = clock;
  }

  start({ found, trouble }: AgentEvents): void {
    const tell = (): void => {
      if (!this.#closing.signal.aborted) found(agentsOf(this.#pods.values()));
    };
    const reflector = new Reflector(this.#cluster, podsWithLabels(this.#namespace, AGENT_LABELS), {
      listed: (pods) => {
        this.#pods.clear();
        for (const pod of pods) this.#pods.set(pod.uids[0], pod);
        tell();
      },
      changed: (changes) => {
        for (const { pod, gone } of changes) {
          if (gone) this.#pods.delete(pod.uids[0]);
          else this.#pods.set(pod.uids[0], pod);
        }
        tell();
      },
      answered: () => trouble(null),
      failed: (failure) => trouble(failure),
    }, this.#clock, this.#closing.signal);
    void reflector.run();
  }

  close(): void {
    this.#closing.abort();
  }
}
