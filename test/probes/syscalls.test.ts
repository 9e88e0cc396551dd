import { describe, expect, it } from 'vitest';
import type { Level, SyscallRow } from '../../src/frame/frame.ts';
import { syscallNumber } from '../../src/frame/syscall-names/index.ts';
import { SyscallsProbe } from '../../src/probes/syscalls.ts';
import type { SyscallsOptions } from '../../src/probes/syscalls.ts';
import { canLoadBpf, ownPath, TestCgroup, v1Hierarchy } from '../workloads/cgroup.ts';
import { Workload } from '../workloads/workload.ts';
import { Live } from './live.ts';

const isX86 = process.arch === 'x64';
const ABI = isX86 ? 'x86_64' : 'arm64';
const LEVELS: readonly Level[] = ['count', 'latency', 'sampled'];
/** Never fall because of a loaded machine. */
const NO_BUDGET = { budgetPct: 1e9 };

/** A number that no kernel has, and no other test run beside this one tries. */
const OWN_NR = 700 + (process.pid % 300);

const nr = (name: string, abi = ABI): number => syscallNumber(abi, name) as number;

/** Rows of one container by "abi:syscall". */
type Rows = ReadonlyMap<string, SyscallRow>;

function rowsOf(rows: readonly SyscallRow[], container: string): Rows {
  return new Map(rows.filter((row) => row.container === container).map((row) => [`${row.abi}:${row.syscall}`, row]));
}

/** Count and errors, exactly. */
const brief = (row: SyscallRow | undefined): unknown => row && [row.count, row.errors];

const counts = (rows: Rows, names: readonly string[]): unknown =>
  Object.fromEntries(names.map((name) => [name, rows.get(name)?.count ?? 0]));

describe.skipIf(!canLoadBpf)('the syscalls probe (needs root and BTF)', () => {
  /** Run commands in a cgroup of their own, at a level, and give back what the probe says of it. */
  async function observe(commands: readonly string[], level: Level, options: SyscallsOptions = {}, hierarchy = 0) {
    await using group = new TestCgroup(ownPath('syscalls'), hierarchy);
    await using workload = new Workload('calls', [group]);
    using live = await Live.start(new SyscallsProbe({ ...NO_BUDGET, level, ...options }));
    await workload.ask('pid');
    live.tick();
    const answers: string[] = [];
    for (const command of commands) answers.push(await workload.ask(command));
    const tick = live.tick();
    await workload.end();
    return { answers, key: group.key, tick, rows: rowsOf(tick.rows, group.key) };
  }

  describe.each(LEVELS)('at level %s', (level) => {
    it('counts N calls and N errors exactly, for the container that made them and no other', async () => {
      const priority = nr('sched_get_priority_max');
      const { rows, tick, key, answers } = await observe([
        `call ${priority} 1000 1`, `call ${priority} 77 99`, `call ${nr('close')} 13 -1`, `call ${nr('epoll_create1')} 5 -1`, `call ${OWN_NR} 3`, `call 123456 4`, `call 999999 4`,
      ], level);
      expect(answers).toEqual(['99', '-22', '-9', '-22', '-38', '-38', '-38']);
      expect(rows.get(`${ABI}:sched_get_priority_max`)).toMatchObject({ nr: priority, abi: ABI, injected: 0 });
      expect(brief(rows.get(`${ABI}:sched_get_priority_max`))).toEqual([1077, { EINVAL: 77 }]);
      expect(rows.get(`${ABI}:close`)?.errors).toEqual({ EBADF: 13 });
      expect(brief(rows.get(`${ABI}:epoll_create1`))).toEqual([5, { EINVAL: 5 }]);
      expect(brief(rows.get(`${ABI}:syscall_${OWN_NR}`))).toEqual([3, { ENOSYS: 3 }]);
      expect(rows.get(`${ABI}:syscall_invalid`)?.nr).toBe(-1);
      expect(brief(rows.get(`${ABI}:syscall_invalid`))).toEqual([8, { ENOSYS: 8 }]);
      expect(tick.rows.filter((row) => row.nr === OWN_NR).map((row) => row.container)).toEqual([key]);
      expect(tick.state).toEqual({ status: 'ok', reason: null, level });
      expect(tick.loss).toMatchObject({ lostMap: 0, kept: tick.rows.reduce((sum, row) => sum + row.count, 0) });
      expect(tick.loss.seen).toBe(tick.loss.kept);
    });

    it('counts calls that never return, return twice, or return as something else', async () => {
      const { rows } = await observe([
        'fork 3', 'vfork 4', 'clone3 5', 'threads 6', 'exec 7 execve', 'exec 8 execveat', 'exec 9 thread', 'signals 10',
      ], level);
      const exits = 3 + 4 + 5 + 7 + 8 + 9;
      // glibc's fork() is a clone; its pthread_create is a clone3 where there is one.
      const clones = (rows.get(`${ABI}:clone`)?.count ?? 0) + (rows.get(`${ABI}:clone3`)?.count ?? 0);
      expect(clones).toBe(5 + 6 + 7 + 8 + 9 + 9 + (isX86 ? 0 : 3 + 4));
      const forks = isX86 ? 3 : 0, vforks = isX86 ? 4 : 0;
      expect(counts(rows, ['x86_64:fork', 'x86_64:vfork'])).toEqual({ 'x86_64:fork': forks, 'x86_64:vfork': vforks });
      expect(counts(rows, ['exit_group', 'exit', 'execve', 'execveat', 'rt_sigreturn', 'tgkill', 'syscall_invalid'].map((name) => `${ABI}:${name}`))).toEqual({
        [`${ABI}:exit_group`]: exits, [`${ABI}:exit`]: 6, [`${ABI}:execve`]: 16, [`${ABI}:execveat`]: 8,
        [`${ABI}:rt_sigreturn`]: 10, [`${ABI}:tgkill`]: 10, [`${ABI}:syscall_invalid`]: 0,
      });
      for (const name of ['clone', 'clone3', 'fork', 'vfork', 'execve', 'execveat', 'rt_sigreturn']) expect(rows.get(`${ABI}:${name}`)?.errors ?? {}).toEqual({});
    });

    it('counts what seccomp refuses or kills', async () => {
      const priority = nr('sched_get_priority_max');
      const { rows, answers } = await observe([`killed ${nr('sched_get_priority_min')} 3`, `refuse ${priority} 13`, `call ${priority} 21 1`], level);
      expect(answers[2]).toBe('-13');
      expect(brief(rows.get(`${ABI}:sched_get_priority_max`))).toEqual([21, { EACCES: 21 }]);
      expect(brief(rows.get(`${ABI}:sched_get_priority_min`))).toEqual([3, {}]);
    });

    it.skipIf(!isX86)('counts under ptrace, and calls that a tracer skips', async () => {
      const { rows } = await observe([`traced ${nr('sched_get_priority_max')} 12`, 'skipped 7'], level);
      expect(brief(rows.get('x86_64:sched_get_priority_max'))).toEqual([12, {}]);
      expect(counts(rows, ['x86_64:getppid', 'x86_64:syscall_invalid'])).toEqual({ 'x86_64:getppid': 0, 'x86_64:syscall_invalid': 7 });
    });

    it.skipIf(!isX86)('keeps i386 calls apart from x86_64 ones, in 64-bit and 32-bit programs', async () => {
      const i386 = nr('sched_get_priority_max', 'i386');
      const { rows, answers } = await observe([`i386 ${i386} 31 1`, `i386 ${i386} 4 99`, `call ${i386} 2 0`, 'exec32 5'], level);
      expect(answers).toEqual(['99', '-22', expect.any(String), '0']);
      expect(rows.get('i386:sched_get_priority_max')).toMatchObject({ abi: 'i386', nr: i386 });
      expect(brief(rows.get('i386:sched_get_priority_max'))).toEqual([35, { EINVAL: 4 }]);
      expect(rows.get('x86_64:sched_get_priority_max')).toBeUndefined();
      // 159 on x86_64 is adjtimex.
      expect(rows.get('x86_64:adjtimex')).toMatchObject({ count: 2 });
      expect(counts(rows, ['x86_64:execveat', 'i386:execve', 'x86_64:execve', 'i386:exit', 'x86_64:exit_group'])).toEqual({
        'x86_64:execveat': 5, 'i386:execve': 5, 'x86_64:execve': 0, 'i386:exit': 0, 'x86_64:exit_group': 5,
      });
    });

    it('does not take a restart for an error, and names restart_syscall', async () => {
      const { rows } = await observe(['stops 3'], level);
      expect(brief(rows.get(`${ABI}:restart_syscall`))).toEqual([3, {}]);
      // The pauses between the stops, too.
      expect(rows.get(`${ABI}:nanosleep`)?.errors).toEqual({});
    });
  });

  it('attributes tasks of a v1-only container, where the v2 hierarchy says root', async (context) => {
    const memory = v1Hierarchy('memory');
    if (memory === null) return context.skip('the memory controller is not on cgroup v1 here');
    const { rows, key, tick } = await observe([`call ${OWN_NR} 50`], 'latency', {}, memory);
    expect(BigInt(key) >> 56n).toBe(BigInt(memory));
    expect(rows.get(`${ABI}:syscall_${OWN_NR}`)).toMatchObject({ count: 50 });
    expect(tick.rows.filter((row) => row.nr === OWN_NR)).toHaveLength(1);
  });

  it('times sleeps of known length', async () => {
    const { rows } = await observe(['sleep 40 5000000'], 'latency');
    const row = rows.get(`${ABI}:nanosleep`) ?? rows.get(`${ABI}:clock_nanosleep`);
    expect(brief(row)).toEqual([40, {}]);
    const latency = row?.latency;
    expect(latency).toMatchObject({ count: 40, sampled: 1 });
    // Lower bounds are certain, whatever else the machine does.
    for (const [lower] of latency?.buckets ?? []) expect(lower).toBeGreaterThanOrEqual(4096);
    expect(latency?.sumUs).toBeGreaterThanOrEqual(40 * 5000);
    expect(latency?.p50Us).toBeGreaterThanOrEqual(4096);
    expect(latency?.p50Us).toBeLessThan(50_000);
    expect(latency?.maxUs).toBeGreaterThanOrEqual(5000);
  });

  it('times one call in 16 when sampled, and says so', async () => {
    const { rows } = await observe([`call ${nr('sched_get_priority_max')} 32000 1`], 'sampled');
    const row = rows.get(`${ABI}:sched_get_priority_max`);
    expect(row).toMatchObject({ count: 32000, latency: { sampled: 16 } });
    // 2000 expected, standard deviation 43.
    expect(row?.latency?.count).toBeGreaterThan(1700);
    expect(row?.latency?.count).toBeLessThan(2300);
  });

  it('has no latencies at level count, and no rows when off', async () => {
    const { rows } = await observe(['sleep 3 1000'], 'count');
    expect(rows.get(`${ABI}:nanosleep`)).toMatchObject({ count: 3, latency: null });
    using live = await Live.start(new SyscallsProbe({ level: 'off' }));
    expect(live.tick()).toMatchObject({ rows: [], state: { status: 'off', level: null } });
  });

  it('gives no latency to a call that began while calls were not timed', async () => {
    await using group = new TestCgroup(ownPath('syscalls'));
    await using workload = new Workload('calls', [group]);
    await workload.ask('pend');
    const probe = new SyscallsProbe({ ...NO_BUDGET, level: 'latency' });
    using live = await Live.start(probe);
    const poke = async (): Promise<SyscallRow | undefined> => {
      await workload.ask('poke');
      return rowsOf(live.tick().rows, group.key).get(`${ABI}:readv`);
    };
    // Begun before the probe was there.
    expect(await poke()).toMatchObject({ count: 1, latency: null });
    // Its start is noted, but its end comes when nothing is timed ...
    probe.setLevel('count');
    expect(await poke()).toMatchObject({ count: 1, latency: null });
    // ... so the end of the next, which began untimed, must not be taken for it.
    probe.setLevel('latency');
    expect(await poke()).toMatchObject({ count: 1, latency: null });
    expect(await poke()).toMatchObject({ count: 1, latency: { count: 1 } });
  });

  it('loses nothing when the level changes under load', async () => {
    const n = 400_000;
    const priority = nr('sched_get_priority_max');
    await using group = new TestCgroup(ownPath('syscalls'));
    await using workload = new Workload('calls', [group]);
    const probe = new SyscallsProbe({ ...NO_BUDGET, level: 'count' });
    using live = await Live.start(probe);
    await workload.ask('pid');
    const progress = { done: false };
    const working = workload.ask(`call ${priority} ${n} 99`).then(() => { progress.done = true; });
    let total = 0, failed = 0, switches = 0;
    const add = (): void => {
      const row = rowsOf(live.tick().rows, group.key).get(`${ABI}:sched_get_priority_max`);
      total += row?.count ?? 0;
      failed += row?.errors?.['EINVAL'] ?? 0;
    };
    while (!progress.done) {
      probe.setLevel(LEVELS[++switches % LEVELS.length] ?? 'count');
      add();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await working;
    add();
    expect(switches).toBeGreaterThan(3);
    expect({ total, failed }).toEqual({ total: n, failed: n });
    await workload.end();
  });

  it('goes on counting exactly when busy calls move to their fast slots', async () => {
    const priority = nr('sched_get_priority_max');
    await using group = new TestCgroup(ownPath('syscalls'));
    await using workload = new Workload('calls', [group]);
    const probe = new SyscallsProbe({ ...NO_BUDGET, level: 'count' });
    using live = await Live.start(probe);
    const slotted = (): number => probe.object?.map('slot_counts').read().words[0]?.reduce((sum, n) => sum + n, 0) ?? 0;
    const before = slotted();
    for (let round = 0; round < 5; round++) {
      await workload.ask(`call ${priority} 1000 1`);
      expect(rowsOf(live.tick().rows, group.key).get(`${ABI}:sched_get_priority_max`)?.count).toBe(1000);
    }
    // All but the first round, unless both places were taken by busier calls.
    expect(slotted() - before).toBeGreaterThanOrEqual(4000);
    await workload.end();
  });

  it('lets go of the entries of containers that are gone, and only of those', async () => {
    const gone = new Set<string>();
    const priority = nr('sched_get_priority_max');
    const probe = new SyscallsProbe({ ...NO_BUDGET, level: 'latency', isGone: (key) => gone.has(key) });
    using live = await Live.start(probe);
    const keys: string[] = [];
    for (let i = 0; i < 2; i++) {
      await using group = new TestCgroup(ownPath('syscalls'));
      await using workload = new Workload('calls', [group]);
      await workload.ask(`call ${priority} 10 99`);
      await workload.end();
      keys.push(group.key);
    }
    live.tick();
    const held = (map: string): Set<string> => {
      const { count, keys: bytes } = probe.object?.map(map).read() ?? { count: 0, keys: new Uint8Array() };
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return new Set(Array.from({ length: count }, (_, i) => String(view.getBigUint64(i * 16, true))));
    };
    for (const map of ['latency', 'errors']) for (const key of keys) expect(held(map).has(key)).toBe(true);
    gone.add(keys[0] ?? '');
    for (let i = 0; i < 70; i++) live.tick();
    for (const map of ['latency', 'errors', 'calls']) expect(held(map).has(keys[0] ?? '')).toBe(false);
    for (const map of ['latency', 'errors']) expect(held(map).has(keys[1] ?? '')).toBe(true);
  });

  it('falls to counting over budget, says why, and climbs back when it is calm', async () => {
    await using group = new TestCgroup(ownPath('syscalls'));
    await using workload = new Workload('calls', [group]);
    // Room for about 1 million timed calls a second on the machines that this was written on; ticks count as one second.
    using live = await Live.start(new SyscallsProbe({ level: 'latency', budgetPct: 30, cost: { count: 100, hook: 70, timing: 140 } }));
    const n = 2_500_000;
    await workload.ask(`call ${nr('sched_get_priority_max')} ${n} 1`);
    expect(live.tick().state).toEqual({ status: 'ok', reason: null, level: 'latency' });
    await workload.ask(`call ${nr('sched_get_priority_max')} ${n} 1`);
    const fallen = live.tick();
    expect(fallen.state.level).not.toBe('latency');
    expect(fallen.state.reason).toMatch(/more would take [\d.]+ % of a CPU, budget 30 %/);
    expect(rowsOf(fallen.rows, group.key).get(`${ABI}:sched_get_priority_max`)?.count).toBe(n);
    for (let i = 0; i < 20; i++) live.tick();
    expect(live.tick().state).toEqual({ status: 'ok', reason: null, level: 'latency' });
    await workload.end();
  });

  it('counts as lost, to the call, what finds no room in a full map', async () => {
    await using group = new TestCgroup(ownPath('syscalls'));
    await using workload = new Workload('calls', [group]);
    // The wide one sees what the narrow one should have seen, over a little longer.
    using wide = await Live.start(new SyscallsProbe({ ...NO_BUDGET, level: 'count' }));
    using narrow = await Live.start(new SyscallsProbe({ ...NO_BUDGET, level: 'count', maxEntries: { calls: 30, errors: 30 } }));
    const each = 5000, calls = Array.from({ length: 60 }, (_, i) => 600 + i);
    await workload.ask('pid');
    wide.tick();
    narrow.tick();
    for (const call of calls) await workload.ask(`call ${call} ${each}`);
    const few = narrow.tick();
    const all = wide.tick();
    const kept = (tick: typeof all): number =>
      tick.rows.filter((row) => row.container === group.key && row.nr >= 600 && row.nr < 660).reduce((sum, row) => sum + row.count, 0);
    expect(kept(all)).toBe(calls.length * each);
    expect(all.loss.lostMap).toBe(0);
    const lost = kept(all) - kept(few);
    expect(lost).toBeGreaterThanOrEqual(30 * each);
    // Others' new calls are lost, too.
    expect(few.loss.lostMap).toBeGreaterThanOrEqual(lost);
    expect(few.loss.lostMap).toBeLessThanOrEqual(all.loss.seen - few.loss.kept);
    expect(few.loss.seen).toBe(few.loss.kept + few.loss.lostMap);
    expect(few.state.reason).toMatch(/maps full: [1-9]\d* errors/);
    await workload.end();
  });
});
