/**
 * The audit: one JSON object per line for every rule that is armed, and one for how it ended; for everybody who comes to a
 * shared session, what they change there, what they are refused, and that they went. The schema `kbtop.audit/1` is public.
 */
import type { BackendName } from './backends.ts';
import { explainRule } from './explain.ts';
import type { Rule } from './rule.ts';
import { draftOf, type RuleDraft } from './validate.ts';

export const AUDIT_SCHEMA = 'kbtop.audit/1';

/** Who armed it; on a shared session the viewer, as the kernel noted it when it connected. */
export interface AuditWho {
  /** Real user id of the process, effective one of a viewer. */
  readonly uid: number;
  /** Who called sudo; null when nobody did. */
  readonly sudoUser: string | null;
  /** Path of the terminal; null without one. */
  readonly tty: string | null;
  readonly pid: number;
}

/** Why a fault ended. */
export type AuditReason =
  /** Its time was over, its budget spent, its last call past. */
  | 'duration' | 'budget'
  /** Somebody stopped it, or all. */
  | 'stopped' | 'panic-key' | 'interrupted'
  /** Its target went away or was made anew. */
  | 'target-gone'
  /** The watchdog ended it: kbtop was gone or stuck. */
  | 'watchdog'
  /** It could not be kept up. */
  | 'error';

interface Common {
  readonly schema: typeof AUDIT_SCHEMA;
  /** ISO 8601 UTC. */
  readonly time: string;
  /** The same in both lines of one fault, or in all of one viewer, and in no other. */
  readonly id: string;
  readonly node: string;
  /** Release of the kernel. */
  readonly kernel: string;
  readonly who: AuditWho;
}

export interface AuditArmed extends Common {
  readonly event: 'armed';
  /** It counts only. */
  readonly dryRun: boolean;
  /** The sentence of `chaos plan`, and the rule as scenario files have it. */
  readonly text: string;
  readonly rule: RuleDraft;
  readonly backends: readonly BackendName[];
  /** Cgroups that are hit: ids and paths, as far as known. */
  readonly cgroups: readonly { readonly id: string; readonly path: string | null }[];
  /** ISO 8601 UTC; the kernel ends it then, whatever happens. */
  readonly start: string;
  readonly deadline: string;
}

export interface AuditEnded extends Common {
  readonly event: 'ended';
  readonly reason: AuditReason;
  /** One line about `error`; null otherwise. */
  readonly detail: string | null;
  readonly start: string;
  readonly end: string;
  /** Calls that matched, and that were hit; null when the kernel's counters could not be read any more. */
  readonly matched: number | null;
  readonly hits: number | null;
}

/** A viewer of a shared session. What it arms has lines of its own. */
export interface AuditVisit extends Common {
  /** `asked`: for something that changes what is measured or what runs; it is done after this line. */
  readonly event: 'attached' | 'detached' | 'asked' | 'refused';
  /** Effective group. */
  readonly gid: number;
  /** What was asked for: "attach", "interval 500 ms", "level syscalls off", "arm", "disarm", "stop all"; null: of coming and going. */
  readonly action: string | null;
  /** Id in the audit of the fault that it is about. */
  readonly fault: string | null;
  /** One line: why it was refused, or how it went. */
  readonly detail: string | null;
  /** So many of the same; more than one only of refusals that come in numbers. */
  readonly times: number;
}

export type AuditRecord = AuditArmed | AuditEnded | AuditVisit;

/** What both lines of one fault have in common. */
export type AuditSubject = Pick<Common, 'id' | 'node' | 'kernel' | 'who'>;

export function auditArmed(subject: AuditSubject, rule: Rule, facts: Pick<AuditArmed, 'dryRun' | 'backends' | 'cgroups'>, start: Date): AuditArmed {
  return {
    schema: AUDIT_SCHEMA, event: 'armed', time: start.toISOString(), ...subject, dryRun: facts.dryRun, text: explainRule(rule, facts.dryRun), rule: draftOf(rule),
    backends: facts.backends, cgroups: facts.cgroups, start: start.toISOString(), deadline: new Date(start.getTime() + rule.durationMs).toISOString(),
  };
}

export function auditEnded(armed: AuditArmed, outcome: Pick<AuditEnded, 'reason' | 'detail' | 'matched' | 'hits'>, end: Date): AuditEnded {
  const { id, node, kernel, who, start } = armed;
  return { schema: AUDIT_SCHEMA, event: 'ended', time: end.toISOString(), id, node, kernel, who, ...outcome, start, end: end.toISOString() };
}

/** One line with its end. Newlines and other controls in names are escaped by JSON; half characters become U+FFFD. */
export const auditLine = (record: AuditRecord): string => `${JSON.stringify(record)}\n`;
