/** The screen from its first to its last character: `runUi` gives the terminal back as it was, whatever happens. */
import type { PaneId } from '../frame/frame.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
import type { FrameSource } from '../frame/source.ts';
import type { Filter } from './filter.ts';
import { parseFilter } from './filter.ts';
import type { UiOptions } from './options.ts';
import { paneOf } from './rows.ts';
import { detectSymbols } from './symbols.ts';
import type { UiHost } from './session.tsx';
import { Session } from './session.tsx';
import { sizeOf } from './terminal/output.ts';
import { colorDepth } from './theme.ts';

export type { UiOptions } from './options.ts';
export type { UiHost } from './session.tsx';

/** Exit codes of the screen: left by key; not a terminal; left by Ctrl-C, a signal, or because the terminal was closed. */
export const UI_EXIT = { ok: 0, usage: 2, interrupted: 130 } as const;

const processHost = (): UiHost => ({ stdin: process.stdin, stdout: process.stdout, env: process.env, ownsProcess: true });

function parsedFilters(options: UiOptions): { [P in PaneId]?: Filter | null } {
  return Object.fromEntries(PANE_IDS.map((id) => {
    const { filter, error } = parseFilter(options.filters?.[id] ?? '', paneOf(id).columns);
    if (error !== null) throw new Error(`filter of ${id}: ${error}`);
    return [id, filter];
  }));
}

/**
 * Show `source` until the user leaves.
 * @returns the exit code, see UI_EXIT
 * @throws what made the screen crash or the source fail, after the terminal is restored
 */
export async function runUi(source: FrameSource, options: UiOptions, host: UiHost = processHost()): Promise<number> {
  const { stdin, stdout, env } = host;
  if (!stdin.isTTY || !stdout.isTTY || env['TERM'] === 'dumb') {
    const why = env['TERM'] === 'dumb' && stdin.isTTY && stdout.isTTY ? 'TERM=dumb cannot show one' : 'stdin and stdout are not both one';
    process.stderr.write(`kbtop: the screen needs a terminal, and ${why}: use \`kbtop snapshot\` in scripts and pipes\n`);
    return UI_EXIT.usage;
  }
  const session = new Session(source, {
    options, can: source.can, size: sizeOf(stdout), symbols: detectSymbols(env, options.ascii),
    depth: colorDepth(options.color, env, stdout.getColorDepth?.(env) ?? 4), filters: parsedFilters(options),
  }, host);
  return session.run();
}
