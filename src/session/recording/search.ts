/** Finding a time in a Timeline. */
import type { Timeline } from '../../frame/timeline.ts';

/** As Timeline.indexAt. */
export function lastAtOrBefore(timeline: Pick<Timeline, 'first' | 'end' | 'time'>, time: number): number {
  const { first, end } = timeline;
  let low = first, high = end;
  // Everything below `low` ended at or before `time`, everything from `high` on later.
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timeline.time(middle) <= time) low = middle + 1;
    else high = middle;
  }
  return low > first ? low - 1 : first;
}
