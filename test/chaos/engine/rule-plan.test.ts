import { describe, expect, it } from 'vitest';
import type { KernelCapabilities } from '../../../src/chaos/engine/capabilities.ts';
import { packCall, planRule, type RulePlan } from '../../../src/chaos/engine/rule-plan.ts';
import { selectForRule } from '../../../src/chaos/select.ts';
import type { RuleDraft } from '../../../src/chaos/validate.ts';
import { callOf } from '../../../src/frame/syscall-names/index.ts';
import { ruleOf } from '../arbitrary.ts';
import { FULL, NOTHING, STOCK } from '../capabilities-fixture.ts';

const full: KernelCapabilities = { ...FULL, holders: new Set(['fmod_ret', 'lsm']) };
const stock: KernelCapabilities = { ...STOCK, holders: new Set(), maxDelayUs: 5_000_000 };

function plan(draft: RuleDraft, capabilities: KernelCapabilities, dryRun = false): RulePlan {
  const rule = ruleOf(draft);
  return planRule(rule, selectForRule(rule, capabilities), capabilities, dryRun);
}
/** "abi call: program target,..." a line. */
const lines = ({ calls }: RulePlan): string[] => calls.map(({ packed, hooks }) => {
  const { abi, name } = callOf(packed);
  return [`${abi} ${name}:`, ...hooks.map(({ program, targets, perCgroup, name: hook }) => `${program} ${targets.join('|')} ${hook}${perCgroup ? ' per cgroup' : ''}`)].join(' ');
});

it('packCall is the other way of callOf', () => {
  for (const call of [{ abi: 'x86_64', nr: 257 }, { abi: 'arm', nr: 0 }, { abi: 'x32', nr: 1023 - 1 }]) expect(callOf(packCall(call))).toMatchObject(call);
});

describe('planRule', () => {
  it('attaches to the function of each ABI that has the call', () => {
    expect(lines(plan({ syscalls: ['openat'], error: 'ENOENT' }, full))).toEqual([
      'x86_64 openat: modify __x64_sys_openat call', 'i386 openat: modify __ia32_compat_sys_openat call', 'x32 openat: modify __x64_sys_openat call',
    ]);
  });

  it('fails what a kernel fault says, below the calls of every ABI', () => {
    const kernel = { fault: 'slab', function: 'ext4_create', argument: 3, string: 'hello' };
    const { rule, calls } = plan({ syscalls: ['openat'], kernel }, full, true);
    const when = { kind: 'string', argument: 3, equals: 'hello' };
    const hook = { object: 'chaos/alloc', targets: ['should_failslab'], perCgroup: false, required: true, kernel: { fault: { fault: 'slab', function: 'ext4_create', when }, backend: 'fmod_ret' } };
    expect(calls.map(({ packed }) => callOf(packed).abi)).toEqual(['x86_64', 'i386', 'x32']);
    for (const { hooks, backend } of calls) expect({ hooks, backend }).toMatchObject({ hooks: [hook], backend: 'fmod_ret' });
    expect(rule).toMatchObject({ effect: 'error', value: 12n, dryRun: true });
    // Only the same fault may share a hook.
    const nameOf = (draft: RuleDraft): string => plan(draft, full).calls[0]?.hooks[0]?.name ?? '';
    expect(nameOf({ syscalls: ['creat'], kernel })).toBe(calls[0]?.hooks[0]?.name);
    const others = [{ kernel: { ...kernel, string: 'world' } }, { kernel: { ...kernel, fault: 'page' } }, { kernel, backend: 'kprobe' }].map((draft) => nameOf({ syscalls: ['openat'], ...draft }));
    expect(new Set([calls[0]?.hooks[0]?.name, ...others]).size).toBe(4);
  });

  it('has no kernel fault where nothing lets the function fail', () => {
    expect(() => plan({ syscalls: ['openat'], kernel: { fault: 'bio', function: 'vfs_fsync' } }, stock)).toThrow(/^no bio failures: fmod_ret: /);
  });

  it('leaves out an ABI whose function this kernel does not let fail', () => {
    const capabilities = { ...full, injectable: new Set(['__x64_sys_openat']) };
    expect(lines(plan({ syscalls: ['openat'], error: 'ENOENT' }, capabilities))).toEqual(['x86_64 openat: modify __x64_sys_openat call', 'x32 openat: modify __x64_sys_openat call']);
  });

  it('tries every function where it is not known which there are, and needs none of them', () => {
    const { calls } = plan({ syscalls: ['openat'], error: 'ENOENT' }, { ...full, injectable: null });
    expect(calls.map(({ hooks }) => hooks.map(({ targets, required }) => [targets[0], required]))).toEqual([[['__x64_sys_openat', false]], [['__ia32_compat_sys_openat', false], ['__ia32_sys_openat', false]], [['__x64_sys_openat', false]]]);
  });

  it('gives kprobes the names that the list has', () => {
    expect(lines(plan({ syscalls: ['getppid'], error: 'EPERM', backend: 'kprobe' }, { ...full, injectable: new Set(['__x64_sys_getppid']) }))[0]).toBe('x86_64 getppid: override __x64_sys_getppid call');
    expect(lines(plan({ syscalls: ['getppid'], error: 'EPERM', backend: 'kprobe' }, { ...full, injectable: null }))[0]).toBe('x86_64 getppid: override __do_sys_getppid|__x64_sys_getppid|__ia32_sys_getppid call');
    expect(lines(plan({ syscalls: ['getppid'], error: 'EPERM' }, full))[0]).toBe('x86_64 getppid: modify __do_sys_getppid call');
  });

  it('attaches to security hooks, for all or for a cgroup', () => {
    expect(lines(plan({ syscalls: ['connect'], error: 'EPERM', backend: 'fmod_ret_security' }, stock))[0]).toBe('x86_64 connect: modify security_socket_connect socket_connect');
    expect(lines(plan({ syscalls: ['connect'], error: 'EPERM', backend: 'lsm' }, stock))[0]).toBe('x86_64 connect: deny socket_connect socket_connect');
    expect(lines(plan({ syscalls: ['connect'], error: 'EPERM', backend: 'lsm_cgroup' }, stock))[0]).toBe('x86_64 connect: deny_cgroup socket_connect socket_connect per cgroup');
    expect(lines(plan({ syscalls: ['connect'], error: 'EPERM', backend: 'cgroup' }, stock))[0]).toBe('x86_64 connect: connect4  connect4 per cgroup connect6  connect6 per cgroup');
  });

  it('acts at the entry for signals and short delays, in a hook that may sleep for long ones', () => {
    const short = plan({ syscalls: ['openat'], delay: 20_000 }, full), long = plan({ syscalls: ['openat'], delay: 20_001 }, full);
    expect([lines(short)[0], short.rule.value, short.rule.yields]).toEqual(['x86_64 openat:', 20_000_000n, false]);
    expect([lines(long)[0], long.rule.value, long.rule.yields]).toEqual(['x86_64 openat: modify_holding __x64_sys_openat call', 20_001_000n, true]);
    expect(lines(plan({ syscalls: ['openat'], delay: 30_000 }, { ...stock, holders: new Set(['lsm']) }))[0]).toMatch(/^x86_64 openat: deny_holding path_mknod .*deny_holding file_open file_open$/);
    expect(plan({ syscalls: ['getpid'], signal: 'SIGKILL' }, full).rule).toMatchObject({ effect: 'signal', value: 9n, yields: false });
  });

  it('says why a long delay cannot be', () => {
    expect(() => plan({ syscalls: ['openat'], delay: 30_000 }, stock)).toThrow('openat cannot be held for 30ms: this kernel has no hook that may sleep; up to 20ms is possible');
    expect(() => plan({ syscalls: ['fsync'], delay: 30_000 }, { ...stock, holders: new Set(['lsm']) })).toThrow(/^fsync cannot be held for 30ms: no errors from fsync: lsm: fsync passes no security hook; up to 20ms is possible$/);
  });

  it('tells where the arguments lie that predicates look at, and takes predicates and limits along', () => {
    const { calls, rule } = plan({ syscalls: ['renameat2', 'dup3', 'connect'], error: 'EPERM', where: { comm: 'a', uid: 3 }, maxHits: 9, skip: 2, seed: 1 }, full, true);
    const places = new Map(calls.map(({ syscall, places: of }) => [syscall, of]));
    expect(places.get('renameat2')).toEqual({ path: [1, 3], fd: [], address: null });
    expect(places.get('dup3')).toEqual({ path: [], fd: [0, 1], address: null });
    expect(places.get('connect')).toEqual({ path: [], fd: [0], address: 1 });
    expect(rule).toMatchObject({ effect: 'error', value: 1n, dryRun: true, comm: 'a', uid: 3, fd: null, port: null, path: null, limits: { maxHits: 9n, skip: 2n } });
  });

  it('refuses what nothing here can do', () => {
    expect(() => plan({ syscalls: ['openat'], error: 'EPERM' }, { ...full, ...NOTHING })).toThrow(expect.objectContaining({ name: 'ChaosError', kind: 'impossible', message: expect.stringMatching(/^no errors from openat: /) as string }));
  });
});
