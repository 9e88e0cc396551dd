/** Where sessions are found: the paths of their sockets. */
import { join } from 'node:path';
import { runDirectory } from '../chaos/service/registration.ts';

/** Longest path that a unix socket can have, bytes. */
export const MAX_PATH_BYTES = 107;
const NAME = 'kbtop.sock';

interface Here {
  readonly uid?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** A user's own; null: the environment names no place for it. */
function ownSocket(env: NodeJS.ProcessEnv): string | null {
  const directory = env['XDG_RUNTIME_DIR'];
  return directory?.startsWith('/') === true ? join(directory, 'kbtop', NAME) : null;
}

const rootSocket = (): string => join(runDirectory(), NAME);

/** Where kbtop serve listens by itself; null: the environment names no place for it. */
export const servePlace = ({ uid = process.geteuid?.() ?? 0, env = process.env }: Here = {}): string | null => (uid === 0 ? rootSocket() : ownSocket(env));

/** Where kbtop attach looks by itself, in this order. */
export function attachPlaces({ uid = process.geteuid?.() ?? 0, env = process.env }: Here = {}): readonly string[] {
  const own = ownSocket(env);
  return uid === 0 || own === null ? [rootSocket()] : [own, rootSocket()];
}
