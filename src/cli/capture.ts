/** A live capture: the addon, the manager on it, and what the failure of its parts means. Imported lazily: it loads the addon. */
import { loadAddon } from '../bpf/load.ts';
import type { PaneId } from '../frame/frame.ts';
import type { Target } from '../frame/target.ts';
import { findHostRoot } from '../identity/host-root.ts';
import { Identity } from '../identity/identity.ts';
import { createSources } from '../identity/sources.ts';
import type { ChaosFeed } from '../probes/chaos-feed.ts';
import { Manager } from '../probes/manager.ts';
import type { SourceSettings } from './settings.ts';

export interface CaptureOptions {
  readonly intervalMs: number;
  readonly panes?: readonly PaneId[];
  readonly debug: ((text: string) => void) | null;
  readonly sources?: SourceSettings;
  /** What is surely none of it need not be counted; null: everything is. */
  readonly target?: Target | null;
  /** Faults that the Frames are to tell of. */
  readonly chaos?: ChaosFeed | null;
}

/** Who is who, with all sources of names, none of them started. @throws Error when /proc cannot be read */
export function openIdentity({ sources: wanted, debug }: Pick<CaptureOptions, 'sources' | 'debug'>): Identity {
  const options = wanted && { ...wanted, hostRoot: findHostRoot({ given: wanted.hostRoot }).root, debug: debug ?? (() => {}) };
  const identity: Identity = new Identity({ ...(options && { sources: createSources(options, () => identity.podsSeen) }), ...(debug && { debug }) });
  return identity;
}

/** @throws AddonError, BpfError */
export function openCapture(options: CaptureOptions): Manager {
  const { intervalMs, panes, debug, sources, target = null, chaos = null } = options;
  return new Manager({
    addon: loadAddon(), intervalMs, identity: openIdentity(options), target, chaos, namesMs: patience(target),
    ...(sources && { nodeName: sources.nodeName }), ...(panes && { panes }), ...(debug && { debug }),
  });
}

/** How long a snapshot may wait for names before it begins to count: the more it depends on them. Milliseconds. */
function patience(target: Target | null): number {
  if (target === null) return 300;
  // Labels and owners may have to come from the Kubernetes API, whose client takes its time to load.
  return target.selectors.length > 0 || target.pods.some(({ kind }) => kind !== null) ? 3000 : 1000;
}
