/** `kbtop serve`: one capture for several screens, over a unix socket. */
import { Command } from 'commander';
import type { AuditFile } from '../chaos/audit-file.ts';
import { escapeForTerminal } from '../frame/escape.ts';
import { EXIT, KbtopError, usageError } from './errors.ts';
import { feedOf } from './chaos/feed.ts';
import { watchInterrupts } from './interrupt.ts';
import { INTERVAL_LIMITS } from './limits.ts';
import { type MetricsFlags, addMetricsFlags, serveMetrics } from './metrics.ts';
import { requireBpf } from './preflight.ts';
import { type AccessFlags, accessOf, socketMode } from './session/access.ts';
import { sessionFailure } from './session/failure.ts';
import { LineLog } from './session/log.ts';
import { type GlobalFlags, type Settings, settle } from './settings.ts';
import { version } from './version.ts';

interface ServeFlags extends GlobalFlags, AccessFlags, MetricsFlags {
  readonly socket?: string;
  readonly expert?: boolean;
  readonly allowSystem?: boolean;
  readonly audit?: string;
}

const HELP = `
It stays in the foreground until Ctrl-C or SIGTERM and says on stderr who comes and goes. Who may look is decided by the
socket's mode, checked again by what the kernel says of the other end. Nobody may change anything without
--allow-control: with the flag alone the user of kbtop serve, and whom it names besides. A fault ends with the viewer
that armed it, and with kbtop serve.

A viewer that is too slow gets the latest Frame and not those before; one that takes nothing for 30 s is let go.

The audit gets a line for everybody who comes, goes, changes something or is refused, by ids that the kernel tells.

Exits with 0 when it was asked to stop, 1 when the socket is taken, 3 when BPF cannot work here.

Examples:
  sudo kbtop serve                                 root may look: sudo kbtop attach
  sudo kbtop serve --group ops                     everybody of the group ops may look: kbtop attach
  sudo kbtop serve --metrics :9435                 and Prometheus scrapes 127.0.0.1:9435
  sudo kbtop serve --group ops --allow-control=@sre,alice -n shop
`;

export function serveCommand(): Command {
  return addMetricsFlags(new Command('serve'))
    .summary('one capture for several screens: see attach')
    .description('Measure, and let others look: kbtop attach shows the same screen in other terminals.')
    .option('--socket <path>', 'where to listen (default: /run/kbtop/kbtop.sock; not as root: $XDG_RUNTIME_DIR/kbtop/kbtop.sock)')
    .option('--mode <mode>', 'who may look: 0600 this user and root, 0660 the socket\'s group, 0666 everybody (default: 0600, with --group 0660)', socketMode)
    .option('--group <name>', 'group of the socket, whose members may look')
    .option('--allow-control [who]', 'who may arm faults and change interval and levels: this user alone, or "alice,1000,@ops" besides')
    .option('--expert', 'with --allow-control: allow calls and kernel faults whose harm may stay')
    .option('--allow-system', 'with --allow-control: allow pods that run the node or the cluster')
    .option('--audit <file>', 'where the audit is kept (default: /var/log/kbtop/chaos.jsonl)')
    .addHelpText('after', HELP)
    .action(async (_flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<ServeFlags>();
      await serve(flags, await settle(flags));
    });
}

/** Without control an audit that cannot be kept is told and done without; with it nothing may go unseen. */
async function auditOf({ audit, allowControl }: ServeFlags, log: LineLog): Promise<AuditFile | null> {
  const { AuditError, AuditFile } = await import('../chaos/audit-file.ts');
  try {
    return await AuditFile.open(audit);
  } catch (error) {
    if (!(error instanceof AuditError)) throw error;
    if (allowControl !== undefined || audit !== undefined) throw new KbtopError(EXIT.failed, error.message, { cause: error });
    log.line(`who comes and goes is told here alone: ${error.message.split(';')[0]}`);
    return null;
  }
}

async function serve(flags: ServeFlags, settings: Settings): Promise<void> {
  const [{ Accounts }, { servePlace }] = await Promise.all([import('../session/server/accounts.ts'), import('../session/place.ts')]);
  const accounts = new Accounts();
  const wish = accessOf(flags, accounts);
  if (settings.readOnly && wish.control !== null) throw usageError('--read-only and --allow-control contradict each other: leave out one of them, or readOnly of the configuration');
  const path = flags.socket ?? servePlace();
  if (path === null) throw usageError('$XDG_RUNTIME_DIR is not set, so there is no place for the socket: give one with --socket PATH');
  requireBpf();
  const log = new LineLog();
  const watch = watchInterrupts();
  try {
    await run({ flags, settings, accounts, wish, path, log, interrupted: new Promise((resolve) => watch.onInterrupt(resolve)) });
  } catch (error) {
    throw sessionFailure(error);
  } finally {
    await log.flush();
    watch.end();
  }
}

interface Run {
  readonly flags: ServeFlags;
  readonly settings: Settings;
  readonly accounts: import('../session/server/accounts.ts').Accounts;
  readonly wish: ReturnType<typeof accessOf>;
  readonly path: string;
  readonly log: LineLog;
  readonly interrupted: Promise<void>;
}

async function run({ flags, settings, accounts, wish, path, log, interrupted }: Run): Promise<void> {
  const [{ openCapture }, { loadAddon }, { openChaosDoor }, { SessionServer }, { SessionListener }, { Access }, { narrowed }] = await Promise.all([
    import('./capture.ts'), import('../bpf/load.ts'), import('../chaos/service/client.ts'), import('../session/server/server.ts'), import('../session/server/listener.ts'),
    import('../session/server/access.ts'), import('../session/server/narrowed.ts'),
  ]);
  const { sources, target, intervalMs } = settings;
  const { mode, gid, control } = wish;
  const audit = await auditOf(flags, log);
  const door = control === null ? null : openChaosDoor({ sources, ...(flags.audit !== undefined && { auditFile: flags.audit }) });
  const manager = openCapture({ intervalMs, target, sources, debug: settings.debug ? (text) => log.line(text) : null, chaos: door && feedOf(door) });
  const source = target === null ? manager : narrowed(manager, target.matches);
  const session = new SessionServer({
    source, door, accounts, audit, intervalMs, version: version(), node: sources.nodeName, intervalLimits: INTERVAL_LIMITS,
    scope: target?.label ?? null, permits: { expert: flags.expert ?? false, allowSystem: flags.allowSystem ?? false },
    access: new Access({ uid: process.geteuid?.() ?? 0, mode, gid: gid ?? process.getegid?.() ?? 0, control }), log: (line) => log.line(line),
  });
  let listener = null, metrics = null;
  try {
    listener = await SessionListener.open(session, { path, mode, gid, ownDirectory: flags.socket === undefined }, loadAddon(), (line) => log.line(line));
    metrics = await serveMetrics(source, flags, settings.debug ? (text) => log.line(text) : null);
    manager.start();
    log.line(`serving ${sources.nodeName} on ${listener.path}; look with: ${attachLine(mode, flags.socket === undefined ? null : listener.path)}`);
    if (metrics !== null) log.line(`metrics on ${metrics.url}`);
    await Promise.race([interrupted, manager.done]);
  } finally {
    await listener?.close();
    // Faults first: nothing that takes time may stand before their end.
    await door?.close();
    await metrics?.close();
    await session.close();
    await manager.close();
    await audit?.close();
  }
}

/** How to attach, for whoever reads the first line. */
function attachLine(mode: number, path: string | null): string {
  const sudo = mode === 0o600 && process.geteuid?.() === 0 ? 'sudo ' : '';
  return `${sudo}kbtop attach${path === null ? '' : ` ${/^[\w./-]+$/.test(path) ? path : `'${escapeForTerminal(path).replaceAll('\'', '\'\\\'\'')}'`}`}`;
}

