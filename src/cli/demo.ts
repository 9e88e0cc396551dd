/** `kbtop demo`: the screen on a recording that comes with kbtop. */
import { Command } from 'commander';
import { demoFile } from './recorded.ts';
import { parseSpeed, showRecording } from './replay.ts';
import type { GlobalFlags } from './settings.ts';

interface DemoFlags extends GlobalFlags {
  readonly speed?: number;
}

export function demoCommand(): Command {
  return new Command('demo')
    .summary('look at a recording that comes with kbtop')
    .description('Show a recorded node: to see what kbtop is like, anywhere, without root. Nothing of this machine is measured.')
    .option('--speed <times>', 'how fast it is played, as for kbtop replay (default: 1)', parseSpeed)
    .action(async (_flags: unknown, command: Command) => {
      const { speed = 1, ...flags } = command.optsWithGlobals<DemoFlags>();
      await showRecording(demoFile(), {
        label: 'DEMO', at: null, speed, paused: false, note: 'a demo: a recorded node, not this machine. Space holds, [ ] step, ? all keys',
        endHint: 'the end of the demo: Space plays it again, q quits, sudo kbtop shows this node',
      }, flags);
    });
}
