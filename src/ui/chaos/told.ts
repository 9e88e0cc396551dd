/** What the door tells, into the state: faults, their hits, and whether callers try again. */
import type { FaultStatus } from '../../chaos/door.ts';
import type { ChaosState, Retries, Stage, ToldHit } from './model.ts';

/** Hits kept over all faults: more than any terminal has lines for. */
const KEPT_HITS = 200;
/** Faults kept, with those that ended. */
const KEPT_FAULTS = 100;
/** Processes remembered in order to see that they try again. */
const KEPT_CALLERS = 2048;
/** The same call of the same process within this time after a hit is another try, milliseconds. */
const RETRY_MS = 1000;

/** A dry run changes nothing, so nobody tries anything again. */
function retriesAfter(before: Retries, hits: readonly ToldHit[]): Retries {
  const counts = new Map(before.counts);
  const last = new Map(before.last);
  for (const { fault, hit } of hits) {
    if (hit.dryRun || !hit.acted) continue;
    const key = `${fault} ${hit.pid} ${hit.abi} ${hit.nr}`;
    const earlier = last.get(key);
    // Threads of a process may be told out of order.
    if (earlier !== undefined && Math.abs(hit.time - earlier) <= RETRY_MS) counts.set(fault, (counts.get(fault) ?? 0) + 1);
    // Put behind the others: the map is in the order of time.
    last.delete(key);
    last.set(key, Math.max(hit.time, earlier ?? 0));
  }
  const newest = hits.reduce((most, { hit }) => Math.max(most, hit.time), 0);
  for (const [key, time] of last) {
    if (newest - time <= RETRY_MS && last.size <= KEPT_CALLERS) break;
    last.delete(key);
  }
  return { counts, last };
}

/** The same fault with its newest numbers. */
function refreshed(stage: Stage, faults: readonly FaultStatus[]): Stage {
  if (stage.kind !== 'dry' && stage.kind !== 'confirm') return stage;
  const fault = faults.find(({ id }) => id === stage.fault.id);
  return fault === undefined || fault === stage.fault ? stage : { ...stage, fault };
}

const isArmed = ({ state }: FaultStatus): boolean => state === 'armed';

/** @param hits since the last time, the oldest first */
export function told(chaos: ChaosState, faults: readonly FaultStatus[], hits: readonly ToldHit[], now: number): ChaosState {
  const kept = faults.slice(0, KEPT_FAULTS);
  const { panel } = chaos;
  return {
    ...chaos, faults: kept, clock: now,
    // Whoever holds a fault is there again.
    gone: kept.some(isArmed) ? null : chaos.gone,
    hits: hits.length === 0 ? chaos.hits : [...hits.toReversed(), ...chaos.hits].slice(0, KEPT_HITS),
    retries: hits.length === 0 ? chaos.retries : retriesAfter(chaos.retries, hits),
    panel: panel && { ...panel, stage: refreshed(panel.stage, kept) },
  };
}

/** Nobody is behind the door: every fault is gone from the kernel. */
export function toldGone(chaos: ChaosState, reason: string, now: number): ChaosState {
  const armed = chaos.faults.filter((fault) => isArmed(fault) && !fault.dryRun).length;
  const faults = chaos.faults.map((fault): FaultStatus => (isArmed(fault) ? { ...fault, state: 'ended', endedAt: now, endReason: 'error', endDetail: reason } : fault));
  const { panel } = chaos;
  return {
    ...chaos, clock: now, faults, gone: { reason, armed: Math.max(armed, chaos.gone?.armed ?? 0), seen: false },
    // Nobody is left to answer.
    panel: panel && { ...panel, serial: chaos.serial + 1, error: `chaos is gone: ${reason}`, stage: { kind: 'form' } }, serial: chaos.serial + 1,
  };
}
