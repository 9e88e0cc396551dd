/** `kubectl kbtop --all-nodes`: from its flags to the screen. */
import { AGENT_CONTAINER, AGENT_NAMESPACE } from '../../cluster/agents.ts';
import { connect } from '../../cluster/connect.ts';
import type { Kube } from '../../cluster/kube.ts';
import { openExec } from '../../cluster/streams.ts';
import { Target, TargetError } from '../../frame/target.ts';
import { AttachSource } from '../../session/client/attach-source.ts';
import { readConfig } from '../config.ts';
import { Interrupted, KbtopError, usageError } from '../errors.ts';
import { DEFAULT_INTERVAL_MS } from '../limits.ts';
import { version } from '../version.ts';
import { allNodes } from './all-nodes.ts';
import { kbtopErrorOf } from './errors.ts';
import { type Flags, wayOf } from './flags.ts';

const list = (text: string | undefined): readonly string[] => (text === undefined ? [] : [text]);

function targetOf({ namespace, allNamespaces = false, selector, container }: Flags): Target | null {
  try {
    return Target.parse({ namespaces: list(namespace), allNamespaces, selectors: list(selector), containers: list(container), pods: [] });
  } catch (error) {
    throw error instanceof TargetError ? usageError(error.message) : error;
  }
}

/** Flags of debug pods, of which this makes none. */
const OF_PODS = ['allowChaos', 'image', 'imagePullPolicy', 'debugNamespace', 'privileged', 'maxTime', 'timeout', 'stdin', 'keep'] as const satisfies readonly (keyof Flags)[];
const written = (name: string): string => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** @returns the exit code */
export async function openCluster(target: string | undefined, flags: Flags, command: readonly string[] | null): Promise<number> {
  if (target !== undefined) throw usageError(`--all-nodes shows every node, and "${target}" is one thing: leave out one of them`);
  if (command !== null) throw usageError('--all-nodes is a screen: for scripts, ask node by node: kubectl kbtop node/NAME -- snapshot -o json');
  const idle = OF_PODS.find((name) => flags[name] !== undefined);
  if (idle !== undefined) throw usageError(`${written(idle)} is about debug pods, and --all-nodes makes none: leave it out`);
  const wanted = targetOf(flags);
  const config = await readConfig(flags.config);
  const closing = new AbortController();
  let kube: Kube | null = null;
  try {
    const { cluster } = kube = await connect(wayOf(flags, config), closing.signal);
    return await allNodes({
      cluster,
      exec: ({ namespace, pod }, words) => openExec(cluster, { namespace, pod, container: AGENT_CONTAINER, command: words, signal: closing.signal }),
      attach: (dial) => AttachSource.open({ dial, version: version(), terminal: null }),
    }, {
      namespace: flags.agentsNamespace ?? AGENT_NAMESPACE, intervalMs: flags.interval ?? config.intervalMs ?? DEFAULT_INTERVAL_MS,
      color: flags.color ?? config.color ?? null, ascii: flags.ascii ?? config.ascii ?? false, readOnly: config.readOnly ?? false, target: wanted,
    });
  } catch (error) {
    if (error instanceof KbtopError || error instanceof Interrupted) throw error;
    throw kbtopErrorOf(error, kube?.cluster.label ?? null);
  } finally {
    closing.abort();
    kube?.cluster.close();
  }
}
