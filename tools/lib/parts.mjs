/**
 * The three built parts: what each is made from, and how. Every part is built into a directory of its own
 * beside dist/ and moved in file by file, so that a running kbtop or a failed build never sees a half.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { vendoredNode } from './dependencies.mjs';
import { BPF_HELPERS, CLANG, GXX, LIBBPF, LIBELF, LIBZ, LINUX_BPF, LLVM_STRIP } from './needs.mjs';
import { SetupError, run, say, seconds, tail } from './say.mjs';
import { filesBelow, inputKey, isFresh, readStamp, writeStamp } from './stamp.mjs';

const find = (...needs) => needs.map((need) => need.find());

/**
 * `files` count by content, `system` by size and time, `variables` by value; `command(staging)` runs `script` to fill the
 * staging directory, whose tree then goes into dist/ unless `check(staging)` fails.
 */
export function parts(root) {
  const own = (path) => join(root, path);
  return [
    {
      name: 'BPF objects',
      id: 'bpf',
      script: 'bpf/build.sh',
      files: () => filesBelow(own('bpf')),
      system: () => [...find(CLANG, LLVM_STRIP, LINUX_BPF), ...filesBelow(dirname(BPF_HELPERS.find()))],
      variables: ['CLANG', 'LLVM_STRIP', 'KBTOP_BPF_CFLAGS'],
      command: (staging) => [own('bpf/build.sh'), join(staging, 'bpf')],
    },
    {
      name: 'addon',
      id: 'native',
      script: 'native/build.sh',
      files: () => [...filesBelow(own('native')), own('node_modules/node-addon-api/package.json'), own('node_modules/node-api-headers/package.json')],
      system: () => find(GXX, LIBBPF, LIBELF, LIBZ),
      variables: ['CXX', 'CC', 'KBTOP_CXXFLAGS', 'KBTOP_LDFLAGS'],
      command: (staging) => [own('native/build.sh'), join(staging, 'kbtop.node')],
      // The linker lets an addon's undefined symbols pass: Node brings some of them.
      check: (staging) => [vendoredNode(root), '-e', 'require(process.argv[1])', join(staging, 'kbtop.node')],
    },
    {
      name: 'bundle',
      id: 'bundle',
      script: 'tools/bundle.mjs',
      files: () => [...filesBelow(own('src')), own('tools/bundle.mjs'), own('package.json'), own('tsconfig.json'), own('package-lock.json')],
      system: () => [],
      variables: [],
      command: (staging) => [vendoredNode(root), own('tools/bundle.mjs'), staging],
    },
  ];
}

const stampFile = (root, part) => join(root, 'dist', '.stamps', `${part.id}.json`);
const keyOf = (root, part) => inputKey(root, part.files(), part.system(), part.variables);

/** Those parts that are missing or no longer what their inputs give. */
export function stale(root, list = parts(root)) {
  return list.filter((part) => !isFresh(root, stampFile(root, part), keyOf(root, part)));
}

/** Build one part and put it in place. */
export async function build(root, part) {
  const start = Date.now();
  const key = keyOf(root, part);
  const staging = join(root, 'dist', '.staging', part.id);
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(staging, { recursive: true });
  const { script } = part;
  if (!existsSync(join(root, script))) throw new SetupError(`cannot build the ${part.name}: ${script} is not there`);
  const [file, ...args] = part.command(staging);
  let result;
  try {
    result = await run(file, args, { cwd: root });
  } catch (error) {
    throw new SetupError(`cannot start ${file}: ${error.message}`);
  }
  if (result.code !== 0) {
    throw new SetupError(`building the ${part.name} failed (${script}: ${result.signal || `code ${result.code}`})\n${tail(result.output)}`);
  }
  const broken = part.check === undefined ? null : await run(...split(part.check(staging)));
  if (broken !== null && broken.code !== 0) throw new SetupError(`the ${part.name} was built, but does not load\n${tail(broken.output)}`);
  if (result.output.trim() !== '') process.stderr.write(`${tail(result.output)}\n`);
  const outputs = moveIn(root, staging);
  if (outputs.length === 0) throw new SetupError(`building the ${part.name} gave no file`);
  dropOld(root, part, outputs);
  writeStamp(root, stampFile(root, part), key, outputs);
  say(`built ${part.name} (${seconds(Date.now() - start)})`);
}

const split = ([file, ...args]) => [file, args];

/** Move the staged tree into dist/; returns the paths relative to the root. */
function moveIn(root, staging) {
  // The bundle's entries last: they name chunks that must be there before them.
  const isEntry = (file) => Number(/\/(?:kubectl-)?kbtop\.mjs$/.test(file));
  const files = readdirTree(staging).sort((a, b) => isEntry(a) - isEntry(b));
  for (const file of files) {
    const target = join(root, 'dist', relative(staging, file));
    mkdirSync(dirname(target), { recursive: true });
    renameSync(file, target);
  }
  rmSync(staging, { recursive: true, force: true });
  return files.map((file) => join('dist', relative(staging, file)));
}

const readdirTree = (dir) =>
  readdirSync(dir).flatMap((name) => {
    const path = join(dir, name);
    return statSync(path).isDirectory() ? readdirTree(path) : [path];
  });

/** Remove what an earlier build left, except the last one's: a running kbtop may still load its lazy parts. */
function dropOld(root, part, outputs) {
  const before = readStamp(stampFile(root, part));
  const last = before === null ? [] : before.outputs.map((output) => output.path);
  const ours = part.id === 'bpf' ? /^dist\/bpf\// : part.id === 'bundle' ? /^dist\/kbtop.*\.mjs(\.map)?$/ : /^$/;
  const keep = new Set(part.id === 'bpf' ? outputs : [...outputs, ...last]);
  for (const file of readdirTree(join(root, 'dist'))) {
    const path = relative(root, file);
    if (ours.test(path) && !keep.has(path)) rmSync(file, { force: true });
  }
}
