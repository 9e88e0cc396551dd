/**
 * The main process of a debug pod: it does nothing but live as long as somebody holds it, which is who is attached to its
 * stdin and says so again and again. Then it ends every process of the session, and the pod is over. So it ends in each
 * case by itself: a plugin that is killed closes the stream, and one whose network is gone falls silent.
 */
import type { Readable, Writable } from 'node:stream';

/** How often whoever holds a pod says so, and how long it may be silent; milliseconds. */
export const BEAT_MS = 5_000;
export const SILENCE_MS = 45_000;

export type HoldEnd = 'released' | 'silent' | 'signal';

export interface HoldOptions {
  readonly input: Readable;
  /** Each word is answered here, so that the other side knows it is heard. */
  readonly output: Writable;
  readonly silenceMs: number;
  /** Somebody else ends it: the kubelet. */
  readonly signal: AbortSignal;
}

/** Resolves once nobody holds it any more. */
export function held({ input, output, silenceMs, signal }: HoldOptions): Promise<HoldEnd> {
  return new Promise((resolve) => {
    let timer: NodeJS.Timeout;
    const end = (how: HoldEnd): void => {
      clearTimeout(timer);
      input.off('data', hear);
      input.pause();
      resolve(how);
    };
    const listen = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => end('silent'), silenceMs);
    };
    const hear = (): void => {
      listen();
      if (output.writableLength === 0) output.write('.');
    };
    // Nobody to answer is told by the input, too.
    output.on('error', () => {});
    input.on('data', hear);
    for (const event of ['end', 'close', 'error'] as const) input.on(event, () => end('released'));
    if (signal.aborted) return end('signal');
    signal.addEventListener('abort', () => end('signal'));
    listen();
  });
}
