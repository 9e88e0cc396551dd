/** Runs tests, or a command, in a guest, and the tests of guests on the host. */
import { join } from 'node:path';
import { vendoredNode } from '../../../tools/lib/dependencies.mjs';
import { NotToBeHad } from './debian.ts';
import { makeDisk } from './disk.ts';
import { quoted } from './initramfs.ts';
import type { KernelImage } from './kernels.ts';
import { LinePrefix } from './line-prefix.ts';
import { boot, DISK, OUT } from './qemu.ts';
import { failed, judged, notRun, type Result, tallyIn, tested } from './result.ts';
import { runCommand } from './run-command.ts';
import { withScratch } from './scratch.ts';

/** A shell command, or else test files. */
export interface Task {
  readonly command: string | undefined;
  readonly files: readonly string[];
}

/** Emulation is about ten times slower than the machine it runs on. */
const TIME_SCALE = 10;
/** A guest that is still not done then hangs. */
const LIMIT_MS = 30 * 60_000;

/** vitest as `npm test` runs it, its count going to `tally`. */
function vitest(root: string, tally: string, environment: Readonly<Record<string, string>>, files: readonly string[]): string[] {
  const variables = { KBTOP_TEST_SCALE: `${TIME_SCALE}`, KBTOP_TALLY: tally, CI: 'true', NO_COLOR: '1', ...environment };
  return [
    'env', ...Object.entries(variables).map(([name, value]) => `${name}=${value}`),
    vendoredNode(root), join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'system',
    '--reporter=default', `--reporter=${join(root, 'tools/lib/tally-reporter.mjs')}`, ...files,
  ];
}

/** Never rejects. */
export async function runInGuest(id: string, root: string, find: () => Promise<KernelImage>, { command, files }: Task): Promise<Result> {
  const print = new LinePrefix(`${id} | `, process.stdout);
  try {
    const image = await find();
    return await withScratch('kbtop-vm-out-', async (directory) => {
      const out = join(directory, 'out');
      const disk = await makeDisk(join(directory, 'disk'));
      const toRun = command ?? `exec ${vitest(root, `${OUT}/tally.json`, { KBTOP_VM: id, KBTOP_VM_DISK: DISK }, files).map(quoted).join(' ')}`;
      const outcome = await boot({ image, command: toRun, directory: root, disk, limitMs: LIMIT_MS, onOutput: (text) => print.write(text) }, out);
      print.end();
      const toShow = outcome.how === 'ended' ? outcome.complaints : outcome.consoleTail.split('\n');
      for (const line of toShow) console.log(`${id} # ${line}`);
      return judged(id, outcome, command === undefined ? tallyIn(out) : undefined, image.origin);
    });
  } catch (error) {
    print.end();
    const why = (error as Error).message;
    return error instanceof NotToBeHad ? notRun(id, why) : failed(id, why);
  }
}

/** How guests end is tried out on the host, with a kernel that needs no modules. Never rejects. */
export async function runOnHost(root: string, find: () => Promise<KernelImage>): Promise<Result> {
  const id = 'host';
  try {
    const { vmlinuz } = await find();
    return await withScratch('kbtop-vm-out-', async (directory) => {
      const start = performance.now();
      const [file = '', ...args] = vitest(root, join(directory, 'tally.json'), { KBTOP_VM_IMAGE: vmlinuz }, ['test/vm/host/boot.test.ts']);
      const { code } = await runCommand(file, args, { cwd: root, onLine: (line) => console.log(`${id} | ${line}`) });
      return tested(id, tallyIn(directory), code, `(in all ${((performance.now() - start) / 1000).toFixed(0)} s)`);
    });
  } catch (error) {
    const why = (error as Error).message;
    return error instanceof NotToBeHad ? notRun(id, why) : failed(id, why);
  }
}
