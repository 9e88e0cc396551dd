/** The way into the cluster, as kubectl's flags and files lead. */
import { Cluster } from '../identity/kubernetes/cluster.ts';
import { systemClock } from '../identity/kubernetes/clock.ts';
import type { Overrides } from '../identity/kubernetes/kubeconfig.ts';
import { findPlace, thisMachine } from '../identity/kubernetes/places.ts';
import { Trouble } from './errors.ts';
import { Kube } from './kube.ts';

export interface Way {
  readonly kubeconfig: string | null;
  readonly context: string | null;
  readonly overrides: Overrides;
  /** Longest that the server may be silent, milliseconds; null: as long as is usual. */
  readonly requestTimeoutMs: number | null;
}

/** @param signal ends every request @throws Trouble when there is no way */
export async function connect(way: Way, signal: AbortSignal): Promise<Kube> {
  const { place, looked } = await findPlace(way, thisMachine);
  if (place === null) throw new Trouble('failed', `there is no kubeconfig${looked.length === 0 ? '' : ` (no ${looked.join(', no ')})`}: give one by --kubeconfig or KUBECONFIG`);
  return new Kube(new Cluster(place, way.context, systemClock, signal, { overrides: way.overrides, ...(way.requestTimeoutMs !== null && { silenceMs: way.requestTimeoutMs }) }));
}
