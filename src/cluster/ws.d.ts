/** The part of ws that is used. */
declare module 'ws' {
  import type { EventEmitter } from 'node:events';
  import type { ClientRequest, IncomingMessage } from 'node:http';
  import type { RequestOptions } from 'node:https';
  import type { Duplex } from 'node:stream';

  interface ClientOptions extends RequestOptions {
    readonly perMessageDeflate?: boolean;
    readonly handshakeTimeout?: number;
    readonly closeTimeout?: number;
    readonly maxPayload?: number;
    readonly skipUTF8Validation?: boolean;
  }

  export class WebSocket extends EventEmitter {
    static readonly OPEN: 1;
    constructor(url: string | URL, protocols: readonly string[], options: ClientOptions);
    /** The subprotocol that both sides speak; '' for none. */
    readonly protocol: string;
    readonly readyState: 0 | 1 | 2 | 3;
    readonly bufferedAmount: number;
    readonly isPaused: boolean;
    send(data: Uint8Array | string, options?: { readonly binary?: boolean }, callback?: (error?: Error) => void): void;
    ping(): void;
    pause(): void;
    resume(): void;
    close(code?: number, reason?: string): void;
    terminate(): void;
    on(event: 'message', listener: (data: Buffer, isBinary: boolean) => void): this;
    on(event: 'close', listener: (code: number, reason: Buffer) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'unexpected-response', listener: (request: ClientRequest, response: IncomingMessage) => void): this;
    on(event: 'open' | 'ping' | 'pong', listener: () => void): this;
  }

  export class WebSocketServer extends EventEmitter {
    constructor(options: { readonly noServer: true; readonly perMessageDeflate?: boolean; readonly handleProtocols?: (protocols: Set<string>, request: IncomingMessage) => string | false });
    handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, callback: (socket: WebSocket) => void): void;
    close(): void;
  }
}
