/** A session's socket on stdin and stdout, byte for byte: so it travels through kubectl exec, ssh and whatever else runs a program. */
import { createWriteStream, fstatSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';

const STDOUT = 1;
/** For what is still to be taken when one side has ended, milliseconds. */
const LAST_MS = 1000;

/** Unlike process.stdout it never waits inside a write: a reader that is stuck would stop everything else. */
export function openStdout(): Writable {
  const about = fstatSync(STDOUT);
  return about.isFIFO() || about.isSocket() ? new Socket({ fd: STDOUT, readable: false, writable: true }) : createWriteStream('', { fd: STDOUT });
}

/** Resolves when one side has ended, and what was under way is through or had its time. */
export async function relay(session: Duplex, input: Readable, output: Writable): Promise<void> {
  const over = Promise.withResolvers<void>();
  let ending: NodeJS.Timeout | undefined;
  const end = (): void => { ending ??= setTimeout(over.resolve, LAST_MS); };
  // Whoever fails has ended.
  for (const stream of [session, input, output]) stream.on('error', end);
  input.on('end', end).on('close', end);
  session.on('end', end);
  output.on('close', over.resolve).on('error', over.resolve);
  session.on('close', () => { if (output.writableFinished) over.resolve(); else output.end(over.resolve); });
  input.pipe(session);
  session.pipe(output);
  await over.promise;
  clearTimeout(ending);
  for (const stream of [session, input, output]) stream.destroy();
}
