/** The built program: --fail-if on real numbers, its exit codes and what goes to which stream. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../../src/frame/frame.ts';
import { csvObjects } from '../../output/csv-parser.ts';
import { TestCgroup, canLoadBpf } from '../../workloads/cgroup.ts';
import { Workload } from '../../workloads/workload.ts';
import { BPF_DIR, kbtop, onlyLine, start } from './kbtop.ts';

describe('kbtop snapshot --fail-if that cannot be', () => {
  it.each([
    [['--fail-if', 'runqueu.p99Us>10ms'], /unknown pane "runqueu"; did you mean runqueue\?/],
    [['--fail-if', 'runqueue.p98Us>10ms'], /runqueue has no column "p98Us"; did you mean /],
    [['--pane', 'tcp', '--fail-if', 'runqueue.p99Us>10ms'], /add --pane runqueue$/],
    [['--fail-if', ''], /is no condition/],
  ])('%j: exit code 2, a line, nothing measured', async (args, why) => {
    const ended = await kbtop(['snapshot', '--duration', '1h', ...args]);
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(onlyLine(ended)).toMatch(why);
  });
});

describe.skipIf(!canLoadBpf)('kbtop snapshot --fail-if (needs root and BTF)', () => {
  let group: TestCgroup;
  beforeAll(() => { group = new TestCgroup(`/kbtop-fail-if-${process.pid}/web`); });
  afterAll(() => group.remove());

  it('exits with 1 and the rows when calls are made, and prints what it always prints', async () => {
    await using workload = new Workload('calls', [group]);
    await workload.ask('call 39 1');
    const run = start(['snapshot', '--pane', 'syscalls', '-c', group.path, '--count', '6', '--interval', '500ms', '-o', 'ndjson', '--limit', '1', '--fail-if', 'syscalls.syscall=getppid,count>=1000']);
    // Capture begins when it begins: calls come until it has ended.
    const over = new AbortController();
    const calling = (async () => { while (!over.signal.aborted) await workload.ask('call 110 2000'); })();
    const { code, stdout, stderr } = await run.ended;
    over.abort();
    await calling;
    expect(code).toBe(1);
    expect(stdout.trim().split('\n').map((line) => (JSON.parse(line) as Frame).seq)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(stderr).toMatch(/^kbtop: --fail-if 'syscalls\.syscall=getppid,count>=1000' holds on 1 row of the Frame to [^\n]+:\nSYSCALL [^\n]+\ngetppid /);
    expect(stderr).toMatch(/\nkbtop: --fail-if '[^']+' held on \d+ rows? of \d Frames?\n$/);
  });

  it('exits with 0 and without a word when nothing holds', async () => {
    const ended = await kbtop(['snapshot', '--duration', '300ms', '--pane', 'containers', '-o', 'csv', '--fail-if', 'containers.cpuPct>100000', '--fail-if', 'containers.container=no-such-thing']);
    expect(ended).toMatchObject({ code: 0, stderr: '' });
    expect(csvObjects(ended.stdout).length).toBeGreaterThan(0);
  });

  it('judges rows that --limit leaves out', async () => {
    const ended = await kbtop(['snapshot', '--duration', '300ms', '--pane', 'containers', '--limit', '1', '--sort-by', 'container', '-o', 'csv', '--fail-if', 'containers.tasks>0']);
    expect(ended.code).toBe(1);
    const held = Number(/held on (\d+) rows/.exec(ended.stderr)?.[1]);
    expect(held).toBeGreaterThan(1);
    expect(csvObjects(ended.stdout)).toHaveLength(1);
    expect(ended.stderr.split('\n').length).toBeLessThanOrEqual(1 + 1 + 20 + 1 + 1 + 1);
  });

  it('exits with 3 when what it is about could not be measured', async () => {
    const objects = mkdtempSync(join(tmpdir(), 'kbtop-objects-'));
    cpSync(BPF_DIR, objects, { recursive: true });
    rmSync(join(objects, 'tcp.bpf.o'));
    const ended = await kbtop(['snapshot', '--duration', '300ms', '--pane', 'tcp,containers', '--fail-if', 'tcp.outcome=refused'], { env: { KBTOP_BPF_DIR: objects } });
    rmSync(objects, { recursive: true });
    expect(ended.code).toBe(3);
    expect(ended.stderr).toMatch(/\nkbtop: --fail-if 'tcp\.outcome=refused' could not be judged: tcp could not be measured: [^\n]+\n$/);
  });
});
