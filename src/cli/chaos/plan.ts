/** `kbtop chaos plan`: everything that can be said of a fault before it is armed. */
import { Command } from 'commander';
import type { Plan } from '../../chaos/door.ts';
import { type Preview, previewOf } from '../../chaos/preview.ts';
import type { Rule } from '../../chaos/rule.ts';
import { draftOf } from '../../chaos/validate.ts';
import type { Frame } from '../../frame/frame.ts';
import { escapeForTerminal } from '../../frame/escape.ts';
import { oneOf } from '../../frame/suggest.ts';
import { EXIT, KbtopError, usageError } from '../errors.ts';
import { type InterruptWatch, watchInterrupts } from '../interrupt.ts';
import { DURATION_LIMITS } from '../limits.ts';
import { printOut } from '../output.ts';
import { requireBpf } from '../preflight.ts';
import { type Settings, durationOption, settle } from '../settings.ts';
import { chaosFailure } from './failure.ts';
import { type RuleFlags, addRuleFlags } from './flags.ts';
import { obstacleOf, planLines } from './text.ts';
import { permitsOf, wantedOf } from './wanted.ts';

export const PLAN_SCHEMA = 'kbtop.plan/1';
const FORMATS = ['text', 'json'] as const;

interface PlanFlags extends RuleFlags {
  readonly duration?: number;
  readonly output: (typeof FORMATS)[number];
}

const HELP = `
Nothing is armed. It says the fault in a sentence, whom it hits right now, what would act and why every other way
cannot, what refuses it, what to know before, and what would be to be typed. With --duration it measures for so long
first, and says how many hits to expect.

-o json: { "schema": "${PLAN_SCHEMA}", "use": "all"|"first", "rules": [ { "rule", "text", "possible", "obstacle",
"targets", "calls", "refusals", "warnings", "confirmation", "preview" } ] }.

Exits with 0 when it could be armed, with 3 when not, with 4 when there is no such target.

Examples:
  kbtop chaos plan --pod shop/web-1 --syscall connect --error ECONNREFUSED --duration 5s
  kbtop chaos plan --pod shop/web-1 -f scenarios/disk-full.yaml -o json
`;

function format(text: string): PlanFlags['output'] {
  const found = FORMATS.find((name) => name === text);
  if (!found) throw usageError(`unknown output format "${text}"${oneOf(text, FORMATS, 'formats')}`);
  return found;
}

export function planCommand(): Command {
  return addRuleFlags(new Command('plan')
    .summary('what a fault would do, by what, and what stands in its way')
    .description('Say what kbtop chaos run would do with the same flags.'))
    .option('--duration <duration>', 'measure for so long to say how many hits to expect (default: not at all)', durationOption('--duration', DURATION_LIMITS))
    .option('-o, --output <format>', FORMATS.join('|'), format, 'text')
    .addHelpText('after', HELP)
    .action(async (_flags: unknown, command: Command) => plan(command.optsWithGlobals<PlanFlags>()));
}

/** A Frame of the panes that a preview needs. */
async function measure(durationMs: number, { sources }: Settings, watch: InterruptWatch): Promise<Frame | null> {
  const { openCapture } = await import('../capture.ts');
  const manager = openCapture({ intervalMs: durationMs, panes: ['syscalls', 'processes'], debug: null, sources });
  try {
    const first = manager.samples(durationMs, 1)[Symbol.asyncIterator]().next();
    const { value } = await watch.race(first);
    return (value as Frame | undefined) ?? null;
  } finally {
    await manager.close();
  }
}

export interface Planned {
  readonly plan: Plan;
  readonly preview: Preview | null;
}

export function plannedText(planned: readonly Planned[]): string {
  return planned.map(({ plan: one, preview }) => [...planLines(one, true), ...(preview === null ? [] : [`  expected: ${escapeForTerminal(preview.text)}`])].map((line) => `${line}\n`).join('')).join('\n');
}

export function plannedJson(use: 'all' | 'first', planned: readonly Planned[]): string {
  const rules = planned.map(({ plan: { rule, text, targets, selections, refusals, warnings, confirmation }, plan: one, preview }) => ({
    rule: draftOf(rule), text, possible: obstacleOf(one) === null, obstacle: obstacleOf(one), targets,
    calls: selections.map(({ syscall, attachment, reason, notes, others }) => ({ syscall, backend: attachment?.backend ?? null, reason, notes, others })), refusals, warnings, confirmation, preview,
  }));
  return `${JSON.stringify({ schema: PLAN_SCHEMA, use, rules }, null, 2)}\n`;
}

/** Why nothing could be armed; null: it could. */
function obstacle(use: 'all' | 'first', planned: readonly Planned[]): string | null {
  const all = planned.map(({ plan: one }) => ({ name: one.rule.name, why: obstacleOf(one) }));
  const bad = all.flatMap(({ name, why }) => (why === null ? [] : [name === null ? why : `${name}: ${why}`]));
  return bad.length === 0 || (use === 'first' && bad.length < all.length) ? null : [...new Set(bad)].join('; ');
}

async function plan(flags: PlanFlags): Promise<void> {
  const settings = await settle(flags);
  const { use, rules } = await wantedOf(flags);
  requireBpf();
  const { doorOf } = await import('./door.ts');
  const watch = watchInterrupts();
  const door = doorOf(settings);
  try {
    const permits = permitsOf(flags);
    const look = async (rule: Rule): Promise<Plan> => watch.race(door.plan(rule, permits));
    const plans: Plan[] = [];
    for (const rule of rules) plans.push(await look(rule));
    const { arch } = await watch.race(door.capabilities());
    const frame = flags.duration === undefined ? null : await measure(flags.duration, settings, watch);
    const planned = plans.map((one): Planned => ({ plan: one, preview: frame === null ? null : previewOf(frame, one.rule, new Set(one.targets.map(({ key }) => key)), arch) }));
    await printOut(flags.output === 'json' ? plannedJson(use, planned) : plannedText(planned));
    const why = obstacle(use, planned);
    if (why !== null) throw new KbtopError(EXIT.impossible, why);
  } catch (error) {
    throw chaosFailure(error);
  } finally {
    await door.close();
    watch.end();
  }
}
