/** The global flags, and what they, the configuration and the environment come to. */
import type { Command } from 'commander';
import { type Config, readConfig } from './config.ts';
import { parseDuration } from '../frame/duration.ts';
import { usageError } from './errors.ts';
import { DEFAULT_INTERVAL_MS, INTERVAL_LIMITS } from './limits.ts';

/** As commander gives them. */
export interface GlobalFlags {
  readonly interval?: number;
  readonly color?: boolean;
  readonly ascii?: boolean;
  readonly config?: string;
  readonly container?: readonly string[];
  readonly pod?: readonly string[];
  readonly readOnly?: boolean;
  readonly debug?: boolean;
}

export interface Settings {
  readonly config: Config;
  readonly intervalMs: number;
  /** true: always; false: never; null: as the terminal and NO_COLOR say. */
  readonly color: boolean | null;
  readonly ascii: boolean;
  readonly containers: readonly string[];
  readonly pods: readonly string[];
  readonly readOnly: boolean;
  readonly debug: boolean;
}

/** An option's value as a duration. @param flag as in the message: "--interval" */
export function durationOption(flag: string, limits: { readonly min: number; readonly max: number }): (text: string) => number {
  return (text) => {
    try {
      return parseDuration(text, limits);
    } catch (error) {
      throw usageError(`${flag} ${(error as Error).message}`);
    }
  };
}

/** For options that may be given several times. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];

/** Flags that mean something to every command. */
export function addGlobalFlags(program: Command): Command {
  return program
    .option('--interval <duration>', 'time between Frames (default: 1s)', durationOption('--interval', INTERVAL_LIMITS))
    .option('-c, --container <name>', 'only this container: name, start of its id, or cgroup path; repeatable', collect)
    .option('--pod <pod>', 'only this pod: name, NAMESPACE/NAME, or start of its uid; repeatable', collect)
    .option('--color', 'colours, also when NO_COLOR is set or the output is no terminal')
    .option('--no-color', 'no colours')
    .option('--ascii', 'no characters beyond ASCII')
    .option('--config <file>', 'configuration (default: ~/.config/kbtop/config.yaml)')
    .option('--read-only', 'leave out every key that changes what is measured or what runs')
    .option('--debug', 'stacks, and the logs of libbpf and the verifier, on stderr');
}

/** @throws KbtopError when the configuration is wrong */
export async function settle(flags: GlobalFlags): Promise<Settings> {
  const config = await readConfig(flags.config);
  return {
    config,
    intervalMs: flags.interval ?? config.intervalMs ?? DEFAULT_INTERVAL_MS,
    color: flags.color ?? config.color ?? null,
    ascii: flags.ascii ?? config.ascii ?? false,
    containers: flags.container ?? [],
    pods: flags.pod ?? [],
    readOnly: flags.readOnly ?? config.readOnly ?? false,
    debug: flags.debug ?? false,
  };
}

/** Colour on a stream that is or is not a terminal. */
export function wantsColor(color: boolean | null, isTerminal: boolean, environment: NodeJS.ProcessEnv = process.env): boolean {
  if (color !== null) return color;
  return isTerminal && !environment['NO_COLOR'] && environment['TERM'] !== 'dumb';
}
