/** A session in this process: a source that ticks when it is told to, and viewers on real unix sockets. */
import { mkdtempSync, rmSync } from 'node:fs';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SocketPeer } from '../../src/bpf/addon.ts';
import type { ChaosDoor } from '../../src/chaos/door.ts';
import type { AuditRecord, AuditVisit } from '../../src/chaos/audit.ts';
import type { Frame, Level, PaneId } from '../../src/frame/frame.ts';
import type { FrameSource } from '../../src/frame/source.ts';
import { AttachSource } from '../../src/session/client/attach-source.ts';
import { dialSession } from '../../src/session/client/dial.ts';
import { PATIENCE, PROTOCOL, type Patience } from '../../src/session/protocol/limits.ts';
import { CLIENT_LIMITS, type ToClient, type ToServer, readToClient, writeToServer } from '../../src/session/protocol/messages.ts';
import { WireReader } from '../../src/session/protocol/wire.ts';
import { Access, NO_CONTROLLERS } from '../../src/session/server/access.ts';
import { Accounts } from '../../src/session/server/accounts.ts';
import { SessionServer } from '../../src/session/server/server.ts';
import { FakeNode } from '../ui/fixtures.ts';

export const ROOT: SocketPeer = { pid: 1, uid: 0, gid: 0, groups: [] };
export const ALICE: SocketPeer = { pid: 2, uid: 12_345, gid: 12_345, groups: [7] };

export class TickSource implements FrameSource {
  readonly can = { setInterval: true, setLevel: true };
  readonly done = new Promise<void>(() => {});
  readonly told: (readonly [string, ...unknown[]])[] = [];
  readonly #node = new FakeNode();
  readonly #listeners = new Set<(frame: Frame) => void>();
  #seq = 0;

  /** @param more over the Frame's own */
  tick(more: Partial<Frame> = {}): Frame {
    const frame = { ...this.#node.next(), seq: ++this.#seq, ...more };
    for (const listener of this.#listeners) listener(frame);
    return frame;
  }

  subscribe(onFrame: (frame: Frame) => void): () => void {
    this.#listeners.add(onFrame);
    return () => this.#listeners.delete(onFrame);
  }

  setInterval(ms: number): void {
    this.told.push(['interval', ms]);
  }

  setLevel(pane: PaneId, level: Level | 'off'): void {
    this.told.push(['level', pane, level]);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export interface TestSessionOptions {
  readonly door?: ChaosDoor | null;
  /** Who the next ones are. */
  readonly peer?: SocketPeer;
  readonly patience?: Partial<Patience>;
  readonly control?: boolean;
  readonly mode?: number;
  readonly audit?: (record: AuditRecord) => Promise<void>;
}

/** A session on a socket, whoever connects being `peer`. */
export class TestSession implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'kbtop-session-'));
  readonly path = join(this.directory, 's');
  readonly source = new TickSource();
  readonly audit: AuditVisit[] = [];
  readonly log: string[] = [];
  readonly server: SessionServer;
  peer: SocketPeer;
  #net: Server;
  readonly #attached: AttachSource[] = [];
  readonly #raw: RawViewer[] = [];

  private constructor({ door = null, peer = ROOT, patience = {}, control = true, mode = 0o666, audit }: TestSessionOptions) {
    this.peer = peer;
    this.server = new SessionServer({
      source: this.source, door, accounts: new Accounts(this.directory), version: '1.2.3', node: 'worker-1', intervalMs: 1000, intervalLimits: { min: 100, max: 10_000 }, scope: null,
      permits: { expert: false, allowSystem: false }, patience: { ...PATIENCE, ...patience }, log: (line) => this.log.push(line),
      access: new Access({ uid: 0, gid: 0, mode, control: control ? NO_CONTROLLERS : null, overflow: { uid: 65_534, gid: 65_534 } }),
      audit: { append: audit ?? ((record) => Promise.resolve(void this.audit.push(record as AuditVisit))) },
    });
    this.#net = createServer((socket) => this.server.take(socket, this.peer));
  }

  static async open(options: TestSessionOptions = {}): Promise<TestSession> {
    const session = new TestSession(options);
    await session.listen();
    return session;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => { this.#net.listen(this.path, resolve); });
  }

  async attach(terminal: string | null = null): Promise<AttachSource> {
    const source = await AttachSource.open({ dial: () => dialSession(this.path), version: '1.2.3', terminal, steps: { firstMs: 20, longestMs: 50 } });
    this.#attached.push(source);
    return source;
  }

  /** A viewer that says what it likes. */
  raw(): RawViewer {
    const raw = new RawViewer(connect(this.path));
    this.#raw.push(raw);
    return raw;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#attached.map((source) => source.close()));
    for (const { socket } of this.#raw) socket.destroy();
    await this.server.close();
    await new Promise<void>((resolve) => { this.#net.close(() => resolve()); });
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export class RawViewer {
  readonly socket: Socket;
  readonly heard: ToClient[] = [];
  closed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    const reader = new WireReader(CLIENT_LIMITS);
    socket.on('error', () => {}).on('close', () => { this.closed = true; });
    socket.on('data', (chunk: Buffer) => {
      for (const piece of reader.push(chunk)) {
        const message = readToClient(piece);
        if (message !== null) this.heard.push(message);
      }
    });
  }

  say(message: ToServer): void {
    this.socket.write(writeToServer(message));
  }

  hello(): void {
    this.say({ kind: 'hello', protocol: PROTOCOL, version: '1.2.3', terminal: null });
  }

  of<K extends ToClient['kind']>(kind: K): Extract<ToClient, { kind: K }>[] {
    return this.heard.filter((one): one is Extract<ToClient, { kind: K }> => one.kind === kind);
  }

  /** How the server let go of it; undefined: it did not. */
  get bye(): Extract<ToClient, { kind: 'bye' }> | undefined {
    return this.of('bye')[0];
  }
}
