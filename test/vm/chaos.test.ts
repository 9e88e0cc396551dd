/** Faults end to end by each backend, on the kernels that have it: exactly this error, as often as said, to this cgroup alone, and not after the end. */
import { statfsSync, unlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { BackendName } from '../../src/chaos/backends.ts';
import type { RuleDraft } from '../../src/chaos/validate.ts';
import { armingProcess, Engine, withBoth } from '../chaos/engine/support.ts';
import { bpfIdsOf, ended, firstLine, ownPath, runIn, TestCgroup, until } from '../workloads/cgroup.ts';
import { buildWorkload, FREESTANDING_I386 } from '../workloads/build.ts';
import { timeScale } from '../workloads/scale.ts';
import { type KernelAbilities, kernel } from './kernel.ts';

const isX86 = process.arch === 'x64';
const GETPGID = isX86 ? 121 : 155;
const GETPPID = isX86 ? 110 : 173;
const I386_GETPGID = 132;
const OVERLAYFS = 0x794c7630;
const SHORT_MS = 500 * timeScale;

interface Case {
  readonly backend: BackendName;
  readonly ability: keyof KernelAbilities;
  readonly syscall: string;
  readonly workload: string;
  /** One call; answers -errno, or something that is not negative. */
  readonly command: string;
  /** Without an answer of -errno: what a failure is answered by. */
  readonly failed?: (errno: number) => string;
}

const OPENAT = { syscall: 'openat', workload: 'opens', command: 'openat 1 /etc/hostname 0' };
const CONNECT = { syscall: 'connect', workload: 'sockets', command: 'connect 1', failed: (errno: number): string => `${errno}:1` };
const CASES: readonly Case[] = [
  { backend: 'fmod_ret', ability: 'errorInjection', syscall: 'getpgid', workload: 'calls', command: `call ${GETPGID} 1 0` },
  { backend: 'fmod_ret', ability: 'errorInjection', syscall: 'getppid', workload: 'calls', command: `call ${GETPPID} 1` },
  { backend: 'fmod_ret', ability: 'errorInjection', ...OPENAT },
  { backend: 'fmod_ret', ability: 'errorInjection', ...CONNECT },
  { backend: 'kprobe', ability: 'kprobeOverride', syscall: 'getpgid', workload: 'calls', command: `call ${GETPGID} 1 0` },
  { backend: 'kprobe', ability: 'kprobeOverride', syscall: 'getppid', workload: 'calls', command: `call ${GETPPID} 1` },
  { backend: 'lsm_cgroup', ability: 'lsmCgroup', ...OPENAT },
  { backend: 'lsm_cgroup', ability: 'lsmCgroup', ...CONNECT },
  { backend: 'fmod_ret_security', ability: 'fmodRetSecurity', ...OPENAT },
  { backend: 'fmod_ret_security', ability: 'fmodRetSecurity', ...CONNECT },
  { backend: 'lsm', ability: 'bpfLsm', ...OPENAT },
  { backend: 'lsm', ability: 'bpfLsm', ...CONNECT },
  { backend: 'cgroup', ability: 'cgroup', ...CONNECT },
];

for (const { backend, ability, syscall, workload, command, failed = (errno: number): string => `${-errno}` } of CASES) {
  describe.skipIf(kernel[ability] !== true)(`${backend} on ${syscall}`, () => {
    const rule: RuleDraft = { backend, syscalls: [syscall], error: 'ENOSPC' };
    const ENOSPC = failed(constants.errno.ENOSPC);

    it('fails with exactly this error, so often, and nowhere else', () => withBoth(workload, async (hit, spared, group) => {
      using engine = new Engine();
      const before = [await hit.ask(command), await spared.ask(command)];
      const { id, backends } = await engine.arm({ ...rule, skip: 1, maxHits: 3 }, [group]);
      expect(backends).toEqual([backend]);
      const results: string[] = [];
      for (let i = 0; i < 6; i++) {
        results.push(await hit.ask(command));
        expect(await spared.ask(command)).toBe(before[1]);
      }
      expect(results).toEqual([before[0], ENOSPC, ENOSPC, ENOSPC, before[0], before[0]]);
      expect(await engine.over(id)).toMatchObject({ matched: 6, hits: 3, acted: 3, missed: 0, lost: 0, over: 'budget', trouble: null });
      expect(engine.hits.map(({ n, number, result, given }) => [n, number, result, given])).toEqual([1, 2, 3].map((i) => [i + 1, i, -constants.errno.ENOSPC, 'ENOSPC']));
      expect(engine.hits[0]).toMatchObject({ cgroup: group.key, syscall, abi: isX86 ? 'x86_64' : 'arm64', pid: hit.pid, backend });
      const links = bpfIdsOf(process.pid).links.length;
      await engine.kernel.disarm(id);
      expect(bpfIdsOf(process.pid).links.length).toBeLessThan(links);
      expect(await hit.ask(command)).toBe(before[0]);
      // Other errors, to be sure of all bits.
      for (const error of ['EPERM', 'EHWPOISON', 'ETIMEDOUT'] as const) {
        const next = await engine.arm({ ...rule, error }, [group]);
        expect(await hit.ask(command)).toBe(failed(error === 'EHWPOISON' ? 133 : constants.errno[error]));
        await engine.kernel.disarm(next.id);
      }
    }));

    it('would fail so often in a dry run', () => withBoth(workload, async (hit, _, group) => {
      using engine = new Engine();
      const before = await hit.ask(command);
      const { id } = await engine.arm({ ...rule, every: 2 }, [group], true);
      for (let i = 0; i < 4; i++) expect(await hit.ask(command)).toBe(before);
      expect(engine.status(id)).toMatchObject({ matched: 4, hits: 2, acted: 0, missed: 0 });
      expect(engine.hits.map(({ n, dryRun, acted }) => [n, dryRun, acted])).toEqual([[1, true, false], [3, true, false]]);
    }));

    it('is over at its time', () => withBoth(workload, async (hit, _, group) => {
      using engine = new Engine();
      const before = await hit.ask(command);
      const { id } = await engine.arm({ ...rule, duration: SHORT_MS }, [group]);
      expect(await hit.ask(command)).toBe(ENOSPC);
      await sleep(SHORT_MS + 20);
      expect(await hit.ask(command)).toBe(before);
      expect(engine.status(id)).toMatchObject({ matched: 1, hits: 1, over: 'duration' });
    }));

    it('is gone with the process that armed it', () => withBoth(workload, async (hit, _, group) => {
      const before = await hit.ask(command);
      const child = armingProcess(group, { ...rule, maxHits: 1_000_000 });
      await firstLine(child);
      expect(await hit.ask(command)).toBe(ENOSPC);
      child.kill('SIGKILL');
      await ended(child);
      expect(await hit.ask(command)).toBe(before);
    }));
  });
}

describe.skipIf(!kernel.errorInjection && !kernel.fmodRetSecurity)('a fault by the best hook there is', () => {
  it('keeps to its path, and leaves the content of other files alone', () => withBoth('tcp', async (hit, _, group) => {
    using engine = new Engine();
    const file = (name: string): string => join(import.meta.dirname, `${name}-${process.pid}`);
    const [target, other, sums] = [file('target'), file('other'), file('sums')];
    writeFileSync(target, 'x');
    writeFileSync(other, Buffer.alloc(1 << 20, 'content'));
    try {
      expect(await hit.ask(`sh sha256sum ${other} > ${sums}`)).toBe('0');
      const { id } = await engine.arm({ syscalls: ['%open'], error: 'EMFILE', where: { path: `*/target-${process.pid}` } }, [group]);
      expect(await hit.ask(`sh sha256sum --status -c ${sums}`)).toBe('0');
      expect(await hit.ask(`sh cat ${target} 2>/dev/null`)).toBe('256');
      expect(engine.status(id)).toMatchObject({ matched: 1, hits: 1, acted: 1 });
      expect(engine.hits).toMatchObject([{ syscall: 'openat', path: target.slice(0, 63), comm: 'cat', given: 'EMFILE' }]);
    } finally {
      for (const one of [target, other, sums]) unlinkSync(one);
    }
  }));

  it('hits children and threads, together no more than its budget', () => withBoth('sockets', async (hit, _, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ syscalls: ['connect'], error: 'ECONNREFUSED', maxHits: 15 }, [group]);
    expect(await hit.ask('fork connect 5')).toBe('111:5');
    expect(await hit.ask('threads 4 connect 10')).toBe('0:30,111:10');
    expect(await engine.over(id)).toMatchObject({ matched: 45, hits: 15, acted: 15 });
  }));

  it('sees every exec, as what it is', () => withBoth('calls', async (hit, _, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ syscalls: ['%exec'], error: 'ENOMEM' }, [group], true);
    await hit.ask('exec 2 execve');
    await hit.ask('exec 1 thread');
    await hit.ask('exec 2 execveat');
    const own = 5;
    // A 64-bit program becomes a 32-bit one, and that a 64-bit one.
    const both = isX86 && (await hit.ask('exec32 1')) === '0' ? 2 : 0;
    expect(engine.status(id)).toMatchObject({ matched: own + both, hits: own + both, missed: 0 });
    expect(engine.hits.map(({ syscall }) => syscall).sort().slice(-2)).toEqual(['execveat', 'execveat']);
  }));
});

describe.skipIf(!kernel.errorInjection || !isX86)('32-bit programs (need error injection)', () => {
  it.each(['fmod_ret', 'kprobe'] as const)('are hit by %s in their own calls', (backend) => withBoth('calls', async (hit, spared, group) => {
    using engine = new Engine();
    const before = await hit.ask(`i386 ${I386_GETPGID} 1 0`);
    const { id } = await engine.arm({ backend, syscalls: ['getpgid', 'getppid'], error: 'ENOSPC' }, [group]);
    expect([await hit.ask(`i386 ${I386_GETPGID} 1 0`), await hit.ask('i386 64 1'), await hit.ask(`call ${GETPGID} 1 0`)]).toEqual(['-28', '-28', '-28']);
    expect(await spared.ask(`i386 ${I386_GETPGID} 1 0`)).not.toBe('-28');
    expect(engine.status(id)).toMatchObject({ matched: 3, hits: 3, acted: 3 });
    expect(engine.hits.map(({ abi }) => abi)).toEqual(['i386', 'i386', 'x86_64']);
    await engine.kernel.disarm(id);
    expect(await hit.ask(`i386 ${I386_GETPGID} 1 0`)).toBe(before);
  }));

  it('are hit when they open files', async () => {
    using engine = new Engine();
    await using group = new TestCgroup(ownPath());
    const child = runIn([group], `exec ${buildWorkload('opens32', FREESTANDING_I386)}`);
    try {
      await until('it to run', () => group.pids.length === 1);
      const { id } = await engine.arm({ syscalls: ['%open'], error: 'EMFILE', where: { path: 'kbtop-32-bit' }, maxHits: 4 }, [group]);
      child.stdin?.write('x');
      await firstLine(child);
      const { matched, unreadable, ...rest } = await engine.over(id);
      // Of the first the page with the path may not be there yet.
      expect(matched + unreadable).toBe(10);
      expect(unreadable).toBeLessThanOrEqual(1);
      expect(rest).toMatchObject({ hits: 4, acted: 4, missed: 0 });
      expect(engine.hits[0]).toMatchObject({ abi: 'i386', syscall: 'open', result: -constants.errno.EMFILE, path: '/kbtop-32-bit' });
    } finally {
      child.kill('SIGKILL');
      await ended(child);
    }
  });
});

describe.skipIf(!kernel.fmodRetSecurity || statfsSync(import.meta.dirname).type !== OVERLAYFS)('on overlayfs (in VMs)', () => {
  it.each([['fmod_ret_security', 'fmodRetSecurity'], ['lsm', 'bpfLsm'], ['lsm_cgroup', 'lsmCgroup']] as const)('%s counts a call once', (backend, ability) => withBoth('opens', async (hit, _, group) => {
    if (kernel[ability] !== true) return;
    using engine = new Engine();
    const path = join(import.meta.dirname, 'chaos.test.ts');
    const before = Number(await hit.ask(`openat 1 ${path} 0`));
    expect(before).toBeGreaterThan(0);
    const { id } = await engine.arm({ backend, syscalls: ['openat'], error: 'EIO', every: 2 }, [group]);
    const results: number[] = [];
    for (let i = 0; i < 4; i++) results.push(Number(await hit.ask(`openat 1 ${path} 0`)));
    expect(results).toEqual([-5, before, -5, before]);
    expect(engine.status(id)).toMatchObject({ matched: 4, hits: 2, acted: 2, missed: 0 });
  }));
});

describe.skipIf(!kernel.errorInjection && !kernel.bpfLsm)('long delays (need programs that may sleep)', () => {
  it('hold a call, and let go of a program that is killed', () => withBoth('opens', async (hit, spared, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ syscalls: ['openat'], delay: 200_000, maxHits: 2 }, [group]);
    await spared.ask('openat 5 /etc/hostname 0');
    expect(Number(await hit.ask('openat 3 /etc/hostname 0'))).toBeGreaterThan(0);
    expect(await engine.over(id)).toMatchObject({ matched: 3, hits: 2, acted: 2, throttled: 0 });
    for (const { heldUs } of engine.hits) expect(heldUs).toBeGreaterThanOrEqual(200_000);
    await engine.kernel.disarm(id);
    const next = await engine.arm({ syscalls: ['openat'], delay: 5_000_000, maxHits: 1 }, [group]);
    const from = performance.now();
    const answer = hit.ask('openat 1 /etc/hostname 0');
    await sleep(500);
    hit.child.kill('SIGKILL');
    await expect(answer).rejects.toThrow(/SIGKILL/);
    expect(performance.now() - from).toBeLessThan(4500);
    await until('the hit to be told', () => engine.status(next.id)?.acted === 1);
  }));
});

describe.skipIf(!kernel.cgroup)('what is found out about the kernel', () => {
  it('is what it can', async () => {
    using engine = new Engine();
    const { backends, injectable, holders, maxDelayUs, securityFunctions, lsmHooks } = await engine.kernel.capabilities();
    const usable = Object.fromEntries(Object.entries(backends).map(([name, { usable: able }]) => [name, able]));
    expect(usable).toEqual({
      fmod_ret: kernel.errorInjection, kprobe: kernel.kprobeOverride, lsm_cgroup: kernel.lsmCgroup, fmod_ret_security: kernel.fmodRetSecurity, lsm: kernel.bpfLsm, cgroup: true, signal: true, delay: true,
    });
    for (const { reason } of Object.values(backends)) expect(reason).toMatch(/^[^\n]+$/);
    if (kernel.errorInjection) expect(injectable).toContain(isX86 ? '__x64_sys_openat' : '__arm64_sys_openat');
    else expect(injectable?.size ?? 0).toBe(0);
    expect(holders.size > 0).toBe(maxDelayUs === 5_000_000);
    expect(securityFunctions).toContain('security_file_open');
    expect(lsmHooks).toContain('file_open');
  });
});
