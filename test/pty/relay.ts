/** A session for tests: hands the Frames of a node that does not exist to screens in other processes, and what each of them does to the others. */
import { type Server, type Socket, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import type { Frame } from '../../src/frame/frame.ts';
import type { SharedView, Viewer } from '../../src/frame/company.ts';
import { FakeSession } from '../ui/company/fake-session.ts';

/** One line of JSON each. */
export type ToScreen =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'company'; readonly change: 'viewers' | 'view'; readonly self: number | null; readonly viewers: readonly Viewer[]; readonly view: SharedView | null };
export type FromScreen = { readonly kind: 'drive' | 'follow'; readonly on: boolean } | { readonly kind: 'share'; readonly view: SharedView };

export class Relay {
  readonly session = new FakeSession();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #latest: Frame | null = null;

  /** @param names of those who come, in their order */
  constructor(path: string, names: readonly string[]) {
    const waiting = [...names];
    this.#server = createServer((socket) => this.#serve(socket, waiting.shift() ?? 'somebody')).listen(path);
  }

  #serve(socket: Socket, name: string): void {
    this.#sockets.add(socket);
    const seat = this.session.join(name);
    const say = (message: ToScreen): void => void socket.write(`${JSON.stringify(message)}\n`);
    const tell = (change: 'viewers' | 'view'): void => say({ kind: 'company', change, self: seat.self, viewers: seat.viewers, view: seat.view });
    const unsubscribe = seat.subscribe(tell);
    tell('viewers');
    tell('view');
    if (this.#latest !== null) say({ kind: 'frame', frame: this.#latest });
    createInterface(socket).on('error', () => {}).on('line', (line) => {
      const message = JSON.parse(line) as FromScreen;
      if (message.kind === 'share') seat.share(message.view);
      else seat[message.kind](message.on);
    });
    socket.on('error', () => {}).on('close', () => {
      this.#sockets.delete(socket);
      unsubscribe();
      seat.leave();
    });
  }

  frame(frame: Frame): void {
    this.#latest = frame;
    for (const socket of this.#sockets) socket.write(`${JSON.stringify({ kind: 'frame', frame } satisfies ToScreen)}\n`);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
