import { describe, expect, it } from 'vitest';
import { ownerName, statusSeverity } from '../../src/frame/pod.ts';

describe('the owner of a pod', () => {
  it.each([
    ['Deployment', 'deploy/web'], ['StatefulSet', 'sts/web'], ['DaemonSet', 'ds/web'], ['Job', 'job/web'], ['CronJob', 'cj/web'], ['ReplicaSet', 'rs/web'], ['Node', 'node/web'], ['Rollout', 'rollout/web'],
  ])('of kind %s is written %s', (kind, text) => {
    expect(ownerName({ kind, name: 'web' })).toBe(text);
  });
});

describe('a STATUS', () => {
  it.each(['Running', 'Completed', 'Succeeded'])('%s is fine', (status) => expect(statusSeverity(status)).toBe('ok'));
  it.each(['Pending', 'ContainerCreating', 'PodInitializing', 'Init:0/2', 'Terminating', 'NotReady', 'SchedulingGated'])('%s is under way', (status) => expect(statusSeverity(status)).toBe('warn'));
  it.each(['CrashLoopBackOff', 'Error', 'OOMKilled', 'ImagePullBackOff', 'ErrImagePull', 'CreateContainerConfigError', 'Init:Error', 'Init:CrashLoopBackOff', 'Init:', 'Evicted', 'ExitCode:1', 'Unknown', ''])(
    '%s is trouble', (status) => expect(statusSeverity(status)).toBe('bad'));
});
