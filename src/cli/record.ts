/** `kbtop record`: Frames into a file. */
import { Command } from 'commander';
import { formatDuration } from '../frame/duration.ts';
import type { Frame, PaneId } from '../frame/frame.ts';
import { ClosedError } from '../frame/source.ts';
import { failedPanes } from '../output/failed-panes.ts';
import { isEmpty, select } from '../output/select.ts';
import type { RecordingWriter, WriterOptions } from '../session/recording/writer.ts';
import { EXIT, Interrupted, KbtopError, OutputClosed, usageError } from './errors.ts';
import { type InterruptWatch, watchInterrupts } from './interrupt.ts';
import { MAX_AGE_LIMITS, MAX_SIZE_LIMITS, RECORD_LIMITS } from './limits.ts';
import { notFound } from './not-found.ts';
import { printError, REASONS } from './output.ts';
import { requireBpf } from './preflight.ts';
import { type GlobalFlags, type Settings, collect, durationOption, settle } from './settings.ts';
import { formatSize, sizeOption } from './size.ts';
import { parsePanes } from './snapshot.ts';
import { version } from './version.ts';

interface RecordFlags extends GlobalFlags {
  readonly output: string;
  readonly duration?: number;
  readonly maxSize?: number;
  readonly maxAge?: number;
  readonly append?: boolean;
  readonly pane?: readonly string[];
}

const HELP = `
Every --interval one Frame goes into FILE, which can be read while it grows, after a crash, and on any machine:

  kbtop replay FILE                                  the screen, with pause, step and jump
  kbtop snapshot --replay FILE --at 14:03:05         one Frame, in all formats of snapshot

An hour of a node with 100 containers takes less than 20 MB. With --max-size and --max-age the newest Frames stay: three
quarters of the size at least, all of the age and up to a quarter more. Only its owner can read FILE; under sudo that
is who called it. -o - writes to stdout.

Ctrl-C ends the recording. Exit code: 0; 130 when it came before the end of --duration.
`;

export function recordCommand(): Command {
  return new Command('record')
    .summary('write Frames into a file, for replay')
    .description('Measure until Ctrl-C, or for --duration, and keep every Frame in a file.')
    .requiredOption('-o, --output <file>', 'where to, by habit NAME.kbtop; - is stdout')
    .option('--duration <duration>', 'end after so long (default: at Ctrl-C)', durationOption('--duration', RECORD_LIMITS))
    .option('--max-size <size>', 'keep the newest Frames in a file of at most this size: 100M', sizeOption('--max-size', MAX_SIZE_LIMITS))
    .option('--max-age <duration>', 'let Frames go that are older than this: 1h', durationOption('--max-age', MAX_AGE_LIMITS))
    .option('--append', 'go on with a recording that is there')
    .option('--pane <name>', 'measure only this pane; repeatable (default: all)', collect)
    .addHelpText('after', HELP)
    .action(async (_flags: unknown, command: Command) => record(command.optsWithGlobals<RecordFlags>()));
}

async function record(flags: RecordFlags): Promise<void> {
  const settings = await settle(flags);
  const panes = parsePanes(flags.pane);
  if (flags.output === '') throw usageError('-o lacks the name of a file');
  if (flags.output === '-') {
    if (process.stdout.isTTY) throw usageError('a recording is no text for a terminal: give a file to -o, or send it through a pipe');
    if (flags.append || flags.maxSize !== undefined || flags.maxAge !== undefined) throw usageError('--append, --max-size and --max-age need a file, not stdout');
  }
  requireBpf();
  const watch = watchInterrupts();
  try {
    await run(flags, settings, panes, watch);
  } finally {
    watch.end();
  }
}

const placeOf = ({ output }: RecordFlags): string => (output === '-' ? 'stdout' : output);

async function openWriter(flags: RecordFlags): Promise<RecordingWriter> {
  const { RecordingWriter: Writer } = await import('../session/recording/writer.ts');
  const options: WriterOptions = { version: version(), append: flags.append ?? false, maxBytes: flags.maxSize ?? null, maxAgeMs: flags.maxAge ?? null };
  try {
    return flags.output === '-' ? await Writer.stream(1, options) : await Writer.open(flags.output, options);
  } catch (error) {
    const { name, code, message } = error as NodeJS.ErrnoException;
    if (name === 'RecordingError') throw new KbtopError(EXIT.failed, `${message}; nothing was changed`, { cause: error });
    if (code === 'EEXIST') throw new KbtopError(EXIT.failed, `${flags.output} is there already and is left as it is: give another name, or --append to go on with it`, { cause: error });
    if (code === 'ENOENT') throw new KbtopError(EXIT.failed, `cannot write ${flags.output}: there is no such directory`, { cause: error });
    throw writeFailure(error, flags, message);
  }
}

/** @param done what became of the recording so far */
function writeFailure(error: unknown, flags: RecordFlags, done: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'EPIPE') return new OutputClosed();
  if (typeof code !== 'string' || !/^E[A-Z0-9]+$/.test(code)) return error;
  return new KbtopError(EXIT.failed, `cannot write to ${placeOf(flags)}: ${REASONS[code] ?? code}; ${done}`, { cause: error });
}

async function run(flags: RecordFlags, settings: Settings, panes: readonly PaneId[], watch: InterruptWatch): Promise<void> {
  const { openCapture } = await import('./capture.ts');
  const { intervalMs, target, sources } = settings;
  const writer = await openWriter(flags);
  const manager = openCapture({ intervalMs, panes, debug: settings.debug ? (text) => void process.stderr.write(text.endsWith('\n') ? text : `${text}\n`) : null, target, sources });
  let stopped = false, matched = target === null, first: number | null = null, last: Frame | null = null;
  watch.onInterrupt(() => {
    stopped = true;
    void manager.close();
  });
  // A disk that is full ends the capture at once, not at the next tick.
  writer.failed.catch(() => void manager.close());
  try {
    const count = flags.duration === undefined ? Number.POSITIVE_INFINITY : Math.max(1, Math.round(flags.duration / intervalMs));
    sayRecording(flags);
    for await (const whole of manager.samples(intervalMs, count)) {
      const failed = first === null ? failedPanes(whole, panes) : [];
      if (failed.length === panes.length) throw new KbtopError(EXIT.impossible, `nothing could be measured: ${failed[0]?.reason ?? 'no pane was asked for'}; kbtop doctor tells more about each pane`);
      for (const { pane, reason } of failed) await printError(`${pane} could not be measured: ${reason}`);
      const frame = target === null ? whole : select(whole, { panes, filter: target.matches });
      writer.write(frame);
      matched ||= !isEmpty(frame);
      first ??= Date.parse(frame.time) - frame.intervalMs;
      last = whole;
    }
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error;
  } finally {
    await manager.close();
    await finish(writer, flags, first, last);
  }
  if (target !== null && !matched && last !== null) throw new KbtopError(EXIT.notFound, `no container matched ${notFound(target, { containers: last.containers, sources: manager.identity.sources })}`);
  if (stopped && flags.duration !== undefined) throw new Interrupted();
}

/** Close the file and say what is in it. @throws KbtopError when it could not be written to its end */
async function finish(writer: RecordingWriter, flags: RecordFlags, begin: number | null, last: Frame | null): Promise<void> {
  const count = (n: number): string => `${n} Frame${n === 1 ? '' : 's'}`;
  try {
    await writer.close();
  } catch (error) {
    throw writeFailure(error, flags, flags.output === '-' ? 'the recording ends there' : `the recording ends there, with ${count(writer.written.frames)} that can be read`);
  }
  const { frames, bytes, lost } = writer.written;
  if (frames === 0 && lost === 0) return;
  const over = begin === null || last === null ? '' : ` over ${formatDuration(Math.round((Date.parse(last.time) - begin) / 1000) * 1000)}`;
  await printError(`${count(frames)}${over} in ${placeOf(flags)}, ${formatSize(bytes)}${lost > 0 ? `; ${count(lost)} lost, since they came faster than they could be written` : ''}`);
}

/** Tell somebody who looks at a terminal that it works. */
function sayRecording(flags: RecordFlags): void {
  if (process.stderr.isTTY) process.stderr.write(`kbtop: recording to ${placeOf(flags)}, Ctrl-C ends\n`);
}
