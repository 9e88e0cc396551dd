/** `kbtop attach`: the screen of a session that somebody serves. Needs neither root nor BPF nor the addon. */
import { readlinkSync } from 'node:fs';
import { Command } from 'commander';
import { EXIT, Interrupted, usageError } from './errors.ts';
import { sessionFailure } from './session/failure.ts';
import { DEFAULT_HISTORY_MS, keepHistory, parseHistory } from './history.ts';
import { type GlobalFlags, type Settings, settle } from './settings.ts';
import { screenOptions } from './screen.ts';
import { version } from './version.ts';

interface AttachFlags extends GlobalFlags {
  readonly stdio?: boolean;
  readonly history?: number;
}

const HELP = `
Everybody who is attached sees the same numbers; follow the one who drives, or look around alone. What may be changed is
up to kbtop serve. When it goes away the screen stays, tries again, and goes on when it is back.

--stdio brings the session's bytes to stdin and stdout, and nothing else: so another kbtop reaches it through
kubectl exec or ssh. It ends when either side does.

Exits with 0 when it was left, 1 when there is no session, 3 when you may not look at it, 130 when interrupted.
`;

export function attachCommand(): Command {
  return new Command('attach')
    .summary('look at what kbtop serve measures')
    .description('Show the screen of a session that kbtop serve holds on this machine. Needs no root where the socket lets you in.')
    .argument('[socket]', 'where it listens (default: $XDG_RUNTIME_DIR/kbtop/kbtop.sock, else /run/kbtop/kbtop.sock)')
    .option('--history <duration>', 'Frames kept in memory to go back to; 0 keeps none (default: 15m)', parseHistory)
    .option('--stdio', 'no screen: connect the session with stdin and stdout')
    .addHelpText('after', HELP)
    .action(async (socket: string | undefined, _flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<AttachFlags>();
      try {
        await (flags.stdio === true ? stdio(socket ?? null) : attach(socket ?? null, flags, await settle(flags)));
      } catch (error) {
        throw sessionFailure(error);
      }
    });
}

/** Where this screen is, for the others; null: not known. */
export function ownTerminal(): string | null {
  try {
    const path = readlinkSync('/proc/self/fd/0');
    return path.startsWith('/dev/') ? path.slice('/dev/'.length) : null;
  } catch {
    return null;
  }
}

async function stdio(path: string | null): Promise<void> {
  if (process.stdin.isTTY || process.stdout.isTTY) throw usageError('--stdio is for programs: a terminal would change its bytes; leave it out for the screen, and -t of kubectl exec with it');
  const [{ dialSession }, { openStdout, relay }] = await Promise.all([import('../session/client/dial.ts'), import('../session/client/relay.ts')]);
  await relay(await dialSession(path), process.stdin, openStdout());
}

async function attach(path: string | null, flags: AttachFlags, settings: Settings): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) throw usageError('the screen needs a terminal: use kbtop snapshot in scripts and pipes, --stdio for another kbtop, or give it a terminal with kubectl exec -it or ssh -t');
  if (flags.interval !== undefined) throw usageError('the interval is the session\'s: give --interval to kbtop serve, or change it with + and - where you may');
  const [{ AttachSource }, { dialSession }] = await Promise.all([import('../session/client/attach-source.ts'), import('../session/client/dial.ts')]);
  const source = await AttachSource.open({ dial: () => dialSession(path), version: version(), terminal: ownTerminal() });
  const { chaos, company, welcome } = source;
  const past = await keepHistory(source, flags.history ?? DEFAULT_HISTORY_MS, process.cwd());
  try {
    const { runUi } = await import('../ui/run.tsx');
    const options = screenOptions(settings);
    const code = await runUi(source, {
      ...options,
      intervalMs: welcome.intervalMs,
      // Others than these are not sent.
      scope: options.scope ?? (welcome.scope === null ? null : { label: welcome.scope, only: null, matches: () => true }),
      chaos,
      company,
      permits: welcome.permits,
      ...past,
    });
    if (code !== EXIT.ok) throw new Interrupted();
  } finally {
    await chaos?.close();
    await source.close();
  }
}
