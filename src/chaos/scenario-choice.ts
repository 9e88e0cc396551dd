/** Which rules of a scenario are armed here: all of them, or the first that can be. */
import type { Rule } from './rule.ts';
import type { Scenario } from './scenario.ts';
import { type ChaosCapabilities, type Selection, selectForRule } from './select.ts';

export interface RulePlan {
  readonly rule: Rule;
  /** One for each call. */
  readonly selections: readonly Selection[];
  /** Why the rule cannot be done as it is written, one line each; empty: it can. */
  readonly obstacles: readonly string[];
}

/** A rule is done for all of its calls or not at all: a call that nothing can make fail is an obstacle. */
export function planRule(rule: Rule, capabilities: ChaosCapabilities): RulePlan {
  const selections = selectForRule(rule, capabilities);
  const none = selections.length === 0 ? [`no program on ${capabilities.arch} has a call ${rule.syscalls.join(', ')}`] : [];
  const reasons = selections.filter(({ attachment }) => attachment === null).map(({ reason }) => reason);
  return { rule, selections, obstacles: [...none, ...new Set(reasons)] };
}

export interface ScenarioPlan {
  /** To be armed, all at once; empty when the scenario cannot be done. */
  readonly armed: readonly RulePlan[];
  /** Not armed: with their obstacles, or without when an earlier one was taken. */
  readonly left: readonly RulePlan[];
}

/** @param plan planRule(), with what else forbids a rule (refusals) among its obstacles */
export function planScenario({ use, rules }: Scenario, plan: (rule: Rule) => RulePlan): ScenarioPlan {
  const plans = rules.map(plan);
  if (use === 'all') return plans.every(({ obstacles }) => obstacles.length === 0) ? { armed: plans, left: [] } : { armed: [], left: plans };
  const first = plans.find(({ obstacles }) => obstacles.length === 0);
  return { armed: first === undefined ? [] : [first], left: plans.filter((one) => one !== first) };
}
