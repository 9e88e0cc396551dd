/** `kbtop demo`: the screen on a recording that comes with kbtop. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { EXIT, KbtopError } from './errors.ts';
import { parseSpeed, showRecording } from './replay.ts';
import type { GlobalFlags } from './settings.ts';

interface DemoFlags extends GlobalFlags {
  readonly speed?: number;
}

/** The recording in demo/, beside the bundle's directory or the sources'; null: it is not there. @param here directory of the running module, for tests */
export function demoFile(here: string = import.meta.dirname): string | null {
  for (const directory of [join(here, '../demo'), join(here, '../../demo')]) {
    try {
      const [name] = readdirSync(directory).filter((file) => file.endsWith('.kbtop')).toSorted();
      if (name !== undefined) return join(directory, name);
    } catch {
      // Not there: the other one may be.
    }
  }
  return null;
}

export function demoCommand(): Command {
  return new Command('demo')
    .summary('look at a recording that comes with kbtop')
    .description('Show a recorded node: to see what kbtop is like, anywhere, without root. Nothing of this machine is measured.')
    .option('--speed <times>', 'how fast it is played, as for kbtop replay (default: 1)', parseSpeed)
    .action(async (_flags: unknown, command: Command) => {
      const { speed = 1, ...flags } = command.optsWithGlobals<DemoFlags>();
      const file = demoFile();
      if (file === null) throw new KbtopError(EXIT.failed, 'this installation lacks the recording for the demo (demo/*.kbtop): install it anew, or see kbtop replay');
      await showRecording(file, {
        label: 'DEMO', at: null, speed, paused: false, note: 'a demo: a node that was recorded, nothing of this machine. Space holds, [ and ] step, ? tells the keys',
        endHint: 'the end of the demo: Space plays it again, q quits, sudo kbtop shows this node',
      }, flags);
    });
}
