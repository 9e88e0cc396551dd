/** THIRD-PARTY.txt: what a release contains of others, in which version, and the licence of each, in full. */
import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { run, SetupError } from '../say.mjs';

const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;
/** Debian keeps the common licences in one place and refers to them. */
const COMMON = '/usr/share/common-licenses/';
const RULE = '='.repeat(100);

const byName = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

/** @param {string} directory of an installed npm package */
function npmPackage(directory, use) {
  const { name, version, license } = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
  const files = readdirSync(directory).filter((file) => LICENCE_FILE.test(file)).sort(byName);
  const said = typeof license === 'string' ? license : 'no licence named';
  const texts = files.map((file) => readFileSync(join(directory, file), 'utf8').trimEnd());
  return { title: `${name} ${version} (npm, ${said}): ${use}`, text: texts.length > 0 ? texts.join('\n\n') : `Its package has no licence text of its own; package.json says: ${said}` };
}

/** The directories below node_modules that a bundle's inputs came from. @param {string[]} inputs as esbuild's metafile names them */
export function packagesOf(inputs) {
  const found = inputs.flatMap((input) => {
    const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
    return match === null ? [] : [match[1]];
  });
  return [...new Set(found)].sort(byName);
}

/** Debian's package that owns a file. @returns {Promise<{ name: string, version: string, source: string }>} @throws {SetupError} */
async function debianPackage(path) {
  // Since /usr was merged the database knows some files by their old place.
  for (const place of [path, realpathSync(path), path.replace(/^\/usr/, '')]) {
    const { code, output } = await run('dpkg-query', ['-S', place]).catch(() => ({ code: 1, output: '' }));
    const owner = /^([^,:\s]+(?::[^,:\s]+)?)[^\n]*: /m.exec(output)?.[1];
    if (code !== 0 || owner === undefined) continue;
    const about = await run('dpkg-query', ['-W', '-f', '${Package} ${Version} ${source:Package} ${source:Version}', owner]);
    const [name, version, source, sourceVersion] = about.output.split(' ');
    if (about.code === 0 && name !== undefined) return { name, version, source: `${source} ${sourceVersion}` };
  }
  throw new SetupError(`whose licence ${path} has cannot be found out: releases are made on Debian or Ubuntu, from their packages`);
}

async function debianEntry(path, use) {
  const { name, version, source } = await debianPackage(path);
  const file = `/usr/share/doc/${name}/copyright`;
  if (!existsSync(file)) throw new SetupError(`${file} is missing: install the package ${name} with its documentation`);
  return { title: `${name} ${version} (Debian, source package ${source}): ${use}`, text: readFileSync(file, 'utf8').trimEnd() };
}

/**
 * @param {object} contents
 * @param {string} contents.root the checkout
 * @param {string} contents.node directory of the package that brings Node
 * @param {string[]} contents.inputs of the bundle
 * @param {string[]} contents.compiled packages whose headers became part of the addon
 * @param {[path: string, use: string][]} contents.system files of Debian's packages
 */
export async function thirdParty({ root, node, inputs, compiled, system }) {
  const npm = [
    npmPackage(node, 'node'),
    ...packagesOf(inputs).map((directory) => npmPackage(join(root, directory), 'in dist/')),
    ...compiled.map((name) => npmPackage(join(root, 'node_modules', name), 'in dist/kbtop.node')),
  ];
  const debian = [];
  for (const [path, use] of system) debian.push(await debianEntry(path, use));
  const titles = new Map();
  for (const { title, text } of [...npm, ...debian]) titles.set(text, [...new Set([...(titles.get(text) || []), title])]);
  const common = [...new Set(debian.flatMap(({ text }) => text.match(/\/usr\/share\/common-licenses\/[A-Za-z0-9.-]*[A-Za-z0-9]/g) || []))]
    .filter((path) => existsSync(path)).sort(byName).map((path) => [readFileSync(path, 'utf8').trimEnd(), [`${path.slice(COMMON.length)}, as named above by ${path}`]]);
  const parts = [...titles, ...common].map(([text, names]) => `${RULE}\n${names.join('\n')}\n${RULE}\n\n${text}\n`);
  return `What this release of kbtop contains of others, and under which terms. The sources of what came from Debian are in its\nsource packages of the versions named here.\n\n${parts.join('\n')}`;
}
