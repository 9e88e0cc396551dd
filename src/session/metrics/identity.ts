/** Whose numbers they are: the labels of a series, and how long since anything was heard of them. */
import type { ContainerInfo, Frame } from '../../frame/frame.ts';
import { containerName, contextOf, podName } from '../../frame/names.ts';
import { labelText } from '../../output/exposition.ts';

/** In place of the containers that have no series of their own. */
export const OTHER = '_other';
/** In place of cgroups that were gone before anybody could read their path: there may be any number of them. */
const UNKNOWN = '_unknown';

/** All that shares namespace, pod, container and node: a container that was started again, or the cgroups of one. */
export class Identity {
  /** Text of its labels. */
  readonly labels: string;
  /** Milliseconds of the caller's clock. */
  seenAt: number;
  /** Series of its own that it has. */
  series = 0;

  constructor(labels: string, seenAt: number) {
    this.labels = labels;
    this.seenAt = seenAt;
  }
}

const nameOf = (info: ContainerInfo): string =>
  (info.kind === 'unknown' && info.cgroup === null && info.container === null && info.containerId === null ? UNKNOWN : containerName(info));

/**
 * As cAdvisor and kube-state-metrics call them. What is in no pod has an empty namespace and pod, which is more than none:
 * a scraper that honours labels would fill in those of kbtop's own pod.
 */
const labelsOf = (info: ContainerInfo, node: string): string =>
  labelText({ namespace: info.namespace ?? '', pod: podName(info) ?? '', container: nameOf(info), node });

/** The labels of what has no series of its own. */
export const otherLabels = (node: string): string => labelText({ namespace: '', pod: '', container: OTHER, node });

export class Identities {
  readonly #known = new Map<string, Identity>();

  /** Who each container of a Frame is; all of them are heard of now. */
  of(frame: Frame, now: number): (container: string) => Identity {
    const context = contextOf(frame);
    const here = new Map<string, Identity>();
    return (container) => {
      let found = here.get(container);
      if (!found) {
        const labels = labelsOf(context.container(container), frame.node.name);
        found = this.#known.get(labels);
        if (!found) this.#known.set(labels, found = new Identity(labels, now));
        found.seenAt = now;
        here.set(container, found);
      }
      return found;
    };
  }

  /** Forget who was not heard of since `before`, and who has no series: so many are known as series allow. @returns those who had some */
  expire(before: number): readonly Identity[] {
    const gone: Identity[] = [];
    for (const [labels, identity] of this.#known) {
      const expired = identity.seenAt < before;
      if (expired && identity.series > 0) gone.push(identity);
      if (expired || identity.series === 0) this.#known.delete(labels);
    }
    return gone;
  }

  get size(): number {
    return this.#known.size;
  }
}
