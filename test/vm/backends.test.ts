/** Each way to make a call fail, on the kernels that have it: exactly this error, exactly in this cgroup, exactly while attached. */
import { constants } from 'node:os';
import { afterEach, describe, expect, it } from 'vitest';
import type { BpfObject, ProgramResult } from '../../src/bpf/addon.ts';
import { addon, closeAll, selftest } from '../native/support.ts';
import { ownPath, TestCgroup } from '../workloads/cgroup.ts';
import { Workload } from '../workloads/workload.ts';
import { kernel } from './kernel.ts';

const isX86 = process.arch === 'x64';
const STUB = isX86 ? '__x64_sys_' : '__arm64_sys_';
const GETPGID = isX86 ? 121 : 155;
const GETPPID = isX86 ? 110 : 173;
const I386_GETPGID = 132;
const { ENOSPC, ECONNREFUSED, EHOSTUNREACH } = constants.errno;
const OPENAT = 'openat 1 /etc/hostname 0';

let object: BpfObject | null = null;
afterEach(() => {
  object?.close();
  object = null;
  closeAll();
});

interface Fault {
  readonly program: string;
  /** Where it is attached: a kernel function or hook, unless the program's section says so. */
  readonly target?: string;
  readonly errno?: number;
  readonly globals?: Readonly<Record<string, number>>;
}

/** Load and attach one program for one cgroup; the result is what the kernel said last. */
async function inject(group: TestCgroup, { program, target, errno = ENOSPC, globals = {} }: Fault): Promise<ProgramResult> {
  object?.close();
  object = addon().open(selftest('faults'), {
    autoload: { [program]: true },
    globals: { target_cgroup: BigInt(group.key), result: BigInt(-errno), narrow_result: -errno, ...globals },
    ...(target === undefined ? {} : { attachTargets: { [program]: target } }),
  });
  try {
    await object.load();
  } catch (error) {
    const { message, code, verifierLog } = error as Error & { code: string; verifierLog: string };
    return { program, ok: false, code, reason: message, log: verifierLog };
  }
  if (program === 'by_cgroup' || program === 'by_lsm_cgroup') return object.attachCgroup(program, group.directory);
  return object.attach([program])[0] as ProgramResult;
}

const hits = (): number => Number(object?.getGlobal('hits'));

/** A program to hit, and one in the cgroup beside it that must not notice. */
async function withBoth(workload: string, body: (hit: Workload, spared: Workload, group: TestCgroup) => Promise<void>): Promise<void> {
  await using group = new TestCgroup(ownPath('hit'));
  await using beside = new TestCgroup(ownPath('spared'));
  await using hit = new Workload(workload, [group]);
  await using spared = new Workload(workload, [beside]);
  // The kernel adds up what a program does before its first command.
  await Promise.all([hit.ask('pid'), spared.ask('pid')]);
  await body(hit, spared, group);
}

/** The command fails with the error in the cgroup, and nowhere else, and not after the end. */
async function failsOnly(workload: string, command: string, fault: Fault, result = `${-(fault.errno ?? ENOSPC)}`): Promise<void> {
  await withBoth(workload, async (hit, spared, group) => {
    const before = [await hit.ask(command), await spared.ask(command)];
    expect(Number(before[0])).toBeGreaterThanOrEqual(0);
    expect(await inject(group, fault)).toMatchObject({ ok: true });
    const begun = hits();
    expect(await hit.ask(command)).toBe(result);
    expect(hits() - begun).toBe(1);
    expect(await spared.ask(command)).toBe(before[1]);
    expect(hits() - begun).toBe(1);
    object?.detach();
    expect([await hit.ask(command), await spared.ask(command)]).toEqual(before);
  });
}

describe.skipIf(!kernel.errorInjection)('fmod_ret on system calls (needs a kernel with error injection)', () => {
  it('gives the error of a call', () => failsOnly('calls', `call ${GETPGID} 1 0`, { program: 'by_fmod_ret', target: `${STUB}getpgid` }));

  it('gives every error that a program may see, in all 64 bits', async () => {
    await withBoth('calls', async (hit, _, group) => {
      for (const errno of [1, 4, 28, 110, 133]) {
        expect(await inject(group, { program: 'by_fmod_ret', target: `${STUB}getpgid`, errno })).toMatchObject({ ok: true });
        expect(await hit.ask(`call ${GETPGID} 1 0`)).toBe(`${-errno}`);
      }
    });
  });

  it('may sleep', () => failsOnly('calls', `call ${GETPGID} 1 0`, { program: 'by_sleepable_fmod_ret', target: `${STUB}getpgid` }));

  // Why programs return 64 bits: the upper half of an int is lost, and the call seems to succeed.
  it('gives nonsense for a 32-bit result', () =>
    failsOnly('calls', `call ${GETPGID} 1 0`, { program: 'by_narrow_fmod_ret', target: `${STUB}getpgid` }, `${2 ** 32 - ENOSPC}`));

  it.skipIf(!isX86)('takes a call without arguments by its body', async () => {
    await failsOnly('calls', `call ${GETPPID} 1`, { program: 'by_fmod_ret', target: '__do_sys_getppid' });
    await using group = new TestCgroup(ownPath());
    expect(await inject(group, { program: 'by_fmod_ret', target: `${STUB}getppid` })).toMatchObject({ ok: false, code: 'ESRCH' });
  });

  it.skipIf(!isX86)('hits 32-bit callers by their own entry only', async () => {
    await failsOnly('calls', `i386 ${I386_GETPGID} 1 0`, { program: 'by_fmod_ret', target: '__ia32_sys_getpgid' });
    await withBoth('calls', async (hit, _, group) => {
      const before = await hit.ask(`i386 ${I386_GETPGID} 1 0`);
      expect(await inject(group, { program: 'by_fmod_ret', target: `${STUB}getpgid` })).toMatchObject({ ok: true });
      expect(await hit.ask(`i386 ${I386_GETPGID} 1 0`)).toBe(before);
    });
  });
});

describe.skipIf(kernel.errorInjection || !kernel.fmodRetSecurity)('without error injection (needs fmod_ret)', () => {
  it('system calls are refused, by name', async () => {
    await using group = new TestCgroup(ownPath());
    const refusal = await inject(group, { program: 'by_fmod_ret', target: `${STUB}getpgid` });
    expect(refusal).toMatchObject({ ok: false, code: 'EINVAL' });
    expect(refusal.reason).toContain(`${STUB}getpgid() is not modifiable`);
  });

  it('bpf_override_return is refused', async () => {
    await using group = new TestCgroup(ownPath());
    const refusal = await inject(group, { program: 'by_override', target: `${STUB}getpgid` });
    expect(refusal).toMatchObject({ ok: false, code: 'EINVAL' });
    expect(refusal.reason).toMatch(/bpf_override_return/);
  });
});

describe.skipIf(!kernel.kprobeOverride)('kprobe with bpf_override_return (needs a kernel with error injection)', () => {
  it('gives the error of a call', () => failsOnly('calls', `call ${GETPGID} 1 0`, { program: 'by_override', target: `${STUB}getpgid` }));

  it('takes a call without arguments by its usual name', () => failsOnly('calls', `call ${GETPPID} 1`, { program: 'by_override', target: `${STUB}getppid` }));

  it('goes to no function that is not made for it', async () => {
    await using group = new TestCgroup(ownPath());
    expect(await inject(group, { program: 'by_override', target: 'do_sys_openat2' })).toMatchObject({ ok: false, code: 'EINVAL' });
  });

  it('is outdone by fmod_ret on the same call', async () => {
    await withBoth('calls', async (hit, _, group) => {
      expect(await inject(group, { program: 'by_fmod_ret', target: `${STUB}getpgid`, errno: EHOSTUNREACH })).toMatchObject({ ok: true });
      const first = object;
      object = null;
      try {
        expect(await inject(group, { program: 'by_override', target: `${STUB}getpgid` })).toMatchObject({ ok: true });
        expect(await hit.ask(`call ${GETPGID} 1 0`)).toBe(`${-EHOSTUNREACH}`);
      } finally {
        first?.close();
      }
    });
  });
});

describe.skipIf(!kernel.fmodRetSecurity)('fmod_ret on security hooks (needs fmod_ret)', () => {
  it('fails opening a file', () => failsOnly('opens', OPENAT, { program: 'by_fmod_ret', target: 'security_file_open' }));
});

describe.skipIf(!kernel.bpfLsm)('BPF LSM (needs bpf among the active LSMs)', () => {
  it('fails opening a file', () => failsOnly('opens', OPENAT, { program: 'by_lsm' }));
  it('may sleep', () => failsOnly('opens', OPENAT, { program: 'by_sleepable_lsm' }));
});

/** Connects to a listener of its own; answers a number of which 0 is success. */
async function connects(fault: Fault): Promise<void> {
  await withBoth('tcp', async (hit, spared, group) => {
    const connect = async (workload: Workload): Promise<string> => {
      const port = await workload.ask('listen 0 4 127.0.0.1 0 8');
      const [errors] = (await workload.ask(`connect 1 4 127.0.0.1 ${port} block close`)).split(' ');
      await workload.ask('stop 0');
      return errors ?? '';
    };
    expect([await connect(hit), await connect(spared)]).toEqual(['0:1', '0:1']);
    expect(await inject(group, fault)).toMatchObject({ ok: true });
    expect([await connect(hit), await connect(spared)]).toEqual([`${fault.errno}:1`, '0:1']);
    expect(hits()).toBe(1);
    object?.detach();
    expect([await connect(hit), await connect(spared)]).toEqual(['0:1', '0:1']);
  });
}

describe.skipIf(!kernel.lsmCgroup)('LSM programs of a cgroup (need bpf among the active LSMs)', () => {
  it('fail connecting', () => connects({ program: 'by_lsm_cgroup', errno: EHOSTUNREACH }));
});

describe.skipIf(!kernel.cgroup)('cgroup programs (need root, BTF and cgroup v2)', () => {
  it('fail connecting, with any error', async () => {
    await connects({ program: 'by_cgroup', errno: ECONNREFUSED });
    await connects({ program: 'by_cgroup', errno: ENOSPC });
  });

  it('go to several cgroups, and leave them together', async () => {
    await withBoth('tcp', async (hit, other, group) => {
      await using beside = new TestCgroup(ownPath('also'));
      await using also = new Workload('tcp', [beside]);
      expect(await inject(group, { program: 'by_cgroup' })).toMatchObject({ ok: true });
      expect(object?.attachCgroup('by_cgroup', beside.directory)).toMatchObject({ ok: true });
      expect(object?.attachCgroup('by_cgroup', beside.directory)).toMatchObject({ ok: true });
      const fail = async (workload: Workload): Promise<string> => (await workload.ask('connect 1 4 127.0.0.1 9 block close')).split(' ')[0] ?? '';
      expect([await fail(hit), await fail(also), await fail(other)]).toEqual([`${ENOSPC}:1`, `${ENOSPC}:1`, `${ECONNREFUSED}:1`]);
      expect(hits()).toBe(2);
      object?.detach(['by_cgroup']);
      expect([await fail(hit), await fail(also)]).toEqual([`${ECONNREFUSED}:1`, `${ECONNREFUSED}:1`]);
    });
  });
});

describe.skipIf(!kernel.cgroup)('bpf_send_signal (needs root, BTF and cgroup v2)', () => {
  it('ends a program in the midst of its call', async () => {
    await withBoth('calls', async (hit, spared, group) => {
      expect(await inject(group, { program: 'by_signal', globals: { signal_nr: constants.signals.SIGKILL, signal_call: GETPGID } })).toMatchObject({ ok: true });
      await expect(hit.ask(`call ${GETPGID} 1 0`)).rejects.toThrow(/SIGKILL/);
      expect(Number(await spared.ask(`call ${GETPGID} 1 0`))).toBeGreaterThan(0);
      expect(hits()).toBe(1);
    });
  });
});
