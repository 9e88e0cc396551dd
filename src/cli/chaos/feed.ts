/** What Frames tell of the faults behind a door. */
import type { ChaosDoor } from '../../chaos/door.ts';
import { chaosStatus } from '../../chaos/service/status.ts';
import type { ChaosFeed } from '../../probes/chaos-feed.ts';

export function feedOf(door: ChaosDoor): ChaosFeed {
  return {
    statuses: () => door.faults.filter(({ state }) => state === 'armed').map((fault) => chaosStatus(fault)),
    get injected() { return door.injected; },
  };
}
