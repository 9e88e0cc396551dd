import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BACKEND_NAMES } from '../../src/chaos/backends.ts';
import { capabilitiesDocument, syscallCapability } from '../../src/chaos/capabilities.ts';
import { CALL_NAMES, FAMILIES } from '../../src/chaos/families.ts';
import { cgroupHooksOf, securityHooksOf } from '../../src/chaos/hooks.ts';
import { HOOK_WORDS } from '../../src/chaos/hooks-data.ts';
import { planRule, planScenario } from '../../src/chaos/scenario-choice.ts';
import { type ChaosCapabilities, KERNEL_FAULT_FUNCTIONS, KERNEL_FAULT_RETURNS, type Selection, select, selectForRule, selectKernelFault } from '../../src/chaos/select.ts';
import { BARE, FULL, NOTHING, STOCK } from './capabilities-fixture.ts';
import { KERNEL_FAULT_ERRORS } from '../../src/chaos/rule.ts';
import { errnoNumber } from '../../src/frame/errno.ts';
import { ruleOf } from './arbitrary.ts';

const error = (errno: string) => ({ kind: 'error' as const, errno });
const backendOf = ({ attachment }: Selection): string | null => attachment?.backend ?? null;
const why = (selection: Selection, backend: string): string => selection.others.find((other) => other.backend === backend)?.reason ?? '';
const without = (capabilities: ChaosCapabilities, ...names: string[]): ChaosCapabilities => ({
  ...capabilities, backends: Object.fromEntries(Object.entries(capabilities.backends).map(([name, state]) => [name, names.includes(name) ? { usable: false, reason: `no ${name}` } : state])) as ChaosCapabilities['backends'],
});

describe('hooks', () => {
  it('are of families that there are', () => {
    const families = new Set(FAMILIES.map(({ name }) => name));
    const named = HOOK_WORDS.flatMap(({ families: words }) => words.split(' '));
    expect(named.filter((name) => !families.has(name))).toEqual([]);
    expect(new Set(named).size).toBe(named.length);
  });

  it.each([['openat', 'security_file_open'], ['read', 'security_file_permission'], ['symlink', 'security_inode_symlink'], ['mmap', 'security_vm_enough_memory_mm'], ['clone3', 'security_task_alloc'], ['execve', 'security_bprm_check'], ['connect', 'security_socket_connect'], ['accept4', 'security_socket_accept']])('%s passes %s', (call, hook) => {
    expect(securityHooksOf(call)?.hooks.map((one) => one.function)).toContain(hook);
  });

  it.each(['fsync', 'fdatasync', 'sync', 'close', 'dup', 'pipe', 'poll', 'epoll_wait', 'futex', 'nanosleep', 'wait4', 'getpid', 'clock_gettime', 'munmap', 'madvise', 'vmsplice', 'uname'])('%s passes none', (call) => expect(securityHooksOf(call)).toBeNull());

  it('have other names, or none, for the BPF LSM', () => {
    expect(securityHooksOf('brk')?.hooks).toEqual([{ function: 'security_vm_enough_memory_mm', lsm: null }]);
    expect(securityHooksOf('execve')?.hooks.at(-1)).toEqual({ function: 'security_bprm_check', lsm: 'bprm_check_security' });
  });

  it.each([['connect', 'connect4 connect6'], ['bind', 'bind4 bind6'], ['sendto', 'sendmsg4 sendmsg6'], ['setsockopt', 'setsockopt'], ['getsockopt', 'getsockopt'], ['socket', 'sock_create']])('%s has cgroup programs %s', (call, programs) => expect(cgroupHooksOf(call)?.programs.join(' ')).toBe(programs));
  it.each(['openat', 'socketpair', 'write', 'recvmsg', 'accept'])('%s has none', (call) => expect(cgroupHooksOf(call)).toBeNull());
});

describe('select', () => {
  it.each<[string, string, ChaosCapabilities, string | null]>([
    ['openat', 'ENOSPC', FULL, 'fmod_ret'], ['fsync', 'EIO', FULL, 'fmod_ret'], ['getppid', 'EPERM', FULL, 'fmod_ret'], ['openat', 'ENOSPC', without(FULL, 'fmod_ret'), 'kprobe'],
    ['openat', 'ENOSPC', STOCK, 'lsm_cgroup'], ['openat', 'ENOSPC', without(STOCK, 'lsm_cgroup'), 'fmod_ret_security'], ['openat', 'ENOSPC', without(STOCK, 'lsm_cgroup', 'fmod_ret_security'), 'lsm'],
    ['brk', 'ENOMEM', STOCK, 'fmod_ret_security'], ['brk', 'ENOMEM', without(STOCK, 'fmod_ret_security'), null],
    ['fsync', 'EIO', STOCK, null], ['connect', 'ECONNREFUSED', BARE, 'cgroup'], ['connect', 'ECONNREFUSED', { ...BARE, cgroupAnyErrno: false }, null], ['connect', 'EPERM', { ...BARE, cgroupAnyErrno: false }, 'cgroup'],
    ['openat', 'ENOSPC', BARE, null], ['connect', 'EPERM', NOTHING, null],
    ['open', 'ENOSPC', { ...FULL, arch: 'arm64', injectable: null }, 'fmod_ret'], ['arch_prctl', 'EPERM', { ...FULL, arch: 'arm64', injectable: null }, null],
  ])('%s %s', (call, errno, capabilities, backend) => expect(backendOf(select(call, error(errno), capabilities))).toBe(backend));

  it('attaches to every way in, 32-bit ones too', () => {
    expect(select('openat', error('EIO'), FULL).attachment).toMatchObject({ kind: 'function', entries: [{ btf: '__x64_sys_openat' }, { btf: '__ia32_compat_sys_openat' }] });
    expect(select('getppid', error('EIO'), FULL).attachment).toMatchObject({ entries: [{ btf: '__do_sys_getppid' }] });
    const only64 = { ...FULL, injectable: new Set(['__x64_sys_openat']) };
    const selection = select('openat', error('EIO'), only64);
    expect(selection.attachment).toMatchObject({ entries: [{ btf: '__x64_sys_openat' }] });
    expect(selection.notes).toEqual(['openat of i386 programs is not hit: not among the functions that this kernel lets fail']);
    // Without a list, whoever attaches tries them in this order.
    expect(select('openat', error('EIO'), { ...FULL, injectable: null }).attachment).toMatchObject({ entries: [{ btf: '__x64_sys_openat' }, { btf: '__ia32_compat_sys_openat' }, { btf: '__ia32_sys_openat' }] });
  });

  it('attaches to the hooks that the kernel has, by the names of the backend', () => {
    expect(select('execve', error('ENOMEM'), STOCK).attachment).toEqual({ kind: 'hooks', backend: 'lsm_cgroup', hooks: ['bprm_creds_for_exec', 'bprm_check_security'] });
    expect(select('execve', error('ENOMEM'), STOCK, 'fmod_ret_security').attachment).toEqual({ kind: 'hooks', backend: 'fmod_ret_security', hooks: ['security_bprm_creds_for_exec', 'security_bprm_check'] });
    expect(select('truncate', error('EIO'), { ...STOCK, lsmHooks: new Set(['path_truncate']) }).attachment).toMatchObject({ hooks: ['path_truncate'] });
    expect(why(select('truncate', error('EIO'), { ...STOCK, securityFunctions: new Set() }), 'fmod_ret_security')).toBe('this kernel lacks security_path_truncate, security_file_truncate');
  });

  it('says what is different from the call really failing', () => {
    expect(select('openat', error('ENOSPC'), STOCK).notes.join('; ')).toContain('a new file fails before it exists');
    expect(select('accept4', error('EMFILE'), STOCK).notes.join('; ')).toContain('the connection stays in the backlog');
    expect(select('sendto', error('EPERM'), BARE).notes).toEqual(['sendto: UDP datagrams with an address only']);
    expect(select('openat', error('ENOSPC'), FULL).notes).toEqual([]);
  });

  it('says of every other backend why it is not the one', () => {
    const selection = select('openat', error('ENOSPC'), STOCK);
    expect(selection.others).toEqual([
      { backend: 'fmod_ret', reason: '__x64_sys_getcpu() is not modifiable' }, { backend: 'kprobe', reason: 'unknown func bpf_override_return#58' },
      { backend: 'fmod_ret_security', reason: 'could do it, but lsm_cgroup comes first' }, { backend: 'lsm', reason: 'could do it, but lsm_cgroup comes first' },
      { backend: 'cgroup', reason: 'cgroups have no hook for openat' }, { backend: 'signal', reason: 'gives signals only' }, { backend: 'delay', reason: 'gives delays only' },
    ]);
    expect(selection.reason).toBe('openat: errors by lsm_cgroup');
    expect(select('fsync', error('EIO'), STOCK).reason).toBe('no errors from fsync: fmod_ret: __x64_sys_getcpu() is not modifiable; kprobe: unknown func bpf_override_return#58; lsm_cgroup: fsync passes no security hook; fmod_ret_security: fsync passes no security hook; lsm: fsync passes no security hook; cgroup: cgroups have no hook for fsync');
    expect(why(select('openat', error('EIO'), { ...FULL, injectable: new Set() }), 'fmod_ret')).toBe('openat is not among the functions that this kernel lets fail');
  });

  it('does what was asked for by the backend that was asked for, or not at all', () => {
    expect(backendOf(select('openat', error('EIO'), FULL, 'lsm'))).toBe('lsm');
    const no = select('fsync', error('EIO'), FULL, 'lsm');
    expect(backendOf(no)).toBeNull();
    expect(no.reason).toBe('no errors from fsync: lsm: fsync passes no security hook');
    expect(why(no, 'fmod_ret')).toBe('could do it, but lsm was asked for');
    expect(select('openat', error('EIO'), FULL, 'signal').reason).toBe('no errors from openat: signal: gives signals only');
  });

  it('sends signals and delays at the entry', () => {
    expect(select('fsync', { kind: 'signal', signal: 'SIGTERM' }, BARE).attachment).toEqual({ kind: 'entry', backend: 'signal' });
    expect(select('fsync', { kind: 'delay', us: 20_000 }, STOCK).attachment).toEqual({ kind: 'entry', backend: 'delay' });
    expect(select('fsync', { kind: 'delay', us: 20_001 }, STOCK).reason).toBe('no delays from fsync: delay: a delay of 20001us is longer than the 20000us that this kernel bears');
  });

  it('always has one answer for each backend, and never does an effect by another', () => {
    const effects = fc.constantFrom(error('EIO'), { kind: 'signal' as const, signal: 'SIGTERM' }, { kind: 'delay' as const, us: 5 });
    fc.assert(fc.property(fc.constantFrom(...CALL_NAMES), effects, fc.constantFrom(FULL, STOCK, BARE, NOTHING), fc.option(fc.constantFrom(...BACKEND_NAMES), { nil: null }), (call, effect, capabilities, wish) => {
      const selection = select(call, effect, capabilities, wish);
      const chosen = backendOf(selection);
      expect([...selection.others.map(({ backend }) => backend), ...(chosen === null ? [] : [chosen])].sort()).toEqual([...BACKEND_NAMES].sort());
      for (const { reason } of selection.others) expect(reason).not.toBe('');
      if (chosen === null) return;
      expect(capabilities.backends[chosen as keyof ChaosCapabilities['backends']].usable).toBe(true);
      expect(chosen === 'signal').toBe(effect.kind === 'signal');
      expect(chosen === 'delay').toBe(effect.kind === 'delay');
      if (wish !== null) expect(chosen).toBe(wish);
    }));
  });
});

describe('selectForRule', () => {
  it('answers for every call of the families', () => {
    expect(selectForRule(ruleOf({ syscalls: ['%open'], error: 'EIO' }), FULL).map(({ syscall }) => syscall)).toEqual(['creat', 'open', 'openat', 'openat2']);
    expect(selectForRule(ruleOf({ syscalls: ['arch_prctl'], error: 'EIO' }), { ...FULL, arch: 'arm64' })).toEqual([]);
  });

  it('makes kernel faults by the function that can fail', () => {
    const slab = ruleOf({ syscalls: ['openat'], kernel: { fault: 'slab', function: 'ext4_create' } });
    expect(selectForRule(slab, FULL)[0]?.attachment).toEqual({ kind: 'function', backend: 'fmod_ret', entries: [{ btf: 'should_failslab', names: ['should_failslab'] }] });
    expect(backendOf(selectKernelFault('openat', 'slab', FULL, 'kprobe'))).toBe('kprobe');
    for (const fault of ['slab', 'bio'] as const) expect(KERNEL_FAULT_RETURNS[fault]).toBe(-(errnoNumber(KERNEL_FAULT_ERRORS[fault]) ?? 0));
    expect([KERNEL_FAULT_RETURNS.page, KERNEL_FAULT_FUNCTIONS.page]).toEqual([1, 'should_fail_alloc_page']);
    const modern = selectKernelFault('openat', 'slab', { ...FULL, injectable: new Set(['should_fail_bio']) });
    expect(modern.attachment).toBeNull();
    expect(modern.reason).toContain('this kernel does not let should_failslab fail');
    expect(backendOf(selectKernelFault('fsync', 'bio', { ...FULL, injectable: new Set(['should_fail_bio']) }))).toBe('fmod_ret');
    expect(selectKernelFault('openat', 'page', STOCK).reason).toBe('no page failures: fmod_ret: __x64_sys_getcpu() is not modifiable; kprobe: unknown func bpf_override_return#58');
  });
});

describe('planRule and planScenario', () => {
  const plan = (capabilities: ChaosCapabilities) => (rule: Parameters<typeof planRule>[0]) => planRule(rule, capabilities);
  const first = ruleOf({ name: 'slab', syscalls: ['openat'], kernel: { fault: 'slab', function: 'ext4_create' } });
  const second = ruleOf({ name: 'hook', syscalls: ['openat'], error: 'ENOMEM' });
  const scenario = { name: 'x', description: '', rules: [first, second] };

  it('does a rule for all of its calls or not at all', () => {
    expect(planRule(ruleOf({ syscalls: ['openat', 'fsync'], error: 'EIO' }), STOCK).obstacles).toEqual([expect.stringMatching(/^no errors from fsync: /)]);
    expect(planRule(second, STOCK).obstacles).toEqual([]);
    expect(planRule(ruleOf({ syscalls: ['arch_prctl'], error: 'EIO' }), { ...FULL, arch: 'arm64' }).obstacles).toEqual(['no program on arm64 has a call arch_prctl']);
  });

  it('takes the first rule that can be done, or all, or none', () => {
    const names = (capabilities: ChaosCapabilities, use: 'all' | 'first'): string[][] => {
      const { armed, left } = planScenario({ ...scenario, use }, plan(capabilities));
      return [armed.map(({ rule }) => rule.name ?? ''), left.map(({ rule }) => rule.name ?? '')];
    };
    expect(names(FULL, 'first')).toEqual([['slab'], ['hook']]);
    expect(names(STOCK, 'first')).toEqual([['hook'], ['slab']]);
    expect(names(BARE, 'first')).toEqual([[], ['slab', 'hook']]);
    expect(names(FULL, 'all')).toEqual([['slab', 'hook'], []]);
    expect(names(STOCK, 'all')).toEqual([[], ['slab', 'hook']]);
  });
});

describe('capabilitiesDocument', () => {
  it.each([['full', FULL], ['stock', STOCK], ['bare', BARE], ['nothing', NOTHING]] as const)('of a %s kernel has a row for every call, with a reason wherever something is missing', (_, capabilities) => {
    const { syscalls, backends } = capabilitiesDocument(capabilities);
    expect(backends.map(({ name }) => name)).toEqual(BACKEND_NAMES);
    expect(syscalls.length).toBeGreaterThan(350);
    expect(syscalls.map(({ syscall }) => syscall)).toEqual(syscalls.map(({ syscall }) => syscall).sort());
    for (const row of syscalls) {
      expect(Object.keys(row)).toEqual(['syscall', 'possible', 'backend', 'errors', 'reason']);
      expect(row.backend === null).toBe(!row.possible);
      if (row.errors.length === 0) expect(row.reason).not.toBe('');
      expect(row.reason).not.toContain('\n');
    }
  });

  it('offers what makes sense, and says why not the rest', () => {
    expect(syscallCapability('openat', FULL)).toMatchObject({ possible: true, backend: 'fmod_ret', reason: '' });
    expect(syscallCapability('openat', FULL).errors.slice(0, 3)).toEqual(['ENOENT', 'EACCES', 'EMFILE']);
    expect(syscallCapability('fsync', STOCK)).toMatchObject({ possible: true, backend: 'signal', errors: [] });
    expect(syscallCapability('fsync', STOCK).reason).toMatch(/^signals and delays only; no errors from fsync: /);
    expect(syscallCapability('connect', { ...BARE, cgroupAnyErrno: false })).toMatchObject({ backend: 'cgroup', errors: ['EPERM'] });
    expect(syscallCapability('fsync', NOTHING)).toMatchObject({ possible: false, backend: null, errors: [] });
    expect(syscallCapability('close', FULL).reason).toMatch(/^signals and delays only; errors are refused: .*; expert mode allows them$/);
    expect(syscallCapability('close', FULL, true)).toMatchObject({ possible: true, backend: 'fmod_ret' });
    expect(syscallCapability('exit_group', FULL, true).errors).toEqual([]);
  });
});
