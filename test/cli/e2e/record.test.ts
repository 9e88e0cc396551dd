/** The built program: what is recorded comes back, whatever happens to the file and to whoever writes it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseSortBy } from '../../../src/cli/snapshot.ts';
import type { Frame } from '../../../src/frame/frame.ts';
import { PANE_IDS } from '../../../src/frame/panes/index.ts';
import { Target } from '../../../src/frame/target.ts';
import { FORMATS } from '../../../src/output/formats.ts';
import { select } from '../../../src/output/select.ts';
import { frameWriter } from '../../../src/output/writer.ts';
import { RecordingFile } from '../../../src/session/recording/file.ts';
import { RecordingWriter } from '../../../src/session/recording/writer.ts';
import { contractProblems } from '../../frame/contract.ts';
import { frames } from '../../session/recording/frames.ts';
import { canLoadBpf, TestCgroup, until } from '../../workloads/cgroup.ts';
import { Workload } from '../../workloads/workload.ts';
import { isRoot, kbtop, NOBODY, onlyLine, openKbtop, start } from './kbtop.ts';

let directory = '';
let serial = 0;
const place = (): string => join(directory, `${++serial}.kbtop`);
const ALL = frames(100, 5);
let file = '';

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'kbtop-record-'));
  chmodSync(directory, 0o755);
  const writer = await RecordingWriter.open(file = place(), { version: 'test' });
  for (const frame of ALL) writer.write(frame);
  await writer.close();
  chmodSync(file, 0o644);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const replay = (...args: readonly string[]): ReturnType<typeof kbtop> => kbtop(['snapshot', '--replay', file, ...args]);

function read(path: string): { readonly all: Frame[]; readonly warnings: readonly string[] } {
  const recording = RecordingFile.open(path);
  const all = Array.from({ length: recording.end }, (_, i) => recording.frame(i));
  recording.close();
  return { all, warnings: recording.warnings };
}

describe('kbtop snapshot --replay', () => {
  it.each(FORMATS)('writes %s of a recorded Frame as of a live one', async (format) => {
    const { code, stdout, stderr } = await replay('--at', '+30s', '-o', format);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const write = frameWriter(format, { panes: PANE_IDS, frames: 1, headings: true, width: null, rows: null, color: false, ascii: false });
    const at = ALL.findLast(({ time }) => Date.parse(time) <= Date.parse(ALL[0]!.time) + 30_000) as Frame;
    expect(stdout).toBe(write(select(at, { panes: PANE_IDS }), 0));
  });

  it('takes the last Frame, or the last ones, or so many from a time on', async () => {
    const seqs = async (...args: readonly string[]): Promise<number[]> => (await replay('-o', 'ndjson', ...args)).stdout.trim().split('\n').map((line) => (JSON.parse(line) as Frame).seq);
    expect(await seqs()).toEqual([100]);
    expect(await seqs('--count', '3')).toEqual([98, 99, 100]);
    expect(await seqs('--at', ALL[40]!.time, '--count', '3')).toEqual([41, 42, 43]);
    expect(await seqs('--at', '-0', '--count', '1')).toEqual([100]);
    const few = await replay('-o', 'ndjson', '--at', ALL[97]!.time, '--count', '9');
    expect([few.code, onlyLine(few)]).toEqual([0, 'the recording has no more Frames than these 3']);
  });

  it('chooses panes, order, rows and containers among what was recorded', async () => {
    const { stdout } = await replay('--pane', 'syscalls', '--sort-by', 'count:asc', '--limit', '4', '-c', 'shop/web-2/app', '-o', 'json');
    const filter = Target.parse({ containers: ['shop/web-2/app'] })!.matches;
    expect(JSON.parse(stdout)).toEqual(select(ALL.at(-1) as Frame, { panes: ['syscalls'], sort: parseSortBy('count:asc', ['syscalls']), limit: 4, filter }));
    const missing = await replay('--pod', 'shop/web-77');
    expect(missing.code).toBe(4);
    expect(onlyLine(missing)).toMatch(/^no container matches --pod shop\/web-77; did you mean/);
  });

  it.skipIf(!isRoot)('needs neither root, nor the addon, nor BPF objects', async () => {
    const program = join(dirname(openKbtop()), '..');
    const bare = mkdtempSync(join(tmpdir(), 'kbtop-bare-'));
    try {
      for (const part of ['bin', 'package.json']) cpSync(join(program, part), join(bare, part), { recursive: true });
      cpSync(join(program, 'dist'), join(bare, 'dist'), { recursive: true, filter: (path) => !/\.node$|\/bpf$/.test(path) });
      const node = `node_modules/node-linux-${process.arch}/bin/node`;
      mkdirSync(dirname(join(bare, node)), { recursive: true });
      cpSync(process.execPath, join(bare, node));
      chmodSync(bare, 0o755);
      const { code, stdout, stderr } = await kbtop(['snapshot', '--replay', file, '-o', 'json'], { command: join(bare, 'bin/kbtop'), ...NOBODY });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect((JSON.parse(stdout) as Frame).seq).toBe(100);
    } finally {
      rmSync(bare, { recursive: true, force: true });
    }
  });

  it('reads NDJSON, from a pipe as well', async () => {
    const { child, ended } = start(['snapshot', '--replay', '-', '-o', 'ndjson', '--count', '2']);
    child.stdin.end(ALL.slice(0, 5).map((frame) => `${JSON.stringify(frame)}\n`).join(''));
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout.trim().split('\n').map((line) => JSON.parse(line) as Frame)).toEqual(ALL.slice(3, 5).map((frame) => select(frame, { panes: PANE_IDS })));
  });

  it('says that rows are not kbtop\'s', async () => {
    const strange = structuredClone(ALL[0]) as unknown as { panes: { syscalls: { rows: Record<string, unknown>[] } } };
    Object.assign(strange.panes.syscalls.rows[0] ?? {}, { syscall: { a: 1 }, latency: 5, errors: 'x' });
    const { child, ended } = start(['snapshot', '--replay', '-', '--pane', 'syscalls']);
    child.stdin.end(`${JSON.stringify(strange)}\n`);
    const done = await ended;
    expect([done.code, done.stdout, onlyLine(done)]).toEqual([1, '', expect.stringMatching(/^the recording has a Frame with fields of other types/)]);
  });

  it('reads a recording from a pipe as well', async () => {
    const { child, ended } = start(['snapshot', '--replay', '-', '-o', 'ndjson', '--count', '2']);
    child.stdin.end(readFileSync(file));
    const { code, stdout, stderr } = await ended;
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout.trim().split('\n').map((line) => (JSON.parse(line) as Frame).seq)).toEqual([99, 100]);
  });

  it('says what is left out of a torn or damaged file, and reads on', async () => {
    const torn = place();
    cpSync(file, torn);
    truncateSync(torn, statSync(file).size - 5);
    const { code, stdout, stderr } = await kbtop(['snapshot', '--replay', torn, '-o', 'json']);
    expect(code).toBe(0);
    expect((JSON.parse(stdout) as Frame).seq).toBe(99);
    expect(onlyLine({ stderr })).toMatch(/ends in the middle of a Frame, as after a crash; \d+ bytes at its end are left out$/);
  });

  it.each([
    [['--at', '+10m'], 2, /^--at "\+10m" is not in the recording, which goes from /],
    [['--at', 'noon'], 2, /^--at "noon" is no time: give 14:03:05/],
    [['--duration', '5s'], 2, /^--duration measures, and --replay does not/],
  ] as const)('refuses %j in one line', async (args, expected, message) => {
    const ended = await replay(...args);
    expect([ended.code, ended.stdout]).toEqual([expected, '']);
    expect(onlyLine(ended)).toMatch(message);
  });

  it.each([
    ['/nowhere/x.kbtop', /^cannot read \/nowhere\/x.kbtop: there is no such file$/], ['/etc/passwd', /^\/etc\/passwd holds no Frames: record some with kbtop record/], ['/dev/null', /^\/dev\/null holds no Frames/], ['/etc', /^cannot read \/etc: it is a directory$/],
  ])('refuses %s in one line', async (path, message) => {
    const ended = await kbtop(['snapshot', '--replay', path]);
    expect(ended.code).toBe(1);
    expect(onlyLine(ended)).toMatch(message);
  });

  it('refuses --at without a recording', async () => {
    const ended = await kbtop(['snapshot', '--at', '12:00']);
    expect([ended.code, onlyLine(ended)]).toEqual([2, '--at is a time in a recording: name the recording with --replay FILE']);
  });
});

describe('kbtop record', () => {
  it.each([
    [[], 2, /^required option '-o, --output <file>' not specified; see kbtop --help$/], [['-o', ''], 2, /^-o lacks the name of a file$/], [['-o', 'x', '--max-size', '10'], 2, /^--max-size "10" is not a size/],
    [['-o', '-', '--append'], 2, /^--append, --max-size and --max-age need a file/], [['-o', 'x', '--max-age', '1s'], 2, /^--max-age "1s" is too short/],
  ] as const)('refuses %j in one line', async (args, code, message) => {
    const ended = await kbtop(['record', ...args]);
    expect(ended.code).toBe(code);
    expect(onlyLine(ended)).toMatch(message);
  });

  it.skipIf(!isRoot)('says that it needs root, and leaves no file', async () => {
    const ended = await kbtop(['record', '-o', '/tmp/kbtop-never.kbtop'], { command: openKbtop(), ...NOBODY });
    expect(ended.code).toBe(3);
    expect(onlyLine(ended)).toMatch(/^BPF needs root/);
    expect(existsSync('/tmp/kbtop-never.kbtop')).toBe(false);
  });
});

describe.skipIf(!canLoadBpf)('kbtop record (needs root and BTF)', () => {
  it('keeps every Frame of the duration, with exact counts, and says so', async () => {
    const path = place(), calls = 4321;
    await using group = new TestCgroup(`/kbtop-record-${process.pid}`);
    await using workload = new Workload('calls', [group]);
    await workload.ask('pid');
    const recording = start(['record', '-o', path, '--duration', '3s', '--interval', '500ms', '--pane', 'syscalls,containers']);
    await until('the first Frame', () => existsSync(path) && statSync(path).size > 500);
    await workload.ask(`call ${110} ${calls}`);
    const ended = await recording.ended;
    expect(ended.code).toBe(0);
    expect(onlyLine(ended)).toMatch(new RegExp(`^6 Frames over 3s in ${path}, \\d+ (bytes|KiB)$`));
    const { all, warnings } = read(path);
    expect(warnings).toEqual([]);
    expect(all.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const frame of all) expect(contractProblems(frame)).toEqual([]);
    const made = all.flatMap(({ panes }) => panes.syscalls.rows).filter((row) => row.container === group.key && row.syscall === 'getppid');
    expect(made.reduce((sum, { count }) => sum + count, 0)).toBe(calls);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const table = await kbtop(['snapshot', '--replay', path, '--pane', 'syscalls', '-c', group.path, '--count', '6', '-o', 'csv', '--no-headers']);
    expect(table.stdout).toContain('getppid');
  });

  it('finishes the file at Ctrl-C, and goes on with --append only', async () => {
    const path = place();
    const record = async (...args: readonly string[]): Promise<Awaited<ReturnType<typeof kbtop>>> => {
      const before = existsSync(path) ? statSync(path).size : 0;
      const { child, ended } = start(['record', '-o', path, '--interval', '200ms', '--pane', 'processes', ...args]);
      await Promise.race([ended, until('two Frames more', () => existsSync(path) && statSync(path).size > before + 800)]);
      child.kill('SIGINT');
      return await ended;
    };
    const first = await record();
    expect(first.code).toBe(0);
    const count = Number(/^(\d+) Frames?/.exec(onlyLine(first))?.[1]);
    expect(read(path).all).toHaveLength(count);
    const refused = await record();
    expect([refused.code, onlyLine(refused)]).toEqual([1, `${path} is there already and is left as it is: give another name, or --append to go on with it`]);
    const more = await record('--append', '--duration', '1m');
    expect(more.code).toBe(130);
    expect(read(path).all.length).toBe(count + Number(/^(\d+) Frames?/.exec(onlyLine(more))?.[1]));
    expect(read(path).warnings).toEqual([]);
  });

  it('writes to a pipe', async () => {
    const path = place();
    execFileSync('sh', ['-c', `"$0" record -o - --duration 600ms --interval 200ms --pane containers 2> /dev/null | cat > ${path}`, join(import.meta.dirname, '../../../bin/kbtop')]);
    expect(read(path)).toMatchObject({ all: { length: 3 }, warnings: [] });
    const closed = spawnSync('sh', ['-c', '"$0" record -o - --interval 200ms --pane containers | head -c 10 > /dev/null', join(import.meta.dirname, '../../../bin/kbtop')], { encoding: 'utf8' });
    expect(closed.stderr).toBe('');
  });

  it('ends in one line when the disk is full, with a file that can be read', async () => {
    const small = mkdtempSync(join(tmpdir(), 'kbtop-small-'));
    execFileSync('mount', ['-n', '-t', 'tmpfs', '-o', 'size=64k', 'none', small]);
    try {
      const path = join(small, 'full.kbtop');
      writeFileSync(join(small, 'ballast'), Buffer.alloc(40 << 10));
      const ended = await kbtop(['record', '-o', path, '--interval', '100ms']);
      expect(ended.code).toBe(1);
      const line = onlyLine(ended);
      expect(line).toMatch(/^cannot write to .*full\.kbtop: no space left on device; .*; the recording ends there, with \d+ Frames? that can be read$/);
      const { all, warnings } = read(path);
      expect([all.length, warnings]).toEqual([Number(/with (\d+) Frames?/.exec(line)?.[1]), []]);
      const none = await kbtop(['record', '-o', join(small, 'none.kbtop'), '--interval', '100ms']);
      expect(none.code).toBe(1);
      onlyLine(none);
    } finally {
      execFileSync('umount', ['-n', small]);
      rmSync(small, { recursive: true });
    }
  });

  it('does not append to what is no recording, and gives the file to whoever called sudo', async () => {
    const other = place();
    writeFileSync(other, 'precious');
    const refused = await kbtop(['record', '-o', other, '--append']);
    expect([refused.code, onlyLine(refused)]).toEqual([1, `${other} is not a recording of kbtop; nothing was changed`]);
    expect(readFileSync(other, 'utf8')).toBe('precious');
    const theirs = place();
    await kbtop(['record', '-o', theirs, '--duration', '200ms', '--interval', '200ms', '--pane', 'containers'], { env: { SUDO_UID: '1234', SUDO_GID: '1234' } });
    expect(statSync(theirs).uid).toBe(1234);
    chownSync(theirs, 0, 0);
  });
});
