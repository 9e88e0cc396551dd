#!/usr/bin/env node
/**
 * Make a release from a checkout where everything is built (tools/setup.mjs): dist/release/kbtop-VERSION-linux-ARCH.tar.gz,
 * the same tree as a container image in kbtop-VERSION-linux-ARCH-oci.tar, and SHA256SUMS. The same input gives the same
 * bytes; what is up to date is left alone.
 *
 *   node tools/dist.mjs [--arch x64|arm64]
 *
 * Speaks on stderr only. Exit codes: 0 done; 1 something is missing or failed.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ARCHES } from './lib/arch.mjs';
import { gzip, publish, sha256, tar } from './lib/release/archive.mjs';
import { buildFor, builtHere } from './lib/release/cross.mjs';
import { makeImage } from './lib/release/oci.mjs';
import { inputsOf, makeTree, versionOf } from './lib/release/tree.mjs';
import { lock } from './lib/lock.mjs';
import { giveBack } from './lib/owner.mjs';
import { SetupError, say, seconds } from './lib/say.mjs';
import { inputKey, isFresh, writeStamp } from './lib/stamp.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'dist/release');

function parse(args) {
  if (args.length === 0) return process.arch;
  const [flag, arch] = args;
  if (flag !== '--arch' || args.length !== 2 || ARCHES[arch] === undefined) throw new SetupError(`usage: node tools/dist.mjs [--arch ${Object.keys(ARCHES).join('|')}]`);
  return arch;
}

const megabytes = (path) => `${(statSync(path).size / 1e6).toFixed(1)} MB`;

/** All archives of this version that lie there, whatever machine they are for. */
function writeSums() {
  const files = readdirSync(out).filter((name) => /\.tar(?:\.gz)?$/.test(name)).sort();
  writeFileSync(join(out, 'SHA256SUMS'), files.map((name) => `${sha256(join(out, name))}  ${name}\n`).join(''));
}

async function release(arch) {
  const start = Date.now();
  const version = versionOf(root);
  const name = `kbtop-${version}-linux-${arch}`;
  const staging = join(root, 'dist/.staging', name);
  const from = arch === process.arch ? root : join(staging, 'built');
  const built = arch === process.arch ? builtHere(root) : await buildFor(root, arch, from);
  const { files, system } = inputsOf(root, arch, built, from);
  const key = inputKey(arch === process.arch ? root : staging, files, system, ['SOURCE_DATE_EPOCH']);
  const stamp = join(root, 'dist/.stamps', `release-${arch}.json`);
  const places = [`${name}.tar.gz`, `${name}-oci.tar`].map((file) => join(out, file));
  if (isFresh(root, stamp, key)) return;

  say(`making ${name}`);
  mkdirSync(out, { recursive: true });
  const tree = join(staging, name);
  await makeTree(root, arch, tree, built, from);
  const plain = join(staging, `${name}.tar`);
  await Promise.all([
    tar(plain, staging, [name]).then(() => gzip(plain)).then((packed) => publish(packed, places[0])),
    makeImage(places[1], { tree, names: readdirSync(tree).sort(), scratch: join(staging, 'image'), arch, version, license: 'MIT AND (GPL-2.0-only OR BSD-2-Clause)' }),
  ]);
  rmSync(staging, { recursive: true, force: true });
  writeSums();
  writeStamp(root, stamp, key, places.map((path) => relative(root, path)));
  for (const path of places) say(`${relative(root, path)}: ${megabytes(path)}`);
  say(`release made (${seconds(Date.now() - start)})`);
}

try {
  const arch = parse(process.argv.slice(2));
  mkdirSync(join(root, 'dist'), { recursive: true });
  const unlock = await lock(join(root, 'dist/.lock'));
  try {
    await release(arch);
  } finally {
    giveBack(root, statSync(root));
    unlock();
  }
} catch (error) {
  say(error instanceof SetupError ? error.message : error.stack);
  process.exitCode = 1;
}
