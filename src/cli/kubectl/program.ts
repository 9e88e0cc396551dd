/** The command line of `kubectl kbtop` as a whole. */
import { CommanderError } from 'commander';
import { EXIT, usageError } from '../errors.ts';
import { failed } from '../failed.ts';
import { printOut } from '../output.ts';
import { kubectlCommand } from './flags.ts';

/** What belongs to kubectl kbtop, and what stands behind the first `--`; null when there is none. */
function split(argv: readonly string[]): readonly [own: readonly string[], command: readonly string[] | null] {
  const at = argv.indexOf('--');
  return at < 0 ? [argv, null] : [argv.slice(0, at), argv.slice(at + 1)];
}

/**
 * Parse and run one command line.
 * @param argv without node and script @returns the exit code, after everything has been written
 */
export async function run(argv: readonly string[]): Promise<number> {
  const [own, command] = split(argv);
  let printed = '';
  let code: number = EXIT.ok;
  const program = kubectlCommand(async (target, flags) => {
    if (flags.allNodes === true) {
      const { openCluster } = await import('./cluster-view.ts');
      code = await openCluster(target, flags, command);
    } else {
      const { open } = await import('./run.ts');
      code = await open(target, flags, command);
    }
  })
    .exitOverride()
    .allowExcessArguments(false)
    .configureHelp({ helpWidth: Math.min(process.stdout.columns || 100, 120) })
    .configureOutput({ writeOut: (text) => { printed += text; }, writeErr: () => {}, outputError: () => {} });
  try {
    try {
      await program.parseAsync(own, { from: 'user' });
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode !== 0) throw usageOf(error);
      await printOut(printed);
    }
    return code;
  } catch (error) {
    return await failed(error, own.includes('--debug'));
  }
}

/** Commander's complaint in our words, on one line. */
function usageOf(error: CommanderError): Error {
  if (error.code === 'commander.excessArguments') return usageError('one node, pod or workload at a time; what kbtop is to do there stands behind --');
  const text = error.message.replace(/^error: /, '').replace(/\n\(Did you mean (.*)\?\)$/s, '; did you mean $1?');
  return usageError(text.includes('did you mean') ? text : `${text.replace(/\.$/, '')}; see kubectl kbtop --help`);
}
