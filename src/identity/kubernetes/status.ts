/** READY, STATUS and RESTARTS of a pod, as `kubectl get pods` works them out from its object. */
import type { PodStatus } from '../../frame/frame.ts';
import { integer, type Json, list, object, text } from './shape.ts';

/** status.reason of a pod whose node does not answer. */
const NODE_LOST = 'NodeLost';
/** What every container waits for while init containers run: says nothing of its own. */
const POD_INITIALIZING = 'PodInitializing';

interface Sum {
  ready: number;
  restarts: number;
}

const conditionsOf = (status: Json): readonly Json[] => list(status['conditions']).map(object);

/** Why a container ended: its own reason, else the signal or the exit code. */
function ending(terminated: Json): string {
  const reason = text(terminated['reason']);
  if (reason !== null) return reason;
  const signal = integer(terminated['signal']);
  return signal === 0 ? `ExitCode:${integer(terminated['exitCode'])}` : `Signal:${signal}`;
}

const terminatedOf = (state: Json): Json | null => (typeof state['terminated'] === 'object' && state['terminated'] !== null ? object(state['terminated']) : null);

/**
 * Init containers up to the first that is not through. Sidecars (init containers that restart always) count for READY
 * once they have started.
 * @returns STATUS while one of them is not through, else null
 */
function initialize(statuses: readonly Json[], sidecars: ReadonlySet<string>, total: number, sum: Sum & { sidecarRestarts: number }): string | null {
  for (const [i, container] of statuses.entries()) {
    const restarts = integer(container['restartCount']);
    const sidecar = sidecars.has(text(container['name']) ?? '');
    sum.restarts += restarts;
    if (sidecar) sum.sidecarRestarts += restarts;
    const state = object(container['state']);
    const terminated = terminatedOf(state);
    if (terminated && integer(terminated['exitCode']) === 0) continue;
    if (sidecar && container['started'] === true) {
      if (container['ready'] === true) sum.ready++;
      continue;
    }
    if (terminated) return `Init:${ending(terminated)}`;
    const waiting = text(object(state['waiting'])['reason']);
    return waiting !== null && waiting !== POD_INITIALIZING ? `Init:${waiting}` : `Init:${i}/${total}`;
  }
  return null;
}

/** The pod's containers; the first of them that has something to say gives STATUS. */
function run(statuses: readonly Json[], sum: Sum): { readonly reason: string | null; readonly running: boolean } {
  let reason: string | null = null;
  let running = false;
  for (const container of statuses) {
    sum.restarts += integer(container['restartCount']);
    const state = object(container['state']);
    const terminated = terminatedOf(state);
    const waiting = text(object(state['waiting'])['reason']);
    if (waiting !== null || terminated) {
      reason ??= waiting ?? (terminated && ending(terminated));
    } else if (container['ready'] === true && typeof state['running'] === 'object' && state['running'] !== null) {
      running = true;
      sum.ready++;
    }
  }
  return { reason, running };
}

const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;

/** Names of the containers that the kubelet runs commands in to see how they are. */
function execProbes(containers: readonly Json[]): string[] {
  const probed = containers.filter((one) => PROBES.some((probe) => { const exec = object(one[probe])['exec']; return typeof exec === 'object' && exec !== null; }));
  return probed.map((one) => text(one['name'])).filter((name) => name !== null);
}

/** @param pod an object of kind Pod, of the API or of the kubelet; never throws, whatever it is */
export function podStatus(pod: unknown): PodStatus {
  const metadata = object(object(pod)['metadata']);
  const spec = object(object(pod)['spec']);
  const status = object(object(pod)['status']);
  const conditions = conditionsOf(status);
  const inits = list(spec['initContainers']).map(object);
  const sidecars = new Set(inits.filter((one) => one['restartPolicy'] === 'Always').map((one) => text(one['name']) ?? ''));
  const phase = text(status['phase']) ?? '';

  let reason = text(status['reason']) ?? phase;
  if (conditions.some((one) => one['type'] === 'PodScheduled' && one['reason'] === 'SchedulingGated')) reason = 'SchedulingGated';

  const sum = { ready: 0, restarts: 0, sidecarRestarts: 0 };
  const initializing = initialize(list(status['initContainerStatuses']).map(object), sidecars, inits.length, sum);
  reason = initializing ?? reason;
  // A sidecar that failed later does not turn an initialized pod back.
  if (initializing === null || conditions.find((one) => one['type'] === 'Initialized')?.['status'] === 'True') {
    sum.restarts = sum.sidecarRestarts;
    const ran = run(list(status['containerStatuses']).map(object), sum);
    reason = ran.reason ?? reason;
    if (reason === 'Completed' && ran.running) reason = conditions.some((one) => one['type'] === 'Ready' && one['status'] === 'True') ? 'Running' : 'NotReady';
  }

  if (metadata['deletionTimestamp'] != null) {
    if (status['reason'] === NODE_LOST) reason = 'Unknown';
    else if (phase !== 'Succeeded' && phase !== 'Failed') reason = 'Terminating';
  }
  const createdAt = text(metadata['creationTimestamp']);
  const probed = execProbes([...list(spec['containers']).map(object), ...inits]);
  return {
    ready: sum.ready, containers: list(spec['containers']).length + inits.filter((one) => one['restartPolicy'] === 'Always').length,
    status: reason, restarts: sum.restarts, createdAt: createdAt !== null && !Number.isNaN(Date.parse(createdAt)) ? createdAt : null,
    ...(probed.length > 0 && { execProbes: probed }),
  };
}
