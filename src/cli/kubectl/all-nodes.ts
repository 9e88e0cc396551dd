/** `kubectl kbtop --all-nodes`: one screen on the agents of all nodes. */
import type { Duplex } from 'node:stream';
import { AGENT_COMMAND, type Agent, PodAgents } from '../../cluster/agents.ts';
import { type Command as PodCommand, agentStream } from '../../cluster/agent-stream.ts';
import type { AgentSession } from '../../cluster/member.ts';
import { ClusterSource, NoAgents } from '../../cluster/source.ts';
import type { Target } from '../../frame/target.ts';
import { systemClock } from '../../identity/kubernetes/clock.ts';
import type { Cluster } from '../../identity/kubernetes/cluster.ts';
import { EXIT, Interrupted, KbtopError, usageError } from '../errors.ts';
import { DEFAULT_HISTORY_MS, keepHistory } from '../history.ts';
import { colorWish } from '../screen.ts';
import { version } from '../version.ts';

/** The ways that lead into the cluster. */
export interface ClusterWays {
  readonly cluster: Cluster;
  /** Runs a command in an agent's container. */
  readonly exec: (agent: Agent, command: readonly string[]) => Promise<PodCommand>;
  /** Speaks with the session at the other end of a stream; `dial` opens another one when it is lost. */
  readonly attach: (dial: () => Promise<Duplex>) => Promise<AgentSession>;
}

export interface AllNodesOptions {
  /** Where the agents are. */
  readonly namespace: string;
  readonly intervalMs: number;
  readonly color: boolean | null;
  readonly ascii: boolean;
  readonly readOnly: boolean;
  /** What the screen is limited to; null: everything. */
  readonly target: Target | null;
}

/** "prod" of "https://10.0.0.1:6443 (context prod of /home/anna/.kube/config)"; else the server's host. */
export function clusterName({ label, host }: Pick<Cluster, 'label' | 'host'>): string {
  return /\(context (.+) of [^)]*\)$/.exec(label ?? '')?.[1] ?? host;
}

/** All agents of a cluster as one source. @throws KbtopError when there are none, or the Failure of the API server */
export async function openAllNodes({ cluster, exec, attach }: ClusterWays, { namespace, intervalMs }: Pick<AllNodesOptions, 'namespace' | 'intervalMs'>): Promise<ClusterSource> {
  // Its configuration is read, so that it has a name.
  await cluster.server();
  try {
    return await ClusterSource.open({
      name: clusterName(cluster), namespace, intervalMs, agents: new PodAgents(cluster, namespace, systemClock),
      open: (agent, turn) => attach(() => turn(async () => agentStream(await exec(agent, AGENT_COMMAND)))),
    });
  } catch (error) {
    throw error instanceof NoAgents ? new KbtopError(EXIT.notFound, error.message, { cause: error }) : error;
  }
}

/** @returns the exit code @throws KbtopError, Interrupted, or the Failure of the API server */
export async function allNodes(ways: ClusterWays, options: AllNodesOptions): Promise<number> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) throw usageError('the screen needs a terminal: give kubectl kbtop --all-nodes one');
  const { color, ascii, intervalMs, readOnly, target } = options;
  const [source, { runUi }] = await Promise.all([openAllNodes(ways, options), import('../../ui/run.tsx')]);
  const past = await keepHistory(source, DEFAULT_HISTORY_MS, process.cwd());
  try {
    const code = await runUi(source, {
      color: colorWish(color), ascii, intervalMs, readOnly,
      scope: target === null ? null : { label: target.label, only: null, matches: target.matches },
      saveDirectory: process.cwd(), version: version(), chaos: null, ...past,
    });
    if (code !== EXIT.ok) throw new Interrupted();
    return code;
  } finally {
    await source.close();
  }
}
