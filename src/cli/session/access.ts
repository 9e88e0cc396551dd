/** What the flags of kbtop serve say of who may look and who may control. */
import { NO_CONTROLLERS, type Controllers, parseControllers } from '../../session/server/access.ts';
import type { Accounts } from '../../session/server/accounts.ts';
import { usageError } from '../errors.ts';

export interface AccessFlags {
  /** File mode, e.g. 0o600. */
  readonly mode?: number;
  readonly group?: string;
  /** true: the flag alone. */
  readonly allowControl?: string | true;
}

export interface AccessWish {
  readonly mode: number;
  /** Null: this process's. */
  readonly gid: number | null;
  /** Null: nobody. */
  readonly control: Controllers | null;
}

const MODES = [0o600, 0o660, 0o666];

/** An option's value as the mode of a socket. */
export function socketMode(text: string): number {
  const mode = /^0?[0-7]{3}$/.test(text) ? Number.parseInt(text, 8) : NaN;
  if (!MODES.includes(mode)) throw usageError(`--mode "${text}" is none: 0600 lets in the user of kbtop serve and root, 0660 a group, too, 0666 everybody`);
  return mode;
}

/** @throws KbtopError for what cannot be meant */
export function accessOf({ mode, group, allowControl }: AccessFlags, accounts: Accounts): AccessWish {
  const gid = group === undefined ? null : accounts.groupId(group);
  if (group !== undefined && gid === null) throw usageError(`--group "${group}" is no group of this machine: give its name or number`);
  if (group !== undefined && mode === 0o600) throw usageError('--group lets in a group, and --mode 0600 nobody: leave out one of them');
  const given = mode ?? (group === undefined ? 0o600 : 0o660);
  if (allowControl === undefined) return { mode: given, gid, control: null };
  if (allowControl === true) return { mode: given, gid, control: NO_CONTROLLERS };
  let control;
  try {
    control = parseControllers(allowControl, accounts);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw usageError(`--allow-control ${error.message}`);
  }
  if (given === 0o600 && [...control.uids, ...control.gids].some((id) => id !== (process.geteuid?.() ?? 0))) throw usageError('--allow-control names others who cannot come near the socket: let them in with --group NAME or --mode 0666');
  return { mode: given, gid, control };
}
