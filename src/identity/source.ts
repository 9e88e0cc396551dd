/**
 * The one door for names: whoever knows something about a container (its runtime's files, the CRI socket, the
 * Kubernetes API, ...) implements NameSource and stands in the list that the Registry is made with.
 */
import type { ContainerInfo, ContainerKind, NameSource as SourceId } from '../frame/frame.ts';
import type { PathIdentity } from './cgroup-path.ts';
import type { CgroupKey } from './key.ts';

/** What a source is asked about: all that the kernel told. */
export interface Subject {
  readonly key: CgroupKey;
  readonly path: string;
  readonly parsed: PathIdentity;
}

/** What a source may know. Leave out what it does not; the first source in the list that tells a field wins. */
export interface Names {
  readonly kind?: ContainerKind;
  readonly namespace?: string;
  readonly pod?: string;
  readonly podUid?: string;
  readonly container?: string;
  readonly containerId?: string;
  readonly image?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly owner?: NonNullable<ContainerInfo['owner']>;
  readonly qos?: NonNullable<ContainerInfo['qos']>;
}

export interface NameSource {
  readonly id: SourceId;
  /**
   * What is known now. Must neither block nor throw: a source that has to ask somebody does so on its own time and
   * calls the function given to `onChange` when it has learned more.
   */
  lookup(subject: Subject): Names | null;
  /** Called once by the Registry; the source calls back whenever earlier answers may have changed. */
  onChange?(changed: () => void): void;
  close?(): void;
}

/** What the path itself holds. The last source in every list. */
export const PATH_SOURCE: NameSource = {
  id: 'cgroup',
  lookup({ parsed }) {
    const name = parsed.name ?? parsed.containerId?.slice(0, 12);
    return {
      kind: parsed.kind,
      ...(parsed.podUid !== null && { podUid: parsed.podUid }),
      ...(parsed.containerId !== null && { containerId: parsed.containerId }),
      ...(parsed.qos !== null && { qos: parsed.qos }),
      ...(name !== undefined && { container: name }),
    };
  },
};
