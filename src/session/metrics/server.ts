/**
 * The endpoint over HTTP: GET and HEAD of /metrics and /healthz. Whoever is slow, idle or too many is let go of; nothing
 * that a client does reaches the capture.
 */
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { CONTENT_TYPES } from '../../output/exposition.ts';
import { negotiateFormat, wantsGzip } from './negotiate.ts';
import type { Page } from './page.ts';

/** Where to listen: an IP address and a port, 0 for any. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface Limits {
  /** Connections at once; more are closed as they come. */
  readonly connections: number;
  /** Answers under way at once; more are told to come again. */
  readonly scrapes: number;
  /** A request must have come whole by then, milliseconds. */
  readonly requestMs: number;
  /** An answer must have gone by then, milliseconds. */
  readonly answerMs: number;
  /** A connection may wait for its next request so long, milliseconds. */
  readonly idleMs: number;
}

export const LIMITS: Limits = { connections: 32, scrapes: 8, requestMs: 5000, answerMs: 30_000, idleMs: 15_000 };

export interface EndpointParts {
  readonly page: Page;
  /** Why there are no numbers now, in a line; null when there are. */
  trouble(): string | null;
  scraped(): void;
  debug(text: string): void;
}

const PATHS = ['/metrics', '/healthz'];

/** "127.0.0.1:9435", "[::1]:9435". */
export const addressText = ({ host, port }: ListenAddress): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`);

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'something else listens there already; end it, or choose another port',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'not permitted; choose a port from 1024 on, or run it as root',
};

/** The message is one line for the user; `code` is the system's. */
function listenError(error: NodeJS.ErrnoException, address: ListenAddress): Error {
  const reason = REASONS[error.code ?? ''] ?? error.message;
  return Object.assign(new Error(`cannot serve metrics on ${addressText(address)}: ${reason}`, { cause: error }), { code: error.code ?? 'EIO' });
}

export class Endpoint {
  readonly #parts: EndpointParts;
  readonly #limits: Limits;
  readonly #server: Server;
  #answering = 0;

  constructor(parts: EndpointParts, limits: Limits = LIMITS) {
    this.#parts = parts;
    this.#limits = limits;
    this.#server = createServer({
      headersTimeout: limits.requestMs, requestTimeout: limits.requestMs, keepAliveTimeout: limits.idleMs, connectionsCheckingInterval: Math.min(1000, limits.requestMs),
      maxHeaderSize: 8192, noDelay: true,
    }, (request, response) => void this.#answer(request, response));
    this.#server.maxConnections = limits.connections;
    // A scraper that cannot come in because others only wait is let in the next time.
    this.#server.on('drop', () => this.#server.closeIdleConnections());
    this.#server.on('connection', (socket: Socket) => this.#guard(socket));
  }

  /** A connection that has not asked for anything yet is covered by no other limit of Node's. */
  #guard(socket: Socket): void {
    socket.setTimeout(Math.max(this.#limits.answerMs, this.#limits.idleMs), () => socket.destroy());
  }

  /** @throws Error with one line for the user, and the system's code */
  async listen(address: ListenAddress): Promise<ListenAddress> {
    await new Promise<void>((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => reject(listenError(error, address));
      this.#server.once('error', failed);
      this.#server.listen({ ...address, exclusive: true }, () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) => this.#parts.debug(`metrics: ${error.message}`));
        resolve();
      });
    });
    const { address: host, port } = this.#server.address() as AddressInfo;
    return { host, port };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const late = setTimeout(() => request.socket.destroy(), this.#limits.answerMs);
    late.unref();
    this.#answering++;
    // Also when the client has left, and exactly once.
    response.once('close', () => {
      clearTimeout(late);
      this.#answering--;
    });
    request.on('error', () => {});
    response.on('error', () => {});
    // A scrape has no body; whoever sends one shall not be read on and on.
    if (request.headers['content-length'] !== undefined || request.headers['transfer-encoding'] !== undefined) response.setHeader('Connection', 'close');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    try {
      await this.#route(request, response);
    } catch (error) {
      this.#parts.debug(`metrics: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
      if (response.headersSent) request.socket.destroy();
      else this.#say(request, response, 500, 'the text could not be made');
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (!PATHS.includes(path)) return this.#say(request, response, 404, `there are ${PATHS.join(' and ')}`);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return this.#say(request, response, 405, 'only GET and HEAD');
    }
    const trouble = this.#parts.trouble();
    if (trouble !== null) return this.#say(request, response, 503, trouble);
    if (path === '/healthz') return this.#say(request, response, 200, 'ok');
    if (this.#answering > this.#limits.scrapes) {
      response.setHeader('Retry-After', '1');
      return this.#say(request, response, 503, 'too many scrapes at once');
    }
    await this.#metrics(request, response);
  }

  async #metrics(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { page } = this.#parts;
    const format = negotiateFormat(request.headers.accept);
    const gzip = wantsGzip(request.headers['accept-encoding'] as string | undefined);
    const bytes = gzip ? await page.zipped(format) : page.plain(format);
    if (response.destroyed) return;
    this.#parts.scraped();
    response.writeHead(200, {
      'Content-Type': CONTENT_TYPES[format], 'Content-Length': bytes.length, 'Cache-Control': 'no-store', Vary: 'Accept, Accept-Encoding', ...(gzip && { 'Content-Encoding': 'gzip' }),
    });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }

  #say(request: IncomingMessage, response: ServerResponse, status: number, line: string): void {
    const bytes = Buffer.from(`${line}\n`, 'utf8');
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': bytes.length, 'Cache-Control': 'no-store' });
    response.end(request.method === 'HEAD' ? undefined : bytes);
  }

  /** Connections that are there; for tests of the limits. */
  async connections(): Promise<number> {
    return new Promise((resolve, reject) => this.#server.getConnections((error, count) => (error ? reject(error) : resolve(count))));
  }

  /** Closes every connection, also those being answered. Twice is fine. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise((resolve) => { this.#server.close(resolve); });
    this.#server.closeAllConnections();
    await closed;
  }
}
