import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testFiles } from './files.ts';
import type { Outcome } from './qemu.ts';
import { failed, judged, notRun, report } from './result.ts';

const outcome: Outcome = { how: 'ended', code: 0, bootSeconds: 4.06, seconds: 61.4, complaints: [], consoleTail: '' };
const run = { reason: 'passed', passed: 7, failed: [], skipped: ['a.test.ts > b (needs c)'], errors: [] };
const judge = (change: Partial<Outcome>, of: object | 'command' | null = run) => judged('stock-6.1', { ...outcome, ...change }, of === 'command' ? undefined : of, 'package x');

describe('what a guest gave', () => {
  it('is its tests, by kernel, with where it came from and how long it took', () => {
    expect(judge({})).toEqual({
      id: 'stock-6.1', summary: '7 passed, 0 failed, 1 skipped (package x; boot 4.1 s, in all 61 s)',
      lines: ['skipped: stock-6.1 > a.test.ts > b (needs c)'], counts: { passed: 7, failed: 0, skipped: 1 },
    });
  });

  it.each<[string, Partial<Outcome>, object | 'command' | null, RegExp]>([
    ['a guest that hung', { how: 'timeout', code: null }, null, /the guest hung and was ended/],
    ['a guest that went down', { how: 'died', code: null, bootSeconds: null }, null, /went down before its end; its console is above \(package x; boot not finished/],
    ['a run without a report', { code: 1 }, null, /vitest: ended without a report/],
    ['a code that nothing explains', { code: 1 }, run, /ended with code 1 although no test failed/],
    ['a kernel that broke on the way', { complaints: ['BUG: unable to handle page fault', 'WARNING: CPU: 0 PID: 1'] }, run, /^FAILED: stock-6\.1 > the kernel: BUG: unable to handle page fault$/m],
    ['a command that failed', { code: 42 }, 'command', /the command ended with code 42/],
  ])('%s is one failure', (_, change, of, message) => {
    const result = judge(change, of);
    expect(result.counts.failed).toBe(1);
    expect(result.lines.join('\n')).toMatch(message);
  });

  it('is no failure for stalls, which a busy host makes', () => {
    expect(judge({ complaints: ['watchdog: BUG: soft lockup - CPU#0 stuck for 23s!', 'rcu: INFO: rcu_sched self-detected stall on CPU'] }).counts.failed).toBe(0);
  });
});

describe('the report', () => {
  it('closes with the sum, a kernel that was not to be had counting as one skipped', () => {
    const { lines, ok } = report([judge({}), notRun('stock-6.12', 'no registry')]);
    expect(lines).toEqual([
      'skipped: stock-6.1 > a.test.ts > b (needs c)', 'skipped: stock-6.12 (no registry)',
      'stock-6.1: 7 passed, 0 failed, 1 skipped (package x; boot 4.1 s, in all 61 s)', 'stock-6.12: not run: no registry',
      '7 passed, 0 failed, 2 skipped',
    ]);
    expect(ok).toBe(true);
    expect(report([judge({}), failed('host', 'x')])).toMatchObject({ ok: false, lines: expect.arrayContaining(['7 passed, 1 failed, 1 skipped']) as string[] });
  });
});

describe('the files that a guest runs', () => {
  it('are there, and none of the host side among them', () => {
    const root = dirname(dirname(dirname(import.meta.dirname)));
    const files = testFiles(root);
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(['test/vm/backends.test.ts', 'test/native/load.test.ts', 'test/identity/identity.test.ts', 'test/probes/tcp.test.ts']));
    expect(files.some((file) => file.includes('/host/'))).toBe(false);
  });
});
