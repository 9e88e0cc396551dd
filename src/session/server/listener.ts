/** A session's unix socket. */
import { type Server, type Socket, createServer } from 'node:net';
import type { Addon, SocketPeer } from '../../bpf/addon.ts';
import type { SessionServer } from './server.ts';
import { SocketPlace, type SocketPlaceOptions } from './socket-place.ts';

/** Who is at the other end. @throws BpfError when the kernel cannot tell */
export function peerOf(socket: Socket, addon: Pick<Addon, 'socketPeer'>): SocketPeer {
  // Node has no public name for it.
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd?: number } | null };
  return addon.socketPeer(handle?.fd ?? -1);
}

export class SessionListener {
  readonly #server: Server;
  readonly #place: SocketPlace;

  private constructor(server: Server, place: SocketPlace) {
    this.#server = server;
    this.#place = place;
  }

  /** @throws SessionError */
  static async open(session: SessionServer, options: Omit<SocketPlaceOptions, 'pidOf' | 'tryLock'>, addon: Pick<Addon, 'socketPeer' | 'tryLock'>, log: (line: string) => void): Promise<SessionListener> {
    const server = createServer((socket) => {
      try {
        session.take(socket, peerOf(socket, addon));
      } catch {
        // gone before it was looked at, or nobody that the kernel knows: no more than no viewer
        socket.destroy();
      }
    });
    const place = await SocketPlace.take(server, { ...options, pidOf: (socket) => peerOf(socket, addon).pid, tryLock: (descriptor) => addon.tryLock(descriptor) });
    // Out of descriptors, for example: the others go on.
    server.on('error', (error) => log(`no new viewers for now: ${error.message}`));
    return new SessionListener(server, place);
  }

  get path(): string {
    return this.#place.path;
  }

  /** Nobody new comes, and the name is given back. Never rejects. */
  async close(): Promise<void> {
    await this.#place.release();
    this.#server.close();
  }
}
