/** `kbtop chaos`: faults from the command line. */
import { Command } from 'commander';
import { oneOf } from '../../frame/suggest.ts';
import { usageError } from '../errors.ts';
import { capabilitiesCommand } from './capabilities.ts';
import { planCommand } from './plan.ts';
import { runCommand } from './run.ts';
import { stopCommand } from './stop.ts';

const HELP = `
A fault makes chosen system calls of one pod, container or cgroup fail, wait or bring a signal. It ends by itself, and
with whoever armed it: a process of its own holds it and takes it out of the kernel when kbtop is gone or hangs.

  kbtop chaos capabilities                       what can be made to fail here
  kbtop chaos plan --pod shop/web-1 ...          what would happen
  kbtop chaos run --pod shop/web-1 --dry-run ... count what would be hit
  kbtop chaos run --pod shop/web-1 ...           do it
  kbtop chaos stop                               end everything, whoever armed it
`;

/** @param configure what every command of kbtop has */
export function chaosCommand(configure: (command: Command) => Command): Command {
  const chaos = new Command('chaos')
    .summary('make system calls fail on purpose, safely')
    .description('Make system calls of one pod, container or cgroup fail on purpose, for a while.')
    .usage('<command> [options]')
    .addHelpText('after', HELP)
    .argument('[command]')
    .action((name: string | undefined, _flags: unknown, command: Command) => {
      const names = command.commands.map((one) => one.name());
      if (name !== undefined) throw usageError(`unknown command "chaos ${name}"${oneOf(name, names, 'commands')}`);
      command.help();
    });
  for (const command of [runCommand(), planCommand(), capabilitiesCommand(), stopCommand()]) chaos.addCommand(configure(command));
  return chaos;
}
