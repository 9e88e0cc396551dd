/** Why a runtime does not answer, in one line, and what to do about it. */
import type { SourceState } from '../source.ts';
import { CallError, Code } from './runtime.ts';

/** A way to a runtime that did not work. */
export interface Failure {
  readonly path: string;
  readonly status: Extract<SourceState['status'], 'absent' | 'failing'>;
  readonly reason: string;
  readonly fix: string | null;
}

const LONGEST_TEXT = 160;
const ANOTHER_SOCKET = 'name the socket of the runtime that kubelet uses with --runtime-endpoint';

/** Somebody else's words, kept short; gRPC adds the time of day. */
function said(text: string): string {
  return (text.split('\n', 1)[0] ?? '').replace(/\s*\(\d{4}-\d\d-\d\dT[\d:.]+Z\)/, '').slice(0, LONGEST_TEXT);
}

function ofCall({ code, message }: CallError): readonly [reason: string, fix: string | null] {
  switch (code) {
    case Code.UNIMPLEMENTED: return ['offers no CRI v1: its CRI plugin is disabled, or it is older than containerd 1.6 or CRI-O 1.20', ANOTHER_SOCKET];
    case Code.DEADLINE_EXCEEDED: return ['takes connections, but does not answer', "look at the runtime's log"];
    case Code.RESOURCE_EXHAUSTED: return [`answers more than is read: ${said(message)}`, null];
    case Code.PERMISSION_DENIED: return [`refuses to answer: ${said(message)}`, 'run kbtop as root'];
    case Code.UNAVAILABLE: return [`lost the connection: ${said(message)}`, null];
    default: return [`answers with an error (gRPC status ${code}): ${said(message)}`, null];
  }
}

function ofErrno(code: string, message: string): Omit<Failure, 'path'> {
  switch (code) {
    case 'ENOENT': case 'ENOTDIR': return { status: 'absent', reason: 'is not there', fix: null };
    case 'EACCES': case 'EPERM': return { status: 'failing', reason: `needs root (${code})`, fix: 'run kbtop as root' };
    case 'ECONNREFUSED': return { status: 'failing', reason: 'is there, but nobody listens: the runtime is down or restarting', fix: null };
    case 'ENOTSOCK': return { status: 'failing', reason: 'is not a socket', fix: ANOTHER_SOCKET };
    case 'EPROTOTYPE': return { status: 'failing', reason: 'is a socket of another type', fix: ANOTHER_SOCKET };
    case 'EAGAIN': case 'ETIMEDOUT': return { status: 'failing', reason: 'does not take connections: too many wait already', fix: "look at the runtime's log" };
    default: return { status: 'failing', reason: said(message), fix: null };
  }
}

/** @param path of the socket, as the user knows it */
export function failureOf(path: string, error: unknown): Failure {
  if (error instanceof CallError) {
    const [reason, fix] = ofCall(error);
    return { path, status: 'failing', reason, fix };
  }
  const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : new Error(String(error)) as NodeJS.ErrnoException;
  return { path, ...ofErrno(code ?? '', message) };
}

/** What to tell when no runtime answered. @param given what named the one place; null when the known places were looked up */
export function stateOf(failures: readonly Failure[], given: string | null, hostRoot: string): SourceState {
  const failing = failures.filter(({ status }) => status === 'failing');
  const name = given === null ? '' : `${given}: `;
  if (failing.length > 0) {
    return { status: 'failing', reason: name + failing.map(({ path, reason }) => `${path} ${reason}`).join('; '), fix: failing.find(({ fix }) => fix !== null)?.fix ?? null };
  }
  if (given !== null) return { status: 'absent', reason: name + failures.map(({ path, reason }) => `${path} ${reason}`).join('; '), fix: 'name a socket that is there, or leave it out to have the known places looked up' };
  const mount = hostRoot === '/' ? '' : `mount the host's /run below ${hostRoot}, or `;
  return { status: 'absent', reason: `no container runtime's socket at ${failures.map(({ path }) => path).join(', ')}`, fix: `${mount}name the socket with --runtime-endpoint` };
}
