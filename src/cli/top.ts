/** `kbtop top`: the live screen. */
import { Command } from 'commander';
import { feedOf } from './chaos/feed.ts';
import { EXIT, Interrupted, usageError } from './errors.ts';
import { DEFAULT_HISTORY_MS, keepHistory, parseHistory } from './history.ts';
import { requireBpf } from './preflight.ts';
import { screenOptions } from './screen.ts';
import { type GlobalFlags, type Settings, settle } from './settings.ts';

export function topCommand(): Command {
  return new Command('top')
    .summary('the live screen (default)')
    .description('Show six live panes: system calls, run queue, opens, TCP connects, containers, processes. Press ? for the keys.')
    .option('--history <duration>', 'Frames kept in memory to go back to; 0 keeps none (default: 15m)', parseHistory)
    .option('--expert', 'chaos panel: allow calls and kernel faults whose harm may stay')
    .option('--allow-system', 'chaos panel: allow pods that run the node or the cluster')
    .option('--audit <file>', 'chaos panel: where the audit is kept (default: /var/log/kbtop/chaos.jsonl)')
    .action(async (_flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<TopFlags>();
      await top(flags, await settle(flags));
    });
}

interface TopFlags extends GlobalFlags {
  readonly history?: number;
  readonly expert?: boolean;
  readonly allowSystem?: boolean;
  readonly audit?: string;
}

async function top({ history = DEFAULT_HISTORY_MS, expert = false, allowSystem = false, audit }: TopFlags, settings: Settings): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw usageError('the screen needs a terminal: use kbtop snapshot in scripts and pipes, or give it one with kubectl exec -it or ssh -t');
  }
  requireBpf();
  const [{ openCapture }, { runUi }, { openChaosDoor }] = await Promise.all([import('./capture.ts'), import('../ui/run.tsx'), import('../chaos/service/client.ts')]);
  // Logs would tear the screen: --debug keeps what the crash of the screen prints.
  const door = settings.readOnly ? null : openChaosDoor({ sources: settings.sources, ...(audit !== undefined && { auditFile: audit }) });
  const manager = openCapture({ intervalMs: settings.intervalMs, debug: null, target: settings.target, sources: settings.sources, chaos: door && feedOf(door) });
  const past = await keepHistory(manager, history, process.cwd());
  try {
    const code = await runUi(manager, {
      ...screenOptions(settings),
      chaos: door,
      permits: { expert, allowSystem },
      ...past,
      onScreen: () => manager.start(),
    });
    if (code !== EXIT.ok) throw new Interrupted();
  } finally {
    // Faults first: nothing that takes time may stand before their end.
    await door?.close();
    await manager.close();
  }
}
