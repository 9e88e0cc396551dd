/** The way to a session on this machine: its unix socket. */
import { type Socket, connect } from 'node:net';
import { SessionError } from '../error.ts';
import { MAX_PATH_BYTES, attachPlaces } from '../place.ts';

const START = 'start one with sudo kbtop serve';

function failure(path: string, error: NodeJS.ErrnoException): SessionError {
  const { code = '', message } = error;
  switch (code) {
    case 'ENOENT': return new SessionError('absent', `there is no session on ${path}: ${START}`, { cause: error });
    case 'ECONNREFUSED': return new SessionError('absent', `nobody serves ${path} any more: ${START}`, { cause: error });
    case 'EACCES': case 'EPERM': return new SessionError('refused', `you may not look at ${path}: use sudo kbtop attach, or have the session served with --group or --mode`, { cause: error });
    case 'EAGAIN': return new SessionError('failed', `the session on ${path} takes no more viewers right now: try again`, { cause: error });
    case 'ENOTSOCK': case 'ENOTDIR': return new SessionError('failed', `${path} is no socket of a session: ${START}`, { cause: error });
    default: return new SessionError('failed', `cannot reach a session on ${path}: ${message}`, { cause: error });
  }
}

/** @throws SessionError */
function dial(path: string): Promise<Socket> {
  // A longer one would silently be another one's.
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) return Promise.reject(new SessionError('failed', `${path} is longer than the ${MAX_PATH_BYTES} bytes that a socket's path can have`));
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', (error) => reject(failure(path, error)));
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

/** @param path null: where sessions are found by themselves @throws SessionError */
export async function dialSession(path: string | null): Promise<Socket> {
  if (path !== null) return dial(path);
  let worst: SessionError | null = null;
  for (const place of attachPlaces()) {
    try {
      return await dial(place);
    } catch (error) {
      if (!(error instanceof SessionError)) throw error;
      // One that is there, but not for this user, says more than one that is not there.
      if (worst === null || worst.kind === 'absent') worst = error;
    }
  }
  throw worst ?? new SessionError('absent', `there is no session: ${START}`);
}
