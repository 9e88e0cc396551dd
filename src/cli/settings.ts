/** The global flags, and what they, the configuration and the environment come to. */
import { hostname } from 'node:os';
import type { Command } from 'commander';
import { Target, TargetError } from '../frame/target.ts';
import type { SourceOptions } from '../identity/options.ts';
import { type Config, readConfig } from './config.ts';
import { parseDuration } from '../frame/duration.ts';
import { usageError } from './errors.ts';
import { DEFAULT_INTERVAL_MS, INTERVAL_LIMITS } from './limits.ts';
import { contextName, existingDirectory, nodeName, readableFile, socketPlace } from './places.ts';

/** As commander gives them. */
export interface GlobalFlags {
  readonly interval?: number;
  readonly color?: boolean;
  readonly ascii?: boolean;
  readonly config?: string;
  readonly namespace?: readonly string[];
  readonly allNamespaces?: boolean;
  readonly selector?: readonly string[];
  readonly container?: readonly string[];
  readonly pod?: readonly string[];
  readonly node?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly hostRoot?: string;
  readonly runtimeEndpoint?: string;
  readonly readOnly?: boolean;
  readonly debug?: boolean;
}

/** What is told to the sources of names, before the host's root is looked for. */
export interface SourceSettings extends Omit<SourceOptions, 'hostRoot' | 'debug'> {
  /** Null: to be found. */
  readonly hostRoot: string | null;
}

export interface Settings {
  readonly config: Config;
  readonly intervalMs: number;
  /** true: always; false: never; null: as the terminal and NO_COLOR say. */
  readonly color: boolean | null;
  readonly ascii: boolean;
  /** Which containers it is about; null: all. */
  readonly target: Target | null;
  readonly sources: SourceSettings;
  readonly readOnly: boolean;
  readonly debug: boolean;
}

/** An option's value through a parser that throws RangeErrors. @param flag as in the message: "--interval" */
export function checked<T>(flag: string, parse: (text: string) => T): (text: string) => T {
  return (text) => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw usageError(`${flag} ${error.message}`);
    }
  };
}

/** An option's value as a duration. @param flag as in the message: "--interval" */
export const durationOption = (flag: string, limits: { readonly min: number; readonly max: number }): ((text: string) => number) =>
  checked(flag, (text) => parseDuration(text, limits));

/** For options that may be given several times. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** Flags that mean something to every command. */
export function addGlobalFlags(program: Command): Command {
  return program
    .option('--interval <duration>', 'time between Frames (default: 1s)', durationOption('--interval', INTERVAL_LIMITS))
    .option('-n, --namespace <name>', 'only pods of this namespace; repeatable (default: all, as kbtop is about a node)', collect)
    .option('-A, --all-namespaces', 'pods of all namespaces, whatever -n says')
    .option('-l, --selector <labels>', 'only pods with these labels, in kubectl\'s grammar: "app=web,tier in (a,b),!canary"; repeatable', collect)
    .option('-c, --container <name>', 'only this container: name, start of its id, or cgroup path; repeatable', collect)
    .option('--pod <pod>', 'only this pod: NAME, NAMESPACE/NAME or start of its uid; TYPE/NAME or NAMESPACE/TYPE/NAME for the pods of a deploy, sts, ds, rs, job or cj; repeatable', collect)
    .option('--node <name>', 'name of this node in Kubernetes (default: $NODE_NAME, else the host\'s name)', checked('--node', nodeName))
    .option('--kubeconfig <file>', 'how to reach the Kubernetes API (default: as kubectl finds it)', checked('--kubeconfig', readableFile))
    .option('--context <name>', 'context of the kubeconfig (default: its current one)', checked('--context', contextName))
    .option('--host-root <dir>', 'where the host\'s / is, when kbtop runs in a pod (default: found by itself)', checked('--host-root', existingDirectory))
    .option('--runtime-endpoint <socket>', 'CRI socket of the container runtime (default: $CONTAINER_RUNTIME_ENDPOINT, else the known places)', checked('--runtime-endpoint', socketPlace))
    .option('--color', 'colours, also when NO_COLOR is set or the output is no terminal')
    .option('--no-color', 'no colours')
    .option('--ascii', 'no characters beyond ASCII')
    .option('--config <file>', 'configuration (default: ~/.config/kbtop/config.yaml)')
    .option('--read-only', 'leave out every key that changes what is measured or what runs')
    .option('--debug', 'stacks, and the logs of libbpf and the verifier, on stderr');
}

function targetOf({ namespace = [], allNamespaces = false, selector = [], container = [], pod = [] }: GlobalFlags): Target | null {
  try {
    return Target.parse({ namespaces: namespace, allNamespaces, selectors: selector, containers: container, pods: pod });
  } catch (error) {
    throw error instanceof TargetError ? usageError(error.message) : error;
  }
}

/** What the downward API says of this very pod wins over a file that many nodes may share. */
function sourcesOf(flags: GlobalFlags, config: Config, environment: NodeJS.ProcessEnv): SourceSettings {
  return {
    hostRoot: flags.hostRoot ?? config.hostRoot ?? null,
    runtimeEndpoint: flags.runtimeEndpoint ?? config.runtimeEndpoint ?? null,
    kubeconfig: flags.kubeconfig ?? config.kubeconfig ?? null,
    context: flags.context ?? config.context ?? null,
    // The kubelet registers a node by its host's name in lower case.
    nodeName: flags.node ?? (environment['NODE_NAME'] || config.node || hostname().toLowerCase()),
  };
}

/** @throws KbtopError when the configuration, or what is asked for, is wrong */
export async function settle(flags: GlobalFlags, environment: NodeJS.ProcessEnv = process.env): Promise<Settings> {
  const target = targetOf(flags);
  const config = await readConfig(flags.config, environment);
  return {
    config, target,
    sources: sourcesOf(flags, config, environment),
    intervalMs: flags.interval ?? config.intervalMs ?? DEFAULT_INTERVAL_MS,
    color: flags.color ?? config.color ?? null,
    ascii: flags.ascii ?? config.ascii ?? false,
    readOnly: flags.readOnly ?? config.readOnly ?? false,
    debug: flags.debug ?? false,
  };
}

/** Colour on a stream that is or is not a terminal. */
export function wantsColor(color: boolean | null, isTerminal: boolean, environment: NodeJS.ProcessEnv = process.env): boolean {
  if (color !== null) return color;
  return isTerminal && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
}
