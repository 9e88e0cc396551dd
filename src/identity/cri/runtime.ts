/** What a container runtime tells over CRI, as far as names need it, and how a call to it fails. */

export interface Version {
  /** containerd, cri-o, docker, ... */
  readonly name: string;
  readonly version: string;
}

export interface Sandbox {
  readonly id: string;
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
  /** A pod whose sandbox died gets another: the higher, the later. */
  readonly attempt: number;
  readonly ready: boolean;
  /** The pod's own, as of the sandbox's creation; without those that kubelet adds. */
  readonly labels: Readonly<Record<string, string>>;
}

export interface Container {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  /** What the runtime was asked for: a reference, or the image's id. Empty when not told. */
  readonly image: string;
  /** From the labels that kubelet sets; empty on containers that others made. */
  readonly namespace: string;
  readonly pod: string;
  readonly podUid: string;
}

/** Which sandboxes or containers: all, one by its id, or those of a pod, by the label that kubelet sets. */
export type Filter = null | { readonly id: string } | { readonly podUid: string };

/** A connection to a runtime. Every call rejects with a CallError, after `ms` milliseconds at the latest. */
export interface Runtime {
  version(ms: number): Promise<Version>;
  sandboxes(filter: Filter, ms: number): Promise<Sandbox[]>;
  containers(filter: Filter, ms: number): Promise<Container[]>;
  /** Every image that has a name: id, as imageIdOf() has it, -> reference. */
  images(ms: number): Promise<Map<string, string>>;
  /** The reference of a container's image; null when its runtime knows none. */
  imageOf(containerId: string, ms: number): Promise<string | null>;
  /** Ends every call under way. Twice is fine. */
  close(): void;
}

/**
 * The 64 hex digits of an image's id where there is no name: that is what containerd and CRI-O list for containers that
 * kubelet made. Null for a name.
 */
export const imageIdOf = (image: string): string | null => /^(?:sha256:)?([0-9a-f]{64})$/.exec(image)?.[1] ?? null;

/** gRPC's status codes that a call is told apart by. */
export const Code = { CANCELLED: 1, DEADLINE_EXCEEDED: 4, NOT_FOUND: 5, PERMISSION_DENIED: 7, RESOURCE_EXHAUSTED: 8, UNIMPLEMENTED: 12, INTERNAL: 13, UNAVAILABLE: 14 } as const;

export class CallError extends Error {
  readonly code: number;

  /** @param message what the runtime or gRPC says; raw */
  constructor(code: number, message: string) {
    super(message);
    this.name = 'CallError';
    this.code = code;
  }
}
