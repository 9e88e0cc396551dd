/** Which shared libraries some files need, and what these need in turn. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ARCHES } from '../arch.mjs';
import { SetupError } from '../say.mjs';
import { readElf } from './elf.mjs';

/** Where a machine's own libraries lie, and those of Debian's cross compilers. */
function directories(arch) {
  const { triplet } = ARCHES[arch];
  return [`/lib/${triplet}`, `/usr/lib/${triplet}`, `/usr/${triplet}/lib`, ...(arch === process.arch ? ['/lib64', '/usr/lib64', '/lib', '/usr/lib'] : [])];
}

/**
 * @param {string} arch Node's name of the architecture
 * @param {string[]} programs paths; at least one of them names a loader
 * @returns {{ loader: string, files: Map<string, string> }} the loader's file name, and every library's real path by the name under which it is loaded, sorted
 * @throws {SetupError} when one is nowhere, or is for another machine
 */
export function librariesOf(arch, programs) {
  const dirs = directories(arch);
  const files = new Map();
  let loader = null;
  const find = (name, by) => {
    const path = dirs.map((dir) => join(dir, name)).find((file) => existsSync(file));
    if (path === undefined) throw new SetupError(`${name}, which ${by} needs, is in none of ${dirs.join(', ')}`);
    return realpathSync(path);
  };
  const look = (path) => {
    const { machine, interpreter, needed } = readElf(readFileSync(path));
    if (machine !== ARCHES[arch].elf) throw new SetupError(`${path} is not made for ${arch}`);
    for (const name of [...(interpreter === null ? [] : [basename(interpreter)]), ...needed]) {
      if (files.has(name)) continue;
      files.set(name, find(name, path));
      look(files.get(name));
    }
    if (interpreter !== null) loader = basename(interpreter);
  };
  for (const path of programs) look(path);
  if (loader === null) throw new SetupError(`none of ${programs.join(', ')} names a loader`);
  return { loader, files: new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1))) };
}
