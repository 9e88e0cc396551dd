/** Every probe, once. A new pane is one line here. */
import type { PaneId } from '../frame/frame.ts';
import type { Identity } from '../identity/identity.ts';
import { ContainersProbe } from './containers.ts';
import type { Probe } from './probe.ts';

export type ProbeFactories = { readonly [P in PaneId]?: (identity: Identity) => Probe<P> };

export const PROBES: ProbeFactories = {
  containers: (identity) => new ContainersProbe(identity),
};
