/** `kbtop chaos stop`: ends all faults of every kbtop on this node. */
import { Command } from 'commander';
import type { Stopped } from '../../chaos/service/stop.ts';
import { escapeForTerminal } from '../../frame/escape.ts';
import { EXIT, KbtopError } from '../errors.ts';
import { printOut } from '../output.ts';
import { chaosFailure } from './failure.ts';

const HELP = `
Every kbtop that holds faults is found in /run/kbtop. What holds them is asked to end, and made to after 3 s; its kbtop
is told, and goes on without. Exits with 0 also when there was nothing to stop.
`;

export function stopCommand(): Command {
  return new Command('stop')
    .summary('end all faults of every kbtop on this node')
    .description('End all faults of every kbtop on this node, at once.')
    .addHelpText('after', HELP)
    .action(stop);
}

export function stoppedText({ stopped }: Stopped): string {
  const faults = stopped.flatMap(({ pid, faults: sentences }) => sentences.map((sentence) => `stopped (pid ${pid}): ${escapeForTerminal(sentence)}\n`));
  if (faults.length > 0) return faults.join('');
  return stopped.length > 0 ? 'nothing was armed\n' : 'nothing to stop: no kbtop holds faults on this node\n';
}

async function stop(): Promise<void> {
  const { stopEverywhere } = await import('../../chaos/service/stop.ts');
  try {
    const all = await stopEverywhere();
    await printOut(stoppedText(all));
    const { left, foreign } = all;
    if (left.length > 0) throw new KbtopError(EXIT.failed, `pid ${left.map(({ pid }) => pid).join(', ')} could not be ended: its faults end by themselves within 15 minutes at most`);
    if (foreign.length > 0) throw new KbtopError(EXIT.failed, `${foreign.length} kbtop in another pid namespace may hold faults: run kbtop chaos stop there, or on the host`);
  } catch (error) {
    throw chaosFailure(error);
  }
}
