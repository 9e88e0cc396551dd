/** One row of the doctor: a question about this node, answered. */
import type { Feature } from '../../bpf/features.ts';

export type Answer = 'yes' | 'no' | 'partly' | 'unknown';

export interface Check {
  readonly group: Group;
  readonly check: string;
  readonly ok: Answer;
  /** What was found, or what its lack means. */
  readonly reason: string;
  /** What to do; null when there is nothing to. */
  readonly fix: string | null;
}

/** In the order in which they are shown: what matters most is last, right above the prompt. */
export const GROUPS = ['versions', 'terminal', 'privilege', 'kernel', 'programs', 'cgroups', 'identity', 'chaos', 'ladder', 'panes'] as const;
export type Group = (typeof GROUPS)[number];

export function check(group: Group, name: string, ok: Answer | boolean | null, reason: string, fix: string | null = null): Check {
  const answer = ok === null ? 'unknown' : ok === true ? 'yes' : ok === false ? 'no' : ok;
  return { group, check: name, ok: answer, reason, fix };
}

/** A feature's row; what stands behind the last semicolon of a bad one is the advice. */
export function featureCheck(group: Group, { feature, ok, reason }: Feature): Check {
  const at = ok === false && !feature.startsWith('CONFIG_') ? reason.lastIndexOf('; ') : -1;
  return at < 0 ? check(group, feature, ok, reason) : check(group, feature, ok, reason.slice(0, at), reason.slice(at + 2));
}

/** First line of what was thrown. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1)[0]?.trim() || 'unknown error';
}
