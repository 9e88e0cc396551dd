/** `kbtop replay FILE`: the screen on a recording. Needs neither root nor BPF nor Linux. */
import { basename } from 'node:path';
import { Command } from 'commander';
import type { FrameSource } from '../frame/source.ts';
import type { Timeline } from '../frame/timeline.ts';
import type { ReplayOptions } from '../ui/options.ts';
import { SPEEDS } from '../ui/travel/playback.ts';
import { parseAt } from './at.ts';
import { EXIT, Interrupted, usageError } from './errors.ts';
import { openRecorded } from './recorded.ts';
import { screenOptions } from './screen.ts';
import { type GlobalFlags, type Settings, settle } from './settings.ts';

interface ReplayFlags extends GlobalFlags {
  readonly speed?: number;
  readonly at?: string;
  readonly paused?: boolean;
}

const HELP = `
The screen is that of kbtop top: panes, filters, scopes and details work on what was recorded. Keys of time: Space plays
and holds, [ and ] one Frame back and on, { } ten, ( ) a minute, ^ and $ the start and the end, b types a time,
| and \\ faster and slower. Charts and totals are those up to the Frame that is shown. Long gaps are played in two seconds.

FILE is what kbtop record wrote, also when it was torn by a crash, or Frames of kbtop snapshot -o ndjson.
--at takes 02:00:05 (local time), 2026-11-21T02:00:05Z, +5m from the start, or -30s from the end.

-n, -l, -c and --pod limit the screen as they do live, by the names that were recorded.
`;

/** As SPEEDS has them, so that the keys go on from there. */
export function parseSpeed(text: string): number {
  const speed = Number(text.replace(/x$/i, ''));
  if (!SPEEDS.some((one) => one === speed)) throw usageError(`--speed "${text}" is none of ${SPEEDS.join(', ')}`);
  return speed;
}

/** Time of the Frame that --at means, milliseconds since the epoch. @throws KbtopError */
function timeAt(text: string, timeline: Timeline): number {
  try {
    return parseAt(text, timeline);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw usageError(`--at ${error.message}`);
  }
}

export function replayCommand(): Command {
  return new Command('replay')
    .summary('look at a recording')
    .description('Show a recording on the screen that it was made for: pause, step, jump, play. Needs neither root nor Linux.')
    .argument('<file>', 'a recording, or Frames as NDJSON')
    .option('--speed <times>', `${SPEEDS.join(', ')} (default: 1)`, parseSpeed)
    .option('--at <time>', 'begin there (default: the start)')
    .option('--paused', 'stand still at first')
    .addHelpText('after', HELP)
    .action(async (file: string, _flags: unknown, command: Command) => {
      const { speed = 1, at, paused = false, ...flags } = command.optsWithGlobals<ReplayFlags>();
      await showRecording(file, { label: 'REPLAY', at: at ?? null, speed, paused, note: null, endHint: `the end of ${basename(file)}: Space plays it again, q quits` }, flags);
    });
}

/** What is told to a screen that shows a recording. */
export interface Showing extends Pick<ReplayOptions, 'label' | 'speed' | 'paused' | 'endHint'> {
  /** As --at takes it. */
  readonly at: string | null;
  /** Said at the start, before what of the file cannot be read; null: nothing. */
  readonly note: string | null;
}

/** A source that brings nothing and can be told nothing: all there is stands in the timeline. */
const silent = (): FrameSource => ({
  can: { setInterval: false, setLevel: false },
  setInterval: () => {},
  setLevel: () => {},
  subscribe: () => () => {},
  // It ends when the user leaves.
  done: new Promise(() => {}),
  close: () => Promise.resolve(),
});

/** @throws KbtopError when it cannot be shown */
export async function showRecording(path: string, showing: Showing, flags: GlobalFlags): Promise<void> {
  if (path === '-') throw usageError('replay takes the keys from stdin: write the Frames to a file first');
  if (!process.stdin.isTTY || !process.stdout.isTTY) throw usageError('the screen needs a terminal: use kbtop snapshot --replay in scripts and pipes');
  if (flags.interval !== undefined) throw usageError('--interval means nothing to a recording: its Frames are as far apart as they were; --speed plays them faster');
  const settings = await settle(flags);
  const recording = await openRecorded(path);
  try {
    await show(recording, recording.warnings, showing, settings);
  } finally {
    recording.close();
  }
}

async function show(timeline: Timeline, warnings: readonly string[], { at, note, ...showing }: Showing, settings: Settings): Promise<void> {
  const { runUi } = await import('../ui/run.tsx');
  const code = await runUi(silent(), {
    ...screenOptions(settings),
    timeline,
    replay: { ...showing, at: at === null ? null : timeAt(at, timeline), notes: [...(note === null ? [] : [note]), ...warnings], notesRole: warnings.length > 0 ? 'warn' : 'accent' },
  });
  if (code !== EXIT.ok) throw new Interrupted();
}
