import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OpenRow } from '../../src/frame/frame.ts';
import { OpensProbe } from '../../src/probes/opens.ts';
import type { OpensOptions } from '../../src/probes/opens.ts';
import { buildWorkload, FREESTANDING_I386 } from '../workloads/build.ts';
import { canLoadBpf, end, ownPath, TestCgroup, until } from '../workloads/cgroup.ts';
import { Workload } from '../workloads/workload.ts';
import { Live, tally, totalOf } from './live.ts';

const O_WRONLY = 1, O_CREAT = 0o100, O_EXCL = 0o200, O_CLOEXEC = 0o2000000, O_DIRECTORY = 0o200000, O_NOFOLLOW = 0o400000;
const PLENTY = { rowsPerSecond: 1_000_000, maxRows: 1_000_000 };
const isX86 = process.arch === 'x64';

describe.skipIf(!canLoadBpf)('the opens probe (needs root and BTF)', () => {
  let directory: string, file: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'kbtop-opens-'));
    file = join(directory, 'file');
    writeFileSync(file, 'x');
    symlinkSync(join(directory, 'loop'), join(directory, 'loop'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  /** Run commands in a cgroup of their own and give back what the probe says of it. */
  async function observe(commands: readonly string[], options: OpensOptions = {}, wrapper: readonly string[] = []) {
    await using group = new TestCgroup(ownPath('opens'));
    await using workload = new Workload('opens', [group], wrapper);
    using live = await Live.start(new OpensProbe({ ...PLENTY, ...options }));
    await workload.ask('pid');
    const [pid = 0] = group.pids;
    live.tick();
    const answers: string[] = [];
    for (const command of commands) answers.push(await workload.ask(command));
    const tick = live.tick();
    await workload.end();
    return { answers, pid, key: group.key, tick, rows: tick.rows.filter((row) => row.container === group.key), total: totalOf(tick.totals, group.key) };
  }

  const brief = (row: OpenRow): unknown => [row.path, row.flags.join('|'), row.error ?? 'fd'];

  it('counts N of every call exactly, with path, flags and result', async () => {
    const n = 200;
    const fresh = join(directory, 'new');
    const { rows, total, answers, pid } = await observe([
      `openat ${n} ${file} ${O_CLOEXEC}`,
      `openat2 ${n} ${file} ${O_WRONLY | O_CLOEXEC}`,
      ...(isX86 ? [`open ${n} ${file} 0`, `creat ${n} ${fresh} 0`] : []),
    ]);
    const expected: [string, string][] = [[file, 'O_RDONLY|O_CLOEXEC'], [file, 'O_WRONLY|O_CLOEXEC']];
    if (isX86) expected.push([file, 'O_RDONLY'], [fresh, 'O_WRONLY|O_CREAT|O_TRUNC']);
    expect(total).toEqual({ container: total.container, count: n * expected.length, errors: {} });
    expect(tally(rows.map((row) => `${row.path} ${row.flags.join('|')}`))).toEqual(new Map(expected.map(([path, flags]) => [`${path} ${flags}`, n])));
    expect(new Set(rows.map((row) => row.fd))).toEqual(new Set(answers.map(Number)));
    for (const row of rows) {
      expect(row).toMatchObject({ pid, tid: pid, nsPid: pid, comm: 'opens-'.padEnd(15, row.comm.slice(6)), error: null });
      expect(row.latencyUs).toBeGreaterThan(0);
      expect(Math.abs(Date.parse(row.time) - Date.now())).toBeLessThan(60_000);
    }
    expect(rows.map((row) => row.time)).toEqual(rows.map((row) => row.time).sort());
  });

  it('names the errno of every failure', async () => {
    writeFileSync(join(directory, 'secret'), 'x', { mode: 0o600 });
    const cases: [command: string, error: string][] = [
      [`openat 7 ${directory}/none 0`, 'ENOENT'],
      [`openat 7 ${file}/x 0`, 'ENOTDIR'],
      [`openat 7 ${directory}/loop 0`, 'ELOOP'],
      [`openat 7 ${directory} ${O_WRONLY}`, 'EISDIR'],
      [`openat 7 ${file} ${O_WRONLY | O_CREAT | O_EXCL}`, 'EEXIST'],
      [`openat 7 ${file} ${O_DIRECTORY}`, 'ENOTDIR'],
      [`openat2 7 ${file} ${2 ** 40}`, 'EINVAL'],
      [`openat 7 @long:4096 ${O_NOFOLLOW}`, 'ENAMETOOLONG'],
      [`openat 7 @empty 0`, 'ENOENT'],
      ['setuid 65534', ''],
      [`openat 7 ${directory}/secret 0`, 'EACCES'],
    ];
    const { rows, total } = await observe(cases.map(([command]) => command));
    const errors = new Map<string, number>();
    for (const [, error] of cases) if (error !== '') errors.set(error, (errors.get(error) ?? 0) + 7);
    expect(total.errors).toEqual(Object.fromEntries(errors));
    expect(total.count).toBe(70);
    expect(tally(rows.map((row) => row.error))).toEqual(errors);
    expect(rows.every((row) => row.fd === null)).toBe(true);
    expect(rows.find((row) => row.error === 'EINVAL')?.flags).toEqual(['O_RDONLY', '0x10000000000']);
  });

  it('reads paths of any bytes and length, empty ones, and such that were not in memory', async () => {
    const cold = join(directory, 'cold');
    writeFileSync(cold, `${file}\0`);
    const { rows, tick } = await observe([
      'openat 1 @long:4095 0', 'openat 1 @empty 0', 'openat 1 @hex:2f746d702fff41c328 0', 'openat 1 @hex:2f746d702f1b5b324a 0', `openat 1 @cold:${cold} 0`, 'openat 1 relative/path 0',
    ]);
    const paths = rows.map((row) => row.path).filter((path) => path !== cold);
    expect(paths).toHaveLength(6);
    expect(paths[0]).toHaveLength(4095);
    expect(paths[0]).toMatch(/^(\/x{199}){20}\/x{94}$/);
    expect(paths.slice(1)).toEqual(['', '/tmp/\uFFFDA\uFFFD(', '/tmp/\u001b[2J', file, 'relative/path']);
    expect(rows.find((row) => row.path === file)?.error).toBeNull();
    expect(tick.loss.lostFault).toBe(tick.rows.filter((row) => row.path === null).length);
  });

  it('keeps an open whose path cannot be read, without a path, and counts the fault', async () => {
    const { rows, total, tick } = await observe(['openat 5 @bad 0', 'openat 5 @null 0']);
    expect(total).toEqual({ container: total.container, count: 10, errors: { EFAULT: 10 } });
    expect(rows.map((row) => [row.path, row.error])).toEqual(Array.from({ length: 10 }, () => [null, 'EFAULT']));
    expect(tick.loss.lostFault).toBe(tick.rows.filter((row) => row.path === null).length);
  });

  it('knows thread, process and both from inside a pid namespace', async () => {
    const threads = await observe([`thread 3 ${file} 0`, `fork 2 ${file} 0`]);
    const [tid, child] = threads.answers.map(Number);
    expect(threads.rows.map((row) => [row.pid, row.tid, row.nsPid])).toEqual([
      ...Array.from({ length: 3 }, () => [threads.pid, tid, threads.pid]),
      ...Array.from({ length: 2 }, () => [child, child, child]),
    ]);
    expect(threads.rows.slice(0, 3).map((row) => row.comm)).toEqual(['opener', 'opener', 'opener']);

    const inside = await observe(['pid', `openat 4 ${file} 0`], {}, ['unshare', '--pid', '--fork', '--kill-child']);
    expect(inside.answers[0]).toBe('1');
    expect(inside.pid).toBeGreaterThan(1);
    expect(inside.rows.map((row) => [row.pid, row.nsPid])).toEqual(Array.from({ length: 4 }, () => [inside.pid, 1]));
  });

  it('attributes to the right container, and to no other', async () => {
    await using one = new TestCgroup(ownPath('one'));
    await using two = new TestCgroup(ownPath('two'));
    await using first = new Workload('opens', [one]);
    await using second = new Workload('opens', [two]);
    await using outside = new Workload('opens');
    using live = await Live.start(new OpensProbe(PLENTY));
    await Promise.all([first.ask('pid'), second.ask('pid'), outside.ask('pid')]);
    live.tick();
    await Promise.all([first.ask(`openat 1000 ${directory}/a 0`), second.ask(`openat 2000 ${directory}/b 0`), outside.ask(`openat 500 ${directory}/c 0`)]);
    const { rows, totals } = live.tick();
    expect(totalOf(totals, one.key)).toEqual({ container: one.key, count: 1000, errors: { ENOENT: 1000 } });
    expect(totalOf(totals, two.key)).toEqual({ container: two.key, count: 2000, errors: { ENOENT: 2000 } });
    const places = tally(rows.filter((row) => row.path?.startsWith(`${directory}/`)).map((row) => `${row.path?.slice(-1)} ${row.container === one.key ? 'one' : row.container === two.key ? 'two' : 'elsewhere'}`));
    expect(places).toEqual(new Map([['a one', 1000], ['b two', 2000], ['c elsewhere', 500]]));
  });

  it('counts a call once that signals interrupted and the kernel restarted', async () => {
    const fifo = join(directory, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const { rows, total, answers } = await observe([`fifo ${fifo}`]);
    expect(Number(answers[0])).toBeGreaterThan(2);
    expect(total.count).toBe(2);
    expect(rows.map(brief).sort()).toEqual([[fifo, 'O_RDONLY', 'fd'], [fifo, 'O_WRONLY', 'fd']]);
  });

  it('sees what seccomp refuses: path and error, but no latency', async () => {
    const { rows, total } = await observe(['refuse 38', `openat 6 ${file} ${O_CLOEXEC}`]);
    expect(total.errors).toEqual({ ENOSYS: 6 });
    expect(rows.map((row) => [row.path, row.flags.join('|'), row.error, row.latencyUs])).toEqual(Array.from({ length: 6 }, () => [file, 'O_RDONLY|O_CLOEXEC', 'ENOSYS', null]));
  });

  describe.skipIf(!isX86)('32-bit calls (needs an x86 kernel)', () => {
    it('counts them by int 0x80, when watched', async () => {
      const { rows, total } = await observe([
        `i386-open 11 ${file} 0`, `i386-openat 11 ${file} ${O_CLOEXEC}`, `i386-openat2 11 ${file} ${O_WRONLY}`, `i386-creat 11 ${directory}/i386 0`, `i386-open 11 ${directory}/none 0`,
        `openat 11 ${file} 0`,
      ], { compat: 'always' });
      expect(total).toEqual({ container: total.container, count: 66, errors: { ENOENT: 11 } });
      expect(tally(rows.map((row) => JSON.stringify(brief(row))))).toEqual(new Map([
        [[file, 'O_RDONLY', 'fd'], 22], [[file, 'O_RDONLY|O_CLOEXEC', 'fd'], 11], [[file, 'O_WRONLY', 'fd'], 11],
        [[`${directory}/i386`, 'O_WRONLY|O_CREAT|O_TRUNC', 'fd'], 11], [[`${directory}/none`, 'O_RDONLY', 'ENOENT'], 11],
      ].map(([row, count]) => [JSON.stringify(row), count])));
      expect(rows.every((row) => row.latencyUs !== null)).toBe(true);
    });

    it('watches them from when a 32-bit program runs, whether it starts later or ran before', async () => {
      const program = buildWorkload('opens32', FREESTANDING_I386);
      for (const when of ['before', 'later']) {
        const start = () => spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
        let child = when === 'before' ? start() : null;
        try {
          if (child) await new Promise((resolve) => child?.stdout?.once('data', resolve) && child.stdin?.write('x'));
          using live = await Live.start(new OpensProbe(PLENTY));
          child ??= start();
          const running = child;
          await until('the 32-bit hooks', () => {
            live.probe.drain?.();
            return live.probe.results.some((result) => result.program === 'every_exit' && result.ok);
          });
          live.tick();
          await new Promise((resolve) => running.stdout?.once('data', resolve) && running.stdin?.write('x'));
          const rows = live.tick().rows.filter((row) => row.path === '/kbtop-32-bit');
          expect(rows.map((row) => [row.pid, row.error])).toEqual(Array.from({ length: 10 }, () => [running.pid, 'ENOENT']));
        } finally {
          if (child) await end(child);
        }
      }
    });
  });

  it('sees the same through all system calls, and says so, where that is the only way', async () => {
    const { rows, total, tick } = await observe([
      `openat 5 ${file} ${O_CLOEXEC}`, `openat2 5 ${file} ${O_WRONLY}`, `openat 5 ${directory}/none 0`, ...(isX86 ? [`open 5 ${file} 0`, `creat 5 ${directory}/every 0`, `i386-open 5 ${file} 0`] : []),
    ], { everyCall: true });
    expect(total).toEqual({ container: total.container, count: isX86 ? 30 : 15, errors: { ENOENT: 5 } });
    expect(new Set(rows.map((row) => JSON.stringify(brief(row))))).toEqual(new Set([
      [file, 'O_RDONLY|O_CLOEXEC', 'fd'], [file, 'O_WRONLY', 'fd'], [`${directory}/none`, 'O_RDONLY', 'ENOENT'],
      ...(isX86 ? [[file, 'O_RDONLY', 'fd'], [`${directory}/every`, 'O_WRONLY|O_CREAT|O_TRUNC', 'fd']] : []),
    ].map((row) => JSON.stringify(row))));
    expect(rows.every((row) => row.latencyUs !== null)).toBe(true);
    expect(tick.state).toMatchObject({ status: 'ok', reason: expect.stringContaining('every system call') as string });
  });

  it('stops and starts again when told', async () => {
    await using group = new TestCgroup(ownPath('off'));
    await using workload = new Workload('opens', [group]);
    using live = await Live.start(new OpensProbe(PLENTY));
    await workload.ask(`openat 3 ${file} 0`);
    live.probe.setLevel?.('off');
    await workload.ask(`openat 5 ${file} 0`);
    const off = live.tick();
    expect(off.state.status).toBe('off');
    expect(totalOf(off.totals, group.key).count).toBe(3);
    live.probe.setLevel?.('latency');
    await workload.ask(`openat 4 ${file} 0`);
    const on = live.tick();
    expect(on.state.status).toBe('ok');
    expect(totalOf(on.totals, group.key).count).toBe(4);
  });

  it('leaves nothing in the kernel', async () => {
    const { addon } = await import('./live.ts');
    const probe = new OpensProbe();
    const ids = () => addon.kernelIds();
    const live = await Live.start(probe);
    const own = probe.object?.programs().map((program) => program.id) ?? [];
    expect(own.length).toBeGreaterThan(8);
    closeSync(openSync(file, 'r'));
    live.probe.close();
    live.probe.close();
    expect(probe.object).toBeNull();
    await until('programs to go', () => own.every((id) => !ids().programs.includes(id)));
  });
});
