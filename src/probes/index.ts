/** Every probe, once. A new pane is one line here. */
import type { PaneId } from '../frame/frame.ts';
import type { Identity } from '../identity/identity.ts';
import { ContainersProbe } from './containers.ts';
import { OpensProbe } from './opens.ts';
import type { Probe } from './probe.ts';
import { ProcessesProbe } from './processes.ts';
import { RunqueueProbe } from './runqueue.ts';
import { SyscallsProbe } from './syscalls.ts';
import { TcpProbe } from './tcp.ts';

export type ProbeFactories = { readonly [P in PaneId]: (identity: Identity) => Probe<P> };

export const PROBES: ProbeFactories = {
  syscalls: (identity) => new SyscallsProbe({ isGone: (key) => identity.removed(key) }),
  runqueue: (identity) => new RunqueueProbe({
    pathsOf: (key) => ({ cpu: identity.cpuDirectory(key) }),
    cgroups: () => identity.uses.keys(),
    isGone: (key) => identity.removed(key),
  }),
  opens: (identity) => new OpensProbe({ isGone: (key) => identity.removed(key) }),
  tcp: (identity) => new TcpProbe({ isGone: (key) => identity.removed(key) }),
  containers: (identity) => new ContainersProbe(identity),
  processes: (identity) => new ProcessesProbe(identity),
};
