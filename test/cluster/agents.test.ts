/** Agents found over the real client, against an API server under the test's hand. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AGENT_LABELS, type Agent, PodAgents, agentsOf } from '../../src/cluster/agents.ts';
import { Cluster } from '../../src/identity/kubernetes/cluster.ts';
import type { Failure } from '../../src/identity/kubernetes/failure.ts';
import { readPod } from '../../src/identity/kubernetes/pod.ts';
import { until } from '../identity/kubernetes/support/clock.ts';
import { type Pod, TestCluster, Watch, status } from '../identity/kubernetes/support/cluster.ts';
import { sendJson } from '../identity/kubernetes/support/server.ts';
import { World } from '../identity/kubernetes/support/source.ts';

const agentPod = (node: string, { uid = `uid-${node}`, phase = 'Running', made = '2026-11-20T00:00:00Z', deleted = false } = {}): Pod => ({
  metadata: { name: `kbtop-${uid}`, namespace: 'kbtop', uid, creationTimestamp: made, ...(deleted && { deletionTimestamp: '2026-11-21T00:00:00Z' }) },
  spec: { nodeName: node, containers: [{ name: 'kbtop' }] },
  status: { phase, containerStatuses: phase === 'Running' ? [{ name: 'kbtop', ready: true, state: { running: {} } }] : [] },
} as Pod);

const record = (pod: Pod) => readPod(pod)!;

describe('the agent of a node', () => {
  it('is the pod that runs, then the newer one, and none where there is no node yet', () => {
    const old = record(agentPod('n1', { uid: 'old', deleted: true })), young = record(agentPod('n1', { uid: 'new', made: '2026-11-21T00:00:00Z' }));
    const starting = record(agentPod('n1', { uid: 'starting', phase: 'Pending', made: '2026-11-22T00:00:00Z' }));
    expect(agentsOf([old, young, starting])).toEqual([{ node: 'n1', namespace: 'kbtop', pod: 'kbtop-new', uid: 'new', status: 'Running', running: true }]);
    expect(agentsOf([starting, old])).toMatchObject([{ uid: 'starting', status: 'Pending', running: false }]);
    expect(agentsOf([{ ...young, node: null }])).toEqual([]);
    expect(agentsOf([])).toEqual([]);
  });
});

describe('agents of a cluster', () => {
  let world: World, api: TestCluster, agents: PodAgents;
  const closing = new AbortController();
  const found: (readonly Agent[])[] = [];
  const troubles: (Failure | null)[] = [];

  beforeEach(async () => {
    world = new World();
    api = world.serve(new TestCluster());
    // The stub knows pods of all namespaces; these are those of one.
    api.refuse = (request, response) => {
      if (request.url.pathname !== '/api/v1/namespaces/kbtop/pods' || request.url.searchParams.get('labelSelector') !== AGENT_LABELS) return status(404)(request, response);
      if (request.url.searchParams.get('watch') === 'true') api.watches.push(new Watch(api.server, request, response));
      else sendJson(response, { kind: 'PodList', metadata: { resourceVersion: api.version }, items: api.pods });
      return true;
    };
    await api.server.listen();
    found.length = 0;
    troubles.length = 0;
    const cluster = new Cluster({ kind: 'files', files: [world.kubeconfig(api.server.url)], required: true, person: null }, null, world.clock, closing.signal);
    agents = new PodAgents(cluster, 'kbtop', world.clock);
  });
  afterEach(async () => {
    agents.close();
    await world.close();
  });

  const start = (): void => agents.start({ found: (all) => void found.push(all), trouble: (failure) => void troubles.push(failure) });
  const nodes = (): string[] | undefined => found.at(-1)?.map(({ node }) => node).toSorted();

  it('are those in its namespace with the labels of deploy/, and come and go with their pods', async () => {
    api.pods = [agentPod('n1'), agentPod('n2')];
    start();
    await until('a list', () => nodes()?.join() === 'n1,n2');
    const watch = await api.watch(1);
    watch.send({ type: 'ADDED', object: agentPod('n3', { phase: 'Pending' }) });
    await until('a new node', () => nodes()?.join() === 'n1,n2,n3');
    expect(found.at(-1)?.find(({ node }) => node === 'n3')?.running).toBe(false);
    watch.send({ type: 'MODIFIED', object: agentPod('n3') }, { type: 'DELETED', object: agentPod('n1') });
    await until('a node less', () => nodes()?.join() === 'n2,n3');
    expect(found.at(-1)?.every(({ running }) => running)).toBe(true);
  });

  it('say why they cannot be had', async () => {
    api.refuse = status(403, { kind: 'Status', message: 'pods is forbidden: User "anna" cannot list resource "pods" in the namespace "kbtop"', code: 403 });
    start();
    await until('a refusal', () => troubles.length > 0);
    expect(troubles[0]?.message).toMatch(/403.*anna/);
    expect(found).toEqual([]);
  });
});
