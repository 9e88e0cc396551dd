/** `kbtop hold`: the main process of a debug pod; kubectl kbtop starts it. */
import { Command } from 'commander';
import { SESSION_VARIABLE } from '../cluster/debug-pod.ts';
import { EXIT, Interrupted, KbtopError, usageError } from './errors.ts';
import { watchInterrupts } from './interrupt.ts';
import { durationOption } from './settings.ts';

/** SIGTERM gives a fault's injector and a screen this long; the kubelet gives us little more. Milliseconds. */
const GRACE_MS = 1_200;

export const HOLD_COMMAND = 'hold';

export function holdCommand(): Command {
  return new Command(HOLD_COMMAND)
    .description('Keep a debug pod alive as long as somebody holds it. Started by kubectl kbtop.')
    .option('--silence <duration>', 'how long nothing may be heard on stdin', durationOption('--silence', { min: 100, max: 3_600_000 }))
    .action(async ({ silence }: { readonly silence?: number }) => {
      const session = process.env[SESSION_VARIABLE] ?? '';
      if (!/^[0-9a-z]{8,}$/.test(session)) throw usageError(`${HOLD_COMMAND} is started by kubectl kbtop itself, in a pod of its own`);
      const [{ held, SILENCE_MS }, { endSession }] = await Promise.all([import('../cluster/hold.ts'), import('../cluster/session-processes.ts')]);
      const interrupts = watchInterrupts();
      const stopped = new AbortController();
      interrupts.onInterrupt(() => stopped.abort());
      const end = await held({ input: process.stdin, output: process.stdout, silenceMs: silence ?? SILENCE_MS, signal: stopped.signal });
      await endSession(session, GRACE_MS);
      if (end === 'silent') throw new KbtopError(EXIT.failed, 'whoever opened this session has not been heard of: it is over');
      if (end === 'signal') throw new Interrupted();
    });
}
