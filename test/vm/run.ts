/**
 * `npm run test:vm [-- [--kernel ID]... [--command COMMAND] [FILE...]]`: boots the kernels of host/kernels.ts, two at a time, and
 * runs test files (or a shell command) in each of them. The last line is `N passed, N failed, N skipped`, over all kernels; one
 * that is not to be had counts as one skipped. Exit codes: 0 nothing failed, 1 something did, 2 bad usage.
 */
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAllWorkloads } from '../workloads/build.ts';
import { cacheDirectory } from './host/cache.ts';
import { withFreshLists } from './host/debian.ts';
import { testFiles } from './host/files.ts';
import { type Kernel, type KernelImage, KERNELS, type Search } from './host/kernels.ts';
import { requireGuests } from './host/possible.ts';
import { notRun, report, type Result } from './host/result.ts';
import { runInGuest, runOnHost, type Task } from './host/session.ts';

const root = dirname(dirname(import.meta.dirname));

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
    return usage((error as Error).message);
  }
}

// Their 'exit' handlers end the guests.
for (const [signal, code] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]] as const) process.once(signal, () => process.exit(code));

const asked = parse();
const whole = asked.command === undefined && asked.files.length === 0;
const task: Task = { command: asked.command, files: whole ? testFiles(root) : asked.files };
const search: Search = {
  cache: cacheDirectory(),
  shared: join(dirname(root), 'shared', 'vm'),
  say: (line) => console.error(`test:vm: ${line}`),
};
const find = (kernel: Kernel) => async (): Promise<KernelImage> => {
  requireGuests();
  return await withFreshLists(() => kernel.find(search), search.say);
};
if (asked.command === undefined) buildAllWorkloads();

const runs = KERNELS.filter((kernel) => asked.kernels.length === 0 || asked.kernels.includes(kernel.id)).map((kernel) => async (): Promise<Result> => {
  if (asked.kernels.length === 0 && !kernel.byDefault(search)) return notRun(kernel.id, `no image: name one in ${kernel.variable}, or have it built with --kernel ${kernel.id}`);
  return await runInGuest(kernel.id, root, find(kernel), task);
});
const plain = KERNELS.find((kernel) => kernel.id === 'injection-6.1');
if (whole && plain !== undefined && asked.kernels.length === 0) runs.push(() => runOnHost(root, find(plain)));

const results: Result[] = [];
let next = 0;
// Each guest keeps one CPU busy.
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, async () => {
  while (next < runs.length) {
    const at = next++;
    results[at] = await (runs[at] as () => Promise<Result>)();
  }
}));

const { lines, ok } = report(results);
console.log(lines.join('\n'));
process.exit(ok ? 0 : 1);
