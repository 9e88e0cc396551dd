/** `kbtop snapshot`: one Frame or several on stdout. */
import { Command } from 'commander';
import type { Frame, PaneId } from '../frame/frame.ts';
import { PANE_IDS } from '../frame/panes/index.ts';
import { exportColumns, paneDef } from '../output/any-pane.ts';
import { FORMATS, type Format } from '../output/formats.ts';
import { failedPanes } from '../output/failed-panes.ts';
import { type Selection, isEmpty, select } from '../output/select.ts';
import { type SortOrder, parseSort } from '../output/sort.ts';
import type { FrameWriter } from '../output/writer.ts';
import { formatDuration } from '../frame/duration.ts';
import { ClosedError } from '../frame/source.ts';
import { EXIT, Interrupted, KbtopError, usageError } from './errors.ts';
import { FailIf, parseFailIf } from './fail-if.ts';
import { sessionFailure } from './session/failure.ts';
import type { Taking } from './taking.ts';
import { type InterruptWatch, watchInterrupts } from './interrupt.ts';
import { DEFAULT_DURATION_MS, DURATION_LIMITS, MAX_COUNT } from './limits.ts';
import { notFound } from './not-found.ts';
import { printError, printOut } from './output.ts';
import { requireBpf } from './preflight.ts';
import { type GlobalFlags, type Settings, collect, durationOption, settle, wantsColor } from './settings.ts';
import { oneOf } from '../frame/suggest.ts';
import type { Threshold } from '../output/threshold.ts';

interface SnapshotFlags extends GlobalFlags {
  readonly duration?: number;
  readonly count?: number;
  readonly pane?: readonly string[];
  readonly output: Format;
  readonly sortBy?: string;
  readonly limit?: number;
  readonly failIf?: readonly string[];
  readonly headers: boolean;
  readonly replay?: string;
  readonly at?: string;
  /** true: where sessions are found by themselves. */
  readonly attach?: string | true;
}

/** Rows per pane that a terminal is given without --limit. */
const SCREEN_ROWS = 20;

const HELP = `
Panes: ${PANE_IDS.join(', ')}. Only those asked for are loaded.

Without --count, one Frame covers --duration. With it, Frames follow each other without a gap and each covers
--duration, or else --interval.

Formats:
  table       for people. On a terminal it fits the width and shows ${SCREEN_ROWS} rows per pane; in a pipe nothing is cut.
              One pane alone comes without titles, for awk
  json        the Frame (schema kbtop.frame/1), indented; several follow each other, as jq reads them
  ndjson      one Frame per line
  csv         rows as RFC 4180 with CRLF, raw values in the units of the headings; several panes share one heading,
              the column pane tells them apart, and what a pane does not have is empty. Unknown is empty, an
              empty text is "". Nothing is escaped for spreadsheets, which may take text for formulas
  prometheus  OpenMetrics text of one Frame; all values are about its interval, so gauges and histograms, no counters

With --replay nothing is measured, and neither root nor Linux is needed. --at prints the Frame that was the last at
that time; --count prints so many from there on, without --at the last ones. -n, -l, -c and --pod choose among what was
recorded.

--sort-by takes a column's CSV heading or its title, in any case, with :asc or :desc; numbers come largest first.
Panes that do not have the column keep their own order.

--fail-if 'PANE.COLUMN>VALUE' makes it exit with 1 when any row does that, before --limit, and says which on stderr; the
output is the same as without. Columns as for --sort-by; > >= < <= = != for numbers, with units (10ms, 1GiB, 5k, 90%);
= != and ~ (holds) for texts, in any case. Comparisons with commas between them must hold on one row; "a text" may have
commas. What could not be measured is not taken for good: exit code 3. Its pane must be among those measured.
  --fail-if 'runqueue.p99Us>10ms' --fail-if 'tcp.outcome=refused' --fail-if 'syscalls.syscall=openat,errors>10'
`;

function wholeNumber(flag: string, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < 1 || value > max) throw usageError(`${flag} "${text}" is not a whole number from 1 to ${max}`);
    return value;
  };
}

function format(text: string): Format {
  const found = FORMATS.find((name) => name === text);
  if (!found) throw usageError(`unknown output format "${text}"${oneOf(text, FORMATS, 'formats')}`);
  return found;
}

export function snapshotCommand(): Command {
  return new Command('snapshot')
    .summary('measure for a while, print, exit')
    .description('Measure for exactly --duration and print what was seen.')
    .option('--duration <duration>', 'how long to measure (default: 5s)', durationOption('--duration', DURATION_LIMITS))
    .option('--count <n>', 'print so many Frames', wholeNumber('--count', MAX_COUNT))
    .option('--pane <name>', 'measure only this pane; repeatable (default: all)', collect)
    .option('-o, --output <format>', FORMATS.join('|'), format, 'table')
    .option('--sort-by <column>', 'order of the rows')
    .option('--limit <n>', 'print so many rows per pane', wholeNumber('--limit', 1_000_000_000))
    .option('--fail-if <condition>', 'exit with 1 when a row does this: "runqueue.p99Us>10ms"; repeatable', collect)
    .option('--no-headers', 'leave out titles and headings of table and csv')
    .option('--replay <file>', 'print what was recorded, instead of measuring: a file of kbtop record, or Frames as ndjson; - is stdin')
    .option('--at <time>', 'of a recording: 14:03:05, ISO 8601, +90s from its start or -1m from its end (default: its end)')
    .option('--attach [socket]', 'print the next Frame of what kbtop serve measures, and measure nothing: needs no root')
    .addHelpText('after', HELP)
    .action(async (_flags: unknown, command: Command) => snapshot(command.optsWithGlobals<SnapshotFlags>()));
}

/** @throws KbtopError for an unknown name */
export function parsePanes(names: readonly string[] | undefined): readonly PaneId[] {
  if (names === undefined) return PANE_IDS;
  const panes = names.flatMap((text) => text.split(',')).map((name): PaneId => {
    const found = PANE_IDS.find((id) => id === name.trim());
    if (!found) throw usageError(`unknown pane "${name}"${oneOf(name, PANE_IDS, 'panes')}`);
    return found;
  });
  return [...new Set(panes)];
}

/** The order for each pane that has the column. @throws KbtopError when none has it */
export function parseSortBy(text: string, panes: readonly PaneId[]): Partial<Record<PaneId, SortOrder>> {
  const sort: Partial<Record<PaneId, SortOrder>> = {};
  for (const id of panes) {
    let order;
    try {
      order = parseSort(paneDef(id), text);
    } catch (error) {
      throw usageError(`--sort-by ${(error as Error).message}`);
    }
    if (order) sort[id] = order;
  }
  if (Object.keys(sort).length > 0) return sort;
  const known = [...new Set(panes.flatMap((id) => exportColumns(paneDef(id)).map((column) => column.id)))];
  const name = text.split(':', 1)[0] ?? '';
  throw usageError(`--sort-by: no column "${name}" in ${panes.join(', ')}${oneOf(name, known, 'columns')}`);
}

interface Plan {
  readonly panes: readonly PaneId[];
  readonly durationMs: number;
  readonly count: number;
  readonly selection: Selection;
  readonly thresholds: readonly Threshold[];
}

/** Everything that can be wrong with the command line is found here, before anything is loaded. */
function plan(flags: SnapshotFlags, settings: Settings): Plan {
  const panes = parsePanes(flags.pane);
  const count = flags.count ?? 1;
  if (flags.replay !== undefined && flags.duration !== undefined) throw usageError('--duration measures, and --replay does not: choose Frames with --at and --count');
  if (flags.replay !== undefined && flags.attach !== undefined) throw usageError('--replay and --attach are two places that Frames come from: choose one');
  if (flags.attach !== undefined && (flags.duration !== undefined || flags.interval !== undefined)) throw usageError('--attach takes the Frames of the session as they come: leave out --duration and --interval');
  if (flags.at !== undefined && flags.replay === undefined) throw usageError('--at is a time in a recording: name the recording with --replay FILE');
  if (flags.output === 'prometheus' && count > 1) throw usageError('prometheus output holds one Frame: leave out --count');
  return {
    panes, count, thresholds: parseFailIf(flags.failIf, panes),
    durationMs: flags.duration ?? (flags.count === undefined ? DEFAULT_DURATION_MS : settings.intervalMs),
    selection: {
      panes, limit: flags.limit ?? null, filter: settings.target?.matches ?? null,
      sort: flags.sortBy === undefined ? settings.config.sort : { ...settings.config.sort, ...parseSortBy(flags.sortBy, panes) },
    },
  };
}

/** Imported lazily: measuring text is not for free. */
async function writerOf(flags: SnapshotFlags, settings: Settings, { panes, count }: Plan): Promise<FrameWriter> {
  const { frameWriter } = await import('../output/writer.ts');
  const terminal = process.stdout.isTTY;
  return frameWriter(flags.output, {
    panes, frames: count, headings: flags.headers, ascii: settings.ascii, rows: terminal && flags.limit === undefined ? SCREEN_ROWS : null,
    width: terminal ? process.stdout.columns || 80 : null, color: wantsColor(settings.color, terminal),
  });
}

async function snapshot(flags: SnapshotFlags): Promise<void> {
  const settings = await settle(flags);
  const what = plan(flags, settings);
  if (flags.replay === undefined && flags.attach === undefined) requireBpf();
  const watch = watchInterrupts();
  try {
    await print(what, await writerOf(flags, settings, what), settings, watch, await takingOf(flags, settings, what));
  } catch (error) {
    throw sessionFailure(error);
  } finally {
    watch.end();
  }
}

/** Where the Frames come from: measured here, of a session, or of a recording. */
async function takingOf({ attach, replay, at }: SnapshotFlags, { target, sources, debug }: Settings, { panes, durationMs, count }: Plan): Promise<Taking> {
  if (replay !== undefined) {
    const { takeFromRecording } = await import('./recorded-taking.ts');
    return takeFromRecording(replay, at ?? null, count);
  }
  if (attach !== undefined) {
    const { takeFromSession } = await import('./session/taking.ts');
    return takeFromSession(attach === true ? null : attach, count);
  }
  const { openCapture } = await import('./capture.ts');
  const manager = openCapture({ intervalMs: durationMs, panes, debug: debug ? debugLine : null, target, sources });
  return { frames: manager.samples(durationMs, count), everyMs: durationMs, recorded: false, sources: manager.identity.sources, close: () => manager.close() };
}

async function print({ panes, count, selection, thresholds }: Plan, write: FrameWriter, settings: Settings, watch: InterruptWatch, taking: Taking): Promise<void> {
  watch.onInterrupt(() => void taking.close());
  const endWait = sayWaiting(taking.everyMs);
  const { target } = settings;
  const failIf = new FailIf(thresholds, count, settings);
  let index = 0, matched = target === null, last: Frame | null = null;
  try {
    for await (const whole of taking.frames) {
      endWait();
      const frame = select(whole, selection);
      const failed = failedPanes(frame, panes);
      await watch.race(printOut(write(frame, index)));
      if (failed.length === panes.length) throw nothingMeasured(panes, failed, taking.recorded);
      for (const { pane, reason } of index === 0 ? failed : []) await printError(`${pane} ${taking.recorded ? 'was not' : 'could not be'} measured: ${reason}`);
      // Rows that --limit leaves out count, too.
      if (thresholds.length > 0) await failIf.check(selection.limit === null ? frame : select(whole, { ...selection, limit: null }));
      matched ||= !isEmpty(frame);
      last = whole;
      index++;
    }
    if (target !== null && !matched && last !== null) await nothingMatched(panes, notFound(target, { containers: last.containers, sources: taking.sources }));
    if (taking.recorded && index < count) await printError(`the recording has no more Frames than these ${index}`);
    await failIf.end();
  } catch (error) {
    if (error instanceof ClosedError) throw new Interrupted();
    // A file is anybody's: its rows are looked at when they are shown.
    if (taking.recorded && error instanceof TypeError) throw new KbtopError(EXIT.failed, 'the recording has a Frame with fields of other types than kbtop writes: it is damaged, or was changed by something else', { cause: error });
    throw error;
  } finally {
    endWait();
    await taking.close();
  }
}

/** Tell somebody who looks at a terminal that it works. @returns takes the words away again; once */
function sayWaiting(durationMs: number): () => void {
  if (!process.stderr.isTTY || !process.stdout.isTTY || durationMs < 1000) return () => {};
  process.stderr.write(`measuring for ${formatDuration(durationMs)}, Ctrl-C stops`);
  let said = true;
  return () => {
    if (said) process.stderr.write('\r\u001b[K');
    said = false;
  };
}

const debugLine = (text: string): void => { process.stderr.write(text.endsWith('\n') ? text : `${text}\n`); };

function nothingMeasured(panes: readonly PaneId[], failed: ReturnType<typeof failedPanes>, recorded: boolean): KbtopError {
  if (recorded) return new KbtopError(EXIT.failed, `the recording has no numbers of ${panes.join(', ')}: ${reasons(failed)}`);
  return new KbtopError(EXIT.impossible, `nothing could be measured: ${reasons(failed)}; kbtop doctor tells more about each pane`);
}

/** The one reason of all, or the first: the others are mostly like it. */
function reasons([first, ...others]: readonly { readonly pane: PaneId; readonly reason: string }[]): string {
  if (!first) return 'no pane was asked for';
  if (others.every(({ reason }) => reason === first.reason)) return first.reason;
  return `${first.pane}: ${first.reason}; ${others.map(({ pane }) => pane).join(', ')} failed, too`;
}

/** Only the containers pane knows every container; to the others an idle one does not exist. @param what with its hints */
async function nothingMatched(panes: readonly PaneId[], what: string): Promise<void> {
  if (panes.includes('containers')) throw new KbtopError(EXIT.notFound, `no container matches ${what}; kbtop snapshot --pane containers lists all`);
  await printError(`no container that was active in the interval matches ${what}`);
}
