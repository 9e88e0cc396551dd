/** `kbtop top`: the live screen. */
import { Command } from 'commander';
import type { PaneId } from '../frame/frame.ts';
import { paneDef, tableColumns } from '../output/any-pane.ts';
import type { UiOptions } from '../ui/options.ts';
import type { Scope } from '../ui/scope.ts';
import { EXIT, Interrupted, usageError } from './errors.ts';
import { requireBpf } from './preflight.ts';
import { type GlobalFlags, type Settings, settle } from './settings.ts';
import { version } from './version.ts';

export function topCommand(): Command {
  return new Command('top')
    .summary('the live screen (default)')
    .description('Show six live panes: system calls, run queue, opens, TCP connects, containers, processes. Press ? for the keys.')
    .action(async (_flags: unknown, command: Command) => top(await settle(command.optsWithGlobals<GlobalFlags>())));
}

/** What was asked for as the screen's limits. */
function scopeOf({ target }: Settings): Scope | null {
  return target === null ? null : { label: target.label, only: null, matches: target.matches };
}

/** The configured orders by columns that are on the screen. */
function sortOf({ config }: Settings): NonNullable<UiOptions['sort']> {
  return Object.fromEntries(Object.entries(config.sort)
    .filter(([id, { column }]) => tableColumns(paneDef(id as PaneId)).includes(column))
    .map(([id, { column, descending }]) => [id, { column: column.id, descending }]));
}

async function top(settings: Settings): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw usageError('the screen needs a terminal: use kbtop snapshot in scripts and pipes, or give it one with kubectl exec -it or ssh -t');
  }
  requireBpf();
  const [{ openCapture }, { runUi }] = await Promise.all([import('./capture.ts'), import('../ui/run.tsx')]);
  // Logs would tear the screen: --debug keeps what the crash of the screen prints.
  const manager = openCapture({ intervalMs: settings.intervalMs, debug: null, target: settings.target, sources: settings.sources });
  try {
    const code = await runUi(manager, {
      color: settings.color === null ? 'auto' : settings.color ? 'always' : 'never',
      ascii: settings.ascii,
      intervalMs: settings.intervalMs,
      readOnly: settings.readOnly,
      scope: scopeOf(settings),
      sort: sortOf(settings),
      saveDirectory: process.cwd(),
      version: version(),
      onScreen: () => manager.start(),
    });
    if (code !== EXIT.ok) throw new Interrupted();
  } finally {
    await manager.close();
  }
}
