/** Everything that decides whether a rule may be armed, from what is true right now. Nothing is attached here. */
import { confirmationFor } from '../confirmations.ts';
import { ChaosError, type Permits, type Plan } from '../door.ts';
import type { ScopeCgroup } from '../engine/engine.ts';
import { explainRule } from '../explain.ts';
import { fullName } from '../../frame/names.ts';
import { warningsOf } from '../node-warnings.ts';
import { judgeRule } from '../refusals.ts';
import { isSandbox, judgeTarget, type TargetCgroup } from '../refused-targets.ts';
import type { Rule, RuleTarget } from '../rule.ts';
import { planRule } from '../scenario-choice.ts';
import type { ChaosCapabilities } from '../select.ts';
import { execProbed, nodeFacts } from './node-facts.ts';
import { ioUringUsers } from './processes.ts';
import { notFoundText, type Pin, pinOf, type Place, placesOf, targetName } from './targets.ts';
import type { Who } from './who.ts';

/** A plan, and what arming it needs besides. */
export interface Decision {
  readonly plan: Plan;
  readonly pin: Pin;
  readonly targetName: string;
  /** Cgroups that are hit, without those left out. */
  readonly places: readonly Place[];
  /** Cgroups below which the target goes on: of a container, those of its whole pod. */
  readonly roots: readonly string[];
  readonly scope: readonly ScopeCgroup[];
  /** Why it cannot be armed: refused by a rule, or impossible here; null: it can. */
  readonly obstacle: ChaosError | null;
}

const withTasks = (who: Who, places: readonly Place[]): TargetCgroup[] => places.map((place) => ({ ...place, tasks: who.tasks(place.key) }));

/** @throws ChaosError notFound */
async function locate(target: RuleTarget, who: Who): Promise<{ readonly pin: Pin; readonly places: readonly Place[]; readonly roots: readonly string[] }> {
  // Safety rules go by names: a target that was found without them is not judged before they are there.
  await who.ready();
  const all = who.all();
  const pin = pinOf(target, all);
  const places = pin === null ? null : placesOf(pin, all);
  if (pin === null || places === null) throw new ChaosError('notFound', notFoundText(target, all, who.unnamed(all)));
  const around = pin.kind === 'pod' ? placesOf({ ...pin, container: null }, all) ?? [] : places;
  return { pin, places, roots: around.map(({ key }) => key) };
}

function obstacleOf({ refusals }: Plan, obstacles: readonly string[]): ChaosError | null {
  if (refusals.length > 0) return new ChaosError('refused', refusals.map(({ reason, unless }) => (unless === null || reason.includes(unless) ? reason : `${reason} (${unless} allows it)`)).join('; '));
  return obstacles.length > 0 ? new ChaosError('impossible', obstacles.join('; ')) : null;
}

/** @throws ChaosError notFound, or failed when the rule has no target */
export async function decide(rule: Rule, permits: Permits, who: Who, capabilities: ChaosCapabilities): Promise<Decision> {
  const { target } = rule;
  if (target === null) throw new ChaosError('failed', 'the rule says nothing about whom it is for: give it a pod, cgroup or container id');
  const { pin, places, roots } = await locate(target, who);
  const cgroups = withTasks(who, places);
  const node = nodeFacts(who.cgroupMode, { ioUring: ioUringUsers(cgroups.flatMap(({ tasks }) => tasks)), execProbes: execProbed(cgroups.map(({ info }) => info)) });
  const { arch } = capabilities;
  const { refusals, excluded } = judgeRule(rule, { arch, target: cgroups, own: who.own(), node }, permits);
  const left = cgroups.filter(({ key }) => !excluded.includes(key));
  const { selections, obstacles } = planRule(rule, capabilities);
  const plan: Plan = {
    rule, text: explainRule(rule), selections, refusals,
    targets: left.map(({ key, info }) => ({ key, cgroup: info.cgroup, name: fullName(info) })),
    warnings: warningsOf(rule, arch, node, left), confirmation: confirmationFor(rule, left, permits),
  };
  return { plan, pin, places: left, roots, targetName: targetName(target, left), scope: left.map(({ key }) => who.scope(key)), obstacle: obstacleOf(plan, obstacles) };
}

export type Afterwards =
  /** The target is gone, or something came into it that must not be hit. */
  | { readonly end: 'target-gone' | 'error'; readonly detail: string | null }
  | { readonly places: readonly Place[]; readonly scope: readonly ScopeCgroup[] };

/** How an armed rule's target goes on. @param known cgroups that were judged before */
export function follow(pin: Pin, known: ReadonlySet<string>, permits: Permits, who: Who, all: readonly Place[]): Afterwards {
  const places = placesOf(pin, all);
  if (places === null) return { end: 'target-gone', detail: null };
  const fresh = withTasks(who, places.filter(({ key }) => !known.has(key)));
  if (fresh.length > 0) {
    const { refusals } = judgeTarget(fresh, who.own(), permits.allowSystem);
    // A pause container alone is left out below, like at the start.
    const refused = refusals.find(({ rule }) => rule !== 'sandbox' && rule !== 'nothing');
    if (refused !== undefined) return { end: 'error', detail: `the target is another now: ${refused.reason}` };
  }
  const left = withTasks(who, places).filter((cgroup) => !isSandbox(cgroup));
  return { places: left, scope: left.map(({ key }) => who.scope(key)) };
}
