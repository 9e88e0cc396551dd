import { describe, expect, it } from 'vitest';
import { ownerFromLabels, ownerOf } from '../../../src/identity/kubernetes/owner.ts';

const ref = (kind: string, name: string, controller = true) => ({ apiVersion: 'v1', kind, name, controller, uid: 'u' });
const shown = (owner: { readonly kind: string; readonly name: string } | null) => owner && `${owner.kind}/${owner.name}`;

describe('the owner, from references', () => {
  it.each<[string, unknown, Record<string, string>, string | null]>([
    ['Deployment', [ref('ReplicaSet', 'web-9d6c486f5')], { 'pod-template-hash': '9d6c486f5' }, 'Deployment/web'],
    ['Deployment with dashes', [ref('ReplicaSet', 'my-web-app-9d6c486f5')], { 'pod-template-hash': '9d6c486f5' }, 'Deployment/my-web-app'],
    ['Rollout', [ref('ReplicaSet', 'web-9d6c486f5')], { 'rollouts-pod-template-hash': '9d6c486f5' }, 'Rollout/web'],
    ['ReplicaSet of its own', [ref('ReplicaSet', 'web-9d6c486f5')], {}, 'ReplicaSet/web-9d6c486f5'],
    ['ReplicaSet with the hash of another', [ref('ReplicaSet', 'web')], { 'pod-template-hash': '9d6c486f5' }, 'ReplicaSet/web'],
    ['ReplicaSet that is only the hash', [ref('ReplicaSet', '-9d6c486f5')], { 'pod-template-hash': '9d6c486f5' }, 'ReplicaSet/-9d6c486f5'],
    ['CronJob', [ref('Job', 'tick-29920448')], {}, 'CronJob/tick'],
    ['CronJob before 1.21', [ref('Job', 'tick-1606521600')], {}, 'CronJob/tick'],
    ['Job', [ref('Job', 'migrate')], {}, 'Job/migrate'],
    ['Job with a number', [ref('Job', 'migrate-2')], {}, 'Job/migrate-2'],
    ['Job with a date', [ref('Job', 'backup-20260131')], {}, 'Job/backup-20260131'],
    ['Job with date and hour', [ref('Job', 'backup-2026013112')], {}, 'Job/backup-2026013112'],
    ['Job that is only digits', [ref('Job', '29920448')], {}, 'Job/29920448'],
    ['StatefulSet', [ref('StatefulSet', 'db')], {}, 'StatefulSet/db'],
    ['DaemonSet', [ref('DaemonSet', 'agent')], {}, 'DaemonSet/agent'],
    ['static pod', [ref('Node', 'node1')], {}, 'Node/node1'],
    ['anything else', [ref('Workflow', 'ci-7')], {}, 'Workflow/ci-7'],
    ['the controller, not the first', [ref('Other', 'x', false), ref('DaemonSet', 'agent')], {}, 'DaemonSet/agent'],
    ['the first without a controller', [ref('Other', 'x', false), ref('More', 'y', false)], {}, 'Other/x'],
    ['bare pod', undefined, {}, null],
    ['none', [], {}, null],
    ['broken references', [null, 7, { kind: 'Node' }, { name: 'x' }, { kind: 3, name: 'x' }], {}, null],
  ])('%s', (_, references, labels, want) => expect(shown(ownerOf(references, labels))).toBe(want));
});

describe('the owner, from labels and the name of the pod', () => {
  const long = 'a'.repeat(57);
  it.each<[string, Record<string, string>, string, string | null]>([
    ['Deployment', { 'pod-template-hash': '9d6c486f5' }, 'web-9d6c486f5-g6wg4', 'Deployment/web'],
    ['hash that is not in the name', { 'pod-template-hash': '9d6c486f5' }, 'web-g6wg4', null],
    ['hash in the wrong place', { 'pod-template-hash': '9d6c486f5' }, '9d6c486f5-g6wg4', null],
    ['a hash is no pattern', { 'pod-template-hash': '.*' }, 'web-9d6c486f5-g6wg4', null],
    ['StatefulSet', { 'statefulset.kubernetes.io/pod-name': 'db-0', 'controller-revision-hash': 'db-5c6f958d49' }, 'db-0', 'StatefulSet/db'],
    ['label of another pod', { 'statefulset.kubernetes.io/pod-name': 'db-0' }, 'copy-of-db-0', null],
    ['Job', { 'batch.kubernetes.io/job-name': 'migrate' }, 'migrate-x7k2p', 'Job/migrate'],
    ['Job, older label', { 'job-name': 'migrate' }, 'migrate-x7k2p', 'Job/migrate'],
    ['CronJob', { 'batch.kubernetes.io/job-name': 'tick-29920448', 'job-name': 'tick-29920448' }, 'tick-29920448-nl5ml', 'CronJob/tick'],
    ['label that somebody wrote', { 'job-name': 'migrate' }, 'web-0', null],
    ['DaemonSet', { 'controller-revision-hash': '5c6f958d49', 'pod-template-generation': '1' }, 'agent-48jhb', 'DaemonSet/agent'],
    ['DaemonSet whose name was cut', { 'controller-revision-hash': '5c6f958d49', 'pod-template-generation': '1' }, `${long}-48jhb`, null],
    ['revision alone', { 'controller-revision-hash': '5c6f958d49' }, 'agent-48jhb', null],
    ['no labels', {}, 'web-9d6c486f5-g6wg4', null],
  ])('%s', (_, labels, pod, want) => expect(shown(ownerFromLabels(labels, pod))).toBe(want));
});
