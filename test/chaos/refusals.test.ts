import { describe, expect, it } from 'vitest';
import { confirmationFor } from '../../src/chaos/confirmations.ts';
import { isCall } from '../../src/chaos/families.ts';
import { type NodeFacts, warningsOf } from '../../src/chaos/node-warnings.ts';
import { REFUSED_CALLS, callNote, refusedCall, refusedError } from '../../src/chaos/refused-calls.ts';
import { type OwnFacts, type TargetCgroup, type TargetTask, judgeTarget } from '../../src/chaos/refused-targets.ts';
import { judgeRule } from '../../src/chaos/refusals.ts';
import type { ContainerInfo } from '../../src/frame/frame.ts';
import { ruleOf } from './arbitrary.ts';

const task = (comm: string, pid = 4000, kernelThread = false): TargetTask => ({ pid, comm, kernelThread });
const OWN: OwnFacts = { pids: new Set([900, 901]), cgroup: '/user.slice/user-0.slice/session-1.scope' };

function cgroup(info: Partial<ContainerInfo>, tasks: readonly TargetTask[] = [task('nginx')]): TargetCgroup {
  return {
    key: info.cgroupId ?? '77', tasks,
    info: {
      kind: 'pod', cgroupId: '77', cgroup: '/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope', namespace: 'shop', pod: 'web-1', podUid: 'u1', container: 'app', containerId: 'a'.repeat(64), image: null, labels: {}, labelSource: null,
      owner: null, qos: null, podStatus: null, pidNs: null, nodename: null, nameSource: null, unresolved: null, ...info,
    },
  };
}

const APP = cgroup({});
const nobody: Partial<ContainerInfo> = { namespace: null, pod: null, podUid: null, container: null, containerId: null };

describe('judgeTarget', () => {
  it('lets ordinary containers be hit', () => {
    expect(judgeTarget([APP], OWN)).toEqual({ refusals: [], excluded: [] });
    expect(judgeTarget([cgroup({ ...nobody, kind: 'container', container: 'db', cgroup: '/docker/x' })], OWN).refusals).toEqual([]);
    expect(judgeTarget([cgroup({ ...nobody, kind: 'unknown', cgroup: '/scratch' })], OWN).refusals).toEqual([]);
    expect(judgeTarget([cgroup({ namespace: 'payments', pod: 'etcd-0' })], OWN).refusals).toEqual([]);
    expect(judgeTarget([cgroup({ ...nobody, kind: 'user', cgroup: '/user.slice/user-1000.slice/session-9.scope' })], OWN).refusals).toEqual([]);
  });

  it.each<[string, readonly TargetCgroup[], string, string]>([
    ['nothing', [], 'nothing', 'no running container matches the target'],
    ['the root cgroup', [cgroup({ ...nobody, kind: 'host', cgroup: '/' })], 'host', 'the target is the whole node: choose a pod or container'],
    ['the host by its path', [cgroup({ ...nobody, kind: 'unknown', cgroup: '/' })], 'host', 'the target is the whole node: choose a pod or container'],
    ['all pods', [cgroup({ ...nobody, kind: 'unknown', cgroup: '/kubepods.slice' })], 'all-pods', '/kubepods.slice holds all pods or all of a class: choose one'],
    ['a class of pods', [cgroup({ ...nobody, kind: 'unknown', cgroup: '/kubepods.slice/kubepods-burstable.slice' })], 'all-pods', '/kubepods.slice/kubepods-burstable.slice holds all pods or all of a class: choose one'],
    ['a class of pods (cgroupfs)', [cgroup({ ...nobody, kind: 'unknown', cgroup: '/kubepods/besteffort' })], 'all-pods', '/kubepods/besteffort holds all pods or all of a class: choose one'],
    ['a service', [cgroup({ ...nobody, kind: 'service', cgroup: '/system.slice/ssh.service' }, [task('sshd')])], 'service', 'ssh.service is a service of the node, not a container'],
    ['a system slice', [cgroup({ ...nobody, kind: 'unknown', cgroup: '/system.slice' }, [])], 'service', 'system.slice is a service of the node, not a container'],
    ['systemd\'s own scope', [cgroup({ ...nobody, kind: 'unknown', cgroup: '/init.scope' }, [task('x')])], 'service', 'init.scope is a service of the node, not a container'],
    ['the first process', [cgroup({ ...nobody, kind: 'unknown', cgroup: '/x' }, [task('init', 1)])], 'init', 'x holds the node\'s first process'],
    ['kbtop', [cgroup({}, [task('nginx'), task('node', 901)])], 'own', 'shop/web-1/app holds kbtop itself or a process that kbtop depends on (node, pid 901)'],
    ['the cgroup above kbtop', [cgroup({ ...nobody, kind: 'user', cgroup: '/user.slice/user-0.slice' }, [])], 'own', '/user.slice/user-0.slice holds kbtop itself'],
    ['kernel threads', [cgroup({ ...nobody, kind: 'unknown', cgroup: '/x' }, [task('vhost-1', 50, true)])], 'kernel-thread', 'x holds kernel threads (vhost-1)'],
    ['the kubelet', [cgroup({ ...nobody, kind: 'unknown', cgroup: '/x' }, [task('kubelet')])], 'runtime', 'x holds kubelet (pid 4000), which runs containers or the node'],
    ['containerd', [cgroup({}, [task('containerd')])], 'runtime', 'shop/web-1/app holds containerd (pid 4000), which runs containers or the node'],
    ['a shim', [cgroup({}, [task('containerd-shim')])], 'runtime', 'shop/web-1/app holds containerd-shim (pid 4000), which runs containers or the node'],
    ['conmon', [cgroup({}, [task('conmon')])], 'runtime', 'shop/web-1/app holds conmon (pid 4000), which runs containers or the node'],
    ['a pause container', [cgroup({ kind: 'sandbox', container: null }, [task('pause')])], 'sandbox', 'the target is a pod\'s pause container: choose one that runs a program'],
    ['what looks like one', [cgroup({}, [task('pause')])], 'sandbox', 'the target is a pod\'s pause container: choose one that runs a program'],
    ['kube-system', [cgroup({ namespace: 'kube-system', pod: 'coredns-1' })], 'system-pod', 'namespace kube-system runs the cluster: --allow-system hits it nevertheless'],
    ['a CNI pod', [cgroup({ namespace: 'net', pod: 'cilium-abcde' })], 'system-pod', 'pod cilium-abcde runs the node or its network: --allow-system hits it nevertheless'],
    ['a CSI pod', [cgroup({ namespace: 'store', pod: 'ebs-csi-node-x' })], 'system-pod', 'pod ebs-csi-node-x runs the node\'s storage: --allow-system hits it nevertheless'],
  ])('refuses %s', (_, target, rule, reason) => {
    const { refusals } = judgeTarget(target, OWN);
    expect(refusals.map((refusal) => refusal.rule)).toContain(rule);
    expect(refusals.find((refusal) => refusal.rule === rule)?.reason).toBe(reason);
  });

  it('looks at every cgroup below the target, and names each rule once', () => {
    const { refusals } = judgeTarget([APP, cgroup({ cgroupId: '78' }, [task('containerd')]), cgroup({ cgroupId: '79' }, [task('kubelet'), task('x', 1)])], OWN);
    expect(refusals.map(({ rule }) => rule)).toEqual(['runtime', 'init']);
  });

  it('leaves out the pause container of a pod', () => {
    const sandbox = cgroup({ cgroupId: '80', kind: 'sandbox', container: null }, [task('pause')]);
    expect(judgeTarget([cgroup({ cgroupId: '70', container: null }, []), sandbox, APP], OWN)).toEqual({ refusals: [], excluded: ['80'] });
  });

  it('hits the cluster\'s own pods when that is allowed, but nothing worse', () => {
    const dns = cgroup({ namespace: 'kube-system', pod: 'coredns-1' });
    expect(judgeTarget([dns], OWN).refusals[0]?.unless).toBe('--allow-system');
    expect(judgeTarget([dns], OWN, true).refusals).toEqual([]);
    expect(judgeTarget([cgroup({ namespace: 'kube-system', pod: 'x' }, [task('kubelet')])], OWN, true).refusals.map(({ rule, unless }) => [rule, unless])).toEqual([['runtime', null]]);
  });

  it('does not refuse because a runtime is entering', () => {
    expect(judgeTarget([cgroup({}, [task('nginx'), task('runc:[2:INIT]')])], OWN).refusals).toEqual([]);
  });

  it('does not know kbtop\'s cgroup: its processes are enough', () => {
    expect(judgeTarget([cgroup({}, [task('node', 900)])], { ...OWN, cgroup: null }).refusals.map(({ rule }) => rule)).toEqual(['own']);
    expect(judgeTarget([cgroup({ cgroup: null })], OWN).refusals).toEqual([]);
  });
});

describe('refused calls', () => {
  it('exist', () => {
    expect(REFUSED_CALLS.filter((name) => !isCall(name))).toEqual([]);
    expect(REFUSED_CALLS.every((name) => (refusedCall(name)?.reason.length ?? 0) > 15)).toBe(true);
  });

  it.each(['close', 'close_range', 'munmap', 'brk', 'rt_sigaction', 'futex', 'futex_time64', 'sched_yield', 'set_tid_address'])('%s needs expert mode', (call) => expect(refusedCall(call)?.expert).toBe(true));
  it.each(['exit', 'exit_group', 'rt_sigreturn', 'sigreturn', 'restart_syscall'])('%s is never allowed', (call) => expect(refusedCall(call)?.expert).toBe(false));
  it.each(['openat', 'read', 'fsync', 'connect', 'mmap', 'clone3', 'execve'])('%s is allowed', (call) => expect(refusedCall(call)).toBeNull());

  it('refuses some errors of some calls', () => {
    expect(refusedError('EINTR', 'close')).toContain('try again');
    expect(refusedError('EINTR', 'read')).toBeNull();
    expect(refusedError('EINPROGRESS', 'connect')).not.toBeNull();
    expect(callNote('clock_gettime')).toContain('vDSO');
    expect(callNote('openat')).toBeNull();
  });
});

const CALM: NodeFacts = { panicOnOops: false, hungTaskPanic: false, softlockupPanic: false, cgroupMode: 'v2', execProbes: [], ioUring: [] };
const facts = (node: Partial<NodeFacts> = {}, target: readonly TargetCgroup[] = [APP]) => ({ arch: 'x86_64' as const, target, own: OWN, node: { ...CALM, ...node } });
const PLAIN = { expert: false, allowSystem: false };
const EXPERT = { expert: true, allowSystem: false };
const slab = ruleOf({ syscalls: ['openat'], kernel: { fault: 'slab', function: 'ext4_create' } });

describe('judgeRule', () => {
  const rules = (rule: Parameters<typeof judgeRule>[0], given = facts(), permissions = PLAIN): string[] => judgeRule(rule, given, permissions).refusals.map(({ rule: name }) => name);

  it('has nothing against an ordinary rule', () => expect(rules(ruleOf({ syscalls: ['%open'], error: 'ENOSPC' }))).toEqual([]));

  it.each<[string, Parameters<typeof ruleOf>[0], Partial<NodeFacts>, typeof PLAIN, string[]]>([
    ['close without expert mode', { syscalls: ['close'], error: 'EIO' }, {}, PLAIN, ['call']],
    ['close in expert mode', { syscalls: ['close'], error: 'EIO' }, {}, EXPERT, []],
    ['EINTR of close in expert mode', { syscalls: ['close'], error: 'EINTR' }, {}, EXPERT, ['error']],
    ['exit_group in expert mode', { syscalls: ['exit_group'], error: 'EIO' }, {}, EXPERT, ['call']],
    ['a class with a refused call in it', { syscalls: ['%desc'], error: 'EIO' }, {}, PLAIN, ['call']],
    ['a signal at close', { syscalls: ['close'], signal: 'SIGTERM' }, {}, PLAIN, []],
    ['a delay of futex', { syscalls: ['futex'], delay: 500 }, {}, PLAIN, []],
    ['a kernel fault', { syscalls: ['openat'], kernel: { fault: 'slab', function: 'x' } }, {}, PLAIN, ['kernel-fault']],
    ['a kernel fault in expert mode', { syscalls: ['openat'], kernel: { fault: 'slab', function: 'x' } }, {}, EXPERT, []],
    ['a kernel fault where an oops panics', { syscalls: ['openat'], kernel: { fault: 'bio', function: 'x' } }, { panicOnOops: true }, EXPERT, ['panic']],
    ['an error where an oops panics', { syscalls: ['openat'], error: 'EIO' }, { panicOnOops: true }, PLAIN, []],
    ['a long delay where a stalled CPU panics', { syscalls: ['read'], delay: 1001 }, { softlockupPanic: true }, EXPERT, ['long-delay']],
    ['a short delay where a stalled CPU panics', { syscalls: ['read'], delay: 1000 }, { softlockupPanic: true }, PLAIN, []],
    ['a long delay where that is not known', { syscalls: ['read'], delay: 20_000 }, { softlockupPanic: null, panicOnOops: null }, PLAIN, []],
  ])('%s', (_, draft, node, permissions, expected) => expect([...new Set(rules(ruleOf(draft), facts(node), permissions))]).toEqual(expected));

  it('says what would allow it', () => {
    expect(judgeRule(ruleOf({ syscalls: ['close'], error: 'EIO' }), facts(), PLAIN).refusals).toEqual([
      { rule: 'call', reason: 'errors of close are refused: programs do not handle it: descriptors leak, or another one is closed in their place', unless: '--expert' },
    ]);
    expect(judgeRule(slab, facts(), PLAIN).refusals[0]?.unless).toBe('--expert');
  });

  it('refuses restart codes in a rule that came from elsewhere, and bad targets', () => {
    const forged = { ...ruleOf({ syscalls: ['read'], error: 'EIO' }), effect: { kind: 'error' as const, errno: 'ERESTARTSYS' } };
    expect(rules(forged)).toEqual(['error']);
    expect(rules(ruleOf({ syscalls: ['read'], error: 'EIO' }), facts({}, []))).toEqual(['nothing']);
  });
});

describe('confirmationFor', () => {
  const two = [APP, cgroup({ cgroupId: '90', pod: 'web-2', podUid: 'u2' })];
  it.each<[string, Parameters<typeof ruleOf>[0], readonly TargetCgroup[], boolean, string[] | null]>([
    ['an ordinary rule', { syscalls: ['openat'], error: 'EIO' }, [APP], false, null],
    ['two containers of a pod', { syscalls: ['openat'], error: 'EIO' }, [APP, cgroup({ cgroupId: '91', container: 'b' })], false, null],
    ['two pods', { syscalls: ['openat'], error: 'EIO' }, two, false, ['wide: 2 pods are hit']],
    ['a certain rule', { syscalls: ['openat'], error: 'EIO', maxHits: 1000 }, [APP], false, ['certain: every call is hit, 1000 times']],
    ['many hits with a chance to pass', { syscalls: ['openat'], error: 'EIO', maxHits: 1000, probability: 0.9 }, [APP], false, null],
    ['many hits of every second call', { syscalls: ['openat'], error: 'EIO', maxHits: 1000, every: 2 }, [APP], false, null],
    ['a kernel fault', { syscalls: ['openat'], kernel: { fault: 'slab', function: 'x' } }, [APP], false, ['irreversible: what the kernel makes of failed allocations may outlive the fault, such as a file system that turns read-only']],
    ['failing I/O', { syscalls: ['fsync'], kernel: { fault: 'bio', function: 'x' } }, [APP], false, ['irreversible: what the kernel makes of failed I/O may outlive the fault, such as a file system that turns read-only']],
    ['a deadly signal', { syscalls: ['openat'], signal: 'SIGKILL' }, [APP], false, ['irreversible: SIGKILL ends the process']],
    ['a stopping signal', { syscalls: ['openat'], signal: 'SIGSTOP' }, [APP], false, ['irreversible: SIGSTOP stops the process, and it stays stopped']],
    ['a harmless signal', { syscalls: ['openat'], signal: 'SIGUSR1' }, [APP], false, null],
    ['system pods', { syscalls: ['openat'], error: 'EIO' }, [APP], true, ['system: pods that run the node or the cluster may be hit']],
  ])('%s', (_, draft, target, allowSystem, reasons) => expect(confirmationFor(ruleOf(draft), target, { allowSystem })?.reasons ?? null).toEqual(reasons));

  it('asks for the name of the pod, or of the cgroup', () => {
    expect(confirmationFor(slab, [APP], { allowSystem: false })?.text).toBe('web-1');
    expect(confirmationFor(ruleOf({ syscalls: ['openat'], signal: 'KILL', target: { pod: 'a/other' } }), [APP], { allowSystem: false })?.text).toBe('other');
    expect(confirmationFor(slab, [cgroup({ ...nobody, kind: 'unknown', cgroup: '/a/scratch' })], { allowSystem: false })?.text).toBe('scratch');
  });
});

describe('warningsOf', () => {
  const about = (draft: Parameters<typeof ruleOf>[0], node: Partial<NodeFacts> = {}, target: readonly TargetCgroup[] = [APP]): string[] => warningsOf(ruleOf(draft), 'x86_64', { ...CALM, ...node }, target).map((warning) => warning.about);
  const open = { syscalls: ['openat'], error: 'ENOSPC' };

  it.each<[string, string[], string[]]>([
    ['a calm node', about(open), []],
    ['what is not known', about(open, { panicOnOops: null, hungTaskPanic: null, softlockupPanic: null, ioUring: null }), []],
    ['panic_on_oops', about(open, { panicOnOops: true }), ['panic_on_oops']],
    ['hung_task_panic and a call that returns', about(open, { hungTaskPanic: true }), []],
    ['hung_task_panic and fsync', about({ syscalls: ['fsync'], delay: 500 }, { hungTaskPanic: true }), ['hung_task_panic']],
    ['writeback that fails to allocate', about({ syscalls: ['fsync'], kernel: { fault: 'slab', function: 'ext4_init_io_end' } }), ['stall']],
    ['an open that does', about({ syscalls: ['openat'], kernel: { fault: 'slab', function: 'ext4_create' } }), []],
    ['softlockup_panic and a delay', about({ syscalls: ['read'], delay: 500 }, { softlockupPanic: true }), ['softlockup_panic']],
    ['softlockup_panic and an error', about(open, { softlockupPanic: true }), []],
    ['exec probes', about(open, { execProbes: ['app'] }), ['exec-probes']],
    ['io_uring', about(open, { ioUring: ['db (pid 7)'] }), ['io_uring']],
    ['cgroup v1', about(open, { cgroupMode: 'v1' }), ['cgroup-v1']],
    ['hybrid', about(open, { cgroupMode: 'hybrid' }), []],
    ['a runtime that enters', about(open, {}, [cgroup({}, [task('runc:[2:INIT]')])]), ['runtime']],
    ['an error that callers retry', about({ syscalls: ['read'], error: 'EAGAIN' }), ['retries']],
    ['the same with a chance to pass', about({ syscalls: ['read'], error: 'EINTR', probability: 0.5 }), []],
    ['a stopping signal', about({ syscalls: ['openat'], signal: 'SIGSTOP' }), ['stopped']],
    ['open alone', about({ syscalls: ['open'], error: 'EIO' }), ['calls']],
    ['the vDSO', about({ syscalls: ['getrandom'], error: 'EIO' }), ['calls']],
    ['socketcall', about({ syscalls: ['bind'], error: 'EADDRINUSE' }), ['calls']],
  ])('%s', (_, got, expected) => expect(got).toEqual(expected));

  it('names a few of many', () => {
    const [warning] = warningsOf(ruleOf(open), 'x86_64', { ...CALM, execProbes: ['a', 'b', 'c', 'd', 'e'] }, [APP]);
    expect(warning?.text).toBe('probes that run commands in a, b, c and 2 more will be hit, too: kubelet may restart the container');
  });
});
