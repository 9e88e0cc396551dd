/** What the API server and the kubelet put into the messages of exec, attach and port-forward: a channel's number, then bytes. */
import { Buffer } from 'node:buffer';
import { oneLine } from '../identity/kubernetes/failure.ts';
import { integer, list, object, text } from '../identity/kubernetes/shape.ts';

export const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Version 5 is 4 with a way to end stdin alone; servers before Kubernetes 1.29 have only that. */
export const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const;

/** Can stdin be ended while the rest goes on. */
export const canEndInput = (protocol: string): boolean => protocol === PROTOCOLS[0];

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** How a command ended, or that nobody told. */
export type ExitStatus =
  | { readonly kind: 'exited'; readonly code: number }
  /** It was not run, or its end could not be told; the kubelet's or the runtime's own words. */
  | { readonly kind: 'failed'; readonly reason: string }
  /** The stream ended without a word: the command may still run. */
  | { readonly kind: 'lost'; readonly reason: string };

export function message(channel: number, bytes: Uint8Array): Buffer {
  const whole = Buffer.allocUnsafe(bytes.length + 1);
  whole[0] = channel;
  whole.set(bytes, 1);
  return whole;
}

/** No more comes on a channel. */
export const closeMessage = (channel: number): Buffer => Buffer.from([CHANNEL.close, channel]);

export const resizeMessage = ({ columns, rows }: Size): Buffer => message(CHANNEL.resize, Buffer.from(JSON.stringify({ Width: columns, Height: rows })));

/** The last word on the error channel: a Status. @returns null while there is none */
export function readStatus(bytes: Buffer): ExitStatus | null {
  if (bytes.length === 0) return null;
  let status;
  try {
    status = object(JSON.parse(bytes.toString('utf8')));
  } catch {
    // Before version 4 it was plain text, and some gateways still say so.
    return { kind: 'failed', reason: oneLine(bytes.toString('utf8')) };
  }
  if (status['status'] === 'Success') return { kind: 'exited', code: 0 };
  const causes = list(object(status['details'])['causes']).map(object);
  if (status['reason'] === 'NonZeroExitCode') {
    const code = Number(text(causes.find((cause) => cause['reason'] === 'ExitCode')?.['message']) ?? Number.NaN);
    if (Number.isInteger(code)) return { kind: 'exited', code };
  }
  const said = text(status['message']) ?? text(causes[0]?.['message']) ?? text(status['reason']);
  return { kind: 'failed', reason: said === null ? `it ended with status ${integer(status['code'])}` : oneLine(said) };
}
