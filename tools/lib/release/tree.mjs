/** A release as a tree of files: all that kbtop needs on a node that has nothing. */
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle } from '../../bundle.mjs';
import { vendoredNode } from '../dependencies.mjs';
import { run, SetupError, tail } from '../say.mjs';
import { filesBelow } from '../stamp.mjs';
import { librariesOf } from './libraries.mjs';
import { thirdParty } from './licences.mjs';
import { toolchain } from './toolchain.mjs';

/** Taken as they are, where a checkout has them. */
const DIRECTORIES = ['scenarios', 'demo', 'deploy'];
const LAUNCHER = 'tools/lib/release/launcher.c';
/** Of no use to anybody without the tests. */
const isUseful = (path) => !path.startsWith('dist/bpf/selftest/') && !path.endsWith('.map');

async function must(what, file, args) {
  const { code, output } = await run(file, args).catch((error) => ({ code: 1, output: error.message }));
  if (code !== 0) throw new SetupError(`${what} failed (${file}: code ${code})\n${tail(output)}`);
}

/**
 * @param {string} root the checkout, with everything built
 * @param {string} arch Node's name of the architecture
 * @param {string} tree directory to make
 * @param {string[]} built paths below the root, of bundle, addon and BPF objects
 * @param {string} from where `built` lies, if not in the root
 */
export async function makeTree(root, arch, tree, built, from = root) {
  const tools = toolchain(root, arch);
  const node = vendoredNode(root, arch);
  rmSync(tree, { recursive: true, force: true });
  for (const directory of ['bin', 'lib']) mkdirSync(join(tree, directory), { recursive: true });
  for (const path of built.filter(isUseful)) {
    mkdirSync(dirname(join(tree, path)), { recursive: true });
    copyFileSync(join(from, path), join(tree, path));
  }
  // Symbols that nobody on a node can use; the dynamic ones, which the addon needs, stay.
  await must('taking the symbols out of Node', tools.strip, ['-o', join(tree, 'lib/node'), node]);
  const { loader, files } = librariesOf(arch, [node, join(tree, 'dist/kbtop.node')]);
  for (const [name, path] of files) {
    copyFileSync(path, join(tree, 'lib', name));
    chmodSync(join(tree, 'lib', name), name === loader ? 0o755 : 0o644);
  }
  for (const [program, flags] of [['node', []], ['bin/kbtop', ['-DAPP="dist/kbtop.mjs"']]]) {
    await must('building the launcher', tools.cc, ['-static', '-Os', '-s', '-Wall', '-Wextra', '-Werror', `-DLOADER="${loader}"`, ...flags, join(root, LAUNCHER), '-o', join(tree, program)]);
  }
  const plugin = join(root, 'bin/kubectl-kbtop');
  if (existsSync(plugin)) copyFileSync(plugin, join(tree, 'bin/kubectl-kbtop'));
  for (const directory of DIRECTORIES.filter((name) => existsSync(join(root, name)))) cpSync(join(root, directory), join(tree, directory), { recursive: true });
  copyFileSync(join(root, 'LICENSE'), join(tree, 'LICENSE'));
  const { metafile } = await bundle(join(tree, 'dist'), { write: false });
  const linked = [[tools.libc, 'in bin/kbtop and node'], ...tools.archives.map((path) => [path, 'in dist/kbtop.node'])];
  writeFileSync(join(tree, 'THIRD-PARTY.txt'), await thirdParty({
    root, node: dirname(dirname(node)), inputs: Object.keys(metafile.inputs), compiled: ['node-addon-api', 'node-api-headers'],
    system: [...[...files].map(([name, path]) => [path, `in lib/${name}`]), ...linked],
  }));
}

/** All that a release is made of, for its stamp. */
export function inputsOf(root, arch, built, from = root) {
  const tools = toolchain(root, arch);
  const node = vendoredNode(root, arch);
  const own = [...filesBelow(join(root, 'tools')), ...DIRECTORIES.filter((name) => existsSync(join(root, name))).flatMap((name) => filesBelow(join(root, name)))];
  const { files } = librariesOf(arch, [node, ...built.filter((path) => path.endsWith('.node')).map((path) => join(from, path))]);
  return {
    files: [...own, join(root, 'LICENSE'), join(root, 'package.json'), ...['bin/kubectl-kbtop'].map((path) => join(root, path)).filter((path) => existsSync(path)), ...built.filter(isUseful).map((path) => join(from, path))],
    system: [node, tools.cc, tools.strip, tools.libc, ...tools.archives, ...files.values()],
  };
}

export const versionOf = (root) => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
