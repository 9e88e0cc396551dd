/**
 * All checks in one go: types, lint, tests. Arguments go to vitest (`npm test -- test/output`).
 * The last line of stdout is always `N passed, N failed, N skipped`; the exit code is 1 when anything failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { vendoredNode } from './lib/dependencies.mjs';
import { tally } from './lib/tally.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node = vendoredNode(root);
const modules = join(root, 'node_modules');

const runNode = (script, args, env = process.env) =>
  spawnSync(node, [join(modules, script), ...args], { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });

function check(name, script, args) {
  const start = Date.now();
  const ok = runNode(script, args).status === 0;
  console.log(`${name}: ${ok ? 'ok' : 'FAILED'} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  return { name, ok };
}

const checks = [
  check('typecheck', 'typescript/bin/tsc', ['--noEmit']),
  check('lint', 'oxlint/bin/oxlint', ['--deny-warnings', 'src', 'test', 'bench', 'tools', 'screenshots', 'vitest.config.ts']),
];

const scratch = mkdtempSync(join(tmpdir(), 'kbtop-test-'));
const report = join(scratch, 'tally.json');
const reporters = ['--reporter=default', `--reporter=${join(root, 'tools/lib/tally-reporter.mjs')}`];
const { status } = runNode('vitest/vitest.mjs', ['run', ...reporters, ...process.argv.slice(2)], { ...process.env, KBTOP_TALLY: report });

let run = null;
try {
  run = JSON.parse(readFileSync(report, 'utf8'));
} catch {
  // vitest died before its end: tally says so
}
rmSync(scratch, { recursive: true, force: true });

const { lines, closing, ok } = tally(checks, run, status);
console.log([...lines, closing].join('\n'));
process.exitCode = ok ? 0 : 1;
