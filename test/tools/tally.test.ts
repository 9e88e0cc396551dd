import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tally } from '../../tools/lib/tally.mjs';
import { Checkout, run } from './checkout.ts';

const green = { reason: 'passed', passed: 2, failed: [], skipped: [], errors: [] };
const checks = [{ name: 'typecheck', ok: true }, { name: 'lint', ok: true }];

describe('the closing line', () => {
  it('counts passed, failed and skipped tests and names the latter two', () => {
    const run = { ...green, failed: ['a > b'], skipped: ['c > d (needs root)'] };
    expect(tally(checks, run, 1)).toEqual({ lines: ['skipped: c > d (needs root)', 'FAILED: a > b'], counts: { passed: 2, failed: 1, skipped: 1 }, closing: '2 passed, 1 failed, 1 skipped', ok: false });
  });

  it('is good only when everything is', () => {
    expect(tally(checks, green, 0)).toEqual({ lines: [], counts: { passed: 2, failed: 0, skipped: 0 }, closing: '2 passed, 0 failed, 0 skipped', ok: true });
    expect(tally(checks, { ...green, skipped: ['x'] }, 0)).toMatchObject({ closing: '2 passed, 0 failed, 1 skipped', ok: true });
  });

  it.each([
    ['a failed typecheck', [{ name: 'typecheck', ok: false }], green, 0, '2 passed, 1 failed, 0 skipped'],
    ['failed typecheck and lint', [{ name: 'typecheck', ok: false }, { name: 'lint', ok: false }], green, 0, '2 passed, 2 failed, 0 skipped'],
    ['an error outside any test', checks, { ...green, errors: ['x.test.ts: cannot load'] }, 1, '2 passed, 1 failed, 0 skipped'],
    ['a runner that died', checks, null, null, '0 passed, 1 failed, 0 skipped'],
    ['a run without tests', checks, { ...green, passed: 0 }, 0, '0 passed, 1 failed, 0 skipped'],
    ['an exit code that nothing explains', checks, green, 1, '2 passed, 1 failed, 0 skipped'],
    ['a runner killed after its report', checks, green, null, '2 passed, 1 failed, 0 skipped'],
  ])('counts %s as failed', (_, someChecks, run, code, closing) => {
    expect(tally(someChecks, run, code)).toMatchObject({ closing, ok: false });
  });
});

describe('the reporter, on a real run', () => {
  const root = dirname(dirname(import.meta.dirname));
  mkdirSync(join(root, '.cache'), { recursive: true });
  const dir = mkdtempSync(join(root, '.cache/tally-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  function vitest(name: string, source: string): { code: number | null; run: Parameters<typeof tally>[1] } {
    const cwd = join(dir, name);
    mkdirSync(cwd);
    writeFileSync(join(cwd, 'x.test.ts'), `import { beforeAll, describe, expect, it } from 'vitest';\n${source}`);
    const report = join(cwd, 'tally.json');
    const args = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', cwd, `--reporter=${join(root, 'tools/lib/tally-reporter.mjs')}`];
    const { status } = spawnSync(process.execPath, args, { env: { ...process.env, KBTOP_TALLY: report }, stdio: 'ignore' });
    return { code: status, run: existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : null };
  }
  const closing = (name: string, source: string): string => {
    const { code, run } = vitest(name, source);
    return tally([], run, code).closing;
  };

  it('sees every outcome', () => {
    const { run } = vitest(
      'outcomes',
      `describe('group', () => {
         it('good', () => {});
         it('bad', () => expect(1).toBe(2));
         it.skip('left out', () => {});
         it.todo('later');
         it('leaves', (context) => context.skip('no BTF here'));
         it.each([1, 2])('each %i', () => {});
       });`,
    );
    expect(run).toEqual({
      reason: 'failed',
      passed: 3,
      failed: ['x.test.ts > group > bad'],
      skipped: ['x.test.ts > group > left out', 'x.test.ts > group > later', 'x.test.ts > group > leaves (no BTF here)'],
      errors: [],
    });
  });

  it('counts a file that does not load', () => expect(closing('load', `throw new Error('broken');`)).toBe('0 passed, 1 failed, 0 skipped'));
  it('counts a file that does not parse', () => expect(closing('parse', `it('x' => {`)).toBe('0 passed, 1 failed, 0 skipped'));
  it('counts a file without tests', () => expect(closing('empty', '')).toBe('0 passed, 1 failed, 0 skipped'));
  it('counts a failed hook and what it kept from running', () =>
    expect(closing('hook', `describe('g', () => { beforeAll(() => { throw new Error('no'); }); it('a', () => {}); it('b', () => {}); });`)).toBe('0 passed, 1 failed, 2 skipped'));
  it('counts a rejection that nobody handled', () =>
    expect(closing('rejection', `it('a', async () => { void Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 50)); });`)).toBe('1 passed, 1 failed, 0 skipped'));
  it('counts a worker that died', () => expect(closing('died', `it('a', () => process.kill(process.pid, 'SIGKILL'));`)).toMatch(/^0 passed, [12] failed, 0 skipped$/));
});

describe('.ci/run', () => {
  const checkout = new Checkout();
  afterAll(() => checkout.remove());
  const ci = (npm: string, args: readonly string[] = []): { code: number | null; lines: string[] } => {
    checkout.script('path/npm', npm);
    const { code, stdout } = run(join(checkout.root, '.ci/run'), args, { env: { ...process.env, PATH: `${join(checkout.root, 'path')}:${process.env['PATH']}` }, cwd: '/' });
    return { code, lines: stdout.trimEnd().split('\n') };
  };

  it('runs npm test and then the VMs as CI, without input, and closes with the count of both', () => {
    const { code, lines } = ci('echo "$CI $* $(cat | wc -c) $PWD"; [ "$1" = test ] && echo "3 passed, 0 failed, 1 skipped" || echo "40 passed, 0 failed, 2 skipped"');
    expect(code).toBe(0);
    expect(lines).toEqual([`true test -- 0 ${checkout.root}`, `true run test:vm 0 ${checkout.root}`, '43 passed, 0 failed, 3 skipped']);
  });

  it('runs no VMs for a part of the tests', () => {
    const { lines } = ci('echo "$*"; echo "1 passed, 0 failed, 0 skipped"', ['test/ui']);
    expect(lines).toEqual(['test -- test/ui', '1 passed, 0 failed, 0 skipped']);
  });

  it.each(['test', 'run'])("closes with the count also after npm's words about a failure of npm %s, and fails", (failing) => {
    const { code, lines } = ci(`[ "$1" != ${failing} ] && { echo "1 passed, 0 failed, 0 skipped"; exit; }; echo "1 passed, 2 failed, 0 skipped"; echo "npm error Lifecycle script failed" >&2; exit 1`);
    expect(code).toBe(1);
    expect(lines).toEqual(['npm error Lifecycle script failed', '2 passed, 2 failed, 0 skipped']);
  });

  it('counts a run that never came to its count as failed', () => {
    const { code, lines } = ci('[ "$1" = run ] && { echo "1 passed, 0 failed, 0 skipped"; exit; }; echo "setup: missing: clang"; exit 1');
    expect(code).toBe(1);
    expect(lines.at(-1)).toBe('1 passed, 1 failed, 0 skipped');
  });
});
