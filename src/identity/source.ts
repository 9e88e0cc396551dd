/**
 * The one door for names: whoever knows something about a container (its runtime's files, the CRI socket, the
 * Kubernetes API, ...) implements NameSource and stands in the list that the Registry is made with.
 */
import type { ContainerInfo, ContainerKind, NameSource as SourceId, PodStatus } from '../frame/frame.ts';

/** What a source is asked about: ids from a cgroup's path, never both null. */
export interface Subject {
  /** As the path has it: with dashes, or the 32 hex digits of a static pod's configuration. */
  readonly podUid: string | null;
  /** 64 lowercase hex digits. */
  readonly containerId: string | null;
}

/** What a source may know. Leave out what it does not; the first source in the list that tells a field wins. */
export interface Names {
  /** 'sandbox' for a pod's pause container. */
  readonly kind?: ContainerKind;
  readonly namespace?: string;
  readonly pod?: string;
  readonly podUid?: string;
  readonly container?: string;
  readonly containerId?: string;
  readonly image?: string;
  /** Of the pod; of the container itself outside Kubernetes. Without any, {} tells that there are none. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly owner?: NonNullable<ContainerInfo['owner']>;
  readonly qos?: NonNullable<ContainerInfo['qos']>;
  readonly podStatus?: PodStatus;
}

export interface SourceState {
  /**
   * ok: it answers. starting: it has not answered yet. absent: there is nothing of its kind here. failing: it is there,
   * but does not answer; it is tried again by itself. off: not asked for.
   */
  readonly status: 'ok' | 'starting' | 'absent' | 'failing' | 'off';
  /** One line: where it looks and what it found, or why it does not answer. Raw, not escaped. */
  readonly reason: string;
  /** What to do about it; null when there is nothing to. */
  readonly fix: string | null;
}

/**
 * A source calls this when it has learned something: the container ids and pod uids whose answers may be others than
 * before. Called without, every answer may be.
 */
export type Changed = (ids?: Iterable<string>) => void;

export interface NameSource {
  readonly id: SourceId;
  readonly state: SourceState;
  /** Loading it takes long: it begins when the first screen stands. */
  readonly late?: boolean;
  /**
   * Begin; called once, after onChange. Returns at once; resolves when the first whole answer is there, or when it is
   * clear that there will be none soon. Never rejects.
   */
  start(): Promise<void>;
  /**
   * What is known now. Neither blocks nor throws: a source that has to ask somebody does so on its own time and calls
   * the function given to `onChange` when it has learned more. It may forget what has ended: the Registry does not.
   */
  lookup(subject: Subject): Names | null;
  /** A cgroup of this container has just been made or seen for the first time: it may be gone in a few milliseconds. */
  notice?(subject: Subject): void;
  /** Called once by the Registry, before start(). */
  onChange(changed: Changed): void;
  /** Let go of everything; no callback after it. Twice is fine. */
  close(): void;
}
