/**
 * `npm run test:vm [-- [--kernel ID]... [--command COMMAND] [FILE...]]`: boots the kernels of host/kernels.ts, two at a time, and
 * runs test files in each of them. The last line is `N passed, N failed, N skipped`, over all kernels; a kernel that is not to be
 * had counts as one skipped. Exit codes: 0 nothing failed, 1 something did, 2 bad usage.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { vendoredNode } from '../../tools/lib/dependencies.mjs';
import { closingLine, tally } from '../../tools/lib/tally.mjs';
import { buildAllWorkloads } from '../workloads/build.ts';
import { cacheDirectory } from './host/cache.ts';
import { NotToBeHad, withFreshLists } from './host/debian.ts';
import { testFiles } from './host/files.ts';
import { quoted } from './host/initramfs.ts';
import { type Kernel, type KernelImage, KERNELS, type Search } from './host/kernels.ts';
import { makeDisk } from './host/disk.ts';
import { boot, DISK, OUT, type Outcome } from './host/qemu.ts';
import { LinePrefix } from './host/line-prefix.ts';

/** Emulation is about ten times slower than the machine it runs on. */
const TIME_SCALE = 10;
/** A guest that is still not done then hangs. */
const LIMIT_MS = 25 * 60_000;

const root = dirname(dirname(import.meta.dirname));

/** A shell command, or else test files. */
interface Task { readonly command: string | undefined; readonly files: readonly string[] }
interface Counts { readonly passed: number; readonly failed: number; readonly skipped: number }
interface Result { readonly kernel: Kernel; readonly summary: string; readonly lines: readonly string[]; readonly counts: Counts }

function usage(message: string): never {
  console.error(`test:vm: ${message}; usage: npm run test:vm -- [--kernel ${KERNELS.map(({ id }) => id).join('|')}]... [--command COMMAND] [FILE...]`);
  process.exit(2);
}

function parse(): { readonly kernels: readonly string[]; readonly command: string | undefined; readonly files: readonly string[] } {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { kernel: { type: 'string', multiple: true }, command: { type: 'string' } } });
    const kernels = values.kernel ?? [];
    const unknown = kernels.find((id) => !KERNELS.some((kernel) => kernel.id === id));
    if (unknown !== undefined) usage(`no kernel ${unknown}`);
    if (values.command !== undefined && positionals.length > 0) usage('a command takes no files');
    return { kernels, command: values.command, files: positionals };
  } catch (error) {
    usage((error as Error).message);
  }
}

/** vitest, as the host's own `npm test` runs it, on files of the host. */
function vitest(kernel: Kernel, files: readonly string[]): string {
  const environment = { KBTOP_VM: kernel.id, KBTOP_TEST_SCALE: `${TIME_SCALE}`, KBTOP_TALLY: `${OUT}/tally.json`, KBTOP_VM_DISK: DISK, CI: 'true', NO_COLOR: '1' };
  const words = [
    'exec', 'env', ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    vendoredNode(root), join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'system',
    '--reporter=default', `--reporter=${join(root, 'tools/lib/tally-reporter.mjs')}`, ...files,
  ];
  return words.map(quoted).join(' ');
}

const one = (what: 'failed' | 'skipped', name: string): Pick<Result, 'lines' | 'counts'> => ({
  lines: [`${what === 'failed' ? 'FAILED' : 'skipped'}: ${name}`],
  counts: { passed: 0, failed: what === 'failed' ? 1 : 0, skipped: what === 'skipped' ? 1 : 0 },
});

function howItWent({ bootSeconds, seconds }: Outcome, { origin }: KernelImage): string {
  return `(${origin}; boot ${bootSeconds === null ? 'not finished' : `${bootSeconds.toFixed(1)} s`}, in all ${seconds.toFixed(0)} s)`;
}

async function runOn(kernel: Kernel, image: KernelImage, { command, files }: Task): Promise<Result> {
  const out = mkdtempSync(join(tmpdir(), 'kbtop-vm-out-'));
  const print = new LinePrefix(`${kernel.id} | `, process.stdout);
  try {
    const disk = await makeDisk(join(out, '..', `${out.slice(out.lastIndexOf('/') + 1)}.ext4`));
    try {
      const outcome = await boot({ image, command: command ?? vitest(kernel, files), directory: root, disk, limitMs: LIMIT_MS, onOutput: (text) => print.write(text) }, out);
      print.end();
      return { kernel, ...judge(kernel, outcome, image, command === undefined ? tallyIn(out) : undefined) };
    } finally {
      rmSync(disk, { force: true });
    }
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

/** What tools/lib/tally-reporter.mjs wrote; null when vitest did not get that far. */
function tallyIn(out: string): object | null {
  try {
    return JSON.parse(readFileSync(join(out, 'tally.json'), 'utf8')) as object;
  } catch {
    return null;
  }
}

/** @param run undefined when it was no test but a command */
function judge(kernel: Kernel, outcome: Outcome, image: KernelImage, run: object | null | undefined): Omit<Result, 'kernel'> {
  const went = howItWent(outcome, image);
  if (outcome.how !== 'ended') {
    console.log(outcome.consoleTail.replaceAll(/^/gm, `${kernel.id} # `));
    const why = outcome.how === 'timeout' ? `hung: ended after ${LIMIT_MS / 60_000} minutes` : 'went down before its end; its console is above';
    return { summary: `${why} ${went}`, ...one('failed', `${kernel.id} > the guest ${why}`) };
  }
  // A kernel that was broken on the way proves nothing.
  const broken = outcome.complaints.filter((line) => /Oops|BUG: |general protection/.test(line) && !line.includes('soft lockup'));
  for (const line of outcome.complaints) console.log(`${kernel.id} # ${line}`);
  if (run === undefined) return { summary: `exit code ${outcome.code} ${went}`, lines: [], counts: { passed: outcome.code === 0 ? 1 : 0, failed: outcome.code === 0 ? 0 : 1, skipped: 0 } };
  const { lines, counts } = tally(broken.map((line) => ({ name: `the kernel: ${line}`, ok: false })), run, outcome.code);
  const named = lines.map((line) => line.replace(/^(\w+): /, `$1: ${kernel.id} > `));
  return { summary: `${closingLine(counts)} ${went}`, lines: named, counts };
}

async function tryOn(kernel: Kernel, search: Search, task: Task): Promise<Result> {
  try {
    return await runOn(kernel, await withFreshLists(() => kernel.find(search), search.say), task);
  } catch (error) {
    if (error instanceof NotToBeHad) return { kernel, summary: `not run: ${error.message}`, ...one('skipped', `${kernel.id} (${error.message})`) };
    return { kernel, summary: `failed: ${(error as Error).message}`, ...one('failed', `${kernel.id} > ${(error as Error).message}`) };
  }
}

for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]] as const) process.once(signal, () => process.exit(code));

const asked = parse();
const search: Search = {
  cache: cacheDirectory(),
  shared: join(dirname(root), 'shared', 'vm'),
  say: (line) => console.error(`test:vm: ${line}`),
};
const chosen = KERNELS.filter((kernel) => (asked.kernels.length > 0 ? asked.kernels.includes(kernel.id) : kernel.byDefault(search)));
const left = KERNELS.filter((kernel) => asked.kernels.length === 0 && !chosen.includes(kernel));
if (asked.command === undefined) buildAllWorkloads();
const task: Task = { command: asked.command, files: asked.files.length > 0 ? asked.files : testFiles(root) };

const results: Result[] = left.map((kernel) => {
  const why = `no image: name one in ${kernel.variable}, or have it built with --kernel ${kernel.id}`;
  return { kernel, summary: `not run: ${why}`, ...one('skipped', `${kernel.id} (${why})`) };
});
const waiting = [...chosen];
// Each guest keeps one CPU busy.
const lanes = Math.max(1, Math.min(2, availableParallelism()));
await Promise.all(Array.from({ length: lanes }, async () => {
  for (let kernel = waiting.shift(); kernel !== undefined; kernel = waiting.shift()) {
    results.push(await tryOn(kernel, search, task));
  }
}));

results.sort((a, b) => KERNELS.indexOf(a.kernel) - KERNELS.indexOf(b.kernel));
const sum = (what: keyof Counts): number => results.reduce((total, { counts }) => total + counts[what], 0);
const total = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
console.log([
  ...results.flatMap(({ lines }) => lines),
  ...results.map(({ kernel, summary }) => `${kernel.id}: ${summary}`),
  closingLine(total),
].join('\n'));
process.exit(total.failed === 0 ? 0 : 1);
