/** The one place where errors become an exit code and one line on stderr. */
import { escapeForTerminal } from '../frame/escape.ts';

/** What scripts may rely on. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** Not permitted or not possible here: privilege, kernel feature, BTF. */
  impossible: 3,
  notFound: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** An error whose message is for the user: what failed, why, what to do. */
export class KbtopError extends Error {
  override readonly name = 'KbtopError';
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export const usageError = (message: string): KbtopError => new KbtopError(EXIT.usage, message);

/** Whoever read our output has closed it: nothing more to do, and nothing wrong. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed';
}

/** Somebody asked us to stop (SIGINT, SIGTERM, SIGHUP). */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

export interface Report {
  readonly code: ExitCode;
  /** Without the leading "kbtop: "; null: say nothing. */
  readonly line: string | null;
  /** For --debug: stack and logs; may be empty. */
  readonly detail: string;
}

/** Codes of kernel refusals: another user or another kernel could do it. */
const REFUSALS = new Set(['EPERM', 'EACCES', 'ENOSYS', 'EOPNOTSUPP', 'ENOTSUPP']);

const oneLine = (text: string): string => escapeForTerminal(text.trim().replaceAll(/\s*\n\s*/g, '; '));

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { libbpfLog = '', verifierLog = '' } = error as { libbpfLog?: string; verifierLog?: string };
  const cause = error.cause === undefined ? '' : `caused by: ${stackOf(error.cause)}`;
  return [error.stack ?? error.message, cause, libbpfLog, verifierLog].filter((part) => part !== '').join('\n');
}

/** What to say and how to exit for anything that was thrown. */
export function reportOf(error: unknown): Report {
  if (error instanceof OutputClosed) return { code: EXIT.ok, line: null, detail: '' };
  if (error instanceof Interrupted) return { code: EXIT.interrupted, line: null, detail: '' };
  const detail = stackOf(error);
  if (error instanceof KbtopError) return { code: error.exitCode, line: oneLine(error.message), detail };
  const { code, message = String(error) } = (error ?? {}) as { code?: unknown; message?: string };
  // BpfError, AddonError and the system's errors (ENOENT, ...) say what is wrong; anything else is a mistake of ours.
  if (typeof code === 'string' && /^(?:E[A-Z0-9]+|ERR_BPF_\w+|ERR_ADDON)$/.test(code)) return { code: REFUSALS.has(code) ? EXIT.impossible : EXIT.failed, line: oneLine(message), detail };
  return { code: EXIT.failed, line: `internal error: ${oneLine(message)}; please report it with what --debug prints`, detail };
}
