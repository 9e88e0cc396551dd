/** The last minutes of a live screen: what they are kept in, and how they are saved. */
import { join } from 'node:path';
import type { FrameSource } from '../frame/source.ts';
import type { Timeline } from '../frame/timeline.ts';
import { parseDuration } from '../frame/duration.ts';
import type { UiOptions } from '../ui/options.ts';
import { usageError } from './errors.ts';
import { version } from './version.ts';

export const DEFAULT_HISTORY_MS = 15 * 60_000;
const LIMITS = { min: 10_000, max: 24 * 3_600_000 };

/** "15m"; "0" keeps none. */
export function parseHistory(text: string): number {
  if (/^0[a-z]*$/.test(text.trim())) return 0;
  try {
    return parseDuration(text, LIMITS);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw usageError(`--history ${error.message}`);
  }
}

/** Frames of one second must fit, whatever was asked for: encoded bytes per hour of a large node, with room. */
const BYTES_PER_HOUR = 64 << 20;
const LEAST_BYTES = 16 << 20;

/** Save as a file of its own in `directory`: a number is added to the name rather than to overwrite one. @returns the file's name */
async function saveIn(directory: string, timeline: Timeline): Promise<string> {
  const { recordingName, saveTimeline } = await import('../session/recording/save.ts');
  const base = recordingName(timeline.frame(timeline.end - 1));
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : base.replace(/(\.\w+)$/, `-${n}$1`);
    try {
      await saveTimeline(timeline, join(directory, name), timeline.first, timeline.end, { version: version() });
      return name;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || n >= 100) throw error;
    }
  }
}

/**
 * Keep the Frames that a source brings from now on. Call it before the screen is given the source: what the screen is
 * given must stand in memory already.
 * @param ms how far back; 0: not at all
 */
export async function keepHistory(source: FrameSource, ms: number, directory: string): Promise<Pick<UiOptions, 'timeline' | 'saveTimeline' | 'onLive'>> {
  if (ms === 0) return {};
  const { MemoryTimeline } = await import('../session/recording/memory.ts');
  const memory = new MemoryTimeline({ maxAgeMs: ms, maxBytes: Math.max(LEAST_BYTES, Math.round((ms / 3_600_000) * BYTES_PER_HOUR)) });
  source.subscribe((frame) => memory.push(frame));
  return { timeline: memory, saveTimeline: (timeline) => saveIn(directory, timeline), onLive: () => memory.rest() };
}
