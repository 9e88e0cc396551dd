/** `kbtop doctor`: what this kernel, this user and this node allow, each with the reason. */
import { Command } from 'commander';
import { EXIT, KbtopError, usageError } from './errors.ts';
import { watchInterrupts } from './interrupt.ts';
import { printOut } from './output.ts';
import { bpfObstacle } from './preflight.ts';
import { type GlobalFlags, type Settings, settle, wantsColor } from './settings.ts';
import { oneOf } from '../frame/suggest.ts';
import type { Check } from './doctor/check.ts';

export const DOCTOR_SCHEMA = 'kbtop.doctor/1';
const FORMATS = ['table', 'json'] as const;

interface DoctorFlags extends GlobalFlags {
  readonly output: (typeof FORMATS)[number];
}

const HELP = `
Every pane's programs are really loaded and attached for a moment, and so is a no-op of each BPF program type; nothing
stays behind. Every source of names is asked, for 3 s at most: none of them is needed, and each adds what the others
do not know. Works without root, and says what is then lost.

-o json: { "schema": "${DOCTOR_SCHEMA}", "checks": [ { "group", "check", "ok", "reason", "fix" } ] }, where ok is yes, no,
partly or unknown.

Exits with 0 when every pane works, with 3 otherwise.
`;

function format(text: string): DoctorFlags['output'] {
  const found = FORMATS.find((name) => name === text);
  if (!found) throw usageError(`unknown output format "${text}"${oneOf(text, FORMATS, 'formats')}`);
  return found;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('what works on this node, what does not, and why')
    .description('Tell what this kernel, this user and this node allow.')
    .option('-o, --output <format>', FORMATS.join('|'), format, 'table')
    .addHelpText('after', HELP)
    .action(async (_flags: unknown, command: Command) => doctor(command.optsWithGlobals<DoctorFlags>()));
}

async function asTable(checks: readonly Check[], settings: Settings): Promise<string> {
  const { detectSymbols } = await import('../ui/symbols.ts');
  const { plainTable, tableOf } = await import('./doctor/render.ts');
  const terminal = process.stdout.isTTY;
  const width = terminal ? process.stdout.columns || 80 : null;
  const color = wantsColor(settings.color, terminal);
  if (width !== null && color && detectSymbols(process.env, settings.ascii) !== 'ascii') {
    try {
      const { FRAME_CELLS, boxedTable } = await import('./doctor/boxed.tsx');
      return boxedTable(tableOf(checks, width, FRAME_CELLS), width);
    } catch (error) {
      // A table without a frame says the same.
      if (settings.debug) process.stderr.write(`ink-table: ${String(error)}\n`);
    }
  }
  return plainTable(checks, width, color);
}

async function doctor(flags: DoctorFlags): Promise<void> {
  const settings = await settle(flags);
  const watch = watchInterrupts();
  try {
    const { diagnose } = await import('./doctor/diagnose.ts');
    const debug = (text: string): void => { if (settings.debug) process.stderr.write(text.endsWith('\n') ? text : `${text}\n`); };
    const checks = await watch.race(diagnose(bpfObstacle(), settings.sources, debug));
    const text = flags.output === 'json' ? `${JSON.stringify({ schema: DOCTOR_SCHEMA, checks }, null, 2)}\n` : await asTable(checks, settings);
    await watch.race(printOut(text));
    const broken = checks.filter(({ group, ok }) => group === 'panes' && ok !== 'yes' && ok !== 'partly').map(({ check }) => check);
    if (broken.length > 0) throw new KbtopError(EXIT.impossible, `${broken.length === 1 ? 'a pane does' : `${broken.length} panes do`} not work here: ${broken.join(', ')}; the table says why`);
  } finally {
    watch.end();
  }
}
