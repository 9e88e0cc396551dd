import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { podStatus } from '../../../src/identity/kubernetes/status.ts';

const running = { running: { startedAt: '2026-11-21T02:07:28Z' } };
const waiting = (reason: string) => ({ waiting: { reason } });
const ended = (fields: object) => ({ terminated: { exitCode: 0, ...fields } });
const one = (name: string, state: object, more: object = {}) => ({ name, state, restartCount: 0, ready: 'running' in state, ...more });
const READY = { type: 'Ready', status: 'True' };
const INITIALIZED = { type: 'Initialized', status: 'True' };

interface Parts {
  readonly phase?: string;
  readonly reason?: string;
  readonly conditions?: readonly object[];
  /** Names of init containers; a sidecar's ends in "*". */
  readonly inits?: readonly string[];
  readonly init?: readonly object[];
  readonly main?: readonly object[];
  readonly deleted?: boolean;
  readonly containers?: number;
}

const pod = ({ phase = 'Running', reason, conditions = [], inits = [], init = [], main = [], deleted = false, containers = Math.max(main.length, 1) }: Parts) => ({
  metadata: { name: 'p', creationTimestamp: '2026-11-21T02:07:27Z', ...(deleted && { deletionTimestamp: '2026-11-21T02:08:00Z' }) },
  spec: {
    initContainers: inits.map((name) => (name.endsWith('*') ? { name: name.slice(0, -1), restartPolicy: 'Always' } : { name })),
    containers: Array.from({ length: containers }, (_, i) => ({ name: `c${i}` })),
  },
  status: { phase, ...(reason !== undefined && { reason }), conditions, initContainerStatuses: init, containerStatuses: main },
});

const brief = (parts: Parts): string => {
  const { ready, containers, status, restarts } = podStatus(pod(parts));
  return `${ready}/${containers} ${status} ${restarts}`;
};

describe('READY, STATUS and RESTARTS', () => {
  it.each<[string, Parts, string]>([
    ['a running pod', { main: [one('c0', running)] }, '1/1 Running 0'],
    ['not scheduled yet', { phase: 'Pending' }, '0/1 Pending 0'],
    ['gated', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'SchedulingGated' }] }, '0/1 SchedulingGated 0'],
    ['not schedulable, which is no gate', { phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable' }] }, '0/1 Pending 0'],
    ['another condition with that reason', { phase: 'Pending', conditions: [{ type: 'Ready', reason: 'SchedulingGated' }] }, '0/1 Pending 0'],
    ['evicted', { phase: 'Failed', reason: 'Evicted' }, '0/1 Evicted 0'],
    ['being created', { phase: 'Pending', main: [one('c0', waiting('ContainerCreating'))] }, '0/1 ContainerCreating 0'],
    ['image not found', { phase: 'Pending', main: [one('c0', waiting('ImagePullBackOff'))] }, '0/1 ImagePullBackOff 0'],
    ['crashing', { main: [one('c0', waiting('CrashLoopBackOff'), { restartCount: 7 })] }, '0/1 CrashLoopBackOff 7'],
    ['waiting for no reason', { phase: 'Pending', main: [one('c0', { waiting: {} })] }, '0/1 Pending 0'],
    ['killed for its memory', { main: [one('c0', ended({ exitCode: 137, reason: 'OOMKilled' }), { restartCount: 1 })] }, '0/1 OOMKilled 1'],
    ['failed', { phase: 'Failed', main: [one('c0', ended({ exitCode: 1, reason: 'Error' }))] }, '0/1 Error 0'],
    ['ended by a signal, no reason', { phase: 'Failed', main: [one('c0', ended({ exitCode: 137, signal: 9 }))] }, '0/1 Signal:9 0'],
    ['ended by itself, no reason', { phase: 'Failed', main: [one('c0', ended({ exitCode: 3 }))] }, '0/1 ExitCode:3 0'],
    ['done', { phase: 'Succeeded', main: [one('c0', ended({ reason: 'Completed' }))] }, '0/1 Completed 0'],
    ['one done, one running and the pod ready', { conditions: [READY], main: [one('c0', ended({ reason: 'Completed' })), one('c1', running)] }, '1/2 Running 0'],
    ['one done, one running and the pod not ready', { conditions: [{ type: 'Ready', status: 'False' }], main: [one('c0', ended({ reason: 'Completed' })), one('c1', running)] }, '1/2 NotReady 0'],
    ['one done, one running but not ready', { conditions: [READY], main: [one('c0', ended({ reason: 'Completed' })), one('c1', running, { ready: false })] }, '0/2 Completed 0'],
    ['running but not ready', { main: [one('c0', running, { ready: false })] }, '0/1 Running 0'],
    ['ready, but not said to run', { main: [one('c0', {}, { ready: true })] }, '0/1 Running 0'],
    ['of two in trouble, the first', { main: [one('c0', waiting('CrashLoopBackOff'), { restartCount: 2 }), one('c1', ended({ exitCode: 1, reason: 'Error' }), { restartCount: 3 })] }, '0/2 CrashLoopBackOff 5'],
    ['of a good one and one in trouble, that one', { main: [one('c0', running), one('c1', waiting('CrashLoopBackOff'))] }, '1/2 CrashLoopBackOff 0'],

    ['first of two init containers', { phase: 'Pending', inits: ['a', 'b'], init: [one('a', running), one('b', waiting('PodInitializing'))], main: [one('c0', waiting('PodInitializing'))] }, '0/1 Init:0/2 0'],
    ['second of two', { phase: 'Pending', inits: ['a', 'b'], init: [one('a', ended({ reason: 'Completed' })), one('b', waiting('PodInitializing'))], main: [one('c0', waiting('PodInitializing'))] }, '0/1 Init:1/2 0'],
    ['init containers through, the others not begun', { phase: 'Pending', inits: ['a'], init: [one('a', ended({ reason: 'Completed' }))], main: [one('c0', waiting('PodInitializing'))] }, '0/1 PodInitializing 0'],
    ['an init container without a state', { phase: 'Pending', inits: ['a'], init: [one('a', {})] }, '0/1 Init:0/1 0'],
    ['crashing init container: its restarts count', { phase: 'Pending', inits: ['a'], init: [one('a', waiting('CrashLoopBackOff'), { restartCount: 4 })], main: [one('c0', waiting('PodInitializing'))] }, '0/1 Init:CrashLoopBackOff 4'],
    ['init container without image', { phase: 'Pending', inits: ['a'], init: [one('a', waiting('ImagePullBackOff'))] }, '0/1 Init:ImagePullBackOff 0'],
    ['failed init container', { phase: 'Failed', inits: ['a'], init: [one('a', ended({ exitCode: 2, reason: 'Error' }))] }, '0/1 Init:Error 0'],
    ['failed init container, no reason', { phase: 'Failed', inits: ['a'], init: [one('a', ended({ exitCode: 2 }))] }, '0/1 Init:ExitCode:2 0'],
    ['killed init container, no reason', { phase: 'Failed', inits: ['a'], init: [one('a', ended({ exitCode: 143, signal: 15 }))] }, '0/1 Init:Signal:15 0'],
    ['restarts of init containers that are through do not count', { inits: ['a'], init: [one('a', ended({ reason: 'Completed' }), { restartCount: 9 })], main: [one('c0', running, { restartCount: 1 })] }, '1/1 Running 1'],

    ['a sidecar that runs', { inits: ['s*'], init: [one('s', running, { started: true, restartCount: 2 })], main: [one('c0', running, { restartCount: 1 })] }, '2/2 Running 3'],
    ['a sidecar that runs, not ready', { inits: ['s*'], init: [one('s', running, { started: true, ready: false })], main: [one('c0', running)] }, '1/2 Running 0'],
    ['a sidecar that has not started', { phase: 'Pending', inits: ['s*', 'a'], init: [one('s', running, { started: false, ready: false })], main: [one('c0', waiting('PodInitializing'))] }, '0/2 Init:0/2 0'],
    ['a sidecar before an init container', { phase: 'Pending', inits: ['s*', 'a'], init: [one('s', running, { started: true }), one('a', running)], main: [one('c0', waiting('PodInitializing'))] }, '1/2 Init:1/2 0'],
    ['a sidecar that failed in an initialized pod', { conditions: [INITIALIZED], inits: ['s*'], init: [one('s', ended({ exitCode: 1, reason: 'Error' }), { started: false, restartCount: 5 })], main: [one('c0', running)] }, '1/2 Init:Error 5'],
    ['a sidecar that failed while others say why', { conditions: [INITIALIZED], inits: ['s*'], init: [one('s', waiting('CrashLoopBackOff'), { started: false, restartCount: 5 })], main: [one('c0', waiting('CrashLoopBackOff'), { restartCount: 1 })] }, '0/2 CrashLoopBackOff 6'],
    ['an init container "started" is no sidecar', { phase: 'Pending', inits: ['a'], init: [one('a', running, { started: true })] }, '0/1 Init:0/1 0'],
    ['sidecars that ended well do not count as ready', { phase: 'Succeeded', inits: ['s*'], init: [one('s', ended({ reason: 'Completed' }), { started: true, ready: true })], main: [one('c0', ended({ reason: 'Completed' }))] }, '0/2 Completed 0'],

    ['being deleted', { deleted: true, main: [one('c0', running)] }, '1/1 Terminating 0'],
    ['being deleted before it began', { deleted: true, phase: 'Pending' }, '0/1 Terminating 0'],
    ['being deleted after it was done', { deleted: true, phase: 'Succeeded', main: [one('c0', ended({ reason: 'Completed' }))] }, '0/1 Completed 0'],
    ['being deleted after it failed', { deleted: true, phase: 'Failed', main: [one('c0', ended({ exitCode: 1, reason: 'Error' }))] }, '0/1 Error 0'],
    ['its node is lost', { deleted: true, reason: 'NodeLost', main: [one('c0', running)] }, '1/1 Unknown 0'],
    ['its node is lost, and nobody deleted it', { reason: 'NodeLost' }, '0/1 NodeLost 0'],
  ])('%s', (_, parts, want) => expect(brief(parts)).toBe(want));

  it('tells when the pod was made, if that is a time', () => {
    expect(podStatus(pod({})).createdAt).toBe('2026-11-21T02:07:27Z');
    expect(podStatus({ metadata: { creationTimestamp: 'soon' } }).createdAt).toBeNull();
  });

  it('tells whom probes run commands in', () => {
    const containers = [{ name: 'web', livenessProbe: { httpGet: { port: 80 } } }, { name: 'db', readinessProbe: { exec: { command: ['pg_isready'] } } }, { name: 'x', startupProbe: { exec: null } }];
    expect(podStatus({ spec: { containers, initContainers: [{ name: 'proxy', restartPolicy: 'Always', startupProbe: { exec: {} } }] } }).execProbes).toEqual(['db', 'proxy']);
    expect(podStatus({ spec: { containers: containers.slice(0, 1) } })).not.toHaveProperty('execProbes');
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), fc.anything(), fc.anything(), (a, b, c) => {
      const hostile = { metadata: a, spec: { initContainers: b, containers: c }, status: { conditions: a, initContainerStatuses: [b, c, { state: a }], containerStatuses: [c, { state: { terminated: b } }] } };
      for (const value of [a, hostile, { spec: a, status: b }]) expect(podStatus(value).restarts).toBeTypeOf('number');
    }));
  });
});
