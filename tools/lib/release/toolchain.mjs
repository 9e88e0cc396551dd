/** What makes a release for an architecture: this machine's own compiler, or Debian's cross compiler. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARCHES } from '../arch.mjs';
import { vendoredNode } from '../dependencies.mjs';
import { findCommand } from '../needs.mjs';
import { SetupError } from '../say.mjs';

/** The version that kbtop is made for, as package.json has it. */
const nodeVersion = (root, arch) => JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).optionalDependencies[`node-linux-${arch}`];

/** Linked into the addon. */
const ARCHIVES = [['libbpf.a', 'libbpf-dev'], ['libelf.a', 'libelf-dev'], ['libz.a', 'zlib1g-dev']];

/**
 * @param {string} arch Node's name of the architecture
 * @returns {{ cc: string, cxx: string, strip: string, libc: string, archives: string[] }} paths
 * @throws {SetupError} that names everything that is missing, and how to get it
 */
export function toolchain(root, arch) {
  const { triplet, machine } = ARCHES[arch];
  const cross = arch !== process.arch;
  const missing = [];
  const want = (found, what, how) => {
    if (found === null) missing.push(`${what} (${how})`);
    return found;
  };
  const tool = (name, apt) => want(findCommand(cross ? `${triplet}-${name}` : name), cross ? `${triplet}-${name}` : name, `apt-get install ${apt}`);
  const compiler = cross ? `g++-${machine.replace('_', '-')}-linux-gnu` : 'g++';
  const dirs = cross ? [`/usr/lib/${triplet}`, `/usr/${triplet}/lib`] : [`/usr/lib/${triplet}`, '/usr/lib64', '/usr/lib'];
  const archive = (name, apt) => want(dirs.map((dir) => join(dir, name)).find((path) => existsSync(path)) || null, cross ? `${name} for ${arch}` : name, cross ? `dpkg --add-architecture ${ARCHES[arch].oci}; apt-get install ${apt}:${ARCHES[arch].oci}` : `apt-get install ${apt}`);
  const found = {
    cc: tool('gcc', cross ? compiler : 'gcc'), cxx: tool('g++', compiler), strip: tool('strip', cross ? compiler : 'binutils'),
    libc: archive('libc.a', 'libc6-dev'), archives: ARCHIVES.map(([name, apt]) => archive(name, apt)),
  };
  const node = vendoredNode(root, arch);
  want(existsSync(node) ? node : null, `Node for ${arch}`, `npm install --no-save --cpu=${arch} node-linux-${arch}@${nodeVersion(root, arch)}`);
  if (missing.length > 0) throw new SetupError(`a release for ${arch} cannot be made here, missing: ${missing.join(', ')}`);
  return found;
}
