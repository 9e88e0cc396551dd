/** An API server or kubelet under the test's hand, over real TLS on a loopback port. */
import { once } from 'node:events';
import { createServer as createHttp, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttps, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions, TLSSocket } from 'node:tls';
import { authority, certificate, type Certificate } from './certificates.ts';
import { until } from './clock.ts';

export interface Asked {
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  /** Common name of the client's certificate. */
  readonly client: string | null;
}

type Handler = (request: Asked, response: ServerResponse) => void;

export const ca = authority('test cluster');
export const serverCertificate = certificate({ cn: 'kube-apiserver', names: ['127.0.0.1', 'localhost'], issuer: ca });

export function sendJson(response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

export class TestServer {
  readonly asked: Asked[] = [];
  /** TLS (or plain) connections that were ever made. */
  connections = 0;
  /** Client certificates that were shown in a handshake, with or without a request after it. */
  readonly shown: string[] = [];
  handle: Handler;
  /** By the client's port. */
  readonly #sockets = new Map<number, Socket>();
  readonly #certificate: Certificate | null;
  readonly #tls: TlsOptions;
  #server: Server | ReturnType<typeof createHttp> | null = null;
  port = 0;

  /** @param certificate null: plain HTTP */
  constructor(handle: Handler, certificate: Certificate | null = serverCertificate, tls: TlsOptions = {}) {
    this.handle = handle;
    this.#tls = tls;
    this.#certificate = certificate;
  }

  get url(): string {
    return `${this.#certificate ? 'https' : 'http'}://127.0.0.1:${this.port}`;
  }

  async listen(): Promise<this> {
    const listener = (message: IncomingMessage, response: ServerResponse): void => {
      const peer = this.#certificate ? (message.socket as TLSSocket).getPeerCertificate().subject : undefined;
      const request = { url: new URL(message.url ?? '/', 'http://test'), headers: message.headers, client: (peer?.CN as string | undefined) ?? null };
      this.asked.push(request);
      response.on('error', () => {});
      this.handle(request, response);
    };
    const server = this.#certificate
      ? createHttps({ ...this.#tls, ...this.#certificate, requestCert: true, rejectUnauthorized: false, keepAliveTimeout: 0 }, listener)
      : createHttp({ keepAliveTimeout: 0 }, listener);
    server.on(this.#certificate ? 'secureConnection' : 'connection', (socket: TLSSocket) => {
      this.connections++;
      const peer = this.#certificate ? socket.getPeerCertificate().subject : undefined;
      if (peer) this.shown.push(peer.CN as string);
    });
    server.on('connection', (socket: Socket) => {
      const port = socket.remotePort ?? 0;
      this.#sockets.set(port, socket);
      socket.on('close', () => this.#sockets.delete(port));
      socket.on('error', () => {});
    });
    server.on('tlsClientError', () => {});
    server.listen(this.port, '127.0.0.1');
    await once(server, 'listening');
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  get open(): number {
    return this.#sockets.size;
  }

  /** As a machine that is switched off: every connection breaks. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = null;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets.values()) socket.destroy();
    await closed;
  }

  /** Break the connection that an answer is given on: below TLS, which would say goodbye. */
  reset(response: ServerResponse): void {
    this.#sockets.get(response.socket?.remotePort ?? 0)?.resetAndDestroy();
  }

  async askedFor(count: number): Promise<void> {
    await until(`${count} requests`, () => this.asked.length >= count);
  }
}
