/** What the screen knows of faults, and the panel in which a new one is put together. Part of the State; the door itself is not. */
import type { Permits, Plan, FaultStatus } from '../../chaos/door.ts';
import type { Hit } from '../../chaos/hit.ts';
import type { Rule } from '../../chaos/rule.ts';
import type { ChaosCapabilities } from '../../chaos/select.ts';
import type { FieldId, Form } from './fields.ts';

/** A hit as the door told it. */
export interface ToldHit {
  readonly fault: number;
  readonly hit: Hit;
}

/** After how many hits of a fault the same process soon made the same call again. */
export interface Retries {
  /** By fault. */
  readonly counts: ReadonlyMap<number, number>;
  /** When each process last had the call hit, by fault, pid and call; only what may still be followed by another. */
  readonly last: ReadonlyMap<string, number>;
}

/** What stands in the panel's upper half. */
export type Stage =
  /** Fields are filled in; or, below them, the list of faults has the keys. */
  | { readonly kind: 'form' }
  /** The dry run has been asked for. */
  | { readonly kind: 'starting'; readonly rule: Rule }
  /** It counts what would be hit. */
  | { readonly kind: 'dry'; readonly rule: Rule; readonly plan: Plan; readonly fault: FaultStatus }
  /** What allows it is being typed. */
  | { readonly kind: 'confirm'; readonly rule: Rule; readonly plan: Plan; readonly fault: FaultStatus; readonly typed: string }
  /** It has been confirmed, and the door has yet to answer. */
  | { readonly kind: 'arming'; readonly rule: Rule; readonly plan: Plan };

export interface Panel {
  readonly stage: Stage;
  readonly form: Form;
  /** Who has the keys in the form; `faults` is the list below it. */
  readonly field: FieldId | 'faults';
  /** What was typed into the field since it has the keys: it narrows the choice. Null: nothing yet, and the first character replaces what stands there. */
  readonly narrowed: string | null;
  /** The error was chosen by hand; else it follows the call and what this kernel can. */
  readonly ownError: boolean;
  /** Last question to the door: answers to others are stale. */
  readonly serial: number;
  /** What the door said of the form as it stands; null: it has not answered, or the form is not right. */
  readonly planned: { readonly plan: Plan } | { readonly error: string } | null;
  /** Reasons for and against each backend are shown. */
  readonly why: boolean;
  /** Id of the chosen fault of the list; null: the first one. */
  readonly chosen: number | null;
  /** Lines scrolled down. */
  readonly scroll: number;
  /** One line about what just went wrong. */
  readonly error: string | null;
}

export interface ChaosState {
  readonly permits: Permits;
  /** What this kernel can; null: not told yet. */
  readonly capabilities: ChaosCapabilities | null;
  /** Why it cannot be told; null when it can. */
  readonly unable: string | null;
  /** As the door orders them: armed ones first. */
  readonly faults: readonly FaultStatus[];
  /** The last ones, newest first. */
  readonly hits: readonly ToldHit[];
  readonly retries: Retries;
  /** Nobody is left behind the door. */
  readonly gone: { readonly reason: string; /** Faults that were armed for real then. */ readonly armed: number; readonly seen: boolean } | null;
  /** Milliseconds since the epoch: what times that are left are counted from. */
  readonly clock: number;
  /** Number of the last question to the door. */
  readonly serial: number;
  readonly panel: Panel | null;
}

export const initialChaos = (permits: Permits, now: number): ChaosState => ({
  permits, capabilities: null, unable: null, faults: [], hits: [], retries: { counts: new Map(), last: new Map() }, gone: null, clock: now, serial: 0, panel: null,
});
