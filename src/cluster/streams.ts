/**
 * Commands in containers over the API server's WebSockets, as `kubectl exec` and `kubectl attach` run them. Of ws and not
 * of @kubernetes/client-node, whose own handler does not hold back what nobody reads, never looks whether the other side
 * is still there, and ends the process's stdout when it is told to close a stream.
 */
import { Buffer } from 'node:buffer';
import { Duplex, Readable } from 'node:stream';
import { WebSocket } from 'ws';
import type { Cluster } from '../identity/kubernetes/cluster.ts';
import { Failure, networkFailure, oneLine } from '../identity/kubernetes/failure.ts';
import { refusal } from '../identity/kubernetes/http.ts';
import { CHANNEL, canEndInput, closeMessage, type ExitStatus, message, PROTOCOLS, readStatus, resizeMessage, type Size } from './channels.ts';

export type { ExitStatus, Size } from './channels.ts';

/** The API server itself waits 30 s for a kubelet; milliseconds. */
const HANDSHAKE_MS = 45_000;
/** How often to ask whether the other side is there, and how long it may be silent then; milliseconds. */
const PING_MS = 5_000;
const SILENCE_MS = 30_000;
/** After the word how the command ended, its last output may still be on the way; milliseconds. */
const LAST_OUTPUT_MS = 5_000;
/** What is not closed politely by then is cut; milliseconds. */
const GOODBYE_MS = 1_000;
/** Bytes of one message to the server: kubectl's, too. */
const LARGEST_SENT = 32 * 1024;
/** Servers send 32 KiB at a time. */
const LARGEST_RECEIVED = 16 * 1024 * 1024;
const HIGH_WATER = 64 * 1024;

export interface ContainerRef {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface AttachOptions extends ContainerRef {
  /** A terminal: stdout and stderr come as one. */
  readonly tty?: boolean;
  /** Without it nothing can be written. Default: true. */
  readonly stdin?: boolean;
  /** Gives up the wait for the connection. */
  readonly signal?: AbortSignal;
}

export interface ExecOptions extends AttachOptions {
  readonly command: readonly string[];
}

/**
 * stdout to read, stdin to write. It and `stderr` must both be read: what nobody takes is not fetched, and the command
 * waits. Neither ever has an error; they end when the command or the connection does, and `exit` says which.
 */
export interface ExecStream extends Duplex {
  /** Ends at once when there is a terminal. */
  readonly stderr: Readable;
  /** Resolves when nothing more comes, though the last of it may still wait to be read; never rejects. */
  readonly exit: Promise<ExitStatus>;
  /** A terminal's new size; ignored without one. */
  resize(size: Size): void;
  /** Let go at once. The command gets EOF on stdin, or with a terminal nothing at all. */
  close(): void;
}

class ChannelStream extends Duplex implements ExecStream {
  readonly stderr: Readable;
  readonly exit: Promise<ExitStatus>;
  readonly #socket: WebSocket;
  readonly #tty: boolean;
  readonly #settle: (status: ExitStatus) => void;
  readonly #pings: NodeJS.Timeout;
  #status: ExitStatus | null = null;
  /** Why the connection ended, as far as this side knows. */
  #reason: string | null = null;
  #heard = performance.now();
  /** Streams whose reader has enough for now. */
  readonly #full = new Set<Readable>();

  constructor(socket: WebSocket, tty: boolean) {
    // Left half open: the end of stdin is not that of stdout.
    super({ allowHalfOpen: true, readableHighWaterMark: HIGH_WATER, writableHighWaterMark: HIGH_WATER, emitClose: true });
    this.#socket = socket;
    this.#tty = tty;
    this.stderr = new Readable({ highWaterMark: HIGH_WATER, read: () => this.#wants(this.stderr) });
    const { promise, resolve } = Promise.withResolvers<ExitStatus>();
    this.exit = promise;
    this.#settle = resolve;
    if (tty) this.stderr.push(null);
    socket.on('message', (data, isBinary) => this.#take(data, isBinary));
    socket.on('pong', () => this.#hear());
    socket.on('ping', () => this.#hear());
    socket.on('error', (error) => { this.#reason ??= networkFailure(error, 'the API server').message; });
    socket.on('close', (code, reason) => this.#closed(code, oneLine(reason.toString())));
    this.#pings = setInterval(() => this.#ping(), PING_MS);
    this.#pings.unref();
  }

  #hear(): void {
    this.#heard = performance.now();
  }

  #ping(): void {
    // Nothing is heard while nothing is read.
    if (this.#full.size > 0) return this.#hear();
    if (performance.now() - this.#heard > SILENCE_MS) return this.#cut(`it has not said anything for ${SILENCE_MS / 1_000} s`);
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.ping();
  }

  #cut(reason: string): void {
    this.#reason ??= reason;
    this.#socket.terminate();
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.#hear();
    // Servers greet with an empty message.
    if (!isBinary || data.length === 0) return;
    const bytes = data.subarray(1);
    switch (data[0]) {
      case CHANNEL.stdout: return this.#hand(this, bytes);
      case CHANNEL.stderr: return this.#hand(this.stderr, bytes);
      case CHANNEL.error: {
        const status = readStatus(bytes);
        if (status === null || this.#status !== null) return;
        this.#status = status;
        this.#expectEnd();
        return;
      }
      default:
    }
  }

  #hand(stream: Readable, bytes: Buffer): void {
    if (bytes.length === 0 || stream.readableEnded || stream.destroyed || (stream === this.stderr && this.#tty)) return;
    if (stream.push(bytes)) return;
    this.#full.add(stream);
    this.#socket.pause();
  }

  #wants(stream: Readable): void {
    if (this.#full.delete(stream) && this.#full.size === 0) this.#socket.resume();
  }

  /** The server closes once it has sent everything; one that does not is not waited for. */
  #expectEnd(): void {
    const timer = setTimeout(() => {
      if (this.#full.size > 0) this.#expectEnd();
      else this.#socket.terminate();
    }, LAST_OUTPUT_MS);
    timer.unref();
    this.#socket.on('close', () => clearTimeout(timer));
  }

  #closed(code: number, reason: string): void {
    clearInterval(this.#pings);
    this.#full.clear();
    if (!this.readableEnded && !this.destroyed) this.push(null);
    if (!this.#tty) this.stderr.push(null);
    const why = this.#reason ?? (reason === '' ? code === 1000 ? 'the server closed it' : 'the connection broke off' : `the server closed it: ${reason}`);
    this.#settle(this.#status ?? { kind: 'lost', reason: why });
  }

  override _read(): void {
    this.#wants(this);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    let left = Math.ceil(chunk.length / LARGEST_SENT);
    if (left === 0) return done();
    // One that is gone takes everything: `exit` tells.
    const sent = (): void => { if (--left === 0) done(); };
    for (let from = 0; from < chunk.length; from += LARGEST_SENT) this.#socket.send(message(CHANNEL.stdin, chunk.subarray(from, from + LARGEST_SENT)), { binary: true }, sent);
  }

  override _final(done: () => void): void {
    if (!canEndInput(this.#socket.protocol)) return done();
    this.#socket.send(closeMessage(CHANNEL.stdin), { binary: true }, () => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.close();
    done(error);
  }

  resize(size: Size): void {
    if (this.#tty && this.#socket.readyState === WebSocket.OPEN) this.#socket.send(resizeMessage(size), { binary: true }, () => {});
  }

  close(): void {
    this.#reason ??= 'closed';
    // What is paused would never hear the other side's goodbye.
    for (const stream of this.#full) this.#wants(stream);
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), GOODBYE_MS);
    timer.unref();
    this.#socket.on('close', () => clearTimeout(timer));
    this.resume();
    this.stderr.resume();
  }
}

/** Resolves with a stream, or with the server's refusal. */
async function connect(cluster: Cluster, path: string, { tty = false, signal }: AttachOptions): Promise<ChannelStream | Failure> {
  const server = await cluster.server();
  const { headers, auth, tls, proxyAgent } = await cluster.pass();
  if (signal?.aborted) throw new Failure('network', 'closed');
  const url = new URL(server + path);
  return await new Promise((resolve, reject) => {
    let socket: WebSocket;
    const abort = (): void => socket.terminate();
    const settle = (): void => signal?.removeEventListener('abort', abort);
    const fail = (error: unknown): void => {
      settle();
      reject(signal?.aborted ? new Failure('network', 'closed') : networkFailure(error, url.hostname));
    };
    try {
      socket = new WebSocket(url, PROTOCOLS, {
        ...tls, headers: { 'User-Agent': 'kbtop', ...headers } as Record<string, string>, ...(auth !== null && { auth }), ...(proxyAgent && { agent: proxyAgent }),
        perMessageDeflate: false, skipUTF8Validation: true, handshakeTimeout: HANDSHAKE_MS, closeTimeout: GOODBYE_MS, maxPayload: LARGEST_RECEIVED,
      });
    } catch (error) {
      // A header or a key that cannot be.
      return fail(error);
    }
    signal?.addEventListener('abort', abort);
    let refused = false;
    socket.on('error', (error) => { if (!refused) fail(error); });
    socket.on('unexpected-response', (_, response) => {
      refused = true;
      void refusal(response, cluster.limits, url.hostname).then((failure) => {
        settle();
        socket.terminate();
        resolve(failure);
      });
    });
    socket.on('open', () => {
      settle();
      // At once: what came with the handshake is told before any promise is.
      resolve(new ChannelStream(socket, tty));
    });
  });
}

async function open(cluster: Cluster, path: string, options: AttachOptions): Promise<ExecStream> {
  let stream = await connect(cluster, path, options);
  if (stream instanceof Failure && stream.kind === 'unauthorized') {
    // The token may have been replaced, or ended before its time: once with what is there now.
    cluster.renew();
    stream = await connect(cluster, path, options);
  }
  if (stream instanceof Failure) throw stream;
  return stream;
}

function pathOf(verb: 'exec' | 'attach', { namespace, pod, container, tty = false, stdin = true }: AttachOptions, command: readonly string[]): string {
  const query = new URLSearchParams({ container, stdin: String(stdin), stdout: 'true', stderr: String(!tty), tty: String(tty) });
  for (const word of command) query.append('command', word);
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/${verb}?${query}`;
}

/** Run a command in a container that runs. @throws Failure when the server refuses or is not to be reached */
export function openExec(cluster: Cluster, options: ExecOptions): Promise<ExecStream> {
  return open(cluster, pathOf('exec', options, options.command), options);
}

/** The main process of a container; its exit code is not told. @throws Failure when the server refuses or is not to be reached */
export function openAttach(cluster: Cluster, options: AttachOptions): Promise<ExecStream> {
  return open(cluster, pathOf('attach', options, []), options);
}
