/** `kbtop chaos capabilities`: what can be made to fail on this node, by what, and why the rest cannot. */
import { Command } from 'commander';
import { type CapabilitiesDocument, backendTitle, capabilitiesDocument } from '../../chaos/capabilities.ts';
import { escapeForTerminal } from '../../frame/escape.ts';
import { oneOf } from '../../frame/suggest.ts';
import { usageError } from '../errors.ts';
import { watchInterrupts } from '../interrupt.ts';
import { printOut } from '../output.ts';
import { requireBpf } from '../preflight.ts';
import { type GlobalFlags, settle } from '../settings.ts';
import { chaosFailure } from './failure.ts';

const FORMATS = ['table', 'json'] as const;

interface CapabilitiesFlags extends GlobalFlags {
  readonly output: (typeof FORMATS)[number];
  readonly expert?: boolean;
}

const HELP = `
Every way to make a call fail is really loaded and attached for a moment; nothing stays behind.

-o json: { "syscalls": [ { "syscall", "possible", "backend", "errors": [...], "reason" } ],
           "backends": [ { "name", "usable", "reason" } ] }.
`;

function format(text: string): CapabilitiesFlags['output'] {
  const found = FORMATS.find((name) => name === text);
  if (!found) throw usageError(`unknown output format "${text}"${oneOf(text, FORMATS, 'formats')}`);
  return found;
}

export function capabilitiesCommand(): Command {
  return new Command('capabilities')
    .summary('what can be made to fail on this node, by what, and why the rest cannot')
    .description('Tell which system calls can be made to fail on this node, by what, and why the rest cannot.')
    .option('--expert', 'with calls whose harm may stay')
    .option('-o, --output <format>', FORMATS.join('|'), format, 'table')
    .addHelpText('after', HELP)
    .action(async (_flags: unknown, command: Command) => capabilities(command.optsWithGlobals<CapabilitiesFlags>()));
}

/** Errors of a call that a line has room for. */
const MAX_ERRORS = 6;

export async function capabilitiesTable({ syscalls, backends }: CapabilitiesDocument): Promise<string> {
  const { tableLines } = await import('../../output/text-table.ts');
  const left = (heading: string): { readonly heading: string; readonly align: 'left' } => ({ heading, align: 'left' });
  const cells = (...texts: readonly string[]): { readonly text: string }[] => texts.map((text) => ({ text: escapeForTerminal(text) }));
  const some = (errors: readonly string[]): string => (errors.length > MAX_ERRORS ? `${errors.slice(0, MAX_ERRORS).join(' ')} ...` : errors.join(' '));
  const upper = tableLines(['BACKEND', 'USABLE', 'WHAT', 'WHY'].map(left), backends.map(({ name, usable, reason }) => cells(name, usable ? 'yes' : 'no', backendTitle(name), reason)));
  const lower = tableLines(['SYSCALL', 'BACKEND', 'ERRORS', 'WHY'].map(left), syscalls.map(({ syscall, possible, backend, errors, reason }) => cells(syscall, possible ? backend ?? '' : '-', some(errors), reason)));
  return [...upper, '', ...lower].map((line) => `${line}\n`).join('');
}

async function capabilities(flags: CapabilitiesFlags): Promise<void> {
  const settings = await settle(flags);
  requireBpf();
  const { doorOf } = await import('./door.ts');
  const watch = watchInterrupts();
  const door = doorOf(settings);
  try {
    const document = capabilitiesDocument(await watch.race(door.capabilities()), flags.expert);
    await watch.race(printOut(flags.output === 'json' ? `${JSON.stringify(document, null, 2)}\n` : await capabilitiesTable(document)));
  } catch (error) {
    throw chaosFailure(error);
  } finally {
    await door.close();
    watch.end();
  }
}
