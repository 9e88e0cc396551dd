/** Addon, BPF objects and bundle for another machine than this one, into a directory of their own. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parts } from '../parts.mjs';
import { SetupError, run, tail } from '../say.mjs';
import { filesBelow, readStamp } from '../stamp.mjs';
import { toolchain } from './toolchain.mjs';

/** What the last build of this machine's own parts left. @returns {string[]} paths below the root */
export function builtHere(root) {
  return parts(root).flatMap((part) => {
    const stamp = readStamp(join(root, 'dist/.stamps', `${part.id}.json`));
    if (stamp === null || !stamp.outputs.every(({ path }) => existsSync(join(root, path)))) throw new SetupError(`the ${part.name} is not built: run npm run setup`);
    return stamp.outputs.map(({ path }) => path);
  });
}

/** The bundle is the same everywhere. @returns {Promise<string[]>} paths below `into` */
export async function buildFor(root, arch, into) {
  const { cc, cxx } = toolchain(root, arch);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(join(into, 'dist'), { recursive: true });
  const steps = [
    ['BPF objects', join(root, 'bpf/build.sh'), ['--arch', arch, join(into, 'dist/bpf')]],
    ['addon', join(root, 'native/build.sh'), [join(into, 'dist/kbtop.node')]],
    ['bundle', process.execPath, [join(root, 'tools/bundle.mjs'), join(into, 'dist')]],
  ];
  for (const [name, file, args] of steps) {
    const { code, output } = await run(file, args, { cwd: root, env: { ...process.env, CC: cc, CXX: cxx } });
    if (code !== 0) throw new SetupError(`building the ${name} for ${arch} failed (code ${code})\n${tail(output)}`);
  }
  return filesBelow(join(into, 'dist')).map((path) => relative(into, path));
}
