/** Targets as the panel writes them: "shop/web-1/app", "shop/web-1", "/custom.slice/x", the id of a container. */
import type { RuleDraft } from '../../chaos/validate.ts';
import type { RuleTarget } from '../../chaos/rule.ts';
import type { ContainerInfo, Frame } from '../../frame/frame.ts';
import { standsFor, type GroupBy } from '../../frame/grouping.ts';

/** Digits of an id: enough to be the only one. */
const SHORT_ID = 12;

/** Who a container is, or its pod, as a target; '' when no single target is. */
export function targetTextOf(info: ContainerInfo, by: GroupBy): string {
  const level = standsFor(by, info);
  if (level === 'namespace' || level === 'workload') return '';
  const { namespace, pod, container, containerId, cgroup } = info;
  if (namespace !== null && pod !== null) return level === 'container' && container !== null ? `${namespace}/${pod}/${container}` : `${namespace}/${pod}`;
  if (containerId !== null) return containerId.slice(0, SHORT_ID);
  return cgroup ?? '';
}

/** What the text says of a target, for validateRule() to judge; undefined when it says nothing. */
export function targetDraft(text: string): RuleDraft['target'] {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  if (trimmed.startsWith('/')) return { cgroup: trimmed };
  if (trimmed.includes('://') || /^[0-9a-f]{12,64}$/i.test(trimmed)) return { containerId: trimmed };
  const [namespace = '', pod, container, ...more] = trimmed.split('/');
  // More parts than there are names: all of it goes to the pod, whose mistake is told.
  if (pod === undefined || more.length > 0) return { pod: trimmed };
  return container === undefined ? { pod: `${namespace}/${pod}` } : { pod: `${namespace}/${pod}`, container };
}

/** Keys of the target's containers in a Frame; a pod's pause container is none. */
export function targetKeys(frame: Frame, target: RuleTarget | null): ReadonlySet<string> {
  const matches = (info: ContainerInfo): boolean => {
    switch (target?.kind) {
      case 'pod': return info.kind !== 'sandbox' && info.namespace === target.namespace && info.pod === target.pod && (target.container === null || info.container === target.container);
      case 'container': return info.containerId?.startsWith(target.id) === true;
      case 'cgroup': return info.cgroup !== null && (target.path === '/' || info.cgroup === target.path || info.cgroup.startsWith(`${target.path}/`));
      case undefined: return false;
    }
  };
  return new Set(Object.entries(frame.containers).filter(([, info]) => matches(info)).map(([key]) => key));
}

/** All targets that a Frame knows: pods, their containers, and containers that are in no pod. */
export function targetsIn(frame: Frame): readonly string[] {
  const found = new Set<string>();
  for (const info of Object.values(frame.containers)) {
    if (info.kind === 'sandbox' || info.containerId === null) continue;
    for (const by of ['pod', 'container'] as const) {
      const text = targetTextOf(info, by);
      if (text !== '') found.add(text);
    }
  }
  return [...found].sort();
}
