/** How fast the past goes by. Pure. */
import type { Timeline } from '../../frame/timeline.ts';
import type { Gap } from './gaps.ts';
import { gapBefore } from './gaps.ts';

export const SPEEDS = [0.25, 0.5, 1, 2, 4, 8, 16, 32] as const;

/** A gap lasts this long at most when it is played, milliseconds at speed 1. */
export const GAP_MS = 2000;

/** The next speed in a direction; the same at the ends. */
export function nextSpeed(speed: number, by: 1 | -1): number {
  return (by === 1 ? SPEEDS.find((one) => one > speed) : SPEEDS.findLast((one) => one < speed)) ?? speed;
}

/** "2x", "0.25x". */
export const speedText = (speed: number): string => `${speed}x`;

/** How long a Frame stays until the next one is due, milliseconds, and the gap that is shortened by that. */
export function stay(timeline: Timeline, index: number, speed: number): { readonly ms: number; readonly gap: Gap | null } {
  const ms = Math.max(0, timeline.time(index + 1) - timeline.time(index));
  const gap = gapBefore(timeline, index + 1);
  const shortened = gap !== null && ms > GAP_MS ? gap : null;
  return { ms: (shortened === null ? ms : GAP_MS) / speed, gap: shortened };
}
