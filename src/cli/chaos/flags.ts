/** The flags that say what a fault is; --pod, -c and -n are kbtop's own. */
import type { Command } from 'commander';
import { MAX_DURATION_MS, MIN_DURATION_MS } from '../../chaos/rule.ts';
import { parseDelayUs } from '../../chaos/time.ts';
import { usageError } from '../errors.ts';
import { type GlobalFlags, collect, durationOption } from '../settings.ts';

export interface RuleFlags extends GlobalFlags {
  readonly cgroup?: string;
  readonly containerId?: string;
  readonly syscall?: readonly string[];
  readonly error?: string;
  readonly signal?: string;
  /** Microseconds. */
  readonly delay?: number;
  readonly probability?: number;
  readonly skip?: number;
  readonly every?: number;
  readonly last?: number;
  readonly maxHits?: number;
  /** Milliseconds. */
  readonly for?: number;
  readonly path?: string;
  readonly port?: number;
  readonly comm?: string;
  readonly fd?: number;
  readonly uid?: number;
  readonly seed?: number;
  readonly backend?: string;
  readonly inject?: readonly string[];
  readonly file?: string;
  readonly expert?: boolean;
  readonly allowSystem?: boolean;
}

/** An option's value as a number; whether it is in range is said with everything else that is wrong. */
function number(flag: string): (text: string) => number {
  return (text) => {
    if (!/^-?(?:\d+(?:\.\d+)?|\.\d+)$/.test(text)) throw usageError(`${flag} "${text}" is not a number`);
    return Number(text);
  };
}

function delay(text: string): number {
  try {
    return parseDelayUs(text, null);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw usageError(`--delay ${error.message}`);
  }
}

const FOR_LIMITS = { min: MIN_DURATION_MS, max: MAX_DURATION_MS };

export function addRuleFlags(command: Command): Command {
  return command
    .option('--cgroup <path>', 'the target: a cgroup\'s path below the mount of cgroup v2, and all below it')
    .option('--container-id <id>', 'the target: a container by its id or the start of it, 12 digits at least')
    .option('--syscall <names>', 'system calls or families such as %open, with commas between them; repeatable', collect)
    .option('--error <errno>', 'the calls fail with it: ENOSPC')
    .option('--delay <time>', 'the calls start this much later: 5ms', delay)
    .option('--signal <name>', 'the calls bring their caller a signal: SIGTERM')
    .option('--probability <p>', 'hit a call with this chance, 0 to 1 (default: 1)', number('--probability'))
    .option('--skip <n>', 'let so many calls go by first (default: 0)', number('--skip'))
    .option('--every <n>', 'of those after them, hit the first and then one in so many (default: 1)', number('--every'))
    .option('--last <n>', 'hit none after call number n', number('--last'))
    .option('--max-hits <n>', 'end after so many hits (default: 100)', number('--max-hits'))
    .option('--for <duration>', 'end after this time, 15m at most (default: 1m)', durationOption('--for', FOR_LIMITS))
    .option('--path <glob>', 'only calls on paths like this: "/data/*", "*.log"')
    .option('--port <n>', 'only calls with this port of the other side; of bind, the own one', number('--port'))
    .option('--comm <name>', 'only threads called so')
    .option('--fd <n>', 'only calls on this descriptor', number('--fd'))
    .option('--uid <n>', 'only this user id, as the host sees it', number('--uid'))
    .option('--seed <n>', 'of the chance: the same seed hits the same calls (default: 0)', number('--seed'))
    .option('--backend <name>', 'do it by this backend or not at all (default: the best one)')
    .option('--inject <rule>', 'a fault in strace\'s grammar: "openat:error=ENOSPC:when=3+2"; repeatable', collect)
    .option('-f, --file <file>', 'a scenario: several faults in YAML')
    .option('--expert', 'allow calls and kernel faults whose harm may stay')
    .option('--allow-system', 'allow pods that run the node or the cluster');
}
