/** The built program with real BPF: every format, exact numbers, exact durations, every way to end. */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, cpSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import stringWidth from 'string-width';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/frame/frame.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { contractProblems } from '../../frame/contract.ts';
import { csvObjects } from '../../output/csv-parser.ts';
import { parseOpenMetrics } from '../../output/openmetrics-parser.ts';
import { TestCgroup, canLoadBpf, until } from '../../workloads/cgroup.ts';
import { Workload } from '../../workloads/workload.ts';
import { BPF_DIR, KBTOP, NOBODY, isRoot, kbtop, onlyLine, start, openKbtop } from './kbtop.ts';
import { onTerminal } from './terminal.ts';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const canUnshare = isRoot && spawnSync('unshare', ['-m', 'true']).status === 0;

const frameOf = (text: string): Frame => {
  const frame: unknown = JSON.parse(text);
  expect(contractProblems(frame)).toEqual([]);
  return frame as Frame;
};
const lines = (text: string): string[] => text.split('\n').slice(0, -1);

describe.skipIf(!canLoadBpf)('kbtop snapshot (needs root and BTF)', () => {
  it('prints a Frame of the contract that covers the duration', async () => {
    const { code, stdout, stderr } = await kbtop(['snapshot', '--duration', '700ms', '-o', 'json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const frame = frameOf(stdout);
    for (const id of PANE_IDS) expect(frame.panes[id].state.status).toBe('ok');
    expect(frame.intervalMs).toBeGreaterThan(650);
    expect(frame.panes.syscalls.rows.length).toBeGreaterThan(0);
  });

  it('follows Frame on Frame without a gap, one per interval', async () => {
    const { code, stdout } = await kbtop(['snapshot', '--count', '4', '--interval', '250ms', '-o', 'ndjson', '--pane', 'containers']);
    expect(code).toBe(0);
    const frames = lines(stdout).map(frameOf);
    expect(frames.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    // A late tick makes one interval longer and none is lost.
    expect(frames.reduce((sum, { intervalMs }) => sum + intervalMs, 0)).toBeGreaterThan(990);
  });

  it('loads only the panes asked for', async () => {
    const { stdout } = await kbtop(['snapshot', '--duration', '200ms', '--pane', 'runqueue', '-o', 'json']);
    const { panes } = frameOf(stdout);
    expect(panes.runqueue.state.status).toBe('ok');
    for (const id of PANE_IDS.filter((one) => one !== 'runqueue')) expect(panes[id]).toMatchObject({ state: { status: 'off' }, rows: [] });
  });

  it('writes each format whole and valid', async () => {
    const short = ['snapshot', '--duration', '300ms'];
    const csv = await kbtop([...short, '-o', 'csv', '--pane', 'containers']);
    const rows = csvObjects(csv.stdout);
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map((row) => row['frameTime'])).size).toBe(1);
    expect(rows.map((row) => row['kind'])).toContain('host');

    const metrics = await kbtop([...short, '-o', 'prometheus']);
    const families = parseOpenMetrics(metrics.stdout);
    expect(families.get('kbtop_pane_up')?.samples.map(({ value }) => value)).toEqual(PANE_IDS.map(() => 1));
    expect(families.get('kbtop_interval_seconds')?.samples[0]?.value).toBeGreaterThan(0.25);

    const all = await kbtop(short);
    expect(all.stdout.split('\n\n').map((section) => section.split(/ {2}|\n/, 1)[0])).toEqual([expect.stringMatching(/^node /) as string, 'SYSCALLS', 'RUN QUEUE', 'OPENS', 'TCP CONNECTS', 'CONTAINERS', 'PROCESSES']);
    const one = await kbtop([...short, '--pane', 'containers', '--sort-by', 'tasks', '--limit', '2']);
    expect(lines(one.stdout)).toHaveLength(3);
    expect(one.stdout).toMatch(/^NAMESPACE +POD +CONTAINER/);
    const bare = await kbtop([...short, '--pane', 'containers', '--limit', '1', '--no-headers']);
    expect(lines(bare.stdout)).toHaveLength(1);
    for (const { code, stderr } of [csv, metrics, all, one, bare]) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it.each([80, 160])('fits a terminal of %i columns, and says that it measures', async (cols) => {
    const { text, code } = await onTerminal({ args: ['snapshot', '--duration', '1s', '--no-color'], cols });
    expect(code).toBe(0);
    const [waiting, table = ''] = text.split('\r\u001b[K');
    expect(waiting).toBe('measuring for 1s, Ctrl-C stops');
    expect(table).toMatch(/^node /);
    // Titles may go on past the edge: they end with a reason in words.
    const shown = table.split('\r\n').filter((line, i, all) => i > 0 && all[i - 1] !== '' && !line.startsWith('lost:'));
    for (const line of shown) expect(stringWidth(line)).toBeLessThanOrEqual(cols);
  });

  it.skipIf(!hasPromtool)('writes metrics that promtool accepts (needs promtool)', async () => {
    const { stdout } = await kbtop(['snapshot', '--duration', '300ms', '-o', 'prometheus']);
    expect(execFileSync('promtool', ['check', 'metrics'], { input: stdout, encoding: 'utf8' })).toBe('');
  });
});

describe.skipIf(!canLoadBpf)('kbtop snapshot and a workload that counts (needs root and BTF)', () => {
  const CALLS = 12_345;
  let group: TestCgroup;
  beforeAll(() => { group = new TestCgroup(`/kbtop-snapshot-${process.pid}/web`); });
  afterAll(() => group.remove());

  /** Sum of getppid calls so far in a stream. */
  async function measure(format: 'ndjson' | 'csv', sum: (text: string) => number): Promise<void> {
    await using workload = new Workload('calls', [group]);
    await workload.ask('call 39 1');
    const run = start(['snapshot', '--pane', 'syscalls', '-c', group.path, '--count', '10000', '--interval', '200ms', '-o', format]);
    try {
      await until('a first Frame', () => run.out().includes('\n'));
      const before = sum(run.out());
      await workload.ask(`call 110 ${CALLS}`);
      await until(`${CALLS} calls`, () => sum(run.out()) - before >= CALLS);
      // What comes after must add nothing.
      const length = run.out().length;
      if (format === 'ndjson') await until('one more Frame', () => run.out().length > length);
      expect(sum(run.out()) - before).toBe(CALLS);
    } finally {
      run.child.kill('SIGINT');
    }
    expect(await run.ended).toMatchObject({ code: 130, stderr: '' });
    expect(run.out().endsWith('\n')).toBe(true);
  }

  const whole = (text: string): string => text.slice(0, text.lastIndexOf('\n') + 1);

  it('counts each call once, in ndjson', async () => {
    await measure('ndjson', (text) => lines(whole(text)).flatMap((line) => (JSON.parse(line) as Frame).panes.syscalls.rows)
      .filter(({ syscall }) => syscall === 'getppid').reduce((n, { count }) => n + count, 0));
  });

  it('counts each call once, in csv, under one header', async () => {
    await measure('csv', (text) => csvObjects(whole(text)).filter((row) => row['syscall'] === 'getppid').reduce((n, row) => n + Number(row['count']), 0));
  });

  it('tells a container that is not there from one that is idle', async () => {
    const none = await kbtop(['snapshot', '--duration', '200ms', '-c', 'no-such-container']);
    expect(none.code).toBe(4);
    expect(onlyLine(none)).toMatch(/^no container matches -c no-such-container; .*kbtop snapshot --pane containers lists all$/);
    const idle = await kbtop(['snapshot', '--duration', '200ms', '--pane', 'tcp', '-c', 'no-such-container']);
    expect(idle.code).toBe(0);
    expect(onlyLine(idle)).toContain('no container that was active in the interval matches -c no-such-container');
  });

  it('leaves out what is in no pod when it is asked for pods, and says which flag found none', async () => {
    for (const [args, flag] of [[['-n', 'no-such-namespace'], '-n no-such-namespace'], [['-l', 'no-such/label'], '-l no-such/label'], [['--pod', 'no-such-pod'], '--pod no-such-pod']] as const) {
      const ended = await kbtop(['snapshot', '--duration', '100ms', '--pane', 'containers', '-o', 'json', ...args]);
      expect(ended.code).toBe(4);
      expect(frameOf(ended.stdout)).toMatchObject({ containers: {}, panes: { containers: { state: { status: 'ok' }, rows: [] } } });
      // Between them, what this node has.
      expect(onlyLine(ended)).toMatch(new RegExp(`^no container matches ${flag}; (?:.+; )?kbtop snapshot --pane containers lists all$`));
    }
    const all = await kbtop(['snapshot', '--duration', '100ms', '--pane', 'containers', '-o', 'json', '-A', '-n', 'no-such-namespace']);
    expect(all.code).toBe(0);
    expect(frameOf(all.stdout).panes.containers.rows.length).toBeGreaterThan(0);
  });

  it('finds a container that does nothing', async () => {
    await using workload = new Workload('calls', [group]);
    await workload.ask('call 39 1');
    const { code, stdout, stderr } = await kbtop(['snapshot', '--duration', '100ms', '-c', group.path, '-o', 'json']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(frameOf(stdout).panes).toMatchObject({ syscalls: { rows: [] }, containers: { rows: [{ tasks: 1 }] } });
  });
});

describe.skipIf(!canLoadBpf)('how kbtop snapshot ends (needs root and BTF)', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s while measuring: 130, and not a byte of output', async (signal) => {
    const run = start(['snapshot', '--duration', '1h', '-o', 'json']);
    await sleep(1500);
    run.child.kill(signal);
    expect(await run.ended).toEqual({ code: 130, signal: null, stdout: '', stderr: '' });
  });

  it('SIGINT while a reader does not read: 130 all the same', async () => {
    const run = start(['snapshot', '--count', '100000', '--interval', '100ms', '-o', 'ndjson']);
    run.child.stdout.pause();
    await sleep(4000);
    run.child.kill('SIGINT');
    // Only the exit: reading on would let it write.
    const code = await new Promise((resolve) => { run.child.once('exit', resolve); });
    run.child.stdout.resume();
    expect(code).toBe(130);
  });

  it('a reader that is slow gets everything', async () => {
    const run = start(['snapshot', '--duration', '1s', '-o', 'json']);
    let text = '';
    run.child.stdout.removeAllListeners('data');
    for await (const chunk of run.child.stdout) {
      text += chunk as string;
      await sleep(20);
    }
    expect((await run.ended).code).toBe(0);
    frameOf(text);
  });

  it('a reader that leaves early is no error', () => {
    const script = 'set -o pipefail; "$0" snapshot --count 5 --interval 200ms -o ndjson | head -n 1';
    const { status, stdout, stderr } = spawnSync('bash', ['-c', script, KBTOP], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    frameOf(stdout);
  });

  it('a full disk is one line and exit code 1', () => {
    const full = openSync('/dev/full', 'w');
    try {
      for (const format of ['json', 'table']) {
        const { status, stderr } = spawnSync(KBTOP, ['snapshot', '--duration', '200ms', '-o', format], { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' });
        expect(status).toBe(1);
        expect(onlyLine({ stderr })).toBe('cannot write to stdout: no space left on device; free some, or write elsewhere');
      }
    } finally {
      closeSync(full);
    }
  });

  it('a disk that fills up on the way is noticed, too', () => {
    // A small file system: the first part is written, the rest is not.
    const script = 'd=$(mktemp -d) && mount -t tmpfs -o size=4k none "$d" && "$0" snapshot --duration 300ms -o json >"$d/out"; c=$?; s=$(stat -c %s "$d/out"); umount "$d"; rmdir "$d"; echo "$s"; exit $c';
    const { status, stdout, stderr } = spawnSync('unshare', ['-m', 'bash', '-c', script, KBTOP], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(Number(stdout)).toBe(4096);
    expect(onlyLine({ stderr })).toContain('no space left on device');
  });
});

describe.skipIf(!canLoadBpf)('BPF objects that are not as they should be (needs root and BTF)', () => {
  let dir: string;
  beforeAll(() => { dir = mkdtempSync(join(tmpdir(), 'kbtop-objects-')); });
  afterAll(() => rmSync(dir, { recursive: true }));

  /** A copy of the built objects, then spoilt. */
  function objects(name: string, spoil: (directory: string) => void): NodeJS.ProcessEnv {
    const copy = join(dir, name);
    cpSync(BPF_DIR, copy, { recursive: true });
    spoil(copy);
    return { KBTOP_BPF_DIR: copy };
  }

  it.each([
    ['missing', (path: string) => rmSync(path)],
    ['empty', (path: string) => truncateSync(path)],
    ['cut short', (path: string) => truncateSync(path, 1000)],
    ['not an object', (path: string) => writeFileSync(path, 'this is no ELF file\n'.repeat(100))],
    ['a directory', (path: string) => { rmSync(path); mkdirSync(path); }],
  ])('one object %s costs one pane', async (what, spoil) => {
    const env = objects(what.replaceAll(' ', '-'), (copy) => spoil(join(copy, 'tcp.bpf.o')));
    const ended = await kbtop(['snapshot', '--duration', '200ms', '-o', 'json'], { env });
    expect(ended.code).toBe(0);
    expect(onlyLine(ended)).toMatch(/^tcp could not be measured: .*tcp\.bpf\.o/);
    const { panes } = frameOf(ended.stdout);
    expect(panes.tcp.state).toMatchObject({ status: 'error', reason: expect.stringContaining('tcp.bpf.o') as string });
    expect(panes.opens.state.status).toBe('ok');

    const alone = await kbtop(['snapshot', '--duration', '1h', '--pane', 'tcp'], { env });
    expect(alone).toMatchObject({ code: 3, stdout: '' });
    expect(onlyLine(alone)).toMatch(/^nothing could be measured: .*tcp\.bpf\.o/);
  });

  it('no objects at all: every state in the JSON, one line, exit code 3, at once', async () => {
    const ended = await kbtop(['snapshot', '--duration', '1h', '-o', 'json'], { env: { KBTOP_BPF_DIR: '/nonexistent' } });
    expect(ended.code).toBe(3);
    expect(onlyLine(ended)).toMatch(/^nothing could be measured: syscalls: .*no such file or directory \(ENOENT\); runqueue, opens, tcp, containers, processes failed, too; kbtop doctor/);
    for (const id of PANE_IDS) expect(frameOf(ended.stdout).panes[id].state.status).toBe('error');
  });

  it('random bytes never crash it', async () => {
    const original = readFileSync(join(BPF_DIR, 'tcp.bpf.o'));
    for (let seed = 1; seed <= 5; seed++) {
      const env = objects(`noise-${seed}`, (copy) => {
        const bytes = Buffer.from(original);
        for (let i = 0; i < 40; i++) bytes[(i * 7919 * seed) % bytes.length] = (i * 31 * seed) % 256;
        writeFileSync(join(copy, 'tcp.bpf.o'), bytes);
      });
      const ended = await kbtop(['snapshot', '--duration', '100ms', '--pane', 'tcp', '-o', 'json'], { env });
      expect([0, 3]).toContain(ended.code);
      expect(ended.signal).toBeNull();
      if (ended.code === 3) onlyLine(ended);
    }
  });

  it('a missing or broken addon is one line', async () => {
    const missing = await kbtop(['snapshot'], { env: { KBTOP_ADDON: '/nonexistent/kbtop.node' } });
    expect(missing.code).toBe(1);
    expect(onlyLine(missing)).toContain('/nonexistent/kbtop.node');
    const broken = join(dir, 'broken.node');
    writeFileSync(broken, 'no shared object');
    const ended = await kbtop(['snapshot'], { env: { KBTOP_ADDON: broken } });
    expect(ended.code).toBe(1);
    expect(onlyLine(ended)).toContain(broken);
  });

  it('nothing stays behind in the kernel', async () => {
    const run = start(['snapshot', '--duration', '1h']);
    const held = await until('its links and programs', () => {
      const ids = idsOf(run.child.pid ?? 0);
      return ids.filter((id) => id.startsWith('link')).length >= 20 ? ids : null;
    });
    run.child.kill('SIGTERM');
    await run.ended;
    await until('all of them to be gone', () => !kernelIds().some((id) => held.includes(id)));
  });

  /** Links and programs that a process has open. */
  function idsOf(pid: number): string[] {
    return readdirSync(`/proc/${pid}/fdinfo`).flatMap((fd) => {
      try {
        return [...readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8').matchAll(/^(link|prog)_id:\s+(\d+)/gm)].map(([, kind, id]) => `${kind} ${id}`);
      } catch {
        return []; // closed meanwhile
      }
    });
  }

  /** All that the kernel holds. */
  function kernelIds(): string[] {
    const list = (kind: string): string[] => (JSON.parse(execFileSync('bpftool', ['-j', kind, 'list'], { encoding: 'utf8' })) as { id: number }[]).map(({ id }) => `${kind} ${id}`);
    return [...list('link'), ...list('prog')];
  }
});

describe.skipIf(!isRoot)('kbtop snapshot without what it needs (needs root to take it away)', () => {
  it('as nobody: exit code 3, what is missing and what to do', async () => {
    for (const args of [['snapshot'], ['snapshot', '--pane', 'containers', '-o', 'json']]) {
      const ended = await kbtop(args, { ...NOBODY, command: openKbtop() });
      expect(ended).toMatchObject({ code: 3, stdout: '' });
      expect(onlyLine(ended)).toBe('BPF needs root, or the capabilities CAP_BPF and CAP_PERFMON: run it with sudo, or see the ladder of privileges with kbtop doctor; kbtop replay, kbtop demo and kbtop attach need no privilege');
    }
  });

  it.skipIf(!canUnshare)('without BTF: exit code 3 and the reason', async () => {
    const ended = await kbtop(['-m', 'sh', '-c', 'mount -t tmpfs none /sys/kernel/btf && exec "$0" snapshot', KBTOP], { command: 'unshare' });
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(onlyLine(ended)).toContain('/sys/kernel/btf/vmlinux is missing');
  });

  it.skipIf(!canUnshare)('without capabilities as root, as in a plain container: exit code 3', async () => {
    const ended = await kbtop(['--bounding-set=-sys_admin,-bpf,-perfmon', KBTOP, 'snapshot'], { command: 'setpriv' });
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(onlyLine(ended)).toContain('CAP_BPF and CAP_PERFMON');
  });

  it.skipIf(!canUnshare)('as root of a user namespace, where the capabilities are worth nothing: exit code 3', async () => {
    const ended = await kbtop(['--user', '--map-root-user', KBTOP, 'snapshot', '--duration', '1h'], { command: 'unshare' });
    expect(ended.code).toBe(3);
    expect(onlyLine(ended)).toContain('this is a user namespace');
  });
});

describe.skipIf(!canLoadBpf)('debugging (needs root and BTF)', () => {
  it('--debug adds logs to stderr and nothing to stdout', async () => {
    const { code, stdout } = await kbtop(['snapshot', '--duration', '200ms', '-o', 'json', '--debug']);
    expect(code).toBe(0);
    frameOf(stdout);
    expect(readdirSync(BPF_DIR)).toContain('tcp.bpf.o');
  });
});
