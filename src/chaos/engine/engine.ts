/**
 * Every fault of this process, in the kernel: attaches what acts, puts rules in, reads what came of them, takes them out.
 * Knows cgroups and calls, no pods, no safety rules, no audit: those stand before it (see ../door.ts).
 */
import type { Addon } from '../../bpf/addon.ts';
import type { AuditReason } from '../audit.ts';
import type { Injected } from '../door.ts';
import type { FaultCounts, Hit } from '../hit.ts';
import type { Rule } from '../rule.ts';
import type { ChaosCapabilities, Selection } from '../select.ts';

/** A cgroup in scope: its key, and its directory below a mount of cgroup v2 where cgroup hooks are attached; null: none. */
export interface ScopeCgroup {
  readonly key: string;
  readonly directory: string | null;
}

export interface EngineFault extends FaultCounts {
  readonly id: number;
  readonly backends: readonly string[];
  /** Milliseconds since the epoch, as the kernel was told. */
  readonly armedAt: number;
  readonly deadline: number;
  /** Set when the kernel will not hit any more: time over, budget spent, last call past. */
  readonly over: Extract<AuditReason, 'duration' | 'budget'> | null;
  /** One line: new cgroups of the target could not be reached, so it goes on in the old ones only. */
  readonly trouble: string | null;
}

export interface FaultEngine {
  capabilities(): Promise<ChaosCapabilities>;
  /** @throws ChaosError impossible (a hook does not attach, places are taken, another rule has these calls of this target) */
  arm(rule: Rule, selections: readonly Selection[], scope: readonly ScopeCgroup[], dryRun: boolean): Promise<EngineFault>;
  /** The target's cgroups are others now. Never rejects: see `trouble`. */
  rescope(id: number, scope: readonly ScopeCgroup[]): Promise<void>;
  /** Nothing is hit from now on, at once; hooks are out of the kernel when it resolves. Null: there is no such fault. @throws ChaosError failed */
  disarm(id: number): Promise<EngineFault | null>;
  /** Nothing is hit from now on, at once, and what is being armed will not be; hooks follow with disarm() of each or close(). @throws BpfError */
  clear(): void;
  /** What came since the last call. */
  poll(): { readonly faults: readonly EngineFault[]; readonly hits: readonly { readonly fault: number; readonly hit: Hit }[] };
  readonly injected: Injected;
  close(): void;
}

export type OpenEngine = (addon: Addon, options: { readonly v1Fallback: boolean; readonly debug: (text: string) => void }) => Promise<FaultEngine>;
