/** When a Frame ended. */
import type { Frame } from '../../frame/frame.ts';

/** Milliseconds since the epoch; null when its time is none. */
export function timeOf(frame: Pick<Frame, 'time'>): number | null {
  const time = Date.parse(frame.time);
  return Number.isNaN(time) ? null : time;
}
