/** Faults end to end, by what any kernel with cgroup programs can do; other hooks: test/vm/chaos.test.ts. */
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { loadAddon } from '../../../src/bpf/load.ts';
import { kernelCapabilities } from '../../../src/chaos/engine/capabilities.ts';
import { syscallNumber } from '../../../src/frame/syscall-names/index.ts';
import { bpfIdsOf, canLoadBpf, ended, firstLine, ownPath, TestCgroup, until } from '../../workloads/cgroup.ts';
import { armingProcess, Engine, scopeOf, withBoth } from './support.ts';

const ABI = process.arch === 'x64' ? 'x86_64' : 'arm64';
const nr = (name: string): number => syscallNumber(ABI, name) as number;
const CALL = 'sched_get_priority_max';
const COMMAND = `call ${nr(CALL)} 10 1`;
const { backends = null } = canLoadBpf ? await kernelCapabilities(loadAddon()) : {};
const BY_CGROUP = { backend: 'cgroup' } as const;

describe.skipIf(backends?.cgroup.usable !== true)('errors by cgroup hooks (need root, BTF, cgroup v2 and Linux 5.18)', () => {
  it.each([
    ['connect', 'ECONNREFUSED'], ['connect', 'ETIMEDOUT'], ['connect', 'ENETUNREACH'], ['bind', 'EADDRINUSE'], ['bind', 'EACCES'], ['sendto', 'ENOBUFS'], ['sendto', 'EHOSTUNREACH'],
    ['setsockopt', 'ENOPROTOOPT'], ['setsockopt', 'EPERM'], ['getsockopt', 'ENOBUFS'], ['getsockopt', 'ENOMEM'], ['socket', 'EMFILE'], ['socket', 'EAFNOSUPPORT'],
  ] as const)('%s fails with %s exactly as often as said, and nowhere else', (call, error) => withBoth('sockets', async (hit, spared, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ ...BY_CGROUP, syscalls: [call], error, maxHits: 3, skip: 2 }, [group]);
    const errno = constants.errno[error];
    expect(await spared.ask(`${call} 10`)).toBe('0:10');
    expect(await hit.ask(`${call} 10`)).toBe(`0:7,${errno}:3`);
    const status = await engine.over(id);
    expect(status).toMatchObject({ matched: 10, hits: 3, acted: 3, missed: 0, lost: 0, throttled: 0, over: 'budget', backends: ['cgroup'] });
    expect(engine.hits.map(({ n, number }) => [n, number])).toEqual([[3, 1], [4, 2], [5, 3]]);
    expect(engine.hits[0]).toMatchObject({ cgroup: group.key, abi: ABI, nr: nr(call), syscall: call, effect: 'error', result: -errno, given: error, acted: true, dryRun: false, pid: hit.pid, uid: 0, backend: 'cgroup' });
    expect(Math.abs((engine.hits[0]?.time ?? 0) - Date.now())).toBeLessThan(5000);
    expect(engine.kernel.injected).toEqual([[group.key, ABI, nr(call), 3]]);
    expect(await engine.kernel.disarm(id)).toMatchObject({ hits: 3, acted: 3 });
    expect(await hit.ask(`${call} 10`)).toBe('0:10');
  }));

  it('several faults share a target, and each keeps to its own calls', () => withBoth('sockets', async (hit, spared, group, beside) => {
    using engine = new Engine();
    const first = await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'ETIMEDOUT', every: 2 }, [group]);
    const second = await engine.arm({ ...BY_CGROUP, syscalls: ['bind'], error: 'EACCES' }, [group]);
    const third = await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'ECONNREFUSED' }, [beside]);
    await expect(engine.arm({ syscalls: ['getpid', 'connect'], signal: 'SIGKILL' }, [group])).rejects.toMatchObject({ name: 'ChaosError', kind: 'impossible', message: `fault ${first.id} has connect of this target already: stop it first` });
    expect([await hit.ask('connect 10'), await hit.ask('bind 5'), await spared.ask('connect 4'), await spared.ask('bind 4')]).toEqual(['0:5,110:5', '13:5', '111:4', '0:4']);
    await engine.kernel.disarm(first.id);
    expect([await hit.ask('connect 10'), await hit.ask('bind 5'), await spared.ask('connect 4')]).toEqual(['0:10', '13:5', '111:4']);
    await engine.kernel.disarm(second.id);
    await engine.kernel.disarm(third.id);
    expect([await hit.ask('bind 5'), await spared.ask('connect 4')]).toEqual(['0:5', '0:4']);
    // The calls of the first are free again.
    await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'EPERM' }, [group]);
    expect(await hit.ask('connect 2')).toBe('1:2');
  }));

  it('nothing is left attached when nothing is armed', () => withBoth('sockets', async (hit, _, group) => {
    using engine = new Engine();
    const before = bpfIdsOf(process.pid).links;
    const { id } = await engine.arm({ ...BY_CGROUP, syscalls: ['connect', 'bind'], error: 'EPERM' }, [group]);
    // Four programs of cgroups, and the four that decide.
    expect(bpfIdsOf(process.pid).links).toHaveLength(before.length + 8);
    await engine.kernel.disarm(id);
    expect(bpfIdsOf(process.pid).links).toEqual(before);
    expect(await hit.ask('connect 5')).toBe('0:5');
    engine.kernel.close();
    expect(bpfIdsOf(process.pid)).toMatchObject({ links: before });
  }));

  it('can be looked after, and stopped, while others come and go', () => withBoth('sockets', async (hit, _, group, beside) => {
    using engine = new Engine();
    const first = await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'EPERM' }, [group]);
    const stop = new AbortController();
    const looked = (async () => {
      let times = 0;
      for (; !stop.signal.aborted; times++) {
        engine.kernel.poll();
        expect(engine.kernel.injected).toEqual([]);
        await new Promise((resolve) => { setImmediate(resolve); });
      }
      return times;
    })();
    await engine.kernel.disarm(first.id);
    const arming = engine.arm({ ...BY_CGROUP, syscalls: ['bind'], error: 'EACCES' }, [beside]);
    await engine.kernel.disarm((await arming).id);
    await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'EPERM' }, [group]);
    engine.kernel.clear();
    stop.abort();
    expect(await looked).toBeGreaterThan(0);
    expect(await hit.ask('connect 5')).toBe('0:5');
  }));

  it('children and threads are hit, and together no more than the budget', () => withBoth('sockets', async (hit, _, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'ECONNREFUSED', every: 8, maxHits: 50 }, [group]);
    expect(await hit.ask('fork connect 10')).toBe('0:8,111:2');
    const sum = (await hit.ask('threads 8 connect 50')).split(',').map((part) => part.split(':').map(Number));
    expect(Object.fromEntries(sum)).toEqual({ 0: 352, 111: 48 });
    const status = await engine.over(id);
    expect(status).toMatchObject({ matched: 410, hits: 50, acted: 50, missed: 0 });
    expect(new Set(engine.hits.map(({ number }) => number)).size).toBe(50);
    expect(new Set(engine.hits.map(({ pid }) => pid)).size).toBe(2);
    expect(new Set(engine.hits.map(({ tid }) => tid)).size).toBeGreaterThan(2);
  }));

  it('a dry run changes nothing and tells what it would have done', () => withBoth('sockets', async (hit, _, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'ECONNREFUSED', maxHits: 4 }, [group], true);
    expect(await hit.ask('connect 10')).toBe('0:10');
    expect(await engine.over(id)).toMatchObject({ matched: 10, hits: 4, acted: 0, over: 'budget' });
    expect(engine.hits).toHaveLength(4);
    expect(engine.hits[0]).toMatchObject({ acted: false, dryRun: true, given: 'ECONNREFUSED', result: 0 });
    expect(engine.kernel.injected).toEqual([]);
  }));

  it('calls that end before their hook are no hits', () => withBoth('tcp', async (hit, _, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'ETIMEDOUT', maxHits: 5 }, [group]);
    expect(await hit.ask('misuse 8 fd')).toBe(`${constants.errno.EBADF}`);
    expect(engine.status(id)).toMatchObject({ matched: 8, hits: 0, acted: 0, missed: 8, over: null });
    expect(await hit.ask('connect 5 4 127.0.0.1 9 block close')).toMatch(`${constants.errno.ETIMEDOUT}:5`);
    expect(engine.status(id)).toMatchObject({ matched: 13, hits: 5, acted: 5, missed: 8, over: 'budget' });
  }));

  it('keeps to a port', () => withBoth('tcp', async (hit, _, group) => {
    using engine = new Engine();
    await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'ETIMEDOUT', where: { port: 9 } }, [group]);
    const errors = async (port: number): Promise<string | undefined> => (await hit.ask(`connect 1 4 127.0.0.1 ${port} block close`)).split(' ')[0];
    expect([await errors(9), await errors(10), await errors(9)]).toEqual(['110:1', '111:1', '110:1']);
  }));

  it('does not see io_uring', () => withBoth('tcp', async (hit, _, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'ETIMEDOUT' }, [group]);
    const answer = await hit.ask('connect 1 4 127.0.0.1 9 uring close').catch(() => null);
    // Where io_uring may not be used the workload ends.
    if (answer === null) return;
    expect(answer).not.toContain('110:1');
    expect(engine.status(id)).toMatchObject({ matched: 0 });
  }));

  it('follows its target to other cgroups', () => withBoth('sockets', async (hit, spared, group, beside) => {
    using engine = new Engine();
    const { id } = await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'EPERM' }, [group]);
    await engine.kernel.rescope(id, scopeOf(beside));
    expect([await hit.ask('connect 3'), await spared.ask('connect 3')]).toEqual(['0:3', '1:3']);
    await engine.kernel.rescope(id, [{ key: '1', directory: '/no/such/cgroup' }]);
    expect(engine.status(id)?.trouble).toMatch(/^the hook connect[46] of \/no\/such\/cgroup cannot be attached: .*ENOENT/);
    expect(await spared.ask('connect 3')).toBe('1:3');
  }));

  it('hits nothing after clear(), and nothing that was being armed then', () => withBoth('sockets', async (hit, _, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'EPERM' }, [group]);
    const late = engine.arm({ ...BY_CGROUP, syscalls: ['bind'], error: 'EPERM' }, [group]);
    await sleep(0);
    engine.kernel.clear();
    expect(await hit.ask('connect 3')).toBe('0:3');
    await expect(late).rejects.toMatchObject({ kind: 'failed', message: 'not armed: every fault was stopped meanwhile' });
    expect(await hit.ask('bind 3')).toBe('0:3');
    expect(await engine.kernel.disarm(id)).toMatchObject({ id });
    await engine.arm({ ...BY_CGROUP, syscalls: ['connect'], error: 'EPERM' }, [group]);
    expect(await hit.ask('connect 3')).toBe('1:3');
  }));

  it('undoes everything when a hook cannot be attached', () => withBoth('sockets', async (hit, _, group) => {
    using engine = new Engine();
    const rule = { ...BY_CGROUP, syscalls: ['connect'], error: 'EPERM' };
    const { id } = await engine.arm(rule, [group]);
    await engine.kernel.disarm(id);
    const before = bpfIdsOf(process.pid).links;
    const gone = new TestCgroup(ownPath('gone'));
    await gone.remove();
    await expect(engine.arm(rule, [group, gone])).rejects.toMatchObject({ name: 'ChaosError', kind: 'impossible', message: expect.stringMatching(/^the hook connect[46] of .*-gone cannot be attached: /) });
    expect(bpfIdsOf(process.pid).links).toEqual(before);
    expect(await hit.ask('connect 3')).toBe('0:3');
  }));

  it('has eight places', () => withBoth('sockets', async (hit, _, group) => {
    using engine = new Engine();
    const calls = ['getpid', 'getppid', 'gettid', 'getuid', 'getgid', 'geteuid', 'getegid', 'getpgid'];
    for (const call of calls) await engine.arm({ syscalls: [call], delay: 1 }, [group]);
    await expect(engine.arm({ syscalls: ['getsid'], delay: 1 }, [group])).rejects.toMatchObject({ kind: 'impossible', message: '8 faults are armed, which is as many as there can be: stop one first' });
    expect(await hit.ask('connect 1')).toBe('0:1');
  }));
});

describe.skipIf(backends?.cgroup.usable !== true)('faults and the process that armed them', () => {
  it('are over at their time, even if it is stopped', () => withBoth('sockets', async (hit, _, group) => {
    const child = armingProcess(group, { ...BY_CGROUP, syscalls: ['connect'], error: 'EPERM', duration: 2000 }, 'process.kill(process.pid, "SIGSTOP");');
    try {
      await firstLine(child);
      const from = performance.now();
      await until('it to stop', () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') T '));
      expect(await hit.ask('connect 3')).toBe('1:3');
      await sleep(Math.max(0, 2100 - (performance.now() - from)));
      expect(await hit.ask('connect 3')).toBe('0:3');
    } finally {
      child.kill('SIGKILL');
      await ended(child);
    }
  }));

  it('are gone with it at once', () => withBoth('sockets', async (hit, _, group) => {
    const child = armingProcess(group, { ...BY_CGROUP, syscalls: ['connect'], error: 'EPERM', maxHits: 1_000_000 }, '');
    await firstLine(child);
    const { programs, links } = bpfIdsOf(child.pid ?? 0);
    expect(links.length).toBeGreaterThanOrEqual(6);
    expect(await hit.ask('connect 3')).toBe('1:3');
    child.kill('SIGKILL');
    await ended(child);
    expect(await hit.ask('connect 3')).toBe('0:3');
    await until('its BPF objects to go', () => {
      const now = loadAddon().kernelIds();
      return !links.some((id) => now.links.includes(id)) && !programs.some((id) => now.programs.includes(id));
    });
  }));
});

describe.skipIf(backends?.signal.usable !== true)('signals and delays', () => {
  it('end a program in its call', () => withBoth('calls', async (hit, spared, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ syscalls: [CALL], signal: 'SIGKILL', skip: 3 }, [group]);
    expect(await spared.ask(COMMAND)).toBe('99');
    await expect(hit.ask(COMMAND)).rejects.toThrow(/SIGKILL/);
    await until('the hit', () => engine.status(id)?.acted === 1);
    expect(engine.hits).toMatchObject([{ n: 4, number: 1, effect: 'signal', given: 'SIGKILL', acted: true, backend: 'signal' }]);
  }));

  it('hold a call as long as said', () => withBoth('calls', async (hit, spared, group) => {
    using engine = new Engine();
    const rule = { syscalls: [CALL], delay: 4000, maxHits: 5 };
    let { id } = await engine.arm(rule, [group]);
    await spared.ask(COMMAND);
    const from = performance.now();
    expect(await hit.ask(COMMAND)).toBe('99');
    expect(performance.now() - from).toBeGreaterThanOrEqual(20);
    const status = await engine.over(id);
    expect(status).toMatchObject({ hits: 5, acted: 5, throttled: 0 });
    for (const { heldUs, given, effect } of engine.hits) {
      expect([given, effect]).toEqual([null, 'delay']);
      expect(heldUs).toBeGreaterThanOrEqual(4000);
    }
    // The machine may be busy, but not each time.
    const shortest = (): number => Math.min(...engine.hits.map(({ heldUs }) => heldUs));
    for (let round = 0; round < 10 && shortest() >= 4500; round++) {
      await engine.kernel.disarm(id);
      ({ id } = await engine.arm(rule, [group]));
      await hit.ask(COMMAND);
      await engine.over(id);
    }
    expect(shortest()).toBeLessThan(4500);
  }));

  it('burn no more than their share of a CPU', () => withBoth('calls', async (hit, _, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ syscalls: [CALL], delay: 10_000, maxHits: 1000 }, [group]);
    await hit.ask(`call ${nr(CALL)} 100 1`);
    const status = engine.status(id);
    expect((status?.acted ?? 0) + (status?.throttled ?? 0)).toBe(100);
    expect(status).toMatchObject({ hits: status?.acted, missed: 0 });
    expect(status?.acted).toBeGreaterThanOrEqual(5);
    expect(status?.acted).toBeLessThanOrEqual(12);
  }));

  it('let go of a call when they are stopped', () => withBoth('calls', async (hit, _, group) => {
    using engine = new Engine();
    const { id } = await engine.arm({ syscalls: [CALL], delay: 20_000, maxHits: 1000 }, [group]);
    const answer = hit.ask(`call ${nr(CALL)} 1000000 1`);
    await engine.kernel.disarm(id);
    expect(await answer).toBe('99');
  }));

  it.skipIf(backends?.cgroup.usable !== true)('refuse what this kernel cannot hold', () => withBoth('calls', async (_, __, group) => {
    using engine = new Engine();
    const { holders } = await engine.kernel.capabilities();
    if (holders.size > 0) return;
    await expect(engine.arm({ syscalls: [CALL], delay: 30_000 }, [group])).rejects.toMatchObject({ kind: 'impossible', message: expect.stringContaining('longer than the 20000us that this kernel bears') });
  }));
});

describe('without a kernel', () => {
  it.skipIf(!canLoadBpf)('a target without cgroups is not there', async () => {
    using engine = new Engine();
    await expect(engine.arm({ syscalls: ['getpid'], delay: 1 }, [])).rejects.toMatchObject({ kind: 'notFound' });
    expect(engine.kernel.poll()).toEqual({ faults: [], hits: [] });
    expect(await engine.kernel.disarm(7)).toBe(null);
    engine.kernel.close();
    engine.kernel.close();
    await expect(engine.arm({ syscalls: ['getpid'], delay: 1 }, [])).rejects.toMatchObject({ kind: 'failed' });
  });
});
