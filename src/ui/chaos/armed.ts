/** Which faults are armed now: as the door tells, and as the Frame does of those that no door here knows. */
import type { FaultStatus } from '../../chaos/door.ts';
import type { Rule } from '../../chaos/rule.ts';
import { formatDelayUs } from '../../chaos/time.ts';
import type { State } from '../model.ts';

/** What the banner tells of one. */
export interface Armed {
  /** "openat ENOSPC". Raw. */
  readonly rule: string;
  /** Raw. */
  readonly target: string;
  readonly leftMs: number;
  readonly hits: number;
  /** null: not known. */
  readonly maxHits: number | null;
}

export interface AllArmed {
  readonly real: readonly Armed[];
  readonly dry: readonly Armed[];
}

/** "openat,read ENOSPC 10%": what, without whom. Raw. */
export function shortRule({ syscalls, effect, kernel, probability, every }: Rule): string {
  const calls = syscalls.length > 2 ? `${syscalls.slice(0, 2).join(',')}+${syscalls.length - 2}` : syscalls.join(',');
  const what = kernel !== null ? `${kernel.fault} faults` : effect.kind === 'error' ? effect.errno : effect.kind === 'signal' ? effect.signal : `+${formatDelayUs(effect.us)}`;
  return [calls, what, probability < 1 ? `${Number((probability * 100).toPrecision(3))}%` : '', every > 1 ? `1/${every}` : ''].filter((part) => part !== '').join(' ');
}

/** Until the deadline, never less than nothing. */
export const leftMs = ({ deadline }: FaultStatus, clock: number): number => Math.max(0, deadline - clock);

/** "12s", "1m05s"; begun seconds count. */
export function leftText(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 60 ? `${seconds}s` : `${Math.floor(seconds / 60)}m${String(seconds % 60).padStart(2, '0')}s`;
}

const armedOf = (fault: FaultStatus, clock: number): Armed => ({ rule: shortRule(fault.rule), target: fault.targetName, leftMs: leftMs(fault, clock), hits: fault.hits, maxHits: fault.rule.maxHits });

const isArmed = ({ state }: FaultStatus): boolean => state === 'armed';

export function allArmed({ chaos, shown }: State): AllArmed {
  const own = chaos?.faults ?? [];
  // The door knows better than a Frame that was made before the fault ended.
  const known = new Set(own.map(({ id }) => id));
  const others = shown?.frame.chaos.filter(({ id, state }) => state === 'armed' && !known.has(id)) ?? [];
  const of = (dry: boolean): Armed[] => [
    ...own.filter((fault) => isArmed(fault) && fault.dryRun === dry).map((fault) => armedOf(fault, chaos?.clock ?? 0)),
    ...others.filter(({ dryRun }) => dryRun === dry)
      .map(({ rule, targetName, node, hits, remainingMs, remainingHits }) => ({ rule, target: node === undefined ? targetName : `${targetName} on ${node}`, leftMs: Math.max(0, remainingMs), hits, maxHits: hits + remainingHits })),
  ];
  return { real: of(false), dry: of(true) };
}

/** Something is armed that this program's own door can end. */
export const canStop = ({ chaos }: State): boolean => chaos?.faults.some(isArmed) === true;

/** Something is armed for real through this program's own door: it ends when the program does. */
export const holdsFaults = ({ chaos }: State): boolean => chaos?.faults.some((fault) => isArmed(fault) && !fault.dryRun) === true;

/** The syscalls pane counts injected calls while something is armed. */
export const injects = (state: State): boolean => holdsFaults(state) || (state.shown?.frame.chaos.length ?? 0) > 0;

/** The line above the panes is there. */
export function hasBanner(state: State): boolean {
  const { real, dry } = allArmed(state);
  const gone = state.chaos?.gone ?? null;
  return real.length + dry.length > 0 || (gone !== null && gone.armed > 0 && !gone.seen);
}
