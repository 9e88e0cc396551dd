/**
 * One request to the kubelet. Credentials leave this machine only after the handshake has shown who is there: nothing is
 * written before, so that whoever took the kubelet's port learns no token.
 */
import type { IncomingMessage } from 'node:http';
import { checkServerIdentity, connect, type ConnectionOptions, type PeerCertificate, type TLSSocket } from 'node:tls';
import type { Pass } from './credentials.ts';
import { Failure, networkFailure, Silence } from './failure.ts';
import { get, type Limits } from './http.ts';
import type { KubeletPlace, Trust } from './kubelet-place.ts';

/** An answer, and whether it is known to be the kubelet's. */
export interface KubeletAnswer {
  readonly response: IncomingMessage;
  /** Why it was asked without credentials; null when there was no reason to hold any back. */
  readonly unverified: string | null;
}

/** Resolves with a connection whose other side has been verified as the options ask. */
function handshake({ url }: KubeletPlace, options: ConnectionOptions, { clock, signal, silenceMs }: Limits): Promise<TLSSocket> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    let socket: TLSSocket;
    try {
      socket = connect({ ...options, host, port: Number(url.port) || 443 });
    } catch (error) {
      reject(networkFailure(error, host));
      return;
    }
    const abort = (): void => {
      socket.destroy(new Failure('network', 'closed'));
    };
    const stop = clock.after(silenceMs, () => socket.destroy(new Silence(silenceMs)));
    const done = (): void => {
      stop();
      signal.removeEventListener('abort', abort);
    };
    signal.addEventListener('abort', abort);
    socket.on('error', (error) => {
      done();
      reject(networkFailure(error, host));
    });
    socket.once('secureConnect', () => {
      done();
      resolve(socket);
    });
  });
}

const HEADERS = { Accept: 'application/json', 'User-Agent': 'kbtop' };

async function over(socket: TLSSocket, url: URL, headers: Readonly<Record<string, string | readonly string[]>>, auth: string | null, limits: Limits): Promise<IncomingMessage> {
  try {
    return await get(url, { createConnection: () => socket, headers: { ...HEADERS, ...headers }, ...(auth !== null && { auth }) }, limits);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/**
 * A name in the certificate says nothing about a loopback address, and nothing needs to be said when it is the very
 * certificate that the kubelet keeps on this node's disk.
 */
const identityCheck = ({ loopback }: KubeletPlace, pins: Trust['pins']) => (host: string, certificate: PeerCertificate): Error | undefined =>
  (loopback || pins.some((pin) => pin.equals(certificate.raw)) ? undefined : checkServerIdentity(host, certificate));

/**
 * @param pass what to be believed by; null when there is nothing
 * @returns an answer of any status
 * @throws Failure
 */
export async function askKubelet(place: KubeletPlace, trust: Trust, pass: Pass | null, limits: Limits): Promise<KubeletAnswer> {
  const { url, loopback } = place;
  if (url.protocol === 'http:') return { response: await get(url, { agent: false, headers: HEADERS }, limits), unverified: null };
  let unverified = 'there is no certificate or authority on this node to know it by';
  if (trust.ca.length > 0) {
    try {
      const verified = { ca: [...trust.ca], allowPartialTrustChain: true, checkServerIdentity: identityCheck(place, trust.pins) };
      let socket = await handshake(place, verified, limits);
      if (pass?.tls.cert !== undefined) {
        // Node shows its certificate before it judges the other's: never to somebody who has not been judged.
        socket.destroy();
        socket = await handshake(place, { ...verified, cert: pass.tls.cert, key: pass.tls.key }, limits);
      }
      return { response: await over(socket, url, pass?.headers ?? {}, pass?.auth ?? null, limits), unverified: null };
    } catch (error) {
      if (!(error instanceof Failure) || !error.untrusted) throw error;
      unverified = error.message;
    }
  }
  if (!loopback) throw new Failure('network', `it cannot be verified: ${unverified}`, { fix: 'give a kubeconfig with the authority that signed its certificate by --kubeconfig' });
  const socket = await handshake(place, { rejectUnauthorized: false }, limits);
  return { response: await over(socket, url, {}, null, limits), unverified };
}
