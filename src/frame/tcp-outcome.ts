/** What an errno means for a TCP connection. */
import type { TcpOutcome } from './frame.ts';

const OUTCOMES: Readonly<Record<string, TcpOutcome>> = {
  ECONNREFUSED: 'refused', ETIMEDOUT: 'timeout', ECONNRESET: 'reset', EPIPE: 'reset',
  ENETUNREACH: 'unreachable', EHOSTUNREACH: 'unreachable', ENETDOWN: 'unreachable', EHOSTDOWN: 'unreachable', ENONET: 'unreachable',
};

/**
 * ECANCELED is a program that closed the socket before an answer came: after a repeated SYN its own patience has run
 * out, before it the connection was not wanted any more.
 */
export function outcomeOf(error: string | null, retransmits: number): TcpOutcome {
  if (error === null) return 'established';
  if (error === 'ECANCELED') return retransmits > 0 ? 'timeout' : 'failed';
  return OUTCOMES[error] ?? 'failed';
}
