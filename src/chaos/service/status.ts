/** A fault as Frames tell it. */
import type { ChaosStatus } from '../../frame/frame.ts';
import type { FaultStatus } from '../door.ts';

/** @param now milliseconds since the epoch */
export function chaosStatus({ id, text, targetName, cgroups, backends, hits, deadline, rule, dryRun, state }: FaultStatus, now: number = Date.now()): ChaosStatus {
  const left = state === 'armed';
  return {
    id, rule: text, target: cgroups[0] ?? '', targets: cgroups, targetName, backend: backends.join(', '), hits, dryRun, state,
    remainingMs: left ? Math.max(0, deadline - now) : 0, remainingHits: left ? Math.max(0, rule.maxHits - hits) : 0,
  };
}
