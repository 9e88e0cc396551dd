/** Why a request came to nothing, as one line for a person, and what that means for the next one. */

/**
 * unauthorized, forbidden: only somebody else can put it right. expired: what was asked for is no longer kept.
 * configuration: files or plugins on this machine. network: no answer; server: an answer that says no.
 */
export type FailureKind = 'unauthorized' | 'forbidden' | 'expired' | 'throttled' | 'server' | 'network' | 'configuration';

export interface FailureDetails {
  /** What to do about it. */
  readonly fix?: string | null;
  /** Milliseconds that the server asks to wait. */
  readonly retryAfterMs?: number;
  readonly status?: number;
  readonly untrusted?: boolean;
}

export class Failure extends Error {
  readonly kind: FailureKind;
  readonly fix: string | null;
  readonly retryAfterMs: number;
  /** HTTP status; null when there was no answer. */
  readonly status: number | null;
  /** Its certificate did not convince. */
  readonly untrusted: boolean;

  constructor(kind: FailureKind, reason: string, { fix = null, retryAfterMs = 0, status, untrusted = false }: FailureDetails = {}) {
    super(oneLine(reason));
    this.kind = kind;
    this.fix = fix;
    this.retryAfterMs = retryAfterMs;
    this.status = status ?? null;
    this.untrusted = untrusted;
  }
}

/** The other side keeps the connection and says nothing. */
export class Silence extends Failure {
  /** @param ms how long it has been so, milliseconds */
  constructor(ms: number) {
    super('network', `it has not said anything for ${Math.round(ms / 1_000)} s`);
  }
}

const LONGEST_REASON = 400;

/** What others wrote, fit for a line. */
export function oneLine(message: string): string {
  const line = message.replace(/\s+/g, ' ').trim();
  return line.length > LONGEST_REASON ? `${line.slice(0, LONGEST_REASON)}…` : line;
}

const UNKNOWN_AUTHORITY = new Set(['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_SIGNATURE_FAILURE', 'CERT_UNTRUSTED']);
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused', ECONNRESET: 'the connection was reset', EPIPE: 'the connection was reset', ECONNABORTED: 'the connection was reset',
  ETIMEDOUT: 'connection timed out', EHOSTUNREACH: 'no route to host', ENETUNREACH: 'network is unreachable', EHOSTDOWN: 'host is down',
};
const CLIENT_CERTIFICATE = /ALERT_(?:CERTIFICATE|BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|HANDSHAKE_FAILURE)|CERTIFICATE_REQUIRED/;
const OWN_KEY = /^ERR_OSSL_|PEM|KEY_VALUES_MISMATCH/;

interface NodeError {
  readonly code?: unknown;
  readonly message?: unknown;
}

/**
 * An error of a socket, of TLS or of HTTP.
 * @param host who was asked, for messages about names
 */
export function networkFailure(error: unknown, host: string): Failure {
  if (error instanceof Failure) return error;
  const { code: rawCode, message: rawMessage } = (error ?? {}) as NodeError;
  const code = typeof rawCode === 'string' ? rawCode : '';
  const message = typeof rawMessage === 'string' ? rawMessage : String(error);
  const known = NETWORK[code];
  if (known !== undefined) return new Failure('network', known);
  if (code === 'ENOTFOUND') return new Failure('network', `the host name ${host} does not resolve`, { fix: 'check the server of the cluster in the kubeconfig, and DNS on this node' });
  if (code === 'EAI_AGAIN') return new Failure('network', `the name server does not answer for ${host}`, { fix: 'check DNS on this node' });
  if (UNKNOWN_AUTHORITY.has(code)) {
    return new Failure('network', 'its certificate is signed by an unknown authority', { untrusted: true, fix: 'give the right certificate-authority for the cluster in the kubeconfig' });
  }
  if (code === 'CERT_HAS_EXPIRED') return new Failure('network', 'its certificate has expired', { untrusted: true, fix: 'renew it, and check the clock of this node' });
  if (code === 'CERT_NOT_YET_VALID') return new Failure('network', 'its certificate is not valid yet', { untrusted: true, fix: 'check the clock of this node' });
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return new Failure('network', `its certificate is not made for ${host}`, { untrusted: true, fix: 'use a server name that the certificate holds, or set tls-server-name for the cluster in the kubeconfig' });
  }
  if (CLIENT_CERTIFICATE.test(code)) return new Failure('unauthorized', `it refused the client certificate (${code})`, { fix: 'renew the client certificate of the kubeconfig user' });
  if (/WRONG.VERSION.NUMBER|PACKET.LENGTH.TOO.LONG|HTTP.REQUEST/i.test(`${code} ${message}`)) return new Failure('network', 'it does not speak TLS at this port', { fix: 'check the server of the cluster in the kubeconfig' });
  if (OWN_KEY.test(code)) return new Failure('configuration', `certificate or key cannot be used: ${message}`, { fix: 'check the certificates and keys that the kubeconfig names' });
  if (code.startsWith('HPE_')) return new Failure('network', 'it does not speak HTTP at this port');
  return new Failure('network', code === '' || message.includes(code) ? message : `${message} (${code})`);
}

/** A wait of longer is not asked for by anybody who means it. */
const LONGEST_RETRY_MS = 600_000;

/** @param header Retry-After: seconds or an HTTP date */
export function retryAfterMs(header: string | undefined, now: number = Date.now()): number {
  if (header === undefined) return 0;
  const ms = /^\s*\d+\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - now;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), LONGEST_RETRY_MS);
}
