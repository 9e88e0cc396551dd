/** A unix socket's way in: who is there, before anything large is loaded for it, and an address that fits a connect(). */
import { closeSync, openSync, statSync } from 'node:fs';
import { createConnection } from 'node:net';

/** sun_path holds 108 bytes with the final NUL. */
const LONGEST_ADDRESS = 107;
/** From <fcntl.h>: a handle on a file that may be a socket, without opening it. Node has no name for it. */
const O_PATH = 0o10000000;

/** An address for connect(), which may hold a file open. */
export interface Door {
  readonly address: string;
  close(): void;
}

/**
 * Find an address for a socket. One whose path is too long (a host root far down) is reached through a handle on it.
 * @throws NodeJS.ErrnoException
 */
export function openDoor(path: string): Door {
  // connect() says of any file that nobody listens.
  if (!statSync(path).isSocket()) throw Object.assign(new Error('not a socket'), { code: 'ENOTSOCK' });
  if (Buffer.byteLength(path) <= LONGEST_ADDRESS) return { address: path, close: () => {} };
  const fd = openSync(path, O_PATH);
  let open = true;
  const close = (): void => {
    if (open) closeSync(fd);
    open = false;
  };
  return { address: `/proc/self/fd/${fd}`, close };
}

/** Connect once and hang up. Rejects with an errno's code, or ETIMEDOUT. @param ms longest wait, milliseconds */
export function knock(address: string, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: address, signal });
    socket.setTimeout(ms, () => socket.destroy(Object.assign(new Error('connect'), { code: 'ETIMEDOUT' })));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.on('error', reject);
  });
}
