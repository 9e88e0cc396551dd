/** `kbtop chaos run`: arms faults, tells every hit, and ends with them. */
import { Command } from 'commander';
import type { ChaosDoor, ChaosEvent, FaultStatus, Plan } from '../../chaos/door.ts';
import { draftOf } from '../../chaos/validate.ts';
import { oneOf } from '../../frame/suggest.ts';
import { EXIT, Interrupted, KbtopError, OutputClosed, usageError } from '../errors.ts';
import { type InterruptWatch, watchInterrupts } from '../interrupt.ts';
import { printDetail, printError } from '../output.ts';
import { requireBpf } from '../preflight.ts';
import { settle } from '../settings.ts';
import { askOnTerminal, consentTo } from './confirm.ts';
import { chaosFailure } from './failure.ts';
import { type RuleFlags, addRuleFlags } from './flags.ts';
import { Printer } from './printer.ts';
import { HIT_HEADINGS, armedLine, hitLine, obstacleOf, planLines, summaryLine } from './text.ts';
import { type Wanted, permitsOf, wantedOf } from './wanted.ts';

const FORMATS = ['text', 'ndjson'] as const;

export interface RunFlags extends RuleFlags {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly confirm?: string;
  readonly audit?: string;
  readonly output: (typeof FORMATS)[number];
}

const HELP = `
It runs in the foreground and ends by itself: at --for, at --max-hits, when its target is gone, and at Ctrl-C. In every
case, also when kbtop is killed or hangs, the fault is out of the kernel. --dry-run counts what would be hit, and does
nothing.

Before it is armed it says what it will do and asks for a yes, or for the target's name where it could do harm that
stays; without a terminal: --yes and --confirm NAME. Everything that is armed is written to the audit first.

-o ndjson: one object per line, { "event": "armed"|"ended", "fault": {...} } or
           { "event": "hit", "fault": 1, "hit": {...} }.

Exits with 0 when it ended as it should, 3 when it is refused or impossible here, 4 when its target is not there or went
away, 130 when it was interrupted or stopped from elsewhere.

Examples:
  kbtop chaos run --pod shop/web-1 --syscall connect --error ECONNREFUSED --probability 0.2 --for 30s
  kbtop chaos run --pod shop/web-1 -c app --syscall %open --error ENOSPC --path '/data/*' --max-hits 10
  kbtop chaos run --pod shop/web-1 --syscall fsync --delay 20ms --every 2 --dry-run
  kbtop chaos run --cgroup /system.slice/x --inject 'openat:error=ENOSPC:when=3+2'
  kbtop chaos run --pod shop/web-1 -f scenarios/connect-refused.yaml --yes
`;

function format(text: string): RunFlags['output'] {
  const found = FORMATS.find((name) => name === text);
  if (!found) throw usageError(`unknown output format "${text}"${oneOf(text, FORMATS, 'formats')}`);
  return found;
}

export function runCommand(): Command {
  return addRuleFlags(new Command('run')
    .summary('make system calls of a pod, container or cgroup fail, wait or bring a signal')
    .description('Make system calls of one pod, container or cgroup fail, wait or bring a signal, for a while.'))
    .option('--dry-run', 'count what would be hit, and do nothing')
    .option('--yes', 'do not ask')
    .option('--confirm <name>', 'what would be to be typed')
    .option('--audit <file>', 'where the audit is kept (default: /var/log/kbtop/chaos.jsonl)')
    .option('-o, --output <format>', FORMATS.join('|'), format, 'text')
    .addHelpText('after', HELP)
    .action(async (_flags: unknown, command: Command) => run(command.optsWithGlobals<RunFlags>()));
}

async function run(flags: RunFlags): Promise<void> {
  const settings = await settle(flags);
  const wanted = await wantedOf(flags);
  if (settings.readOnly) throw new KbtopError(EXIT.impossible, 'a fault changes what runs, and kbtop is read-only: leave out --read-only, and readOnly of the configuration');
  requireBpf();
  const { doorOf } = await import('./door.ts');
  const watch = watchInterrupts();
  const door = doorOf(settings, flags.audit);
  try {
    await hold(door, wanted, flags, watch);
  } catch (error) {
    throw chaosFailure(error);
  } finally {
    await door.close();
    watch.end();
  }
}

/** The plans of what is to be armed. @throws KbtopError, ChaosError when that is nothing */
export async function plansFor({ use, rules }: Wanted, plan: (rule: Wanted['rules'][number]) => Promise<Plan>): Promise<Plan[]> {
  const plans: Plan[] = [];
  const obstacles: string[] = [];
  for (const rule of rules) {
    const one = await plan(rule);
    const obstacle = obstacleOf(one);
    if (obstacle === null && use === 'first') return [one];
    if (obstacle === null) plans.push(one);
    else obstacles.push(rule.name === null ? obstacle : `${rule.name}: ${obstacle}`);
  }
  if (obstacles.length > 0) throw new KbtopError(EXIT.impossible, [...new Set(obstacles)].join('; '));
  return plans;
}

const json = (value: unknown): string => JSON.stringify(value);
const plainFault = (fault: FaultStatus): unknown => ({ ...fault, rule: draftOf(fault.rule) });

/** What to print of an event; null: nothing. */
export function eventLine(event: ChaosEvent, output: RunFlags['output']): string | null {
  if (event.kind === 'hit') return output === 'ndjson' ? json({ event: 'hit', fault: event.fault, hit: { ...event.hit, time: new Date(event.hit.time).toISOString() } }) : hitLine(event.hit);
  if (event.kind === 'fault' && event.fault.state === 'ended') return output === 'ndjson' ? json({ event: 'ended', fault: plainFault(event.fault) }) : summaryLine(event.fault);
  return null;
}

async function hold(door: ChaosDoor, wanted: Wanted, flags: RunFlags, watch: InterruptWatch): Promise<void> {
  const permits = permitsOf(flags);
  const dryRun = flags.dryRun ?? false;
  const plans = await watch.race(plansFor(wanted, (rule) => door.plan(rule, permits)));
  const printer = new Printer();
  // In a pipe for programs, what is for people goes to stderr.
  const tell = flags.output === 'text' ? async (line: string): Promise<void> => { printer.line(line); } : printDetail;
  for (const plan of plans) for (const line of planLines(plan, false)) await tell(line);
  await printer.flush();
  const ask = process.stdin.isTTY ? (question: string): Promise<string> => watch.race(askOnTerminal(question)) : null;
  const typed = dryRun ? plans.map(() => null) : await consentTo(plans, { yes: flags.yes ?? false, typed: flags.confirm ?? null, ask });

  const over = Promise.withResolvers<void>();
  let armedAll = false, gone: string | null = null;
  const settled = (): boolean => armedAll && door.faults.every(({ state }) => state === 'ended');
  const known = new Set<number>();
  let headed = flags.output !== 'text';
  door.subscribe((event) => {
    if (event.kind === 'hit' && !headed) {
      headed = true;
      printer.line(HIT_HEADINGS);
    }
    if (event.kind === 'fault' && !known.has(event.fault.id)) {
      known.add(event.fault.id);
      printer.line(flags.output === 'ndjson' ? json({ event: 'armed', fault: plainFault(event.fault) }) : armedLine(event.fault));
    }
    const line = eventLine(event, flags.output);
    if (line !== null) printer.line(line, event.kind !== 'hit');
    if (event.kind === 'gone') gone = event.reason;
    if (settled()) over.resolve();
  });
  let interrupted = false;
  watch.onInterrupt(() => {
    interrupted = true;
    void door.stopAll('interrupted').then(() => { if (armedAll) over.resolve(); });
  });
  for (const [i, plan] of plans.entries()) {
    // All of them or none: the door's close ends those that were armed before.
    await door.arm(plan.rule, permits, { dryRun, typed: typed[i] ?? null });
    if (interrupted) await door.stopAll('interrupted');
  }
  armedAll = true;
  if (settled()) over.resolve();
  try {
    await Promise.race([over.promise, printer.failed]);
  } catch (error) {
    if (!(error instanceof OutputClosed)) throw error;
    await door.stopAll('stopped');
    throw error;
  }
  // A reader that is stuck must not keep what is gone from being told as such to whoever waits for the exit code.
  await door.close();
  await printer.flush();
  if (printer.leftOut > 0) await printError(`${printer.leftOut} hits were not printed: the reader is too slow`);
  outcome(door.faults, gone, interrupted);
}

/** @throws whatever the exit code needs */
function outcome(faults: readonly FaultStatus[], gone: string | null, interrupted: boolean): void {
  if (interrupted) throw new Interrupted();
  const bad = faults.find(({ endReason }) => endReason === 'error' || endReason === 'watchdog');
  if (bad !== undefined) throw new KbtopError(EXIT.failed, `the fault ended before its time: ${bad.endDetail ?? gone ?? 'it could not be kept up'}`);
  const lost = faults.find(({ endReason }) => endReason === 'target-gone');
  if (lost !== undefined) throw new KbtopError(EXIT.notFound, `the fault ended before its time: ${lost.targetName} is gone`);
  const stopped = faults.find(({ endReason }) => endReason !== 'duration' && endReason !== 'budget');
  if (stopped !== undefined) throw new Interrupted();
}
