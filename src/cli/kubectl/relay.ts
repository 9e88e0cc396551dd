/** This process's terminal, or its pipes, as the ends of a command that runs elsewhere. */
import { finished } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import type { ReadStream, WriteStream } from 'node:tty';
import type { ExecStream, ExitStatus, Size } from '../../cluster/streams.ts';
import { Interrupted } from '../errors.ts';
import { writeFully } from '../output.ts';

/** Paste mode and colours off, alternate screen left, cursor shown: what a screen that broke off leaves behind. */
const LEAVE = '\x1b[?2004l\x1b[0m\x1b[?1049l\x1b[?25h';
const CTRL_C = 0x03;
/** So many Ctrl-C in so short a time that are not answered by anything are meant for this side; milliseconds. */
const IMPATIENT = 3;
const IMPATIENT_MS = 2_000;

const sizeOf = ({ columns, rows }: WriteStream): Size | null => (columns > 0 && rows > 0 ? { columns, rows } : null);

/** Everything that comes, to one of our descriptors; only as fast as that takes it. @throws OutputClosed, KbtopError */
async function pump(from: Readable, fd: 1 | 2, came: () => void = () => {}): Promise<void> {
  for await (const chunk of from) {
    came();
    await writeFully(fd, chunk as Buffer, fd === 1 ? 'stdout' : 'stderr');
  }
}

/** Input as it comes, held back while the other side is slow. @returns stops it */
function feed(input: Readable, stream: ExecStream, look: (chunk: Buffer) => void): () => void {
  const take = (chunk: Buffer): void => {
    look(chunk);
    if (!stream.write(chunk)) input.pause();
  };
  const more = (): void => void input.resume();
  input.on('data', take);
  stream.on('drain', more);
  return () => {
    input.off('data', take);
    stream.off('drain', more);
    input.pause();
  };
}

/** Output that cannot be written, or a signal, lets go of the stream; either way the terminal and the error come back to the caller. */
async function until(stream: ExecStream, signal: AbortSignal, pumps: readonly Promise<void>[]): Promise<ExitStatus> {
  const stop = (): void => stream.close();
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await Promise.all(pumps.map((pump) => pump.catch((error: unknown) => {
      stream.close();
      throw error;
    })));
    return await stream.exit;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

export interface Terminal {
  readonly stdin: ReadStream;
  readonly stdout: WriteStream;
}

/**
 * Raw: every key is the other side's, Ctrl-C and Ctrl-Z, too.
 * @throws OutputClosed, KbtopError, Interrupted when that side hangs and somebody has had enough; the terminal is as it was then
 */
export async function relayTerminal(stream: ExecStream, { stdin, stdout }: Terminal, signal: AbortSignal): Promise<ExitStatus> {
  const resize = (): void => {
    const size = sizeOf(stdout);
    if (size) stream.resize(size);
  };
  // Before the program asks for it.
  resize();
  stdout.on('resize', resize);
  const gone = (): void => stream.close();
  for (const event of ['end', 'close', 'error'] as const) stdin.on(event, gone);
  let pressed: number[] = [];
  let impatient = false;
  const look = (chunk: Buffer): void => {
    const now = performance.now();
    for (const byte of chunk) if (byte === CTRL_C) pressed.push(now);
    pressed = pressed.filter((time) => now - time < IMPATIENT_MS);
    impatient = pressed.length >= IMPATIENT;
    if (impatient) stream.close();
  };
  stdin.setRawMode(true);
  const stop = feed(stdin, stream, look);
  let status: ExitStatus | null = null;
  try {
    status = await until(stream, signal, [pump(stream, 1, () => { pressed = []; })]);
    if (impatient) throw new Interrupted();
    return status;
  } finally {
    stop();
    for (const event of ['end', 'close', 'error'] as const) stdin.off(event, gone);
    // A late error of a closed terminal must find somebody.
    stdin.on('error', () => {});
    stdout.off('resize', resize);
    try {
      stdin.setRawMode(false);
      if (status?.kind !== 'exited' || status.code > 128) await writeFully(1, LEAVE, 'stdout');
    } catch {
      // The terminal is gone, and its modes with it.
    }
    stdin.unref();
  }
}

/** Byte for byte. @param stdin null: nothing is given to it @throws OutputClosed, KbtopError */
export async function relayPipes(stream: ExecStream, stdin: Readable | null, signal: AbortSignal): Promise<ExitStatus> {
  const stop = stdin === null ? () => {} : feed(stdin, stream, () => {});
  if (stdin !== null) void finished(stdin, { writable: false }).catch(() => {}).finally(() => stream.end());
  try {
    return await until(stream, signal, [pump(stream, 1), pump(stream.stderr, 2)]);
  } finally {
    stop();
  }
}
