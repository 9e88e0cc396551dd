import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContainerInfo, PodStatus } from '../../src/frame/frame.ts';
import { parsePodRef } from '../../src/frame/pod-ref.ts';
import type { Verdict } from '../../src/frame/verdict.ts';
import { type WorkloadKind, ofWorkload } from '../../src/frame/workload.ts';
import { info } from '../output/frames.ts';

const STATUS: PodStatus = { ready: 1, containers: 1, status: 'Running', restarts: 0, createdAt: null };

function judge(wanted: string, of: Partial<ContainerInfo>): Verdict {
  const { kind, name } = parsePodRef(wanted);
  if (kind === null || kind === 'Pod') throw new Error(`${wanted} is no workload`);
  return ofWorkload(kind, name, info({ kind: 'pod', namespace: 'shop', container: 'app', podUid: 'u', nameSource: 'logs', ...of }));
}

const web = { pod: 'web-9d6c486f5-g6wg4' };
const webLabels = { ...web, labels: { app: 'web', 'pod-template-hash': '9d6c486f5' } };
const webOwner = { ...webLabels, owner: { kind: 'Deployment', name: 'web' }, podStatus: STATUS };
const agent = { pod: 'agent-48jhb' };
const agentLabels = { ...agent, labels: { 'controller-revision-hash': '5c6f958d49', k: 'agent', 'pod-template-generation': '1' } };
const tick = { pod: 'tick-29920448-nl5ml' };
const tickLabels = { ...tick, labels: { 'batch.kubernetes.io/job-name': 'tick-29920448', 'job-name': 'tick-29920448' } };
const tickOwner = { ...tickLabels, owner: { kind: 'CronJob', name: 'tick' }, podStatus: STATUS };
const db = { pod: 'db-10' };
const dbLabels = { ...db, labels: { 'statefulset.kubernetes.io/pod-name': 'db-10', 'controller-revision-hash': 'db-5c6f958d49' } };
const bare = { pod: 'web-1', labels: { app: 'web' }, podStatus: STATUS };

/** 56 letters: with a hash, longer than what is kept of a generated name. */
const LONG = 'l'.repeat(56);
const longPod = `${LONG}-9d6c486f5-`.slice(0, 58) + 'g6wg4';

describe('workloads by their owner', () => {
  it.each<[string, Partial<ContainerInfo>, Verdict]>([
    ['deploy/web', webOwner, 'yes'], ['deployments.apps/web', webOwner, 'yes'], ['deployment.v1.apps/web', webOwner, 'yes'], ['deploy/we', webOwner, 'no'], ['sts/web', webOwner, 'no'],
    ['rs/web-9d6c486f5', webOwner, 'yes'], ['rs/web-0', webOwner, 'no'], ['rs/web', webOwner, 'no'],
    ['rs/web-9d6c486f5', { ...webOwner, labels: {} }, 'unknown'], ['rs/api-9d6c486f5', { ...webOwner, labels: {} }, 'no'],
    ['cj/tick', tickOwner, 'yes'], ['job/tick-29920448', tickOwner, 'yes'], ['job/tick-1', tickOwner, 'no'], ['job/tick', tickOwner, 'no'],
    ['job/tick-29920448', { ...tickOwner, labels: {} }, 'unknown'], ['job/tock-1', { ...tickOwner, labels: {} }, 'no'],
    ['job/once', { pod: 'once-abcde', owner: { kind: 'Job', name: 'once' } }, 'yes'], ['cj/once', { pod: 'once-1-abcde', owner: { kind: 'Job', name: 'once-1' } }, 'no'],
    ['rs/lone', { pod: 'lone-abcde', owner: { kind: 'ReplicaSet', name: 'lone' } }, 'yes'], ['deploy/lone', { pod: 'lone-abcde', owner: { kind: 'ReplicaSet', name: 'lone' } }, 'no'],
    ['ds/agent', { ...agent, owner: { kind: 'DaemonSet', name: 'agent' } }, 'yes'], ['sts/db', { ...db, owner: { kind: 'StatefulSet', name: 'db' } }, 'yes'],
    // A pod that a workload adopted is called as it likes.
    ['deploy/web', { pod: 'stray', owner: { kind: 'Deployment', name: 'web' } }, 'yes'],
    ['deploy/static', { pod: 'static-web-node1', owner: { kind: 'Node', name: 'node1' } }, 'no'],
    // Its status is known and no owner was told: it has none.
    ['deploy/web', bare, 'no'], ['sts/web', bare, 'no'], ['deploy/web', { ...webLabels, podStatus: STATUS }, 'no'], ['rs/lone', { pod: 'lone-abcde', podStatus: STATUS }, 'no'],
  ])('%s', (wanted, of, verdict) => expect(judge(wanted, of)).toBe(verdict));
});

describe('workloads by labels and names', () => {
  it.each<[string, Partial<ContainerInfo>, Verdict]>([
    ['deploy/web', webLabels, 'yes'], ['deploy/we', webLabels, 'no'], ['deploy/web-9d6c486f5', webLabels, 'no'], ['deploy/api', webLabels, 'no'],
    ['deploy/web', { ...webLabels, pod: 'web-9d6c486f5' }, 'no'], ['deploy/web', { ...webLabels, labels: { 'pod-template-hash': 'other' } }, 'no'],
    ['deploy/web', { ...web, labels: { app: 'web' } }, 'no'],
    ['deploy/web', { pod: 'web-a-9d6c486f5-g6wg4', labels: webLabels.labels }, 'no'], ['deploy/web-a', { pod: 'web-a-9d6c486f5-g6wg4', labels: webLabels.labels }, 'yes'],
    ['rs/web-9d6c486f5', webLabels, 'yes'], ['rs/web', webLabels, 'no'], ['rs/lone', { pod: 'lone-abcde', labels: { app: 'x' } }, 'unknown'], ['rs/lone', { pod: 'lone', labels: { app: 'x' } }, 'no'],
    ['ds/agent', agentLabels, 'yes'], ['ds/agen', agentLabels, 'no'], ['ds/agent', { ...agent, labels: { k: 'agent' } }, 'no'], ['sts/agent', agentLabels, 'no'], ['deploy/agent', agentLabels, 'no'],
    ['sts/db', dbLabels, 'yes'], ['sts/d', dbLabels, 'no'], ['ds/db', dbLabels, 'no'], ['sts/db', { ...db, labels: { app: 'db' } }, 'no'],
    ['job/tick-29920448', tickLabels, 'yes'], ['job/tick-29920448', { ...tick, labels: { 'job-name': 'tick-29920448' } }, 'yes'], ['job/tick', tickLabels, 'no'], ['job/tick-29920448', { ...tick, labels: { a: 'b' } }, 'no'],
    ['cj/tick', tickLabels, 'unknown'], ['cj/tic', tickLabels, 'no'], ['cj/tick', { ...tick, labels: { a: 'b' } }, 'no'],
    // The name is cut: another long one looks the same.
    [`deploy/${LONG}`, { pod: longPod, labels: webLabels.labels }, 'unknown'], [`deploy/${LONG.slice(1)}`, { pod: longPod, labels: webLabels.labels }, 'no'],
  ])('%s', (wanted, of, verdict) => expect(judge(wanted, of)).toBe(verdict));
});

describe('workloads by names alone', () => {
  it.each<[string, Partial<ContainerInfo>, Verdict]>([
    ['deploy/web', web, 'unknown'], ['deploy/we', web, 'no'], ['deploy/web-9d6c486f5', web, 'no'], ['deploy/web', { pod: 'web-1' }, 'no'], ['deploy/web', { pod: 'web' }, 'no'],
    ['rs/web-9d6c486f5', web, 'unknown'], ['rs/web', web, 'no'],
    ['ds/agent', agent, 'unknown'], ['ds/agen', agent, 'no'],
    ['sts/db', db, 'unknown'], ['sts/db', { pod: 'db-a' }, 'no'], ['sts/db', { pod: 'dbx-1' }, 'no'], ['sts/db', { pod: 'db-' }, 'no'],
    ['job/tick-29920448', tick, 'unknown'], ['job/once', { pod: 'once-3-abcde' }, 'unknown'], ['job/once', { pod: 'once-x-abcde' }, 'no'],
    ['cj/tick', tick, 'unknown'], ['cj/tick', { pod: 'tick-abcde' }, 'no'], ['cj/tick', { pod: 'tick-29920448-0-nl5ml' }, 'unknown'],
    [`deploy/${LONG}`, { pod: longPod }, 'unknown'], [`job/${LONG}`, { pod: `${LONG.slice(0, 55)}-7-g6wg4` }, 'unknown'], [`deploy/${'x'.repeat(56)}`, { pod: longPod }, 'no'],
    ['deploy/web', { pod: null }, 'unknown'],
  ])('%s', (wanted, of, verdict) => expect(judge(wanted, of)).toBe(verdict));
});

const name = fc.oneof(fc.constantFrom('web', 'web-1', 'db'), fc.stringMatching(/^[a-z](?:[a-z0-9-]{0,52}[a-z0-9])?$/));
const hash = fc.stringMatching(/^[bcdf2456]{8,10}$/);
const suffix = fc.stringMatching(/^[bcdf2456]{5}$/);
const digits = fc.nat(99_999_999).map(String);

interface Pod {
  readonly pod: string;
  readonly labels: Record<string, string>;
  readonly owner: { readonly kind: string; readonly name: string } | null;
}
const cut = (start: string, end: string): string => start.slice(0, 58) + end;
/** Pods as controllers make them, with everything known. */
const made: fc.Arbitrary<Pod> = fc.oneof(
  fc.tuple(name, hash, suffix).map(([of, h, end]): Pod => ({ pod: cut(`${of}-${h}-`, end), labels: { 'pod-template-hash': h }, owner: { kind: 'Deployment', name: of } })),
  fc.tuple(name, suffix).map(([of, end]): Pod => ({ pod: cut(`${of}-`, end), labels: { a: 'b' }, owner: { kind: 'ReplicaSet', name: of } })),
  fc.tuple(name, hash, suffix).map(([of, h, end]): Pod => ({ pod: cut(`${of}-`, end), labels: { 'controller-revision-hash': h, 'pod-template-generation': '1' }, owner: { kind: 'DaemonSet', name: of } })),
  fc.tuple(name, digits).map(([of, n]): Pod => ({ pod: `${of}-${n}`, labels: { 'statefulset.kubernetes.io/pod-name': `${of}-${n}` }, owner: { kind: 'StatefulSet', name: of } })),
  fc.tuple(name, suffix).map(([of, end]): Pod => ({ pod: cut(`${of}-`, end), labels: { 'job-name': of }, owner: { kind: 'Job', name: of } })),
  fc.tuple(name, digits, suffix).map(([of, n, end]): Pod => ({ pod: cut(`${of}-${n}-`, end), labels: { 'batch.kubernetes.io/job-name': `${of}-${n}` }, owner: { kind: 'CronJob', name: of } })),
  name.map((of): Pod => ({ pod: of, labels: { a: 'b' }, owner: null })),
);
const kinds: readonly WorkloadKind[] = ['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job', 'CronJob'];

describe('any pod', () => {
  it('is never judged otherwise than when everything is known', () => {
    fc.assert(fc.property(made, fc.constantFrom(...kinds), fc.nat(40), (pod, kind, n) => {
      const all = info({ kind: 'pod', namespace: 'shop', podStatus: STATUS, nameSource: 'api', ...pod });
      // The names that it could be asked by: its owner's, and each start of its own.
      const parts = pod.pod.split('-');
      const wanted = [pod.owner?.name ?? 'x', ...parts.map((_, i) => parts.slice(0, i + 1).join('-'))];
      const asked = wanted[n % wanted.length] ?? 'x';
      const truth = ofWorkload(kind, asked, all);
      const labelled = ofWorkload(kind, asked, { ...all, owner: null, podStatus: null, nameSource: 'cri' });
      const named = ofWorkload(kind, asked, { ...all, owner: null, podStatus: null, nameSource: 'logs', labels: {}, labelSource: null });
      const nameless = ofWorkload(kind, asked, { ...all, owner: null, podStatus: null, nameSource: null, labels: {}, labelSource: null, pod: null });
      expect(truth).not.toBe('unknown');
      expect([truth, 'unknown']).toContain(labelled);
      expect(named === 'no' ? 'no' : 'unknown').toBe(named);
      expect([truth, 'unknown']).toContain(named);
      expect(nameless).toBe('unknown');
    }), { numRuns: 3000 });
  });
});
