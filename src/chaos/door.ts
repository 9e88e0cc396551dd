/**
 * The one narrow door of chaos: all that the screen and the commands can ask for. Behind it a process of its own holds
 * every fault (engine/), so that nothing that ends one depends on whoever asked for it.
 */
import type { Confirmation } from './confirmations.ts';
import type { Warning } from './node-warnings.ts';
import type { Refusal } from './refused-targets.ts';
import type { Rule } from './rule.ts';
import type { ChaosCapabilities, Selection } from './select.ts';
import type { AuditReason, AuditWho } from './audit.ts';
import type { FaultCounts, Hit } from './hit.ts';

/** A fault that cannot be had, or went wrong: one line that says what to do. */
export class ChaosError extends Error {
  override readonly name = 'ChaosError';
  /** refused: by a safety rule; impossible: this kernel or user cannot; notFound: the target is not there; failed: anything else. */
  readonly kind: 'refused' | 'impossible' | 'notFound' | 'failed';

  constructor(kind: ChaosError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

export interface Permits {
  /** --expert: leaky calls, kernel faults. */
  readonly expert: boolean;
  /** --allow-system: pods that run the node or the cluster. */
  readonly allowSystem: boolean;
}

/** Everything that can be said of a rule before it is armed. Nothing is attached for it. */
export interface Plan {
  readonly rule: Rule;
  /** The rule in a sentence. */
  readonly text: string;
  /** Whom it would hit right now, by cgroup key; raw names for people. */
  readonly targets: readonly { readonly key: string; readonly cgroup: string | null; readonly name: string }[];
  /** By call: what would act, and why everything else cannot. */
  readonly selections: readonly Selection[];
  /** Not empty: it cannot be armed. */
  readonly refusals: readonly Refusal[];
  readonly warnings: readonly Warning[];
  /** To be typed before it is armed; null: a plain yes will do. */
  readonly confirmation: Confirmation | null;
}

export type FaultState = 'armed' | 'ended';

/** A fault, armed or ended. */
export interface FaultStatus extends FaultCounts {
  /** In this process, from 1. */
  readonly id: number;
  /** Id in the audit. */
  readonly auditId: string;
  readonly rule: Rule;
  readonly text: string;
  readonly targetName: string;
  /** Cgroup keys in scope now. */
  readonly cgroups: readonly string[];
  /** What acts, each once. */
  readonly backends: readonly string[];
  readonly dryRun: boolean;
  readonly state: FaultState;
  /** Milliseconds since the epoch. */
  readonly armedAt: number;
  readonly deadline: number;
  readonly endedAt: number | null;
  readonly endReason: AuditReason | null;
  /** One line about an error; null. */
  readonly endDetail: string | null;
}

export type ChaosEvent =
  | { readonly kind: 'hit'; readonly fault: number; readonly hit: Hit }
  /** A fault was armed, ended or counted on. */
  | { readonly kind: 'fault'; readonly fault: FaultStatus }
  /** Behind the door nobody is left: every fault is gone from the kernel. */
  | { readonly kind: 'gone'; readonly reason: string };

/** Calls that were failed on purpose since the door was opened: [cgroup key, ABI, number] -> count; only grows. */
export type Injected = readonly (readonly [cgroup: string, abi: string, nr: number, count: number])[];

export interface ArmOptions {
  /** Only count. */
  readonly dryRun: boolean;
  /** What was typed where the plan asks for a confirmation; null: nothing. */
  readonly typed: string | null;
  /** Who is to stand in the audit; absent: the user of this kbtop. */
  readonly who?: AuditWho;
}

export interface ChaosDoor {
  /** What this kernel allows; found out once. @throws ChaosError */
  capabilities(): Promise<ChaosCapabilities>;
  /** @throws ChaosError notFound when there is no such target, failed otherwise */
  plan(rule: Rule, permits: Permits): Promise<Plan>;
  /**
   * Write the audit, then arm. @throws ChaosError refused, impossible, notFound, failed
   */
  arm(rule: Rule, permits: Permits, options: ArmOptions): Promise<FaultStatus>;
  disarm(id: number, reason?: AuditReason): Promise<void>;
  /** Everything, at once. */
  stopAll(reason?: AuditReason): Promise<void>;
  /** Armed ones first, then those that ended, the last first. */
  readonly faults: readonly FaultStatus[];
  readonly injected: Injected;
  subscribe(listener: (event: ChaosEvent) => void): () => void;
  /** Ends every fault and lets go. Never rejects; twice is fine. */
  close(): Promise<void>;
}
