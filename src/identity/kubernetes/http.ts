/** Requests over node:http and node:https that end in time, whatever the other side does. */
import { Buffer } from 'node:buffer';
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, type RequestOptions } from 'node:https';
import type { Clock } from './clock.ts';
import { Failure, networkFailure, oneLine, retryAfterMs, Silence } from './failure.ts';
import { object, text } from './shape.ts';

/** Longest part of a refusal that is read. */
const LONGEST_REFUSAL = 65_536;

export interface Limits {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Milliseconds without a byte after which the other side counts as silent. */
  readonly silenceMs: number;
}

/** Resolves with the head of the answer, whatever its status; rejects with a Failure. */
function send(url: URL, options: RequestOptions, { clock, signal, silenceMs }: Limits, body: string | null): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let request: ClientRequest;
    const fail = (error: unknown): void => {
      stop();
      reject(signal.aborted ? new Failure('network', 'closed') : networkFailure(error, url.hostname));
    };
    const stop = clock.after(silenceMs, () => request?.destroy(new Silence(silenceMs)));
    try {
      request = (url.protocol === 'http:' ? requestHttp : requestHttps)(url, { ...options, signal });
    } catch (error) {
      // A header or a key that cannot be.
      fail(error);
      return;
    }
    request.on('error', fail);
    request.on('response', (response) => {
      stop();
      // Whoever reads the body is told by the stream itself.
      response.on('error', () => {});
      resolve(response);
    });
    if (body === null) request.end();
    else request.end(body);
  });
}

/** A connection kept alive may have been closed just as it was used again: that says nothing about the server. */
const wasStale = (error: unknown): boolean => error instanceof Failure && error.message === 'the connection was reset';

/**
 * One request, by GET unless `options` say otherwise: resolves with the head of the answer, whatever its status. It may
 * reach the server twice.
 */
export async function get(url: URL, options: RequestOptions, limits: Limits, body: string | null = null): Promise<IncomingMessage> {
  const agent = options.agent;
  const reused = typeof agent === 'object' && Object.values(agent.freeSockets).some((sockets) => (sockets?.length ?? 0) > 0);
  try {
    return await send(url, options, limits, body);
  } catch (error) {
    if (!reused || !wasStale(error) || limits.signal.aborted) throw error;
    return await send(url, options, limits, body);
  }
}

/** The chunks of an answer's body; throws a Failure when it breaks off or falls silent. */
export async function* chunksOf(response: IncomingMessage, { clock, signal, silenceMs }: Limits, host: string): AsyncGenerator<Buffer, void, void> {
  const silence = (): (() => void) => clock.after(silenceMs, () => response.destroy(new Silence(silenceMs)));
  let stop = silence();
  try {
    for await (const chunk of response) {
      stop();
      yield chunk as Buffer;
      stop = silence();
    }
  } catch (error) {
    throw signal.aborted ? new Failure('network', 'closed') : networkFailure(error, host);
  } finally {
    stop();
    // Left before its end, its connection is of no further use.
    if (!response.complete) response.destroy();
  }
}

/** @param longest bytes; a longer body is a Failure */
export async function readText(response: IncomingMessage, limits: Limits, host: string, longest: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(response, limits, host)) {
    bytes += chunk.length;
    if (bytes > longest) throw new Failure('server', `its answer is longer than ${longest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes).toString('utf8');
}

export async function readJson(response: IncomingMessage, limits: Limits, host: string, longest: number): Promise<unknown> {
  const body = await readText(response, limits, host, longest);
  try {
    return JSON.parse(body) as unknown;
  } catch {
    throw new Failure('server', `its answer is no JSON: ${oneLine(body).slice(0, 60)}`);
  }
}

/** What a status other than 200 says; reads the body, so that the connection can be used again. */
export async function refusal(response: IncomingMessage, limits: Limits, host: string): Promise<Failure> {
  const status = response.statusCode ?? 0;
  let message = '';
  try {
    const body = await readText(response, limits, host, LONGEST_REFUSAL);
    // The kubelet refuses in plain text; a page of HTML is a proxy's.
    message = body.startsWith('<') ? '' : body;
    message = text(object(JSON.parse(body))['message']) ?? '';
  } catch {
    // no JSON, or too much of it
  }
  message = oneLine(message).slice(0, 300);
  const details = { status, retryAfterMs: retryAfterMs(response.headers['retry-after']) };
  const said = message === '' ? `answered ${status}` : `answered ${status}: ${message}`;
  if (status === 401) return new Failure('unauthorized', said, details);
  if (status === 403) return new Failure('forbidden', said, details);
  if (status === 410) return new Failure('expired', said, details);
  return new Failure(status === 429 || status === 503 ? 'throttled' : 'server', said, details);
}
