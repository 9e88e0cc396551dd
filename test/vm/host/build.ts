/** Builds the kernel of the chaos tests from Debian's source package: 7 minutes on two idle cores, 18 on busy ones. */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, statfsSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { aptInstall } from '../../../tools/lib/apt.mjs';
import { KERNEL_BUILD, missing } from '../../../tools/lib/needs.mjs';
import { SetupError } from '../../../tools/lib/say.mjs';
import { cached } from './cache.ts';
import { candidate, NotToBeHad, unpacked } from './debian.ts';
import { runCommand } from './run-command.ts';

const FRAGMENT = join(import.meta.dirname, '..', 'kernel.config');
const IMAGE = 'arch/x86/boot/bzImage';
/** Of the steps that make prints while it builds; only for the percentage. */
const STEPS = 2200;

/**
 * Path of the bzImage, from the cache when it was built from this fragment and this version of the source before.
 * @throws NotToBeHad when source or tools cannot be had; Error when they do not build
 */
export async function buildKernel(cache: string, sourcePackage: string, say: (line: string) => void): Promise<string> {
  const source = await candidate(sourcePackage);
  const fragment = readFileSync(FRAGMENT, 'utf8');
  const key = createHash('sha256').update(`${source.name}\0${source.version}\0${fragment}`).digest('hex').slice(0, 16);
  const directory = await cached(join(cache, 'built', `${source.name}_${source.version.replaceAll(/[^\w.+~-]/g, '_')}_${key}`), async (staging) => {
    await installTools();
    const { bavail, bsize } = statfsSync(staging);
    const free = bavail * bsize;
    if (free < 6e9) throw new NotToBeHad(`building a kernel needs 6 GB in ${cache}, there are ${(free / 1e9).toFixed(1)}`);
    say(`building a kernel from ${source.name} ${source.version}: once, 7 to 18 minutes`);
    const packed = join(await unpacked(cache, source, say), 'usr', 'src', `${source.name}.tar.xz`);
    if (!existsSync(packed)) throw new NotToBeHad(`package ${source.name} holds no ${source.name}.tar.xz`);
    say('unpacking the source');
    await step('unpack the source', 'tar', ['-xf', packed, '-C', staging]);
    const tree = join(staging, source.name);
    const out = join(staging, 'out');
    await step('configure the kernel', 'make', ['-s', '-C', tree, `O=${out}`, `KCONFIG_ALLCONFIG=${FRAGMENT}`, 'allnoconfig']);
    const lost = lostOptions(fragment, readFileSync(join(out, '.config'), 'utf8'));
    if (lost.length > 0) throw new Error(`${source.name} ${source.version} drops ${lost.join(', ')} of test/vm/kernel.config: name what they depend on there`);
    await compile(tree, out, say);
    copyFileSync(join(out, IMAGE), join(staging, 'bzImage'));
    copyFileSync(join(out, '.config'), join(staging, 'config'));
    writeFileSync(join(staging, 'origin'), `${source.name} ${source.version}\n`);
    // 3 GB of source and objects, for an image of 7 MB.
    await step('remove the build', 'rm', ['-rf', tree, out]);
  });
  return join(directory, 'bzImage');
}

/** allnoconfig drops an option whose dependencies are not met without a word. @returns those of the fragment that `config` has not */
export function lostOptions(fragment: string, config: string): string[] {
  const has = new Set(config.split('\n'));
  return fragment.split('\n').filter((line) => /^(CONFIG_\w+=|# CONFIG_\w+ is not set$)/.test(line) && !has.has(line) && !isOff(line, config));
}

/** An option that cannot even be asked for is off, too. */
function isOff(line: string, config: string): boolean {
  const option = /^# (CONFIG_\w+) is not set$/.exec(line)?.[1];
  return option !== undefined && !config.includes(`\n${option}=`);
}

async function installTools(): Promise<void> {
  const lacking = missing(KERNEL_BUILD);
  if (lacking.length === 0) return;
  try {
    await aptInstall(lacking, KERNEL_BUILD);
  } catch (error) {
    if (error instanceof SetupError) throw new NotToBeHad(`cannot build a kernel: ${error.message.replaceAll(/\n\s*/g, ' ')}`);
    throw error;
  }
}

async function step(what: string, file: string, args: readonly string[]): Promise<void> {
  const { code, lastLine } = await runCommand(file, args);
  if (code !== 0) throw new Error(`cannot ${what}: ${lastLine}`);
}

async function compile(tree: string, out: string, say: (line: string) => void): Promise<void> {
  const start = Date.now();
  let steps = 0;
  let told = start;
  const onLine = (line: string): void => {
    if (!/^ {2}\S+ /.test(line)) return;
    steps++;
    if (Date.now() - told < 15_000) return;
    told = Date.now();
    say(`building the kernel: ${Math.min(99, Math.round((100 * steps) / STEPS))} %, ${Math.round((told - start) / 1000)} s`);
  };
  const { code, lastLine } = await runCommand('nice', ['-n', '5', 'make', '-C', tree, `O=${out}`, `-j${availableParallelism()}`, 'bzImage'], { onLine });
  if (code !== 0 || !existsSync(join(out, IMAGE))) throw new Error(`building the kernel failed: ${lastLine}`);
  say(`kernel built (${steps} steps, ${Math.round((Date.now() - start) / 1000)} s)`);
}
