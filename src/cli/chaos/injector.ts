/** `kbtop chaos-injector`: the process that holds faults; kbtop starts it by itself. */
import { fstatSync } from 'node:fs';
import { Command } from 'commander';
import { INJECTOR_COMMAND } from '../../chaos/service/registration.ts';
import { usageError } from '../errors.ts';

/** The injector's end of the socket pair that kbtop gives it. */
const DOOR = 3;

function isSocket(fd: number): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false;
  }
}

export function injectorCommand(): Command {
  return new Command(INJECTOR_COMMAND)
    .description('Hold faults for a kbtop. Started by kbtop itself.')
    .action(async () => {
      if (!isSocket(DOOR)) throw usageError(`${INJECTOR_COMMAND} is started by kbtop itself: use kbtop chaos run`);
      const { serve } = await import('./serve.ts');
      await serve();
    });
}
