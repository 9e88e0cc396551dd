/** What `kubectl kbtop` is told, in kubectl's words. */
import { hostname, userInfo } from 'node:os';
import { Command } from 'commander';
import type { Way } from '../../cluster/connect.ts';
import { dnsSubdomainMistake } from '../../frame/kube-names.ts';
import { type PodRef, parsePodRef } from '../../frame/pod-ref.ts';
import { Selector, SelectorError } from '../../frame/selector.ts';
import { oneOf } from '../../frame/suggest.ts';
import type { Config } from '../config.ts';
import { usageError } from '../errors.ts';
import { INTERVAL_LIMITS } from '../limits.ts';
import { contextName, imageName, namespaceName, readableFile } from '../places.ts';
import { checked, collect, durationOption } from '../settings.ts';
import { version } from '../version.ts';

export interface Flags {
  readonly namespace?: string;
  readonly allNamespaces?: boolean;
  readonly selector?: string;
  readonly container?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly cluster?: string;
  readonly user?: string;
  readonly as?: string;
  readonly asGroup?: readonly string[];
  readonly requestTimeout?: number;
  readonly image?: string;
  readonly imagePullPolicy?: PullPolicy;
  readonly debugNamespace?: string;
  readonly privileged?: boolean;
  readonly allowChaos?: boolean;
  readonly maxTime?: number;
  readonly timeout?: number;
  readonly stdin?: boolean;
  readonly allNodes?: boolean;
  readonly agentsNamespace?: string;
  readonly interval?: number;
  readonly ascii?: boolean;
  readonly color?: boolean;
  readonly keep?: boolean;
  readonly config?: string;
  readonly debug?: boolean;
}

const POLICIES = ['Always', 'IfNotPresent', 'Never'] as const;
type PullPolicy = (typeof POLICIES)[number];

function pullPolicy(text: string): PullPolicy {
  const found = POLICIES.find((policy) => policy.toLowerCase() === text.toLowerCase());
  if (!found) throw usageError(`unknown --image-pull-policy "${text}"${oneOf(text, POLICIES, 'policies')}`);
  return found;
}

/** kubectl's: seconds without a unit, 0 for no limit. */
const REQUEST_LIMITS = { min: 100, max: 3_600_000 };
function requestTimeout(text: string): number {
  if (/^0+[a-z]*$/.test(text)) return REQUEST_LIMITS.max;
  return durationOption('--request-timeout', REQUEST_LIMITS)(/^\d+$/.test(text) ? `${text}s` : text);
}

const HELP = `
What to look at:
  node/NAME            a whole node
  NAME, pod/NAME       the node that a pod runs on, and of it that pod alone
  deploy/NAME, ...     the same for one pod of a deploy, sts, ds, rs, job or cj; it says which
  -l LABELS            the same for one pod with these labels
  --all-nodes          the whole cluster on one screen: needs an agent on each node (kubectl apply -k deploy/base)

What runs there is kbtop, in a pod of its own that is made for it on that node and removed afterwards, whatever happens.
After -- stands what it is to do; without, it shows the live screen. Nothing can be changed through it, unless
--allow-chaos is given.

Examples:
  kubectl kbtop pod/web-1 -n shop                            the pod, live
  kubectl kbtop deploy/web -n shop -c app                    one container of one pod of a Deployment
  kubectl kbtop node/worker-1                                everything on a node
  kubectl kbtop node/worker-1 -- snapshot -o json            one Frame, for scripts
  kubectl kbtop node/worker-1 -- doctor                      what works on that node
  kubectl kbtop --all-nodes -n shop                          pods of a namespace, wherever they run
  kubectl kbtop pod/web-1 --allow-chaos -- chaos run --syscall connect --error ECONNREFUSED --for 30s

The image comes from --image, KBTOP_IMAGE, or image in ~/.config/kbtop/config.yaml; the namespace of the pod that kbtop runs
in from --debug-namespace, KBTOP_DEBUG_NAMESPACE, debugNamespace there, or the context. It must take privileged pods.

Exit codes: those of what runs there; else 0 done; 1 failed; 2 bad usage; 3 not permitted or not possible;
            4 node, pod or container not found; 130 interrupted.
`;

/** @param action receives what is named before `--` */
export function kubectlCommand(action: (target: string | undefined, flags: Flags) => Promise<void>): Command {
  return new Command('kubectl kbtop')
    .usage('[TYPE/NAME | NAME] [options] [-- COMMAND ...]')
    .description('Open kbtop where a pod runs, or on a node.')
    .argument('[target]')
    .version(version(), '-V, --version', 'print the version')
    .option('-n, --namespace <name>', 'namespace of the pod (default: the context\'s); with node/NAME: only its pods', checked('-n', namespaceName))
    .option('-A, --all-namespaces', 'look for the labels or the workload in all namespaces')
    .option('-l, --selector <labels>', 'a pod with these labels; with node/NAME: only such pods')
    .option('-c, --container <name>', 'only this container')
    .option('--all-nodes', 'one screen on the agents of all nodes; -n, -l and -c say what of it')
    .option('--agents-namespace <name>', 'where the agents are (default: kbtop)', checked('--agents-namespace', namespaceName))
    .option('--interval <duration>', 'with --all-nodes: time between Frames (default: 1s)', durationOption('--interval', INTERVAL_LIMITS))
    .option('--color', 'with --all-nodes: colours, also when NO_COLOR is set')
    .option('--no-color', 'with --all-nodes: no colours')
    .option('--ascii', 'with --all-nodes: no characters beyond ASCII')
    .option('--allow-chaos', 'let faults be injected; the audit is kept on the node in /var/log/kbtop')
    .option('--image <image>', 'what the debug pod runs (default: $KBTOP_IMAGE, else kbtop:VERSION)', checked('--image', imageName))
    .option('--image-pull-policy <policy>', 'Always, IfNotPresent or Never', pullPolicy)
    .option('--debug-namespace <name>', 'where the debug pod is made (default: $KBTOP_DEBUG_NAMESPACE, else the context\'s)', checked('--debug-namespace', namespaceName))
    .option('--privileged', 'a privileged debug pod, where capabilities by name are not enough')
    .option('--max-time <duration>', 'after this long the node ends it, whatever happens (default: 1h)', durationOption('--max-time', { min: 10_000, max: 86_400_000 }))
    .option('--timeout <duration>', 'how long to wait for the debug pod (default: 60s)', durationOption('--timeout', { min: 1_000, max: 3_600_000 }))
    .option('-i, --stdin', 'give our stdin to what runs there; a terminal is always given')
    .option('--keep', 'leave the debug pod\'s object behind, to look into why it failed')
    .option('--kubeconfig <file>', 'how to reach the cluster (default: as kubectl finds it)', checked('--kubeconfig', readableFile))
    .option('--context <name>', 'context of the kubeconfig', checked('--context', contextName))
    .option('--cluster <name>', 'cluster of the kubeconfig, whatever the context says')
    .option('--user <name>', 'user of the kubeconfig, whatever the context says')
    .option('--as <name>', 'user to stand for')
    .option('--as-group <name>', 'group to stand for; repeatable', collect)
    .option('--request-timeout <duration>', 'how long the server may be silent (default: 15s)', requestTimeout)
    .option('--config <file>', 'configuration (default: ~/.config/kbtop/config.yaml)')
    .option('--debug', 'stacks of errors on stderr')
    .addHelpText('after', HELP)
    .action((target: string | undefined, flags: Flags) => action(target, flags));
}

/** The way into the cluster that the flags say. */
export function wayOf({ kubeconfig, context, cluster, user, as, asGroup, requestTimeout }: Flags, config: Config): Way {
  return {
    kubeconfig: kubeconfig ?? config.kubeconfig ?? null, context: context ?? config.context ?? null, requestTimeoutMs: requestTimeout ?? null,
    overrides: { ...(cluster !== undefined && { cluster }), ...(user !== undefined && { user }), ...(as !== undefined && { as }), ...(asGroup !== undefined && { asGroups: asGroup }) },
  };
}

export type Wish =
  | { readonly kind: 'node'; readonly name: string }
  | { readonly kind: 'pod'; readonly ref: PodRef | null };

/** @throws KbtopError (usage) */
export function wishOf(target: string | undefined, { selector, allNamespaces = false }: Flags): Wish {
  if (selector !== undefined) {
    try {
      Selector.parse(selector);
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw usageError(`-l "${selector}" ${error.message}`);
    }
  }
  if (target === undefined) {
    if (selector === undefined) throw usageError('say what to look at: node/NAME, pod/NAME, deploy/NAME or -l LABELS; see kubectl kbtop --help');
    return { kind: 'pod', ref: null };
  }
  const node = /^(?:no|nodes?)\/(.*)$/i.exec(target)?.[1];
  if (node !== undefined) {
    const mistake = dnsSubdomainMistake(node);
    if (mistake) throw usageError(`"${node}" cannot be a node's name: it ${mistake.problem}`);
    return { kind: 'node', name: node };
  }
  if (selector !== undefined) throw usageError(`a pod is named by ${target} or by -l, not by both`);
  let ref;
  try {
    ref = parsePodRef(target);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw usageError(error.message);
  }
  const mistake = dnsSubdomainMistake(ref.name) ?? (ref.namespace === null ? null : dnsSubdomainMistake(ref.namespace));
  if (mistake) throw usageError(`"${target}" cannot be the name of a pod: it ${mistake.problem}`);
  if (allNamespaces && (ref.kind === null || ref.kind === 'Pod')) throw usageError(`-A with one pod's name: give its namespace by -n instead`);
  return { kind: 'pod', ref };
}

/** Who this is, for others who look at the cluster. */
export function whoAmI(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A uid without a name.
    return `${process.getuid?.() ?? 'somebody'}@${hostname()}`;
  }
}

const PASSED_ON = ['COLORTERM', 'NO_COLOR', 'KBTOP_SYMBOLS', 'LC_ALL', 'LC_CTYPE', 'LANG'] as const;

/** What a program there should know of the terminal here. The runtime says TERM=xterm to every one. */
export function environmentOf(environment: NodeJS.ProcessEnv): Record<string, string> {
  const passed = PASSED_ON.flatMap((name) => (environment[name] ? [[name, environment[name]] as const] : []));
  const deep = /256color|truecolor|direct/.test(environment['TERM'] ?? '') && !environment['COLORTERM'] ? [['COLORTERM', 'truecolor'] as const] : [];
  return Object.fromEntries([...passed, ...deep, ['TZ', environment['TZ'] ?? Intl.DateTimeFormat().resolvedOptions().timeZone] as const]);
}
